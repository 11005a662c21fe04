package assurability

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/niss"
)

var noon = time.Date(2026, 3, 15, 11, 0, 0, 0, time.UTC)

// example reads one of the outside examples.
func example(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "assurability", name))
	if os.IsNotExist(err) {
		t.Skip("the outside example messages are not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func day(s string) niss.Date {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return dateOf(t)
}

// asked is the question that an example answers.
func asked(number, reference, from, until string) *Question {
	q := &Question{Patient: Patient{NISS: niss.Number(number)}, From: day(from), Reference: reference, UserReference: "TILL1-000042", Sent: noon}
	if until != from {
		q.Until = day(until)
	}
	return q
}

// wrap puts a samlp:Response into the envelope that MemberData has around it.
func wrap(response string) string {
	return `<m:MemberDataConsultationResponse xmlns:m="` + nsMember + `" xmlns:p="` + nsCommons + `" xmlns:c="` + nsCommonsCore + `" Id="_x" InResponseTo="_26031500000101" IssueInstant="2026-03-15T10:00:01Z">` +
		`<m:Return><p:CommonOutput><c:InputReference>26031500000101</c:InputReference></p:CommonOutput><p:Detail ContentType="text/xml" ContentEncoding="none" Id="_d">` +
		base64.StdEncoding.EncodeToString([]byte(response)) + `</p:Detail></m:Return></m:MemberDataConsultationResponse>`
}

// TestExamples reads each outside example of an answer.
func TestExamples(t *testing.T) {
	gen := func(number, from, until string) *Question { return asked(number, "26031500000001", from, until) }
	pharm := asked("50061599733", "26031500000077", "2026-03-15", "2026-03-15")
	mda := asked("50061599733", "26031500000101", "2026-03-15", "2026-03-15")
	for _, c := range []struct {
		file     string
		service  Service
		q        *Question
		status   Status
		tariff   Tariff
		warnings []Warning
		change   func(*Question)
	}{
		{"genins-10-response-insured-bim.xml", GenIns, gen("50061599733", "2026-03-15", "2026-03-15"), Insured, Increased, nil, nil},
		{"genins-11-response-insured-regular.xml", GenIns, gen("88122499820", "2026-03-15", "2026-03-15"), Insured, Ordinary, nil, nil},
		{"genins-12-response-not-insured.xml", GenIns, gen("04091099743", "2026-03-15", "2026-03-15"), NotInsured, NoTariff, nil, nil},
		{"genins-13-response-medicalhouse-transfer-approval.xml", GenIns, gen("62020399834", "2025-12-15", "2026-03-15"), Insured, Increased,
			[]Warning{PartlyCovered, InsurerChanged, InMedicalHouse}, func(q *Question) { q.Invoicing = true }},
		{"genins-14-response-two-periods.xml", GenIns, gen("88122499820", "2025-01-01", "2025-12-31"), Insured, Ordinary, nil, nil},
		{"genins-15-response-hospitalized-elsewhere.xml", GenIns, gen("62020399834", "2026-03-15", "2026-03-15"), Insured, Ordinary, nil,
			func(q *Question) { q.Contact = Hospitalised }},
		{"genins-20-fault-niss-checkdigit.xml", GenIns, gen("50061599734", "2026-03-15", "2026-03-15"), Unavailable, NoTariff, nil, nil},
		{"genins-21-fault-no-io.xml", GenIns, gen("04091099743", "2026-03-15", "2026-03-15"), Unknown, NoTariff, nil, nil},
		{"genins-22-fault-multi-io.xml", GenIns, gen("04091099743", "2026-03-15", "2026-03-15"), Conflict, NoTariff, nil, nil},
		{"genins-23-fault-period-not-allowed.xml", GenIns, gen("50061599733", "2026-03-01", "2026-03-15"), Unavailable, NoTariff, nil, nil},
		{"pharm-10-response-elevated.xml", Pharmacist, pharm, Insured, Increased, nil, nil},
		{"pharm-11-response-no-third-party.xml", Pharmacist, pharm, ThirdPartyRefused, NoTariff, nil, nil},
		{"pharm-12-response-multi-io.xml", Pharmacist, pharm, Conflict, NoTariff, nil, nil},
		{"mda-10-response-insured-bim.xml", MemberData, mda, Insured, Increased, []Warning{InMedicalHouse}, nil},
		{"mda-11-response-closed.xml", MemberData, mda, NotInsured, NoTariff, nil, nil},
		{"mda-12-response-partial-mutation.xml", MemberData, mda, Insured, Increased, []Warning{PartialAnswer, InsurerChanged}, nil},
		{"mda-20-error-niss-checkdigit.xml", MemberData, mda, Unavailable, NoTariff, nil, nil},
		{"mda-21-error-unauthorized-facet.xml", MemberData, mda, Unavailable, NoTariff, nil, nil},
		{"mda-22-error-unknown-io.xml", MemberData, mda, Unknown, NoTariff, nil, nil},
	} {
		raw := example(t, c.file)
		if c.service == MemberData {
			raw = wrap(raw)
		}
		if c.change != nil {
			c.change(c.q)
		}
		a, err := Decode(c.service, c.q, []byte(raw), noon)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if a.Status != c.status || a.Tariff != c.tariff || !reflect.DeepEqual(a.Warnings, c.warnings) {
			t.Errorf("%s: %s %s %v, want %s %s %v", c.file, a.Status, a.Tariff, a.Warnings, c.status, c.tariff, c.warnings)
		}
	}
}

// provider is invented.
func provider() *Provider {
	p := &Provider{Quality: "pharmacy", NIHII: "29999823", Name: "Example pharmacy", Organisation: true, Package: "example-till", LicenceUser: "demo-user",
		LicencePassword: "demo <secret> & more", Test: true}
	p.Titular.Name, p.Titular.NIHII, p.Titular.NISS = "Example titular", "21999849001", "88122499820"
	return p
}

var questions = []struct {
	name string
	q    Question
}{
	{"number", Question{Patient: Patient{NISS: "50061599733"}, From: day("2026-03-15"), UserReference: "TILL1-000042"}},
	{"affiliate", Question{Patient: Patient{Affiliate: "00001234a6789", Mutuality: "126"}, From: day("2026-03-15")}},
}

// validates has xmllint hold a message against a schema.
func validates(t *testing.T, schema string, message []byte) {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "schemas", "assurability")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the outside schemas are not there")
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("xmllint is not installed")
	}
	file := filepath.Join(t.TempDir(), "message.xml")
	if err := os.WriteFile(file, message, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("xmllint", "--nonet", "--noout", "--schema", filepath.Join(dir, schema), file).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", schema, err, out, message)
	}
}

