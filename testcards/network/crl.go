package network

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/http"
	"strings"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/cms"
	"github.com/eidkit/eidkit/testcards/internal/der"
	"github.com/eidkit/eidkit/testcards/pki"
)

// published is a CRL as it was last issued.
type published struct {
	raw      []byte
	number   uint64
	from, to time.Time
}

// old is how long ago the answers of the fault Replay were made.
const old = 30 * 24 * time.Hour

// crl serves /crl/NAME.crl and /crl/NAME-delta.crl.
func (n *Network) crl(r *http.Request, _ []byte, a active) answer {
	name, ok := strings.CutSuffix(r.PathValue("file"), ".crl")
	name, delta := strings.CutSuffix(name, "-delta")
	p, ca := n.authority(name)
	if !ok || ca == nil || (delta && !a.has(Delta)) {
		return refused(http.StatusNotFound, "no such list")
	}
	if a.has(WrongIssuer) {
		ca = other(p, ca)
	}
	list, err := n.list(p, ca, delta, a)
	if err != nil {
		return refused(http.StatusInternalServerError, err.Error())
	}
	return answer{body: list.raw, kind: "application/pkix-crl", modified: list.from, pemType: "X509 CRL"}
}

// other is a CA that is not the one given.
func other(p *pki.PKI, ca *pki.Authority) *pki.Authority {
	if ca == p.ForeignerCA {
		return p.CitizenCA
	}
	return p.ForeignerCA
}

// list gives the CRL that is in force, issuing it if there is none, if
// something changed, or if its time is over.
func (n *Network) list(p *pki.PKI, ca *pki.Authority, delta bool, a active) (published, error) {
	now := n.clock()
	n.mu.Lock()
	defer n.mu.Unlock()
	name := ca.Name
	if delta {
		name += "-delta"
	}
	l := n.content(p, ca, delta, a, now)
	if last := n.lists[name]; last.raw != nil && last.number == l.Number && !now.Before(last.from) && now.Before(last.to) {
		return last, nil
	}
	raw, err := p.CRL(ca, l)
	if err != nil {
		return published{}, err
	}
	if a.has(WrongSignature) {
		raw[len(raw)-1] ^= 1
	}
	out := published{raw, l.Number, now, now.Add(n.opts.CRLLife)}
	n.lists[name] = out
	return out, nil
}

// content is what a list says; the caller holds mu.
func (n *Network) content(p *pki.PKI, ca *pki.Authority, delta bool, a active, now time.Time) pki.List {
	at := now
	switch {
	case a.has(Replay):
		at = now.Add(-old)
	case a.has(Future):
		at = now.AddDate(0, 0, 1)
	}
	l := pki.List{ThisUpdate: at, NextUpdate: at.Add(n.opts.CRLLife)}
	if a.has(Critical) {
		l.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 999, 13}, Critical: true, Value: der.Null()}}
	}
	if ca == p.CRLIssuer {
		n.indirect(p, at, &l)
		return l
	}
	s := n.state(ca.Name)
	switch {
	case delta:
		l.Number, l.Base, l.Entries = s.number, s.base, s.delta(at)
	case a.has(Delta):
		l.Number, l.Delta, l.Entries = s.base, p.DeltaURL(ca), entries(s.frozen, at)
	default:
		l.Number, l.Entries = s.number, entries(s.revoked, at)
	}
	return l
}

// indirect fills in the one list that is about all CAs.
func (n *Network) indirect(p *pki.PKI, at time.Time, l *pki.List) {
	l.Scope = pki.Scope{URL: p.CRLURL(p.CRLIssuer), Indirect: true}
	for _, ca := range p.CAs() {
		s := n.state(ca.Name)
		l.Number += s.number
		list := entries(s.revoked, at)
		if len(list) > 0 {
			list[0].Issuer = ca
		}
		l.Entries = append(l.Entries, list...)
	}
}

// certificate serves /crt/NAME.crt (DER) and /crt/NAME.p7c (RFC 5280 section
// 4.2.2.1: a message with certificates only).
func (n *Network) certificate(r *http.Request, _ []byte, a active) answer {
	name, bundle := strings.CutSuffix(r.PathValue("file"), ".p7c")
	name, single := strings.CutSuffix(name, ".crt")
	p, ca := n.authority(name)
	if ca == nil || bundle == single {
		return refused(http.StatusNotFound, "no such certificate")
	}
	if a.has(WrongIssuer) {
		ca = other(p, ca)
	}
	out := answer{body: bytes.Clone(ca.Certificate.Raw), kind: "application/pkix-cert", modified: ca.Certificate.NotBefore, pemType: "CERTIFICATE"}
	if bundle {
		out.body = cms.SignedData{ContentType: cms.OIDData, Certificates: []*x509.Certificate{ca.Certificate, p.Root.Certificate}}.Encode()
		out.kind, out.pemType = "application/pkcs7-mime", "PKCS7"
	}
	return out
}
