package assurability

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/xmldsig"
	"github.com/eidkit/eidkit/niss"
)

// Namespaces and names of MemberData (facts sheet b).
const (
	nsMember      = "urn:be:fgov:ehealth:mycarenet:memberdata:protocol:v1"
	nsCommons     = "urn:be:fgov:ehealth:mycarenet:commons:protocol:v3"
	nsCommonsCore = "urn:be:fgov:ehealth:mycarenet:commons:core:v3"
	nsSAMLP       = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsSAML        = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsExtension   = "urn:be:cin:nippin:memberdata:saml:extension"
	nsXSI         = "http://www.w3.org/2001/XMLSchema-instance"

	nippin        = "urn:be:cin:nippin:"
	attrSSIN      = "urn:be:fgov:person:ssin"
	statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"
	statusLevel2  = "urn:be:cin:nippin:SAML:status:"
)

// encodeMemberData makes a MemberDataConsultationRequest, with the query as it is or sealed in its envelope.
func encodeMemberData(q *Question, p *Provider, c *sealing) ([]byte, error) {
	var w writer
	id, sent := "_"+q.Reference, q.Sent.UTC().Format(time.RFC3339)
	number := nihii11(p.NIHII)
	content, encryption, err := c.wrap(attributeQuery(q, id, sent, number))
	if err != nil {
		return nil, err
	}
	w.in("m:MemberDataConsultationRequest", attr("xmlns:m", nsMember)+attr("xmlns:p", nsCommons)+attr("xmlns:c", nsCommonsCore)+attr("Id", id)+attr("IssueInstant", sent), func() {
		w.in("p:CommonInput", "", func() {
			p.origin(&w, func() { p.provider(&w, number) })
			w.leaf("c:InputReference", q.Reference)
		})
		// The schema's default for ContentEncoding is deflate.
		w.in("p:Detail", attr("ContentType", "text/xml")+attr("ContentEncoding", "none")+encryption+attr("Id", "_detail"), func() {
			w.WriteString(base64.StdEncoding.EncodeToString(content))
		})
	})
	return []byte(w.String()), nil
}

// nihii11 fills a number up to eleven digits, on the right.
func nihii11(number string) string { return number + strings.Repeat("0", max(0, 11-len(number))) }

// attributeQuery makes the samlp:AttributeQuery (facts sheet b.2).
func attributeQuery(q *Question, id, sent, number string) []byte {
	var w writer
	w.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	w.in("samlp:AttributeQuery", attr("xmlns:samlp", nsSAMLP)+attr("xmlns:saml", nsSAML)+attr("xmlns:ext", nsExtension)+attr("xmlns:xsi", nsXSI)+
		attr("ID", id)+attr("Version", "2.0")+attr("IssueInstant", sent), func() {
		w.in("saml:Issuer", attr("Format", nippin+"nihii11"), func() { w.WriteString(escaper.Replace(number)) })
		w.in("samlp:Extensions", attr("xsi:type", "ext:ExtensionsType"), func() {
			w.in("ext:Facet", attr("id", nippin+"insurability"), func() {
				w.in("Dimension", attr("id", "requestType"), func() { w.WriteString(q.requestType()) })
				w.in("Dimension", attr("id", "contactType"), func() { w.WriteString(q.memberContact()) })
			})
		})
		w.in("saml:Subject", "", func() {
			format, name := q.Patient.nameID()
			w.in("saml:NameID", attr("Format", format), func() { w.WriteString(escaper.Replace(name)) })
			w.in("saml:SubjectConfirmation", attr("Method", nippin+"memberIdentification"), func() {
				w.in("saml:SubjectConfirmationData", attr("NotBefore", midnight(q.From).Format(time.RFC3339))+
					attr("NotOnOrAfter", midnight(dayAfter(q.last())).Format(time.RFC3339)), func() {})
			})
		})
	})
	return []byte(w.String())
}

// nameID names the patient as MemberData does.
func (p *Patient) nameID() (format, name string) {
	if p.NISS != "" {
		return attrSSIN, string(p.NISS)
	}
	return nippin + "careReceiver:registrationNumber@mut", p.Affiliate + "@" + p.Mutuality
}

