package assurability

import (
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/xmldsig"
)

// Codes of faults (facts sheet a.8 and b.4).
const (
	faultNobody  = "NO_IO_ERROR"
	faultSeveral = "MULTIIO_ERROR"
)

// detailStatuses are the details that say something about the patient. Every other fault is about the question or the service, and the
// answer to it is Unavailable.
var detailStatuses = map[string]Status{
	"23": Unknown, "43": Unknown, "44": Conflict, // GenIns
	"UNKNOWN_NISS_ROUTING": Unknown, "UNKNOWN_IO": Unknown, "BO_UNKNOWN_NISS": Unknown, "BO_UNKNOWN_REGNBR": Unknown, "BO_INVALID_REGNBR": Unknown, "MULTIPLE_IO": Conflict, // MemberData
}

// readFault reads a fault of a service; elements count by their local names.
func readFault(n *xmldsig.Node) *Fault {
	f := &Fault{Code: text(n, "FaultCode"), Source: text(n, "FaultSource"), Message: text(n, "Message")}
	for _, d := range children(child(n, "Details"), "Detail") {
		f.Details = append(f.Details, struct{ Code, Location, Message string }{text(d, "DetailCode"), text(d, "Location"), text(d, "Message")})
	}
	return f
}

// fault makes the answer of a business fault. Without a fault where one should be, nothing is known.
func (a *Answer) fault(n *xmldsig.Node) {
	a.Status = Unavailable
	if n == nil {
		return
	}
	a.Fault = readFault(n)
	for _, io := range children(child(n, "MultiIO"), "IO") {
		a.Insurers = append(a.Insurers, strings.TrimSpace(io.Text()))
	}
	a.judgeFault()
}

func (a *Answer) judgeFault() {
	switch a.Fault.Code {
	case faultNobody:
		a.Status = Unknown
	case faultSeveral:
		a.Status = Conflict
	}
	for _, d := range a.Fault.Details {
		if s, ok := detailStatuses[d.Code]; ok && a.Status == Unavailable {
			a.Status = s
		}
	}
}

// detailWarnings are the details of what is no fault but a warning beside an answer of MemberData (facts sheet b.4).
var detailWarnings = map[string]Warning{"MUTATION": InsurerChanged, "ONLY_FIVE_PERIODS_RETURNED": Truncated}

func (a *Answer) warnFault() {
	if a.Fault == nil {
		return
	}
	for _, d := range a.Fault.Details {
		if w, ok := detailWarnings[d.Code]; ok {
			a.warn(w)
		}
	}
}

// Retry tells whether the same question may be asked again at once (facts sheet b.4): the network could not pass it on, and no
// insurer said why.
func (f *Fault) Retry() bool {
	if f == nil {
		return false
	}
	insurer := slices.ContainsFunc(f.Details, func(d struct{ Code, Location, Message string }) bool { return strings.HasPrefix(d.Code, "BO_") })
	return f.Code == "SEND_ERROR" || f.Code == "GENERIC_ERROR" && !insurer
}
