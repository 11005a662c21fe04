package assurability

import (
	"fmt"
	"strings"
)

// Namespaces of the services.
const (
	nsGenIns     = "urn:be:fgov:ehealth:genericinsurability:protocol:v1"
	nsGenInsCore = "urn:be:fgov:ehealth:genericinsurability:core:v1"
	nsPharm      = "urn:be:fgov:ehealth:insurability:protocol:v2"
	nsPharmCore  = "urn:be:fgov:ehealth:insurability:core:v2"
)

// Encode makes the message that asks q of a service on behalf of p, unsealed: what stands in the body of the SOAP envelope. Client.Ask
// does so by itself. Errors: ErrQuestion.
func Encode(s Service, q *Question, p *Provider) ([]byte, error) { return encode(s, q, p, nil) }

// encode is Encode, with messages of MemberData sealed by c. Errors: ErrQuestion, and that of the seal.
func encode(s Service, q *Question, p *Provider, c *sealing) ([]byte, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if err := p.check(s); err != nil {
		return nil, err
	}
	switch s {
	case GenIns:
		return encodeGenIns(q, p), nil
	case Pharmacist:
		if q.last() != q.From || q.Contact != Ambulatory {
			return nil, fmt.Errorf("%w: the pharmacists' service answers for one day of ambulatory care", ErrQuestion)
		}
		return encodePharmacist(q, p), nil
	case MemberData:
		return encodeMemberData(q, p, c)
	}
	return nil, fmt.Errorf("%w: no service %q", ErrQuestion, s)
}

// check says what is missing from the provider.
func (p *Provider) check(s Service) error {
	missing := ""
	switch {
	case p.NIHII == "":
		missing = "the provider's number (NIHII)"
	case !isNIHII(p.NIHII) || s == Pharmacist && p.Titular.NIHII != "" && len(p.Titular.NIHII) != 11:
		return fmt.Errorf("%w: a provider's number (NIHII) has 8 or 11 digits, a titular pharmacist's 11", ErrQuestion)
	case p.Quality == "":
		missing = "the provider's quality"
	case p.LicenceUser == "" || p.LicencePassword == "":
		missing = "the software's licence"
	case s == Pharmacist && (p.Titular.NIHII == "" || p.Titular.NISS == ""):
		missing = "the titular pharmacist"
	default:
		return nil
	}
	return fmt.Errorf("%w: the configuration lacks %s", ErrQuestion, missing)
}

// isNIHII: 8 digits, or with the qualification behind them 11.
func isNIHII(s string) bool {
	return (len(s) == 8 || len(s) == 11) && strings.Trim(s, "0123456789") == ""
}

// origin writes who asks, in the elements that all three services have in common (facts sheet a.2). who writes the care provider.
func (p *Provider) origin(w *writer, who func()) {
	w.in("c:Request", "", func() { w.leaf("c:IsTest", fmt.Sprint(p.Test)) })
	w.in("c:Origin", "", func() {
		w.in("c:Package", "", func() {
			w.leaf("c:Name", p.Package)
			w.in("c:License", "", func() {
				w.leaf("c:Username", p.LicenceUser)
				w.leaf("c:Password", p.LicencePassword)
			})
		})
		w.leaf("c:SiteID", p.Site)
		w.in("c:CareProvider", "", who)
	})
}

// nihii writes a number with the role it is for.
func nihii(w *writer, quality, value string) {
	w.in("c:Nihii", "", func() {
		w.leaf("c:Quality", quality)
		w.leaf("c:Value", value)
	})
}

// provider writes the care provider and the person or organisation behind it.
func (p *Provider) provider(w *writer, number string) {
	nihii(w, p.Quality, number)
	behind := "c:PhysicalPerson"
	if p.Organisation {
		behind = "c:Organization"
	}
	w.in(behind, "", func() {
		w.leaf("c:Name", p.Name)
		nihii(w, p.Quality, number)
	})
}

var contactTypes = [...]string{"ambulatory_care", "hospitalized_for_day", "hospitalized_elsewhere", "other"}

// requestType is the word for information or invoicing.
func (q *Question) requestType() string {
	if q.Invoicing {
		return "invoicing"
	}
	return "information"
}

// encodeGenIns makes a GetInsurabilityRequest.
func encodeGenIns(q *Question, p *Provider) []byte {
	var w writer
	w.in("p:GetInsurabilityRequest", attr("xmlns:p", nsGenIns)+attr("xmlns:c", nsGenInsCore), func() {
		w.in("p:CommonInput", "", func() {
			p.origin(&w, func() { p.provider(&w, p.NIHII) })
			w.leaf("c:InputReference", q.Reference)
		})
		w.in("p:RecordCommonInput", "", func() { w.leaf("c:InputReference", q.Reference) })
		w.in("p:Request", "", func() {
			w.in("c:CareReceiverId", "", func() {
				w.leaf("c:Inss", string(q.Patient.NISS))
				w.leaf("c:RegNrWithMut", q.Patient.Affiliate)
				w.leaf("c:Mutuality", q.Patient.Mutuality)
			})
			w.in("c:InsurabilityRequestDetail", "", func() {
				w.leaf("c:InsurabilityRequestType", q.requestType())
				w.in("c:Period", "", func() {
					w.leaf("c:PeriodStart", q.From.String())
					w.leaf("c:PeriodEnd", q.last().String())
				})
				w.leaf("c:InsurabilityContactType", contactTypes[q.Contact])
				w.leaf("c:InsurabilityReference", q.UserReference)
			})
		})
	})
	return []byte(w.String())
}

// Roles in a question of the pharmacists' service, and its type of request: its values are not public (facts sheet f.1).
const (
	qualityTitular  = "PHARMACY-HOLDER"
	qualityPharmacy = "PHARMACY"
	pharmacyRequest = "1"
)

// encodePharmacist makes a GetInsurabilityForPharmacistRequest.
func encodePharmacist(q *Question, p *Provider) []byte {
	var w writer
	w.in("p:GetInsurabilityForPharmacistRequest", attr("xmlns:p", nsPharm)+attr("xmlns:c", nsPharmCore), func() {
		w.in("p:CommonInput", "", func() {
			p.origin(&w, func() {
				nihii(&w, qualityTitular, p.Titular.NIHII)
				w.in("c:PhysicalPerson", "", func() {
					w.leaf("c:Name", p.Titular.Name)
					w.leaf("c:Ssin", string(p.Titular.NISS))
				})
				w.in("c:Organization", "", func() {
					w.leaf("c:Name", p.Name)
					nihii(&w, qualityPharmacy, p.NIHII)
				})
			})
		})
		w.in("p:RecordCommonInput", "", func() {
			w.leaf("c:Reference", q.Reference)
			w.leaf("c:UserReference", q.UserReference)
		})
		w.in("p:InsurabilityRequest", "", func() {
			w.leaf("c:Date", q.From.String())
			w.leaf("c:RequestType", pharmacyRequest)
			w.in("c:CareReceiver", "", func() {
				w.leaf("c:Ssin", string(q.Patient.NISS))
				w.leaf("c:RegNrWithMut", q.Patient.Affiliate)
				w.leaf("c:Mutuality", q.Patient.Mutuality)
			})
		})
	})
	return []byte(w.String())
}
