package network

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Service is one of the services.
type Service string

// The services.
const (
	CRL     Service = "crl"
	OCSP    Service = "ocsp"
	Issuers Service = "crt" // certificates of the CAs
	TSA     Service = "tsa"
)

// Services returns all of them.
func Services() []Service { return []Service{CRL, OCSP, Issuers, TSA} }

// Fault is something that a service does otherwise than it should, or, for
// the last group, than it usually does.
type Fault string

// The faults, each with the services it is for; without a note: all.
const (
	Down            Fault = "down"            // the connection is closed at once
	Silent          Fault = "silent"          // never answers
	Slow            Fault = "slow"            // one byte of the answer every 100 ms
	HTML            Fault = "html"            // status 200 and a page of HTML, as captive portals do
	Empty           Fault = "empty"           // status 200 and nothing
	Huge            Fault = "huge"            // 60 MB that begin like an answer
	Bomb            Fault = "bomb"            // 60 MB, compressed to a few thousand bytes
	Redirect        Fault = "redirect"        // to the right answer, once
	RedirectFile    Fault = "redirectFile"    // to file:///etc/hostname
	RedirectPrivate Fault = "redirectPrivate" // to http://169.254.169.254/
	RedirectLoop    Fault = "redirectLoop"    // to itself
	Truncated       Fault = "truncated"       // half of the promised bytes, then the end
	Malformed       Fault = "malformed"       // an answer that is cut inside and padded

	WrongIssuer    Fault = "wrongIssuer"    // crl, ocsp, crt: another CA's
	WrongSignature Fault = "wrongSignature" // crl, ocsp, tsa: one bit changed
	Replay         Fault = "replay"         // crl, ocsp: of 30 days ago, over since 23 days
	Future         Fault = "future"         // crl, ocsp: thisUpdate tomorrow
	Critical       Fault = "critical"       // crl: with a critical extension that nobody knows

	WrongSerial  Fault = "wrongSerial"  // ocsp: about another certificate
	WrongNonce   Fault = "wrongNonce"   // ocsp, tsa
	NoNonce      Fault = "noNonce"      // ocsp (where it is no fault), tsa
	Expired      Fault = "expired"      // ocsp, tsa: signed with a certificate that was over two years ago
	Unauthorised Fault = "unauthorised" // ocsp, tsa: the certificate has not the extended key usage
	Foreign      Fault = "foreign"      // ocsp: signed by the responder of another CA
	TryLater     Fault = "tryLater"     // ocsp: status tryLater
	Denied       Fault = "denied"       // ocsp: status unauthorized
	Unknowing    Fault = "unknowing"    // ocsp: every certificate unknown

	WrongImprint  Fault = "wrongImprint"  // tsa
	WrongPolicy   Fault = "wrongPolicy"   // tsa: not the policy that was asked for
	Rejection     Fault = "rejection"     // tsa: status rejection
	ClockAhead    Fault = "clockAhead"    // tsa: a day
	ClockBehind   Fault = "clockBehind"   // tsa: a day
	NoCertificate Fault = "noCertificate" // tsa: although it was asked for; ocsp: none sent

	// No faults: other right answers.
	ByName  Fault = "byName"  // ocsp: responder named by subject
	Direct  Fault = "direct"  // ocsp: signed by the CA itself
	Checked Fault = "checked" // ocsp: responder without nocheck
	Endless Fault = "endless" // ocsp: no nextUpdate
	PEM     Fault = "pem"     // crl, crt
	Delta   Fault = "delta"   // crl: full lists stay as they are, changes come in delta CRLs
)

// Status is the fault of answering with an HTTP status and no more: 100 to
// 599.
func Status(code int) Fault { return Fault("status:" + strconv.Itoa(code)) }

var (
	general  = []Fault{Down, Silent, Slow, HTML, Empty, Huge, Bomb, Redirect, RedirectFile, RedirectPrivate, RedirectLoop, Truncated, Malformed}
	specific = map[Service][]Fault{
		CRL:     {WrongIssuer, WrongSignature, Replay, Future, Critical, PEM, Delta},
		Issuers: {WrongIssuer, PEM},
		OCSP: {WrongIssuer, WrongSignature, Replay, Future, WrongSerial, WrongNonce, NoNonce, Expired, Unauthorised, Foreign, TryLater, Denied,
			Unknowing, NoCertificate, ByName, Direct, Checked, Endless},
		TSA: {WrongSignature, WrongNonce, NoNonce, Expired, Unauthorised, WrongImprint, WrongPolicy, Rejection, ClockAhead, ClockBehind, NoCertificate},
	}
)

// Faults returns those that Set takes for a service, Status apart.
func Faults(s Service) []Fault {
	if specific[s] == nil {
		return nil
	}
	return slices.Concat(general, specific[s])
}

// ErrNoFault is returned by Set for a service or fault that is not there.
var ErrNoFault = errors.New("no such fault")

// Set replaces the faults of a service: none makes it right again. CRLs are
// issued anew. It fails, changing nothing, when a fault is not for this
// service.
func (n *Network) Set(s Service, faults ...Fault) error {
	if specific[s] == nil {
		return fmt.Errorf("%w: service %q", ErrNoFault, s)
	}
	for _, f := range faults {
		if _, ok := f.status(); !ok && !slices.Contains(Faults(s), f) {
			return fmt.Errorf("%w: %q of service %q", ErrNoFault, f, s)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s == CRL {
		clear(n.lists)
		if slices.Contains(faults, Delta) && !slices.Contains(n.faults[s], Delta) {
			for _, st := range n.states {
				st.freeze()
			}
		}
	}
	n.faults[s] = slices.Clone(faults)
	return nil
}

// status is the code of a Status fault.
func (f Fault) status() (code int, ok bool) {
	text, ok := strings.CutPrefix(string(f), "status:")
	if !ok {
		return 0, false
	}
	code, err := strconv.Atoi(text)
	return code, err == nil && code >= 100 && code <= 599
}

// active are the faults of a service at the moment of one request.
type active []Fault

func (n *Network) active(s Service) active {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.faults[s])
}

func (a active) has(f Fault) bool { return slices.Contains(a, f) }
