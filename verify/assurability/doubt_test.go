package assurability

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/niss"
)

// genInsAnswer is an answer of GenIns about day and number, with what stands in its InsurabilityResponseDetail.
func genInsAnswer(detail string) string {
	return `<p:GetInsurabilityResponse xmlns:p="` + nsGenIns + `" xmlns:c="` + nsGenInsCore + `"><Status><Code>200</Code><Message Lang="FR">a</Message><Message Lang="NL">b</Message></Status>` +
		`<p:CommonOutput><c:InputReference>06031500000101</c:InputReference></p:CommonOutput><p:RecordCommonOutput><c:InputReference>6031500000101</c:InputReference></p:RecordCommonOutput>` +
		`<p:Response><c:CareReceiverDetail><c:Inss>50061599733</c:Inss></c:CareReceiverDetail><c:InsurabilityResponseDetail>` + detail + `</c:InsurabilityResponseDetail>` +
		`<c:InsurabilityRequestDetail><c:InsurabilityRequestType>information</c:InsurabilityRequestType><c:Period><c:PeriodStart>2026-03-15</c:PeriodStart><c:PeriodEnd>2026-03-15</c:PeriodEnd></c:Period>` +
		`<c:InsurabilityContactType>ambulatory_care</c:InsurabilityContactType></c:InsurabilityRequestDetail></p:Response></p:GetInsurabilityResponse>`
}

// Parts of such an answer.
const (
	closedEvent = `<c:GeneralSituation Event="closedBefore"/>`
	paysNot     = `<c:Payment><c:PaymentByIo>false</c:PaymentByIo></c:Payment>`
	pays        = `<c:Payment><c:PaymentByIo>true</c:PaymentByIo></c:Payment>`
)

// listed is a list of periods, each "FROM UNTIL MUTUALITY CT1".
func listed(periods ...string) string {
	var b strings.Builder
	for _, p := range periods {
		f := strings.Fields(p)
		fmt.Fprintf(&b, `<c:InsurabilityItem><c:Mutuality>%s</c:Mutuality><c:Period><c:PeriodStart>%s</c:PeriodStart><c:PeriodEnd>%s</c:PeriodEnd></c:Period><c:CT1>%s</c:CT1><c:CT2>%[4]s</c:CT2><c:InsurabilityDate>2026-03-15</c:InsurabilityDate></c:InsurabilityItem>`,
			f[2], f[0], f[1], f[3])
	}
	return `<c:InsurabilityList>` + b.String() + `</c:InsurabilityList>`
}

const today126 = "2026-03-15 2026-03-15 126 110"

