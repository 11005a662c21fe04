package insurers

import (
	"strings"

	"github.com/eidkit/eidkit/testcards/internal/patients"
)

// pharmacist answers a GetInsurabilityForPharmacistRequest (facts sheet f.1).
func (a *asking) pharmacist() (string, *refusal) {
	if !is(a.content, nsPharm, "GetInsurabilityForPharmacistRequest") {
		return "", refuse("SOA-03005", "%s is no operation of this service", a.content.Tag)
	}
	if err := pharmacistRequest.check(a.content); err != nil {
		return "", refuse("SOA-03006", "%v", err)
	}
	common := child(a.content, nsPharm, "CommonInput")
	c := callerIn(nsPharmCore, common)
	if c.quality != "PHARMACY-HOLDER" {
		return "", refuse("SOA-01002", "no titular pharmacist")
	}
	holder := down(common, nsPharmCore, "Origin", "CareProvider", "PhysicalPerson", "Ssin")
	titular := c.nihii
	organisation := down(common, nsPharmCore, "Origin", "CareProvider", "Organization", "Nihii")
	c.quality, c.nihii = text(child(organisation, nsPharmCore, "Quality")), text(child(organisation, nsPharmCore, "Value"))
	who := admit(Pharmacist, c, a.token)
	if who == nil || !sameNumber(titular, who.TitularNIHII) || text(holder) != who.Person {
		return "", refuse("SOA-01002", "the licence, or the role with this token")
	}
	request := child(a.content, nsPharm, "InsurabilityRequest")
	id, record := child(request, nsPharmCore, "CareReceiver"), child(a.content, nsPharm, "RecordCommonInput")
	q := &question{
		number: text(child(id, nsPharmCore, "Ssin")), affiliate: text(child(id, nsPharmCore, "RegNrWithMut")), mutuality: text(child(id, nsPharmCore, "Mutuality")),
		reference: text(child(record, nsPharmCore, "Reference")),
	}
	q.from = parseDay(text(child(request, nsPharmCore, "Date")))
	q.until = q.from
	var p *patients.Patient
	code := ""
	if strings.Trim(q.number, "0123456789") != "" {
		code = "11"
	} else if code = q.check(who, a.today); code == "" {
		p = a.mislead(q, q.patient())
	}
	network, insurer := a.references()
	info, answer := a.pharmacistAnswer(q, p, code, approval(network))
	return el("p:GetInsurabilityForPharmacistResponse"+attr("xmlns:p", nsPharm)+attr("xmlns:c", nsPharmCore),
		a.status(),
		el("p:CommonOutput", leaf("c:Reference", network), leaf("c:IoReference", insurer)),
		el("p:RecordCommonOutput", leaf("c:Reference", q.reference), leaf("c:IoReference", insurer), leaf("c:UserReference", text(child(record, nsPharmCore, "UserReference")))),
		info, el("p:InsurabilityResponse", leaf("c:Requested", q.from.String()), answer)), nil
}

// pharmacistAnswer makes ReturnInfo and what follows the date. The values of the return codes are invented: those of the real service
// are not public.
func (a *asking) pharmacistAnswer(q *question, p *patients.Patient, code, approval string) (info, answer string) {
	insurers := ""
	switch {
	case code != "":
	case p.Name == "" && p.Stranger:
		code = "23"
	case p.Stranger:
		code = "43"
	case p.Insurers != nil:
		code, insurers = "44", leaf("c:MultipleIO", strings.Join(p.Insurers, " "))
	}
	if code != "" {
		return returned("01", code, insurers), el("c:CareReceiver", leaf("c:Ssin", q.number), leaf("c:RegNrWithMut", q.affiliate), leaf("c:Mutuality", q.mutuality))
	}
	s := situate(*p, q, a.today)
	var affiliate, mutuality, cover string
	if len(s.items) > 0 {
		i := s.items[len(s.items)-1]
		affiliate, mutuality = i.Affiliate, i.Mutuality
		cover = s.coverage(i)
		if s.paid() && s.died == 0 {
			cover += el("c:Verification", leaf("c:PaymentApproval", approval), leaf("c:PaymentApprovalSeed", "TEST000000"), leaf("c:InvoicingOfficeCheckDigit", "00"))
		}
	}
	receiver := el("c:CareReceiver", leaf("c:Ssin", s.shown()), leaf("c:RegNrWithMut", affiliate), leaf("c:Mutuality", mutuality), leaf("c:FirstName", cut(s.FirstName, 24)),
		leaf("c:LastName", cut(s.Surname, 48)), leaf("c:Birthday", s.birthday()), optional("c:Deceased", s.died), leaf("c:Sex", s.sex()))
	if cover == "" {
		return returned("01", "45", ""), receiver
	}
	return returned("00", "00", ""), receiver + cover
}

func returned(major, minor, insurers string) string {
	return el("p:ReturnInfo", el("c:ReturnCode", leaf("c:Major", major), leaf("c:Minor", minor), leaf("c:Detail", "000"+minor)), insurers)
}

// coverage is the cover of one day. Codes that are missing are 000: the schema wants three digits.
func (s *situation) coverage(i item) string {
	ct1, ct2, regime := i.CT1, i.CT2, "standard"
	if ct1 == "" {
		ct1, ct2 = "000", "000"
	}
	switch {
	case !s.paid():
		regime = "none"
	case strings.HasSuffix(ct1, "1"):
		regime = "elevated"
	}
	return el("c:Coverage", leaf("c:Communicated", i.information.String()),
		el("c:Period", leaf("c:BeginDate", i.from.String()), leaf("c:EndDate", i.until.String())),
		el("c:Entitlement", leaf("c:Code1", ct1), leaf("c:Code2", ct2), leaf("c:ThirdPartyPayerRegime", regime)))
}

// cut shortens a name to n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
