package network

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/steer"
)

// ControlPath is where a running network is steered over HTTP: GET gives its
// State as JSON; POST of a Command as application/json changes it and gives the
// State after. What cannot be done is answered with 400 and a line of text.
const ControlPath = "/control"

// Command changes a running network. Members that are absent change nothing.
type Command struct {
	// Service and Faults are as in Network.Set; no faults make the service
	// right again.
	Service Service `json:"service,omitempty"`
	Faults  []Fault `json:"faults,omitempty"`
	// Do is "revoke", "hold", "release" or "forget", for the certificate
	// named below.
	Do string `json:"do,omitempty"`
	// Certificate is PEM, or DER in base64. Instead of it, Serial
	// (hexadecimal) with Issuer, the file name of a CA; empty: the citizen CA.
	Certificate string `json:"certificate,omitempty"`
	Serial      string `json:"serial,omitempty"`
	Issuer      string `json:"issuer,omitempty"`
	// At and Reason are of the revocation; no At: now.
	At     time.Time `json:"at,omitzero"`
	Reason int       `json:"reason,omitempty"`
	// Publish has all CRLs issued anew.
	Publish bool `json:"publish,omitempty"`
}

// State is what a network says of itself.
type State struct {
	Time     time.Time           `json:"time"`
	Requests map[Service]int     `json:"requests"`
	Faults   map[Service][]Fault `json:"faults"`
	// Known are the faults that can be set, beside "status:CODE".
	Known map[Service][]Fault `json:"known"`
	// Revoked are serial numbers (hexadecimal) by CA.
	Revoked map[string][]string `json:"revoked"`
}

func (n *Network) control(w http.ResponseWriter, r *http.Request) {
	steer.Serve(w, r, maxRequest, n.Apply, n.State)
}

// Apply does what a Command says, or nothing and an error.
func (n *Network) Apply(c Command) error {
	var cert *x509.Certificate
	if c.Do != "" {
		var err error
		if cert, err = n.named(c); err != nil {
			return err
		}
	}
	if c.At.IsZero() {
		c.At = n.clock()
	}
	switch c.Do {
	case "", "revoke", "hold", "release", "forget":
	default:
		return fmt.Errorf("%q is none of revoke, hold, release, forget", c.Do)
	}
	if c.Service != "" {
		if err := n.Set(c.Service, c.Faults...); err != nil {
			return err
		}
	}
	if c.Publish {
		n.Publish()
	}
	switch c.Do {
	case "revoke":
		return n.Revoke(cert, c.At, c.Reason)
	case "hold":
		return n.Hold(cert, c.At)
	case "release":
		return n.Release(cert)
	case "forget":
		return n.Forget(cert)
	}
	return nil
}

// named finds the certificate that a command means. One that is named by its
// serial number has nothing but that and its issuer.
func (n *Network) named(c Command) (*x509.Certificate, error) {
	if c.Certificate != "" {
		raw := []byte(nil)
		if block, _ := pem.Decode([]byte(c.Certificate)); block != nil {
			raw = block.Bytes
		} else if der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(c.Certificate)); err == nil {
			raw = der
		}
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		_, _, err = n.issuer(cert)
		return cert, err
	}
	serial, ok := new(big.Int).SetString(c.Serial, 16)
	if !ok {
		return nil, errors.New("neither certificate nor hexadecimal serial is given")
	}
	ca := n.PKI.CitizenCA
	if c.Issuer != "" {
		if _, ca = n.authority(c.Issuer); ca == nil {
			return nil, fmt.Errorf("there is no CA %q", c.Issuer)
		}
	}
	return &x509.Certificate{SerialNumber: serial, RawIssuer: ca.Certificate.RawSubject}, nil
}

// State tells what is set and what was asked.
func (n *Network) State() State {
	out := State{Time: n.clock(), Requests: n.Requests(), Faults: map[Service][]Fault{}, Known: map[Service][]Fault{}, Revoked: map[string][]string{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range Services() {
		out.Faults[s] = append([]Fault{}, n.faults[s]...)
		out.Known[s] = Faults(s)
	}
	for name, s := range n.states {
		for _, e := range entries(s.revoked, out.Time) {
			out.Revoked[name] = append(out.Revoked[name], serialText(e.Serial))
		}
	}
	return out
}