// memberContact is the kind of care in the words of MemberData, which has two.
func (q *Question) memberContact() string {
	if q.Contact == Hospitalised || q.Contact == DayHospital {
		return "hospitalized"
	}
	return "other"
}

// memberData reads a MemberDataConsultationResponse with a samlp:Response in it.
func (a *Answer) memberData(q *Question, root *xmldsig.Node, c *sealing) error {
	if !root.Is(nsMember, "MemberDataConsultationResponse") {
		return fmt.Errorf("%w: element %.60q", ErrAnswer, root.Local())
	}
	common, detail := child(root, "Return", "CommonOutput"), child(root, "Return", "Detail")
	a.References = References{text(common, "InputReference"), text(common, "NIPReference"), text(common, "OutputReference")}
	if root.Get("InResponseTo") != "_"+q.Reference {
		return fmt.Errorf("%w: it is in response to another message", ErrAnswer)
	}
	if detail == nil {
		return fmt.Errorf("%w: nothing in it", ErrAnswer)
	}
	raw, err := c.unwrap(detail)
	if err != nil {
		return err
	}
	response, err := parse(raw)
	if err != nil {
		return err
	}
	return a.samlResponse(q, response)
}

// samlResponse reads the samlp:Response (facts sheet b.3).
func (a *Answer) samlResponse(q *Question, n *xmldsig.Node) error {
	if !n.Is(nsSAMLP, "Response") {
		return fmt.Errorf("%w: element %.60q", ErrAnswer, n.Local())
	}
	if n.Get("InResponseTo") != "_"+q.Reference {
		return fmt.Errorf("%w: it is in response to another message", ErrAnswer)
	}
	if err := a.madeSince(q, n.Get("IssueInstant")); err != nil {
		return err
	}
	status := child(n, "Status", "StatusCode")
	if status == nil {
		return fmt.Errorf("%w: no status", ErrAnswer)
	}
	level2 := ""
	if inner := child(status, "StatusCode"); inner != nil {
		level2 = strings.TrimPrefix(inner.Get("Value"), statusLevel2)
	}
	if fault := child(n, "Status", "StatusDetail", "Fault"); fault != nil {
		a.Fault = readFault(fault)
	}
	if status.Get("Value") != statusSuccess {
		a.Status = Unavailable
		if a.Fault == nil {
			a.Fault = &Fault{Code: level2}
		}
		a.judgeFault()
		return nil
	}
	if level2 != "" || a.Fault != nil {
		a.warn(PartialAnswer)
	}
	a.warnFault()
	return a.assertions(q, children(n, "Assertion"))
}

// madeSince holds the time of an answer against that of the question: who is not insured is told so without naming the days asked
// about. Clocks that differ by more than minutes would not get a message through.
func (a *Answer) madeSince(q *Question, issued string) error {
	var r reader
	if at := r.instant(issued); r.err == nil && !q.Sent.IsZero() && at.Sub(q.Sent).Abs() > time.Hour {
		return fmt.Errorf("%w: it was not made when the question was asked", ErrAnswer)
	}
	return r.err
}

// assertions reads what is asserted of the patient. Zero of them say nothing: that is Unknown.
func (a *Answer) assertions(q *Question, list []*xmldsig.Node) error {
	var r reader
	var paid *bool
	for _, n := range list {
		id := child(n, "Subject", "NameID")
		if format, name := q.Patient.nameID(); id != nil && id.Get("Format") == format {
			if strings.TrimSpace(id.Text()) != name {
				return fmt.Errorf("%w: it is about another person", ErrAnswer)
			}
			a.confirmed = true
		}
		values := attributes(n)
		from, until := r.window(child(n, "Conditions"))
		switch kind := strings.TrimPrefix(text(n, "Advice", "AssertionType"), nippin); kind {
		case "insurability:patientData":
			p := Person{r.number(r.one(values[attrSSIN])), r.one(values[nippin+"careReceiver:name"]), r.one(values[nippin+"careReceiver:firstName"]),
				r.date(r.one(values[nippin+"careReceiver:birthDate"])), r.date(r.one(values[nippin+"careReceiver:deceasedDate"])), r.sex(r.one(values[nippin+"careReceiver:gender"]))}
			if a.Person != (Person{}) && (p.NISS != a.Person.NISS || p.Deceased != a.Person.Deceased) {
				r.fail("second person", "")
			}
			a.Person = p
		case "insurability:period":
			a.memberPeriod(&r, values, from, until)
		case "insurability:payment":
			if says := r.boolean(r.one(values[nippin+"payment:byIO"])); says != nil && about(q.last(), from, until) {
				if paid != nil && *paid != *says {
					r.fail("payment and refusal of it", "")
				}
				paid = says
			}
		case "insurability:generalSituation":
			if says := r.one(values[nippin+"generalSituation:event"]); says != "" && about(q.last(), from, until) {
				if a.Event != NoEvent && a.Event != Event(says) {
					r.fail("second event", says)
				}
				a.Event = r.event(says)
			}
		case "medicalHouse":
			a.memberHouse(values[nippin+"medicalHouse:type"], from, until)
		case "hospitalisation":
			a.Stay = &Stay{Since: from}
		}
	}
	if err := a.samePerson(q); err != nil || r.err != nil {
		return firstError(r.err, err)
	}
	a.judge(q, paid)
	return nil
}