// TestRequestsAreValid holds what encode makes against the services' schemas.
func TestRequestsAreValid(t *testing.T) {
	for _, c := range questions {
		for service, schema := range map[Service]string{GenIns: "ehealth-mycarenet-genins/XSD/ehealth-genins-protocol-1_1.xsd",
			Pharmacist: "ehealth-insurability/XSD/insurabilityservices_protocol-2_0.xsd", MemberData: "ehealth-mycarenet-memberdata/XSD/mycarenet-memberdata-protocol-1_0.xsd"} {
			q := c.q
			q.Reference, q.Sent = "26031500000001", noon
			b, err := Encode(service, &q, provider())
			if err != nil {
				t.Errorf("%s of %s: %v", service, c.name, err)
				continue
			}
			validates(t, schema, b)
		}
	}
}

// TestQueryIsValid holds the query inside MemberData's envelope against the outside example.
func TestQueryIsValid(t *testing.T) {
	q := questions[0].q
	q.Reference = "26031500000101"
	got := string(attributeQuery(&q, "_26031500000101", "2026-03-15T10:00:00Z", "29999823000"))
	want := example(t, "mda-01-query-by-niss.xml")
	squeeze := func(s string) string {
		s = strings.Join(strings.Fields(s), " ")
		return strings.NewReplacer("> <", "><", "/> ", "></saml:SubjectConfirmationData>", "/>", "></saml:SubjectConfirmationData>").Replace(s)
	}
	if squeeze(got) != strings.TrimSpace(squeeze(want)) {
		t.Errorf("\n%s\n%s", squeeze(got), squeeze(want))
	}
}

