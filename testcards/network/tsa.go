package network

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
)

// Bits of PKIFailureInfo, RFC 3161 section 2.4.2.
const (
	badAlg           = 0
	badDataFormat    = 5
	unacceptedPolicy = 15
	systemFailure    = 25
)

// otherPolicy is a second policy that the time stamp service offers beside
// PKI.TimestampPolicy.
const otherPolicy = "2.999.56.1"

const rejection = 2

func tsaAnswer(body []byte) answer { return answer{body: body, kind: "application/timestamp-reply"} }

// tsa serves /tsa, and /tsa/NAME for the units of the other algorithms.
func (n *Network) tsa(r *http.Request, body []byte, a active) answer {
	p := n.PKI
	if name := r.PathValue("name"); name != "" {
		of, unit := n.authority(name)
		if of == nil || unit != of.TSA {
			return refused(http.StatusNotFound, "no such time stamp unit")
		}
		p = of
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if strings.TrimSpace(kind) != "application/timestamp-query" {
		return refused(http.StatusUnsupportedMediaType, "the request has not the type application/timestamp-query")
	}
	return tsaAnswer(n.stamp(p, body, a))
}

// stamp answers a time stamp request.
func (n *Network) stamp(p *pki.PKI, body []byte, a active) []byte {
	request, err := answers.ParseRequest(body)
	switch {
	case a.has(Rejection):
		return answers.TimestampError(rejection, systemFailure, "rejected, as the fault says")
	case err != nil:
		return answers.TimestampError(rejection, badDataFormat, err.Error())
	case request.Hash == 0 || request.Hash == crypto.SHA1:
		return answers.TimestampError(rejection, badAlg, "hash not supported: SHA-256, SHA-384, SHA-512 and SHA-3 are")
	case len(request.Imprint) != request.Hash.Size():
		return answers.TimestampError(rejection, badDataFormat, "the imprint has not the length of its hash")
	case request.Policy != "" && request.Policy != p.TimestampPolicy() && request.Policy != otherPolicy:
		return answers.TimestampError(rejection, unacceptedPolicy, "unknown policy")
	}
	out, err := n.timestamp(p, request, a)
	if err != nil {
		return answers.TimestampError(rejection, systemFailure, err.Error())
	}
	raw, err := out.Response()
	if err != nil {
		return answers.TimestampError(rejection, systemFailure, err.Error())
	}
	return raw
}

// timestamp fills in the token for a request.
func (n *Network) timestamp(p *pki.PKI, request answers.Request, a active) (answers.Timestamp, error) {
	n.mu.Lock()
	n.serial++
	serial := n.serial
	n.mu.Unlock()
	now := n.clock()
	unit, err := p.TSA, error(nil)
	switch {
	case a.has(Expired):
		unit, err = p.TimestampUnit(pki.Service{NotBefore: now.AddDate(-4, 0, 0), NotAfter: now.AddDate(-2, 0, 0)})
	case a.has(Unauthorised):
		unit, err = p.TimestampUnit(pki.Service{NoPurpose: true})
	}
	if err != nil {
		return answers.Timestamp{}, err
	}
	out := answers.Timestamp{TSA: unit, Hash: request.Hash, Imprint: request.Imprint, Policy: request.Policy, Serial: big.NewInt(serial),
		Time: now, Accuracy: time.Second, Nonce: request.Nonce, Corrupt: a.has(WrongSignature)}
	if out.Policy == "" {
		out.Policy = p.TimestampPolicy()
	}
	if request.Certificates && !a.has(NoCertificate) {
		out.Certificates = []*x509.Certificate{unit.Certificate, p.TimestampCA.Certificate}
	}
	a.spoil(&out)
	return out, nil
}

// spoil puts the faults of the content into a time stamp.
func (a active) spoil(out *answers.Timestamp) {
	if a.has(WrongImprint) {
		out.Imprint = bytes.Clone(out.Imprint)
		out.Imprint[0] ^= 0xff
	}
	if a.has(NoNonce) {
		out.Nonce = nil
	}
	if a.has(WrongNonce) && out.Nonce != nil {
		out.Nonce = new(big.Int).Add(out.Nonce, big.NewInt(1))
	}
	if a.has(WrongPolicy) {
		out.Policy = "2.999.56.666"
	}
	switch {
	case a.has(ClockAhead):
		out.Time = out.Time.AddDate(0, 0, 1)
	case a.has(ClockBehind):
		out.Time = out.Time.AddDate(0, 0, -1)
	}
}
