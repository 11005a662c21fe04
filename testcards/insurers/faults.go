package insurers

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Service is one of the services, or what lies below all of them.
type Service string

// The services.
const (
	STS        Service = "sts"        // gives tokens
	GenIns     Service = "genins"     // GenericInsurability v1
	Pharmacist Service = "pharmacist" // Insurability v2
	MemberData Service = "memberdata" // MemberData v1
	TLS        Service = "tls"        // the certificate of all of them
)

// Services returns all of them.
func Services() []Service { return []Service{STS, GenIns, Pharmacist, MemberData, TLS} }

// paths are those of the real services.
var paths = map[Service]string{STS: "/IAM/SecurityTokenService/v1", GenIns: "/GenericInsurability/v1", Pharmacist: "/Insurability/v2", MemberData: "/MyCareNet/MemberData/v1"}

// Fault is something that a service does otherwise than it should.
type Fault string

// The faults, each with the services it is for; without a note: all but TLS.
const (
	Down      Fault = "down"      // the connection is closed at once
	Silent    Fault = "silent"    // never answers
	Slow      Fault = "slow"      // one byte of the answer every 100 ms
	HTML      Fault = "html"      // status 200 and a page of HTML, as captive portals do
	Empty     Fault = "empty"     // status 200 and nothing
	EmptyBody Fault = "emptyBody" // an envelope with nothing in its body
	Huge      Fault = "huge"      // 60 MB that begin like an answer
	Truncated Fault = "truncated" // half of the promised bytes, then the end
	Garbled   Fault = "garbled"   // the second half of the answer overwritten
	Error500  Fault = "error500"  // status 500 without a SOAP fault

	Temporary   Fault = "temporary"   // SOA-02002, with the advice to try again
	Unavailable Fault = "unavailable" // SOA-02001
	Unspecified Fault = "unspecified" // SOA-00001
	Expired     Fault = "expired"     // services: every token has expired, SOA-01001; sts: tokens that have
	Foreign     Fault = "foreign"     // sts: signed by a service that nobody knows
	OtherKey    Fault = "otherKey"    // sts: tokens for another key than the one asked for

	WrongReference Fault = "wrongReference" // services: in response to another message; whoever believes it takes the patient for uninsured
	WrongPerson    Fault = "wrongPerson"    // services: about another person, who is not insured
	Yesterday      Fault = "yesterday"      // services: about the day before, when nobody was insured
	Replay         Fault = "replay"         // services: the answer to the question before
	NotOK          Fault = "notOK"          // genins, pharmacist: a status other than 200 in front of an answer; memberdata: no status
	PlainFaults    Fault = "plainFaults"    // memberdata: faults without a namespace, which is no fault
	Deflated       Fault = "deflated"       // memberdata: the answer is deflated, as it is by default, which is no fault

	ForeignCA   Fault = "foreignCA"   // tls: issued by an unknown authority
	WrongName   Fault = "wrongName"   // tls: for another host
	ExpiredCert Fault = "expiredCert" // tls: over since 2024
)

// Status is the fault of answering with an HTTP status and no more: 100 to 599.
func Status(code int) Fault { return Fault("status:" + strconv.Itoa(code)) }

var (
	general  = []Fault{Down, Silent, Slow, HTML, Empty, EmptyBody, Huge, Truncated, Garbled, Error500, Temporary, Unavailable, Unspecified, Expired}
	wrong    = []Fault{WrongReference, WrongPerson, Yesterday, Replay, NotOK}
	faultsOf = map[Service][]Fault{
		STS:        slices.Concat(general, []Fault{Foreign, OtherKey}),
		GenIns:     slices.Concat(general, wrong),
		Pharmacist: slices.Concat(general, wrong),
		MemberData: slices.Concat(general, wrong, []Fault{PlainFaults, Deflated}),
		TLS:        {ForeignCA, WrongName, ExpiredCert},
	}
)

// Faults returns those that Set takes for a service, Status apart.
func Faults(s Service) []Fault { return slices.Clone(faultsOf[s]) }

// ErrNoFault is returned by Set for a service or fault that is not there.
var ErrNoFault = errors.New("no such fault")

// Set replaces the faults of a service: none makes it right again. It fails, changing nothing, when a fault is not for this service.
// Faults of TLS close the connections there are.
func (n *Network) Set(s Service, faults ...Fault) error {
	if faultsOf[s] == nil {
		return fmt.Errorf("%w: service %q", ErrNoFault, s)
	}
	for _, f := range faults {
		if _, ok := f.status(); (!ok || s == TLS) && !slices.Contains(faultsOf[s], f) {
			return fmt.Errorf("%w: %q of service %q", ErrNoFault, f, s)
		}
	}
	n.mu.Lock()
	n.faults[s] = slices.Clone(faults)
	n.mu.Unlock()
	if s == TLS {
		n.closeAll()
	}
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
