// Package assurability asks the network of the Belgian mutualities whether a
// patient is insured, and reads the answers of its three services.
//
// Start with NewSession and Session.Open, which gets the token that the
// services want, then New and Client.Ask. A Question has one typed Answer,
// whatever service gave it; what came is held against the question: an answer
// about another person, another day or another message is no answer.
// Reconcile holds a SIS card against the network, which wins.
//
// Nothing becomes NotInsured on doubt. A service that is not there, an answer
// that is not understood and a person whom nobody knows are Unavailable or
// Unknown. Answers of earlier the same day stand in for a service that is not
// there, marked and without promise of payment. They are kept in memory alone.
//
// Out of scope: billing, tariffs of medicines, the batch services, records of
// fixed width (GetInsurabilityAsFlat), the sealing of MemberData's messages
// itself (see Options.Sealer), fail-over addresses.
//
// References: facts sheet "assurability"; the schemas of GenericInsurability
// v1, Insurability v2 and MemberData v1; SAML 2.0.
package assurability

import (
	"errors"
	"time"

	"github.com/eidkit/eidkit/niss"
)

// Errors.
var (
	// ErrQuestion: a question that no service could answer.
	ErrQuestion = errors.New("the question cannot be asked")
	// ErrAnswer: what came is no answer to the question: malformed, or about another person, day or question.
	ErrAnswer = errors.New("not an answer to the question")
	// ErrSession: there is no session with the platform, and none can be had without somebody's help.
	ErrSession = errors.New("no session with the platform")
	// ErrPaused: the service has failed several times in a row and is left alone for a while.
	ErrPaused = errors.New("the service is not asked for a while")
)

// Service is one of the three services.
type Service string

// The services (facts sheet 0).
const (
	GenIns     Service = "genins"     // GenericInsurability v1, for most sectors
	Pharmacist Service = "pharmacist" // Insurability v2, for pharmacies
	MemberData Service = "memberdata" // MemberData v1
)

// Question is about one patient and one day, or a period. The zero value of each field but Patient is right for a till.
type Question struct {
	Patient Patient
	// From and Until are the first and the last day asked about; From zero: today; Until zero: From alone. They are days in Brussels.
	From, Until niss.Date
	Contact     Contact
	// Service is whom to ask; empty: the client's.
	Service Service
	// Invoicing asks for a payment approval instead of information alone, where the service gives one.
	Invoicing bool
	// Reference is the number of the message, 14 digits, never used twice: the answer must have it. Empty: one is made.
	Reference string
	// UserReference is the caller's own, at most 25 characters out of those that the services take; it may be empty.
	UserReference string
	// Sent is the time of the message; Ask sets it.
	Sent time.Time
	// Recent: an answer of earlier today is good enough, and nobody is asked if there is one. It promises no payment.
	Recent bool
	// User is who asks, at the counter, and Reading how the patient was identified: for the log of calls.
	User    string
	Reading Reading

	evidence error // why the evidence was not kept
}

// Reading is how a patient was identified, which the law has the provider keep (facts sheet g).
type Reading struct {
	Mode     string `json:"mode,omitempty"`     // "chip", "barcode", "vignette", "manual"
	Document string `json:"document,omitempty"` // kind of document: "eID", "ISI+", "SIS"
	Number   string `json:"number,omitempty"`   // the document's, if it has one
	Reason   string `json:"reason,omitempty"`   // for a vignette or manual entry
}

// Patient names the patient: by the national number, or else by both other fields.
type Patient struct {
	NISS niss.Number
	// Affiliate is the number with the mutuality, at most 13 characters, kept as it is; Mutuality has 3 digits.
	Affiliate, Mutuality string
}

// Contact is the kind of care (facts sheet a.3).
type Contact int

// The kinds.
const (
	Ambulatory Contact = iota
	DayHospital
	Hospitalised // asks where the patient is in hospital; one who is not is a fault
	OtherContact
)

// Provider is who asks, on whose behalf and with what software.
type Provider struct {
	// Quality is the role as the services name it: "pharmacy", "hospital"; NIHII the number for it, 8 or 11 digits.
	Quality, NIHII string
	Name           string
	// Organisation: the number is an organisation's; else a person's.
	Organisation bool
	// Titular is the pharmacist in charge, whom the pharmacists' service wants beside the pharmacy; his number has 11 digits.
	Titular struct {
		Name, NIHII string
		NISS        niss.Number
	}
	// Package is the registered name of the software, with its licence.
	Package, LicenceUser, LicencePassword string
	Site                                  string
	// Test marks every message as a test.
	Test bool
}

// Status is the answer in a word.
type Status string

