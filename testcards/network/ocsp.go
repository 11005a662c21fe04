package network

import (
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
)

// Statuses of an OCSPResponse without an answer, RFC 6960 section 4.2.1.
const (
	malformedRequest = 1
	internalError    = 2
	tryLater         = 3
	unauthorized     = 6
)

func ocspAnswer(body []byte) answer {
	return answer{body: body, kind: "application/ocsp-response"}
}

// ocspGet reads the request from the path, RFC 6960 appendix A.1.
func (n *Network) ocspGet(r *http.Request, _ []byte, a active) answer {
	text, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/ocsp/"))
	if err != nil {
		return ocspAnswer(answers.OCSPError(malformedRequest))
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ocspAnswer(answers.OCSPError(malformedRequest))
	}
	return n.ocsp(r, body, a)
}

// ocsp answers a request.
func (n *Network) ocsp(_ *http.Request, body []byte, a active) answer {
	switch {
	case a.has(TryLater):
		return ocspAnswer(answers.OCSPError(tryLater))
	case a.has(Denied):
		return ocspAnswer(answers.OCSPError(unauthorized))
	}
	asked, nonce, err := answers.ParseOCSPRequest(body)
	if err != nil {
		return ocspAnswer(answers.OCSPError(malformedRequest))
	}
	p, ca := n.askedIssuer(asked[0])
	if ca == nil {
		return ocspAnswer(answers.OCSPError(unauthorized)) // RFC 5019 section 2.2.3
	}
	out, err := n.responder(p, ca, a)
	if err == nil {
		out.Nonce = a.nonce(nonce)
		for _, one := range asked {
			out.Singles = append(out.Singles, n.single(p, ca, one, a))
		}
		var raw []byte
		if raw, err = out.Response(); err == nil {
			return ocspAnswer(raw)
		}
	}
	return ocspAnswer(answers.OCSPError(internalError))
}

// askedIssuer finds the CA that a request means.
func (n *Network) askedIssuer(asked answers.Asked) (*pki.PKI, *pki.Authority) {
	for _, alg := range []pki.Algorithm{n.PKI.Options().Algorithm, pki.EC, pki.RSA, pki.RSA1024} {
		p := n.Of(alg)
		for _, ca := range p.CAs() {
			if asked.Is(ca.Certificate) {
				return p, ca
			}
		}
	}
	return nil, nil
}

// nonce is what an answer says for the nonce that was sent, nil if none was.
func (a active) nonce(sent []byte) []byte {
	switch {
	case len(sent) == 0, a.has(NoNonce), a.has(Replay):
		return nil
	case a.has(WrongNonce):
		wrong := append([]byte(nil), sent...)
		wrong[0] ^= 0xff
		return wrong
	}
	return sent
}

// responder begins the answer: who signs, what is sent along, when.
func (n *Network) responder(p *pki.PKI, ca *pki.Authority, a active) (answers.OCSP, error) {
	now := n.clock()
	at := a.when(now)
	out := answers.OCSP{Responder: ca, ByName: a.has(ByName), ProducedAt: at, Corrupt: a.has(WrongSignature)}
	// More than one certificate, and the responder's not first, as the
	// Belgian services send them.
	out.Certificates = []*x509.Certificate{ca.Certificate}
	if !a.has(Direct) {
		of := ca
		if a.has(Foreign) {
			of = other(p, ca)
		}
		s := pki.Service{At: at, NoPurpose: a.has(Unauthorised), Checked: a.has(Checked)}
		if a.has(Expired) {
			s.At = now.AddDate(-3, 0, 0)
		}
		r, err := p.Responder(of, s)
		if err != nil {
			return answers.OCSP{}, err
		}
		out.Responder = r
		out.Certificates = append(out.Certificates, r.Certificate)
	}
	if a.has(NoCertificate) {
		out.Certificates = nil
	}
	return out, nil
}

// when is the time at which an answer says it was made.
func (a active) when(now time.Time) time.Time {
	switch {
	case a.has(Replay):
		return now.Add(-old)
	case a.has(Future):
		return now.AddDate(0, 0, 1)
	}
	return now
}

// single is the answer about one certificate.
func (n *Network) single(p *pki.PKI, ca *pki.Authority, asked answers.Asked, a active) answers.Single {
	at := a.when(n.clock())
	out := answers.Single{ID: asked.ID, ThisUpdate: at, NextUpdate: at.Add(n.opts.OCSPLife)}
	if a.has(Endless) {
		out.NextUpdate = time.Time{}
	}
	if a.has(Replay) {
		out.NextUpdate = at.Add(n.opts.CRLLife)
	}
	revoked, unknown := n.status(ca.Name, asked.Serial, at)
	switch {
	case unknown || a.has(Unknowing):
		out.Status = answers.Unknown
	case revoked != nil:
		out.Status, out.At, out.Reason = answers.Revoked, revoked.at, revoked.reason
	}
	switch {
	case a.has(WrongSerial):
		out.ID, _ = answers.CertID(asked.Hash, ca.Certificate, new(big.Int).Add(asked.Serial, big.NewInt(1))) // the CA's key was read when it was found
	case a.has(WrongIssuer):
		out.ID, _ = answers.CertID(asked.Hash, other(p, ca).Certificate, asked.Serial)
	}
	return out
}