// TestOtherAnswers: an answer to something else is no answer.
func TestOtherAnswers(t *testing.T) {
	q := asked("50061599733", "26031500000001", "2026-03-15", "2026-03-15")
	right := example(t, "genins-10-response-insured-bim.xml")
	if _, err := Decode(GenIns, q, []byte(right), noon); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another person": {"<c:Inss>50061599733</c:Inss>", "<c:Inss>88122499820</c:Inss>"}, "another message": {"<c:InputReference>26031500000001</c:InputReference>\n    <c:NIP", "<c:InputReference>26031500000002</c:InputReference>\n    <c:NIP"},
		"yesterday":    {"<c:PeriodStart>2026-03-15</c:PeriodStart><c:PeriodEnd>2026-03-15</c:PeriodEnd></c:Period>\n      <c:InsurabilityContactType>", "<c:PeriodStart>2026-03-14</c:PeriodStart><c:PeriodEnd>2026-03-14</c:PeriodEnd></c:Period>\n      <c:InsurabilityContactType>"},
		"another kind": {"ambulatory_care", "other"}, "no XML": {"</p:GetInsurabilityResponse>", ""}, "a DTD": {"<p:GetInsurabilityResponse", "<!DOCTYPE x><p:GetInsurabilityResponse"},
		"other status": {"<Code>200</Code>", "<Code>500</Code>"}, "broken number": {"<c:Inss>50061599733</c:Inss>", "<c:Inss>50061599734</c:Inss>"},
		"broken date": {"<c:InsurabilityDate>2026-03-15", "<c:InsurabilityDate>2026-02-30"}, "broken flag": {"<c:PaymentByIo>true", "<c:PaymentByIo>maybe"},
	} {
		if !strings.Contains(right, change[0]) {
			t.Fatalf("%s: the example has changed", name)
		}
		if a, err := Decode(GenIns, q, []byte(strings.Replace(right, change[0], change[1], 1)), noon); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestQuestionsRefused(t *testing.T) {
	good := Question{Patient: Patient{NISS: "50061599733"}, From: day("2026-03-15"), Reference: "26031500000001"}
	for name, change := range map[string]func(*Question){
		"nobody": func(q *Question) { q.Patient = Patient{} }, "check digits": func(q *Question) { q.Patient.NISS = "50061599734" },
		"two names": func(q *Question) { q.Patient.Affiliate, q.Patient.Mutuality = "1", "126" }, "mutuality": func(q *Question) { q.Patient = Patient{Affiliate: "1", Mutuality: "826"} },
		"no day": func(q *Question) { q.From = niss.Date{Year: 2026, Month: 2, Day: 30} }, "backwards": func(q *Question) { q.Until = day("2026-03-14") },
		"reference": func(q *Question) { q.Reference = "1" }, "lower case": func(q *Question) { q.UserReference = "till" },
	} {
		q := good
		change(&q)
		if _, err := Encode(GenIns, &q, provider()); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for name, change := range map[string]func(*Provider){"number": func(p *Provider) { p.NIHII = "" }, "licence": func(p *Provider) { p.LicencePassword = "" }} {
		p := provider()
		change(p)
		if _, err := Encode(GenIns, &good, p); err == nil {
			t.Errorf("a provider without %s is accepted", name)
		}
	}
}

func TestReference(t *testing.T) {
	seen := map[string]bool{}
	for range 20_000 {
		r := newReference(noon)
		if len(r) != 14 || r[:6] != "260315" || seen[r] {
			t.Fatal(r)
		}
		seen[r] = true
	}
	if d := Today(time.Date(2026, 6, 30, 22, 30, 0, 0, time.UTC)); d != day("2026-07-01") {
		t.Error(d)
	}
}

func FuzzDecode(f *testing.F) {
	q := asked("50061599733", "26031500000101", "2026-03-15", "2026-03-15")
	for i, name := range []string{"GetInsurabilityResponse", "GetInsurabilityForPharmacistResponse"} {
		f.Add(i, fmt.Sprintf(`<p:%s xmlns:p="%s"><Status><Code>200</Code></Status></p:%[1]s>`, name, []string{nsGenIns, nsPharm}[i]))
	}
	f.Add(2, wrap(`<samlp:Response xmlns:samlp="`+nsSAMLP+`" InResponseTo="_26031500000101" IssueInstant="2026-03-15T10:00:01Z"><samlp:Status><samlp:StatusCode Value="`+statusSuccess+`"/></samlp:Status></samlp:Response>`))
	genIns := *q
	genIns.Reference = "06031500000101"
	f.Add(0, genInsAnswer(closedEvent+paysNot))
	f.Add(0, genInsAnswer(pays+listed(today126)))
	who, closed := asserted("insurability:patientData", "", attrSSIN+"=50061599733"), asserted("insurability:generalSituation", "", nippin+"generalSituation:event=closedBefore")
	f.Add(2, samlAnswer("2026-03-15T11:00:01Z", "", who+closed))
	f.Fuzz(func(t *testing.T, service int, raw string) {
		s, q := []Service{GenIns, Pharmacist, MemberData}[uint(service)%3], q
		if s == GenIns {
			q = &genIns
		}
		a, err := Decode(s, q, []byte(raw), noon)
		switch {
		case err != nil:
		case a.Status == "":
			t.Fatal("an answer without status")
		case a.Status == NotInsured && (s == Pharmacist || a.Person.NISS != q.Patient.NISS || len(a.Periods)+len(a.Transfers) > 0):
			t.Fatalf("not insured: %+v", a)
		case a.Status == Insured && !slices.ContainsFunc(a.Periods, func(p Period) bool { return p.covers(q.From) }):
			t.Fatalf("insured: %+v", a)
		}
	})
}