// The statuses. Only the first three are about a patient whose insurer answered.
const (
	Insured           Status = "INSURED"
	NotInsured        Status = "NOT_INSURED"
	ThirdPartyRefused Status = "THIRD_PARTY_REFUSED" // maybe insured, but the insurer does not pay the provider
	Deceased          Status = "DECEASED"
	Unknown           Status = "UNKNOWN"     // no insurer knows the patient, or the answer does not say
	Conflict          Status = "CONFLICT"    // several insurers do
	Unavailable       Status = "UNAVAILABLE" // nobody answered
)

// Tariff is what share the patient pays.
type Tariff string

// The tariffs.
const (
	NoTariff  Tariff = ""          // not known
	Ordinary  Tariff = "ORDINARY"  //
	Increased Tariff = "INCREASED" // increased intervention (BIM/RVV)
)

// Answer is what the network says.
type Answer struct {
	Status  Status
	Tariff  Tariff
	Service Service
	// From and Until are the days asked about, Time when the answer was made, as far as it says, else when it came.
	From, Until niss.Date
	Time        time.Time
	Person      Person
	// Periods are those in which the patient is covered, within the days asked about.
	Periods []Period
	// MaximumBilling are the years in which the ceiling of what the household pays was reached.
	MaximumBilling []int
	// SocialCategory is the flag of that name, nil if the service does not say.
	SocialCategory *bool
	Event          Event
	Transfers      []Transfer
	MedicalHouses  []MedicalHouse
	Stay           *Stay
	// Insurers are, in a Conflict, the first digits of those who answered.
	Insurers   []string
	Approval   Approval
	References References
	Fault      *Fault // nil: none
	Warnings   []Warning
	// Cause is why there is no answer of the network, with Unavailable and with CachedAnswer; nil: there is one, or it was not asked.
	Cause error `json:"-"`
	// Age is that of a CachedAnswer.
	Age time.Duration

	// confirmed: the answer repeats the affiliation number and mutuality that were asked about.
	confirmed bool
}

// Person is whom the insurer knows.
type Person struct {
	NISS               niss.Number
	Surname, FirstName string
	Birth, Deceased    niss.Date
	Sex                niss.Sex
}

// Period is cover by one mutuality under one pair of codes.
type Period struct {
	From, Until          niss.Date // Until zero: no end is given
	Mutuality, Affiliate string
	CT1, CT2             string // holder codes, as they came; may be empty
	Information          niss.Date
	Approval             string
}

// Event is what happened to the cover around the days asked about.
type Event string

// The events (facts sheet a.4).
const (
	NoEvent      Event = ""
	ChangeDuring Event = "changeDuring"
	Multiple     Event = "multiple"
	ClosedBefore Event = "closedBefore"
	StartLater   Event = "startLater"
)

// Transfer is a change of insurer: to or from the union of that first digit, empty if it is not told.
type Transfer struct {
	ToOther bool
	Insurer string
	On      niss.Date
}

// MedicalHouse is an enrolment with one, by kinds of care.
type MedicalHouse struct {
	From, Until           niss.Date
	Doctor, Nurse, Physio bool
}

// Stay is a stay in hospital.
type Stay struct {
	Hospital, Service string
	Since             niss.Date
}

// Approval is the insurer's promise to pay for this one dispensing, never to be used for another.
type Approval struct{ Number, Seed, CheckDigits string }

// References are those of the messages: ours, the network's, the insurer's.
type References struct{ Input, Network, Output string }

// Fault is why there is no answer, as the service has it.
type Fault struct {
	Code, Source, Message string
	// Details are the reasons: a number or word of the service's list, and where in the question.
	Details []struct{ Code, Location, Message string }
}

// Warning is a code for what must not be overlooked.
type Warning string

// The warnings.
const (
	CodesDiffer     Warning = "CODES_DIFFER"      // CT1 and CT2 point to different tariffs; CT1 counts
	CodeUnknown     Warning = "CODE_UNKNOWN"      // CT1 or CT2 is none of the known codes
	NoCodes         Warning = "NO_CODES"          // insured, but without codes no tariff can be told
	PartlyCovered   Warning = "PARTLY_COVERED"    // not every day asked about is covered
	InsurerChanged  Warning = "INSURER_CHANGED"   // within the days asked about
	Truncated       Warning = "TRUNCATED"         // more periods than the service tells: ask about shorter ones
	InMedicalHouse  Warning = "MEDICAL_HOUSE"     // the patient belongs to a medical house
	DiedSince       Warning = "DIED_SINCE"        // the patient died after the day asked about
	PartialAnswer   Warning = "PARTIAL_ANSWER"    // the service could not say everything
	OldInformation  Warning = "OLD_INFORMATION"   // the insurer's information is of before the day asked about
	CachedAnswer    Warning = "CACHED_ANSWER"     // of earlier today, without guarantee of payment
	NumberNotEchoed Warning = "NUMBER_NOT_ECHOED" // the answer does not repeat the national number
	Contradiction   Warning = "CONTRADICTION"     // the answer says two things that cannot both be
)
