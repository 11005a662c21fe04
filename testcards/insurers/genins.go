package insurers

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/eidkit/eidkit/testcards/internal/patients"
)

// genIns answers a GetInsurabilityRequest (facts sheet a).
func (a *asking) genIns() (string, *refusal) {
	switch {
	case is(a.content, nsGenIns, "GetInsurabilityRequest"):
		if err := genInsRequest.check(a.content); err != nil {
			return "", refuse("SOA-03006", "%v", err)
		}
	case is(a.content, nsGenIns, "GetInsurabilityAsFlatRequest"):
		if err := genInsFlat.check(a.content); err != nil {
			return "", refuse("SOA-03006", "%v", err)
		}
		return "", refuse("SOA-02001", "records of fixed width are not served")
	default:
		return "", refuse("SOA-03005", "%s is no operation of this service", a.content.Tag)
	}
	common := child(a.content, nsGenIns, "CommonInput")
	who := admit(GenIns, callerIn(nsGenInsCore, common), a.token)
	if who == nil {
		return "", refuse("SOA-01002", "the licence, or the role with this token")
	}
	request := child(a.content, nsGenIns, "Request")
	id, detail := child(request, nsGenInsCore, "CareReceiverId"), child(request, nsGenInsCore, "InsurabilityRequestDetail")
	q := &question{
		number: text(child(id, nsGenInsCore, "Inss")), affiliate: text(child(id, nsGenInsCore, "RegNrWithMut")), mutuality: text(child(id, nsGenInsCore, "Mutuality")),
		invoicing: text(child(detail, nsGenInsCore, "InsurabilityRequestType")) == "invoicing",
		stay:      text(child(detail, nsGenInsCore, "InsurabilityContactType")) == "hospitalized_elsewhere",
		reference: text(child(common, nsGenInsCore, "InputReference")),
	}
	record := text(child(child(a.content, nsGenIns, "RecordCommonInput"), nsGenInsCore, "InputReference"))
	code, element, p := a.genInsCheck(q, detail, who)
	var answer string
	if code == "" {
		was := q.reference
		p = a.mislead(q, p)
		if q.reference != was && record != "" {
			record = otherReference(record)
		}
		code, element, answer = a.genInsAnswer(q, p)
	}
	name := "M801900"
	if code != "" {
		name = "M801000ERR"
		answer = careReceiver(id) + genInsFault(code, element, p)
	}
	network, insurer := a.references()
	return el("p:GetInsurabilityResponse"+attr("xmlns:p", nsGenIns)+attr("xmlns:c", nsGenInsCore),
		a.status(),
		el("p:CommonOutput", leaf("c:InputReference", q.reference), leaf("c:NIPReference", network), leaf("c:OutputReference", insurer)),
		el("p:RecordCommonOutput", leaf("c:InputReference", record), leaf("c:OutputReference", insurer)),
		el("p:Response"+attr("MessageName", name)+` Version="01" Duplicate="false" TestFlag="true" Synchronous="true"`, answer, a.echoed(detail, q))), nil
}

// status is the transport status in front of answers; its elements have no namespace.
func (a *asking) status() string {
	code, word := "200", "Success"
	if a.faults.has(NotOK) {
		code, word = "500", "Failure"
	}
	return el("Status", leaf("Code", code), leaf(`Message Lang="EN"`, word+" (TEST)"))
}

// callerIn reads who asks from the elements that the services have in common.
func callerIn(core string, common *etree.Element) caller {
	origin := child(common, core, "Origin")
	licence, provider := down(origin, core, "Package", "License"), down(origin, core, "CareProvider", "Nihii")
	return caller{
		user: text(child(licence, core, "Username")), password: text(child(licence, core, "Password")), name: text(down(origin, core, "Package", "Name")),
		quality: text(child(provider, core, "Quality")), nihii: text(child(provider, core, "Value")),
	}
}

// genInsCheck finds what is wrong with a question, and else the patient.
func (a *asking) genInsCheck(q *question, detail *etree.Element, who *Provider) (code, element string, p *patients.Patient) {
	start, end := text(down(detail, nsGenInsCore, "Period", "PeriodStart")), text(down(detail, nsGenInsCore, "Period", "PeriodEnd"))
	switch {
	case start == "":
		return "10", "PeriodStart", nil
	case end == "":
		return "10", "PeriodEnd", nil
	case q.number == "" && q.affiliate != "" && q.mutuality == "":
		return "10", "Mutuality", nil
	case q.number == "" && q.affiliate == "" && q.mutuality != "":
		return "10", "RegNrWithMut", nil
	case q.invoicing && !who.Invoicing:
		return "99", "InsurabilityRequestType", nil
	}
	q.from, q.until = parseDay(start), parseDay(end)
	if code = q.check(who, a.today); code != "" {
		return code, map[string]string{"10": "Inss", "12": "Inss", "30": "PeriodStart", "31": "PeriodEnd", "32": "PeriodEnd"}[code], nil
	}
	return "", "", q.patient()
}

// genInsAnswer makes the answer about a patient, or gives the code of a fault.
func (a *asking) genInsAnswer(q *question, p *patients.Patient) (code, element, answer string) {
	switch {
	case p.Name == "" && p.Stranger:
		return "23", "Inss", ""
	case p.Stranger:
		return "43", "PeriodStart", ""
	case p.Insurers != nil:
		return "44", "PeriodStart", ""
	case q.stay && p.Stay == nil:
		return "42", "InsurabilityContactType", ""
	}
	s := situate(*p, q, a.today)
	return "", "", el("c:CareReceiverDetail",
		leaf("c:Inss", s.shown()), leaf("c:FirstName", s.FirstName), leaf("c:LastName", s.Surname), leaf("c:Birthday", s.birthday()), optional("c:Deceased", s.died), leaf("c:Sex", s.sex())) +
		el("c:InsurabilityResponseDetail", s.general(), s.payment(a.today), s.stayed(q, a.today), s.enrolled(), s.list())
}