// TestDoubtGenIns: only an answer that says one thing makes NotInsured or Insured of a patient.
func TestDoubtGenIns(t *testing.T) {
	t.Parallel()
	q := asked("50061599733", "06031500000101", "2026-03-15", "2026-03-15")
	for name, c := range map[string]struct {
		detail   string
		status   Status
		tariff   Tariff
		warnings []Warning
	}{
		"insured":                 {pays + listed(today126), Insured, Ordinary, nil},
		"not insured":             {closedEvent + paysNot, NotInsured, NoTariff, nil},
		"not insured yet":         {`<c:GeneralSituation Event="startLater"/>` + paysNot, NotInsured, NoTariff, nil},
		"closed, yet covered":     {closedEvent + pays + listed(today126), Unknown, Ordinary, []Warning{Contradiction}},
		"closed, yet it pays":     {closedEvent + pays, Unknown, NoTariff, []Warning{Contradiction}},
		"closed, and elsewhere":   {`<c:GeneralSituation Event="closedBefore"><c:Transfer Direction="toOtherIo"><c:InsuranceOrg>300</c:InsuranceOrg><c:TransferDate>2026-03-01</c:TransferDate></c:Transfer></c:GeneralSituation>` + paysNot, Unknown, NoTariff, []Warning{InsurerChanged}},
		"closed, and cut short":   {closedEvent + paysNot + `<c:InsurabilityList Truncated="1"/>`, Unknown, NoTariff, []Warning{Truncated}},
		"covered until yesterday": {pays + listed("2026-03-01 2026-03-14 126 110"), Unknown, NoTariff, []Warning{PartlyCovered}},
		"two tariffs":             {pays + listed(today126, "2026-03-15 2026-03-15 126 111"), Insured, NoTariff, []Warning{Contradiction}},
		"two mutualities":         {pays + listed(today126, "2026-03-15 2026-03-15 319 110"), Insured, Ordinary, []Warning{Contradiction}},
		"the same twice":          {pays + listed(today126, today126), Insured, Ordinary, nil},
	} {
		a, err := Decode(GenIns, q, []byte(genInsAnswer(c.detail)), noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Status != c.status || a.Tariff != c.tariff || !slices.Equal(a.Warnings, c.warnings) {
			t.Errorf("%s: %s %s %v, want %s %s %v", name, a.Status, a.Tariff, a.Warnings, c.status, c.tariff, c.warnings)
		}
	}
	right := genInsAnswer(closedEvent + paysNot)
	for name, change := range map[string][2]string{
		"two people":                           {"<c:CareReceiverDetail>", "<c:CareReceiverDetail><c:Inss>88122499820</c:Inss></c:CareReceiverDetail><c:CareReceiverDetail>"},
		"two people, one of another namespace": {"<c:CareReceiverDetail>", `<x:CareReceiverDetail xmlns:x="urn:x"><c:Inss>50061599733</c:Inss></x:CareReceiverDetail><c:CareReceiverDetail>`},
		"two answers":                          {"</p:Response>", "</p:Response><p:Response/>"},
		"two situations":                       {closedEvent, closedEvent + `<c:GeneralSituation Event="multiple"/>`},
		"two lists":                            {paysNot, paysNot + "<c:InsurabilityList/>" + listed(today126)},
		"paid and not paid":                    {"</c:Payment>", "<c:PaymentByIo>true</c:PaymentByIo></c:Payment>"},
		"nothing about payment":                {paysNot, ""},
		"list of something else":               {paysNot, paysNot + "<c:InsurabilityList><c:Item/></c:InsurabilityList>"},
		"unknown event":                        {"closedBefore", "closed"},
		"another record":                       {">6031500000101<", ">6031500000102<"},
		"no reference":                         {"<c:InputReference>06031500000101</c:InputReference>", ""},
		"reference of the record":              {">06031500000101<", ">6031500000101<"},
		"no days":                              {"<c:PeriodStart>2026-03-15</c:PeriodStart>", ""},
		"entity":                               {"50061599733", "&who;"},
	} {
		if !strings.Contains(right, change[0]) {
			t.Fatalf("%s: nothing to change", name)
		}
		if a, err := Decode(GenIns, q, []byte(strings.Replace(right, change[0], change[1], 1)), noon); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// asserted is an assertion: of a kind, valid on some days ("FROM UNTIL", the end excluded, or empty), with attributes "name=value".
func asserted(kind, days string, values ...string) string {
	var b strings.Builder
	for _, v := range values {
		name, value, _ := strings.Cut(v, "=")
		fmt.Fprintf(&b, `<saml:Attribute Name="%s"><saml:AttributeValue>%s</saml:AttributeValue></saml:Attribute>`, name, value)
	}
	conditions := ""
	if f := strings.Fields(days); len(f) == 2 {
		conditions = fmt.Sprintf(`<saml:Conditions NotBefore="%sT00:00:00+01:00" NotOnOrAfter="%sT00:00:00+01:00"/>`, f[0], f[1])
	}
	return `<saml:Assertion><saml:Subject><saml:NameID Format="` + attrSSIN + `">50061599733</saml:NameID></saml:Subject>` + conditions +
		`<saml:Advice><AssertionType>` + nippin + kind + `</AssertionType></saml:Advice><saml:AttributeStatement>` + b.String() + `</saml:AttributeStatement></saml:Assertion>`
}

// samlAnswer is a response of MemberData in its envelope. level2 is the second status code, empty for none.
func samlAnswer(issued, level2, assertions string) string {
	if level2 != "" {
		level2 = `<samlp:StatusCode Value="` + statusLevel2 + level2 + `"/>`
	}
	return wrap(`<samlp:Response xmlns:samlp="` + nsSAMLP + `" xmlns:saml="` + nsSAML + `" InResponseTo="_26031500000101" IssueInstant="` + issued + `"><samlp:Status><samlp:StatusCode Value="` +
		statusSuccess + `">` + level2 + `</samlp:StatusCode></samlp:Status>` + assertions + `</samlp:Response>`)
}

// TestDoubtMemberData is the same for the service whose answers come in pieces.
func TestDoubtMemberData(t *testing.T) {
	t.Parallel()
	const now = "2026-03-15T11:00:01Z"
	q := asked("50061599733", "26031500000101", "2026-03-15", "2026-03-15")
	who := asserted("insurability:patientData", "", attrSSIN+"=50061599733")
	closed := asserted("insurability:generalSituation", "", nippin+"generalSituation:event=closedBefore")
	cover := asserted("insurability:period", "2026-03-15 2026-03-16", nippin+"careReceiver:mutuality=126", nippin+"cb1=110", nippin+"cb2=110")
	payment := func(days, says string) string {
		return asserted("insurability:payment", days, nippin+"payment:byIO="+says)
	}
	for name, c := range map[string]struct {
		answer   string
		status   Status
		warnings []Warning
	}{
		"insured":                      {samlAnswer(now, "", who+cover+payment("", "True")), Insured, nil},
		"whether it pays is not told":  {samlAnswer(now, "", who+cover), Insured, []Warning{PartialAnswer}},
		"paid until yesterday":         {samlAnswer(now, "", who+cover+payment("2026-03-01 2026-03-15", "true")+payment("2026-03-15 2026-03-16", "false")), ThirdPartyRefused, nil},
		"refused until yesterday":      {samlAnswer(now, "", who+cover+payment("2026-03-15 2026-03-16", "true")+payment("2026-03-01 2026-03-15", "false")), Insured, nil},
		"not insured":                  {samlAnswer(now, "", who+closed), NotInsured, nil},
		"not insured, but not all":     {samlAnswer(now, "PartialAnswer", who+closed), Unknown, []Warning{PartialAnswer}},
		"not insured, but with a word": {samlAnswer(now, "InternalError", who+closed), Unknown, []Warning{PartialAnswer}},
		"closed on other days":         {samlAnswer(now, "", who+asserted("insurability:generalSituation", "2026-02-01 2026-02-02", nippin+"generalSituation:event=closedBefore")), Unknown, nil},
		"closed, yet covered":          {samlAnswer(now, "", who+closed+cover), Unknown, []Warning{Contradiction}},
		"nobody named":                 {samlAnswer(now, "", closed), Unknown, []Warning{NumberNotEchoed}},
		"nothing at all":               {samlAnswer(now, "", ""), Unknown, []Warning{NumberNotEchoed}},
	} {
		a, err := Decode(MemberData, q, []byte(c.answer), noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Status != c.status || !slices.Equal(a.Warnings, c.warnings) {
			t.Errorf("%s: %s %v, want %s %v", name, a.Status, a.Warnings, c.status, c.warnings)
		}
	}
	for name, answer := range map[string]string{
		"made tomorrow":       samlAnswer("2026-03-16T11:00:01Z", "", who+closed),
		"made yesterday":      samlAnswer("2026-03-14T11:00:01Z", "", who+closed),
		"made at no time":     samlAnswer("", "", who+closed),
		"another patient too": samlAnswer(now, "", asserted("insurability:patientData", "", attrSSIN+"=88122499820")+who+closed),
		"two kinds in one":    samlAnswer(now, "", who+strings.Replace(closed, "<AssertionType>", "<AssertionType>a</AssertionType><AssertionType>", 1)),
		"two values":          samlAnswer(now, "", who+asserted("insurability:period", "2026-03-15 2026-03-16", nippin+"cb1=110", nippin+"cb1=111")),
		"two events":          samlAnswer(now, "", who+closed+strings.Replace(closed, "closedBefore", "multiple", 1)),
		"unknown event":       samlAnswer(now, "", who+strings.Replace(closed, "closedBefore", "closed", 1)),
		"pays and does not":   samlAnswer(now, "", who+cover+payment("", "true")+payment("", "false")),
		"period backwards":    samlAnswer(now, "", who+asserted("insurability:period", "2026-03-16 2026-03-15", nippin+"cb1=110")),
	} {
		if a, err := Decode(MemberData, q, []byte(answer), noon); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// TestLogIsBounded: what a service says goes into the log as short as codes are.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 10_000)
	a := &Answer{Status: Unknown, References: References{Network: long, Output: long}, Approval: Approval{Number: long}, Fault: &Fault{Code: long}}
	for range 1000 {
		a.Fault.Details = append(a.Fault.Details, struct{ Code, Location, Message string }{long, long, long})
	}
	var got Call
	c := &Client{o: Options{Log: func(c Call) { got = c }}, now: time.Now}
	c.log(&Question{Patient: Patient{NISS: "50061599733"}}, a, nil, noon)
	line, err := json.Marshal(got)
	if err != nil || len(line) > 2000 {
		t.Errorf("%d bytes, %v", len(line), err)
	}
}

// TestProviderNumbers: numbers that cannot be any are told before anybody is asked.
func TestProviderNumbers(t *testing.T) {
	t.Parallel()
	q := asked("50061599733", "26031500000101", "2026-03-15", "2026-03-15")
	for name, change := range map[string]func(*Provider){
		"short": func(p *Provider) { p.NIHII = "2999982" }, "dashes": func(p *Provider) { p.NIHII = "2-99998-23" },
		"titular": func(p *Provider) { p.Titular.NIHII = "21999849" },
	} {
		p := provider()
		change(p)
		if _, err := Encode(Pharmacist, q, p); !errors.Is(err, ErrQuestion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOncePerDayInBrussels: what was asked before midnight in Brussels is not there after it, whatever the time elsewhere.
func TestOncePerDayInBrussels(t *testing.T) {
	t.Parallel()
	before := time.Date(2026, 6, 30, 21, 59, 0, 0, time.UTC) // 23:59 in Brussels
	var c cache
	k := keyOf(GenIns, &Question{Patient: Patient{NISS: niss.Number("50061599733")}, From: day("2026-06-30")})
	c.note(k, &Answer{Status: Insured}, before)
	if c.find(k, before.Add(30*time.Second)) == nil {
		t.Error("gone before midnight")
	}
	if a := c.find(k, before.Add(time.Minute)); a != nil {
		t.Errorf("there after midnight: %+v", a)
	}
}
