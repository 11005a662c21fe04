package assurability

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/xmldsig"
	"github.com/eidkit/eidkit/niss"
)

// Decode reads what a service answered to q: what stood in the body of the SOAP envelope, which came at the given time. It is held
// against the question: another person, day or reference is ErrAnswer, and so is what cannot be read. A fault that the
// service tells in an ordinary answer is no error: see Answer.Fault. Client.Ask does so by itself.
func Decode(s Service, q *Question, raw []byte, at time.Time) (*Answer, error) {
	return decode(s, q, raw, at, nil)
}

// decode is Decode, with sealed messages of MemberData opened by c.
func decode(s Service, q *Question, raw []byte, at time.Time, c *sealing) (*Answer, error) {
	root, err := parse(raw)
	if err != nil {
		return nil, err
	}
	a := &Answer{Service: s, From: q.From, Until: q.last(), Time: at}
	switch s {
	case GenIns:
		err = a.genIns(q, root)
	case Pharmacist:
		err = a.pharmacist(q, root)
	case MemberData:
		err = a.memberData(q, root, c)
	default:
		err = fmt.Errorf("%w: no service %q", ErrQuestion, s)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// isAnswer checks the name of the root element and the status that eHealth puts in front.
func isAnswer(root *xmldsig.Node, space, local string) error {
	if !root.Is(space, local) {
		return fmt.Errorf("%w: element %.60q", ErrAnswer, root.Local())
	}
	if code := text(root, "Status", "Code"); code != "200" && code != "" {
		return fmt.Errorf("%w: status %.20q: %.200s", ErrAnswer, code, text(root, "Status", "Message"))
	}
	return nil
}

// genIns reads a GetInsurabilityResponse (facts sheet a.4).
func (a *Answer) genIns(q *Question, root *xmldsig.Node) error {
	if err := isAnswer(root, nsGenIns, "GetInsurabilityResponse"); err != nil {
		return err
	}
	common, response := child(root, "CommonOutput"), child(root, "Response")
	a.References = References{text(common, "InputReference"), text(common, "NIPReference"), text(common, "OutputReference")}
	if err := a.echoed(q, a.References.Input, text(root, "RecordCommonOutput", "InputReference")); err != nil {
		return err
	}
	var r reader
	asked := child(response, "InsurabilityRequestDetail")
	if r.date(text(asked, "Period", "PeriodStart")) != q.From || r.date(text(asked, "Period", "PeriodEnd")) != q.last() ||
		text(asked, "InsurabilityContactType") != contactTypes[q.Contact] || text(asked, "InsurabilityRequestType") != q.requestType() {
		return fmt.Errorf("%w: it is about another period or kind of care", ErrAnswer)
	}
	if fault := child(response, "MessageFault"); fault != nil || child(response, "CareReceiverDetail") == nil {
		if id := text(response, "CareReceiverId", "Inss"); id != "" && id != string(q.Patient.NISS) {
			return fmt.Errorf("%w: it is about another person", ErrAnswer)
		}
		a.fault(fault)
		return r.err
	}
	person, detail := child(response, "CareReceiverDetail"), child(response, "InsurabilityResponseDetail")
	a.Person = Person{r.number(text(person, "Inss")), text(person, "LastName"), text(person, "FirstName"), r.date(text(person, "Birthday")),
		r.date(text(person, "Deceased")), r.sex(text(person, "Sex"))}
	a.items(&r, child(detail, "InsurabilityList"))
	a.situation(&r, detail)
	paid := r.boolean(text(detail, "Payment", "PaymentByIo"))
	if paid == nil {
		r.fail("payment", "")
	}
	if err := a.samePerson(q); err != nil || r.err != nil {
		return firstError(r.err, err)
	}
	a.judge(q, paid)
	return nil
}

// items reads the list of periods.
func (a *Answer) items(r *reader, list *xmldsig.Node) {
	if list == nil {
		return
	}
	for item := range list.Elements() {
		if item.Local() != "InsurabilityItem" { // a list of something else is not an empty one
			r.fail("list of", item.Local())
		}
		p := Period{
			From: r.date(text(item, "Period", "PeriodStart")), Until: r.date(text(item, "Period", "PeriodEnd")),
			Mutuality: text(item, "Mutuality"), Affiliate: text(item, "RegNrWithMut"), CT1: text(item, "CT1"), CT2: text(item, "CT2"),
			Information: r.date(text(item, "InsurabilityDate")), Approval: text(item, "PaymentApproval"),
		}
		if p.From == (niss.Date{}) { // cover is told within the days asked about
			p.From = a.From
		}
		if p.Until != (niss.Date{}) && p.Until.Before(p.From) {
			r.fail("period that ends before it begins", p.From.String())
		}
		a.Periods = append(a.Periods, p)
		if p.Approval != "" && p.covers(a.Until) {
			a.Approval.Number = p.Approval
		}
	}
	if truncated := r.boolean(list.Get("Truncated")); truncated != nil && *truncated {
		a.warn(Truncated)
	}
}

// situation reads all that stands around the list of periods.
func (a *Answer) situation(r *reader, detail *xmldsig.Node) {
	general := child(detail, "GeneralSituation")
	if general != nil {
		a.Event = r.event(general.Get("Event"))
	}
	for _, t := range children(general, "Transfer") {
		a.Transfers = append(a.Transfers, Transfer{t.Get("Direction") == "toOtherIo", strings.TrimSuffix(text(t, "InsuranceOrg"), "00"), r.date(text(t, "TransferDate"))})
	}
	payment := child(detail, "Payment")
	for _, y := range children(payment, "MaxInvoiced") {
		a.MaximumBilling = append(a.MaximumBilling, r.year(strings.TrimSpace(y.Text())))
	}
	a.SocialCategory = r.boolean(text(payment, "SpecialSocialCategory"))
	if h := child(detail, "Hospitalized"); h != nil {
		a.Stay = &Stay{text(h, "Hospital"), text(h, "AdmissionService"), r.date(text(h, "AdmissionDate"))}
	}
	if m := child(detail, "MedicalHouse"); m != nil {
		flag := func(name string) bool {
			v := r.boolean(m.Get(name))
			return v != nil && *v
		}
		a.MedicalHouses = append(a.MedicalHouses, MedicalHouse{r.date(text(m, "PeriodStart")), r.date(text(m, "PeriodEnd")), flag("Medical"), flag("Nurse"), flag("Kine")})
	}
}

// pharmacist reads a GetInsurabilityForPharmacistResponse (facts sheet f.1).
func (a *Answer) pharmacist(q *Question, root *xmldsig.Node) error {
	if err := isAnswer(root, nsPharm, "GetInsurabilityForPharmacistResponse"); err != nil {
		return err
	}
	record, info, answer := child(root, "RecordCommonOutput"), child(root, "ReturnInfo"), child(root, "InsurabilityResponse")
	a.References = References{text(record, "Reference"), text(root, "CommonOutput", "Reference"), text(record, "IoReference")}
	if err := a.echoed(q, a.References.Input, ""); err != nil {
		return err
	}
	var r reader
	if requested := text(answer, "Requested"); requested != "" && r.date(requested) != q.From {
		return fmt.Errorf("%w: it is about another day", ErrAnswer)
	}
	a.patient(&r, child(answer, "CareReceiver"))
	if err := a.samePerson(q); err != nil || r.err != nil {
		return firstError(r.err, err)
	}
	if insurers := strings.Fields(text(info, "MultipleIO")); len(insurers) > 0 {
		a.Status, a.Insurers = Conflict, insurers
		return nil
	}
	coverage := child(answer, "Coverage")
	code := strings.Join([]string{text(info, "ReturnCode", "Major"), text(info, "ReturnCode", "Minor"), text(info, "ReturnCode", "Detail")}, "/")
	if coverage == nil { // which return codes say what is not public: this is not "not insured"
		a.Status, a.Fault, a.Periods = Unknown, &Fault{Code: code}, nil
		if q.Patient.NISS != "" || a.confirmed {
			a.judgeDeath(q)
		}
		return r.err
	}
	a.cover(&r, answer, coverage)
	regime := text(coverage, "Entitlement", "ThirdPartyPayerRegime")
	if !slices.Contains([]string{"none", "standard", "elevated"}, regime) {
		r.fail("regime", regime)
	}
	paid := regime != "none"
	a.judge(q, &paid)
	if a.Tariff = map[string]Tariff{"standard": Ordinary, "elevated": Increased}[regime]; a.Status != Insured && a.Status != ThirdPartyRefused {
		a.Tariff = NoTariff
	}
	return r.err
}

// patient reads the CareReceiver of the pharmacists' service.
func (a *Answer) patient(r *reader, n *xmldsig.Node) {
	a.Person = Person{r.number(text(n, "Ssin")), text(n, "LastName"), text(n, "FirstName"), r.date(text(n, "Birthday")), r.date(text(n, "Deceased")), r.sex(text(n, "Sex"))}
	if m := text(n, "Mutuality"); m != "" {
		a.Periods = []Period{{Mutuality: m, Affiliate: text(n, "RegNrWithMut")}}
	}
}

// cover reads the Coverage and the Verification of the pharmacists' service.
func (a *Answer) cover(r *reader, answer, coverage *xmldsig.Node) {
	if len(a.Periods) == 0 {
		a.Periods = []Period{{}}
	}
	p := &a.Periods[0]
	p.From, p.Until = r.date(text(coverage, "Period", "BeginDate")), r.date(text(coverage, "Period", "EndDate"))
	if p.From == (niss.Date{}) || p.Until.Before(p.From) {
		r.fail("period of cover", p.From.String())
	}
	p.CT1, p.CT2 = text(coverage, "Entitlement", "Code1"), text(coverage, "Entitlement", "Code2")
	p.Information = r.date(text(coverage, "Communicated"))
	v := child(answer, "Verification")
	a.Approval = Approval{text(v, "PaymentApproval"), text(v, "PaymentApprovalSeed"), text(v, "InvoicingOfficeCheckDigit")}
	p.Approval = a.Approval.Number
}

// echoed holds the reference in the answer against ours, which was never used before, and that of its record, if it has one.
func (a *Answer) echoed(q *Question, reference, record string) error {
	number := func(s string) string { return strings.TrimLeft(s, "0") } // the schema has that of the record as a number
	if reference != q.Reference || record != "" && number(record) != number(q.Reference) {
		return fmt.Errorf("%w: it has the reference of another message", ErrAnswer)
	}
	return nil
}

// samePerson holds the person in the answer against the one asked about.
func (a *Answer) samePerson(q *Question) error {
	if q.Patient.NISS != "" {
		if a.Person.NISS == "" {
			a.warn(NumberNotEchoed)
			return nil
		}
		if a.Person.NISS != q.Patient.NISS {
			return fmt.Errorf("%w: it is about another person", ErrAnswer)
		}
		return nil
	}
	same := func(p Period) bool { return p.Affiliate == q.Patient.Affiliate && p.Mutuality == q.Patient.Mutuality }
	if slices.ContainsFunc(a.Periods, same) {
		a.confirmed = true
	} else if len(a.Periods) > 0 {
		return fmt.Errorf("%w: it is about another member", ErrAnswer)
	}
	return nil
}

// judgeDeath makes Deceased of a person who had died by the day asked about.
func (a *Answer) judgeDeath(q *Question) {
	if a.Person.Deceased != (niss.Date{}) && !q.last().Before(a.Person.Deceased) {
		a.Status = Deceased
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