func optional(name string, d day) string {
	if d == 0 {
		return ""
	}
	return leaf(name, d.String())
}

func (s *situation) general() string {
	if s.event == "" {
		return ""
	}
	moved := ""
	if s.moved != 0 {
		moved = el(`c:Transfer Direction="fromOtherIo"`, leaf("c:InsuranceOrg", s.Transfer.From), leaf("c:TransferDate", s.moved.String()))
	}
	return el("c:GeneralSituation"+attr("Event", s.event), moved)
}

func (s *situation) payment(today day) string {
	var years, social string
	for _, y := range s.years(today) {
		years += leaf("c:MaxInvoiced", y)
	}
	if s.Social {
		social = leaf("c:SpecialSocialCategory", "true")
	}
	return el("c:Payment", leaf("c:PaymentByIo", boolean(s.paid())), years, social)
}

func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func (s *situation) stayed(q *question, today day) string {
	if !q.stay {
		return ""
	}
	return el("c:Hospitalized", leaf("c:Hospital", s.Stay.Hospital), leaf("c:AdmissionDate", (today+day(s.Stay.Since)).String()), leaf("c:AdmissionService", s.Stay.Service))
}

func (s *situation) enrolled() string {
	if s.House == nil {
		return ""
	}
	return el("c:MedicalHouse"+attr("Nurse", boolean(s.House.Nurse))+attr("Medical", boolean(s.House.Doctor))+attr("Kine", boolean(s.House.Kine)),
		leaf("c:PeriodStart", s.house[0].String()), leaf("c:PeriodEnd", s.house[1].String()))
}

func (s *situation) list() string {
	if len(s.items) == 0 {
		return ""
	}
	var items strings.Builder
	for _, i := range s.items {
		items.WriteString(el("c:InsurabilityItem", leaf("c:RegNrWithMut", i.Affiliate), leaf("c:Mutuality", i.Mutuality),
			el("c:Period", leaf("c:PeriodStart", i.from.String()), leaf("c:PeriodEnd", i.until.String())),
			leaf("c:CT1", i.CT1), leaf("c:CT2", i.CT2), leaf("c:InsurabilityDate", i.information.String())))
	}
	return el("c:InsurabilityList"+attr("Truncated", boolean(s.truncated)), items.String())
}

// careReceiver repeats who was asked about.
func careReceiver(id *etree.Element) string {
	get := func(name string) string { return leaf("c:"+name, text(child(id, nsGenInsCore, name))) }
	return el("c:CareReceiverId", get("Inss"), get("RegNrWithMut"), get("Mutuality"))
}

// echoed repeats what was asked, value by value.
func (a *asking) echoed(detail *etree.Element, q *question) string {
	get := func(e *etree.Element, name string) string {
		c := child(e, nsGenInsCore, name)
		if c == nil {
			return ""
		}
		return el("c:"+name, escaper.Replace(rawText(c)))
	}
	period := child(detail, nsGenInsCore, "Period")
	days := get(period, "PeriodStart") + get(period, "PeriodEnd")
	if a.faults.has(Yesterday) && q.from != 0 {
		days = leaf("c:PeriodStart", q.from.String()) + leaf("c:PeriodEnd", q.until.String())
	}
	return el("c:InsurabilityRequestDetail", get(detail, "InsurabilityRequestType"), el("c:Period", days), get(detail, "InsurabilityContactType"),
		get(detail, "InsurabilityReference"))
}

var genInsWords = map[string]string{
	"10": "Missing", "12": "Check digits do not match", "23": "Not found", "30": "In the future", "31": "Ends before it begins", "32": "Asking for a period is not allowed for this sector",
	"40": "No data that far back", "42": "Not hospitalised on these dates", "43": "No insurance organisation knows this person for the period",
	"44": "More than one insurance organisation answered", "99": "Not allowed for this sector",
}

// genInsFault is a fault, which comes in an ordinary answer.
func genInsFault(code, element string, p *patients.Patient) string {
	fault, insurers := "INPUT_ERROR", ""
	switch code {
	case "43":
		fault = "NO_IO_ERROR"
	case "44":
		fault = "MULTIIO_ERROR"
		for _, i := range p.Insurers {
			insurers += leaf("c:IO", i)
		}
		insurers = el("c:MultiIO", insurers)
	}
	where := map[string]string{"Inss": "CareReceiverId/", "Mutuality": "CareReceiverId/", "RegNrWithMut": "CareReceiverId/", "PeriodStart": "InsurabilityRequestDetail/Period/",
		"PeriodEnd": "InsurabilityRequestDetail/Period/"}[element]
	if where == "" {
		where = "InsurabilityRequestDetail/"
	}
	location := ""
	if element != "" {
		location = "../../../../" + where + element + "/text()"
	}
	words := leaf(`c:Message xml:lang="en"`, genInsWords[code]+" (TEST)")
	return el("c:MessageFault", leaf("c:FaultCode", fault), leaf("c:FaultSource", "MYCARENET"), insurers, words,
		el("c:Details", el("c:Detail", leaf("c:DetailCode", code), leaf("c:Location", location), words)))
}
