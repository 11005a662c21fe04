package signed

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/internal/cms"
	"github.com/eidkit/eidkit/testcards/pki"
)

// evidence is what a verifier needs beside the signature.
type evidence struct {
	certs       []*x509.Certificate
	crls, ocsps [][]byte
}

// add appends what is not there yet.
func (e *evidence) add(more evidence) {
	for _, c := range more.certs {
		if !slices.ContainsFunc(e.certs, c.Equal) {
			e.certs = append(e.certs, c)
		}
	}
	e.crls, e.ocsps = appendNew(e.crls, more.crls), appendNew(e.ocsps, more.ocsps)
}

func appendNew(list, more [][]byte) [][]byte {
	for _, one := range more {
		if !slices.ContainsFunc(list, func(other []byte) bool { return bytes.Equal(one, other) }) {
			list = append(list, one)
		}
	}
	return list
}

// chain are the certificates from c, issued by ca, up to the root.
func (o *Options) chain(c *x509.Certificate, ca *pki.Authority) []*x509.Certificate {
	out := []*x509.Certificate{c}
	if ca != o.PKI.Root {
		out = append(out, ca.Certificate)
	}
	return append(out, o.PKI.Root.Certificate)
}

// sent are the certificates that every level has: the signer's and those up
// to the root, without it.
func (o *Options) sent() []*x509.Certificate {
	if o.OnlySigner {
		return []*x509.Certificate{o.Signer.Certificate}
	}
	all := o.chain(o.Signer.Certificate, o.Signer.Issuer)
	return all[:len(all)-1]
}

// about is the evidence about one certificate and its issuer, made at a time.
func (o *Options) about(c *x509.Certificate, ca *pki.Authority, at time.Time) (evidence, error) {
	out := evidence{certs: o.chain(c, ca)}
	if o.NoAnswers {
		return out, nil
	}
	if ca != o.PKI.Root {
		list, err := o.crl(o.PKI.Root, at)
		if err != nil {
			return evidence{}, err
		}
		out.crls = append(out.crls, list)
	}
	if o.OnlyCRLs {
		list, err := o.crl(ca, at)
		if err != nil {
			return evidence{}, err
		}
		out.crls = append(out.crls, list)
		return out, nil
	}
	answer, err := o.ocsp(c, ca, at)
	if err != nil {
		return evidence{}, err
	}
	out.ocsps = append(out.ocsps, answer)
	return out, nil
}

// aboutSigner is the evidence about the signer and his time stamp.
func (o *Options) aboutSigner() (evidence, error) {
	out, err := o.about(o.Signer.Certificate, o.Signer.Issuer, o.RevocationAt)
	if err != nil {
		return evidence{}, fmt.Errorf("answers about the signer: %w", err)
	}
	stamp, err := o.aboutStamp(o.Timestamp, o.RevocationAt)
	out.add(stamp)
	return out, err
}

// aboutStamp is the evidence about a time stamp's authority.
func (o *Options) aboutStamp(s Stamp, at time.Time) (evidence, error) {
	out, err := o.about(s.TSA.Certificate, o.PKI.TimestampCA, at)
	if err != nil {
		return evidence{}, fmt.Errorf("answers about the time stamp: %w", err)
	}
	return out, nil
}

// crl is the list of a CA that is in force for a week.
func (o *Options) crl(ca *pki.Authority, at time.Time) ([]byte, error) {
	l := pki.List{Number: uint64(at.Unix()), ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7)}
	for _, r := range o.Revoked {
		if bytes.Equal(r.Certificate.RawIssuer, ca.Certificate.RawSubject) && !r.At.After(at) {
			l.Entries = append(l.Entries, pki.Entry{Serial: r.Certificate.SerialNumber, At: r.At, Reason: r.Reason})
		}
	}
	return o.PKI.CRL(ca, l)
}

// ocsp is an answer that is in force for an hour, by the delegated responder
// of that year.
func (o *Options) ocsp(c *x509.Certificate, ca *pki.Authority, at time.Time) ([]byte, error) {
	responder, err := o.PKI.Responder(ca, pki.Service{At: at})
	if err != nil {
		return nil, err
	}
	single := answers.Single{Serial: c.SerialNumber, Issuer: ca.Certificate, ThisUpdate: at, NextUpdate: at.Add(time.Hour)}
	for _, r := range o.Revoked {
		if r.Certificate.Equal(c) && !r.At.After(at) {
			single.Status, single.At, single.Reason = answers.Revoked, r.At, r.Reason
		}
	}
	return answers.OCSP{Responder: responder, Certificates: []*x509.Certificate{responder.Certificate}, ProducedAt: at,
		Singles: []answers.Single{single}}.Response()
}

// token stamps what the parts are together, with the authority's certificates
// inside, and attributes added beside the signature.
func (o *Options) token(s Stamp, unsigned [][]byte, parts ...[]byte) ([]byte, error) {
	t := o.stampOf(s, parts...)
	t.Unsigned = unsigned
	return t.Token()
}

// tokenWith is token with evidence about its authority inside. Its signature
// is the same, so that a token can be filled up later.
func (o *Options) tokenWith(s Stamp, e evidence, parts ...[]byte) ([]byte, error) {
	t := o.stampOf(s, parts...)
	e.add(evidence{certs: t.Certificates})
	t.Certificates, t.CRLs, t.OCSPs = e.certs, e.crls, e.ocsps
	return t.Token()
}

func (o *Options) stampOf(s Stamp, parts ...[]byte) answers.Timestamp {
	return answers.Timestamp{TSA: s.TSA, Certificates: []*x509.Certificate{s.TSA.Certificate, o.PKI.TimestampCA.Certificate},
		Hash: s.Hash, Imprint: cms.Digest(s.Hash, parts...), Policy: o.PKI.TimestampPolicy(), Time: s.At, Accuracy: time.Second,
		Serial: big.NewInt(s.At.Unix())}
}