// about tells whether a fact, valid from a day until another, is about the day. Bounds that are not told are none.
func about(day, from, until niss.Date) bool {
	return (from == niss.Date{} || !day.Before(from)) && (until == niss.Date{} || !until.Before(day))
}

// memberPeriod is a period of cover: its bounds are the assertion's Conditions.
func (a *Answer) memberPeriod(r *reader, values map[string][]string, from, until niss.Date) {
	if from == (niss.Date{}) || until != (niss.Date{}) && until.Before(from) {
		r.fail("period of cover", from.String())
	}
	p := Period{From: from, Until: until, Mutuality: r.one(values[nippin+"careReceiver:mutuality"]), Affiliate: r.one(values[nippin+"careReceiver:registrationNumber"]),
		CT1: r.one(values[nippin+"cb1"]), CT2: r.one(values[nippin+"cb2"]), Information: r.date(r.one(values[nippin+"communicationDate"])), Approval: r.one(values[nippin+"paymentApproval"])}
	a.Periods = append(a.Periods, p)
	if p.Approval != "" && p.covers(a.Until) {
		a.Approval.Number = p.Approval
	}
}

func (a *Answer) memberHouse(kinds []string, from, until niss.Date) {
	h := MedicalHouse{From: from, Until: until}
	for _, k := range kinds {
		h.Doctor = h.Doctor || strings.EqualFold(k, "Medical")
		h.Nurse = h.Nurse || strings.EqualFold(k, "Nurse")
		h.Physio = h.Physio || strings.EqualFold(k, "Kine")
	}
	a.MedicalHouses = append(a.MedicalHouses, h)
}

// attributes are the values of an assertion by the names of their attributes.
func attributes(assertion *xmldsig.Node) map[string][]string {
	values := map[string][]string{}
	for _, statement := range children(assertion, "AttributeStatement") {
		for _, attribute := range children(statement, "Attribute") {
			for _, v := range children(attribute, "AttributeValue") {
				values[attribute.Get("Name")] = append(values[attribute.Get("Name")], strings.TrimSpace(v.Text()))
			}
		}
	}
	return values
}

// one is the value of an attribute that has one; empty if it is not there.
func (r *reader) one(values []string) string {
	if len(values) == 0 {
		return ""
	}
	if slices.ContainsFunc(values, func(v string) bool { return v != values[0] }) {
		r.fail("several values of an attribute", "")
	}
	return values[0]
}

// window reads the bounds of Conditions as days in Brussels; the end is exclusive.
func (r *reader) window(n *xmldsig.Node) (from, until niss.Date) {
	if n == nil {
		return from, until
	}
	if s := n.Get("NotBefore"); s != "" {
		from = dateOf(r.instant(s))
	}
	if s := n.Get("NotOnOrAfter"); s != "" {
		until = dateOf(r.instant(s).Add(-time.Second))
	}
	return from, until
}

// instant reads an xs:dateTime, in Brussels if it has no zone.
func (r *reader) instant(s string) time.Time {
	t, err := time.ParseInLocation(time.RFC3339, s, brussels())
	if err != nil {
		if t, err = time.ParseInLocation("2006-01-02T15:04:05", s, brussels()); err != nil {
			r.fail("time", s)
		}
	}
	return t.In(brussels())
}
