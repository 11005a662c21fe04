package insurers

import (
	"strconv"

	"github.com/beevik/etree"

	"github.com/eidkit/eidkit/testcards/internal/patients"
)

// claim is an attribute of an assertion of MemberData, with its type in XML Schema.
type claim struct{ name, kind, value string }

// memberAnswer makes the answer about a patient: one assertion for each fact (facts sheet b.3).
func (a *asking) memberAnswer(q *question, p *patients.Patient, query *etree.Element, network string) string {
	s := situate(*p, q, a.today)
	subject := child(child(query, nsSAML, "Subject"), nsSAML, "NameID")
	format, name := value(subject, "Format"), text(subject)
	if a.faults.has(WrongPerson) {
		format, name = ssinAttribute, s.Number
	}
	if s.Mute {
		return a.samlResponse(q, nil, nil, network)
	}
	m := &memberWriter{a: a, id: network, nameID: el("saml:NameID"+attr("Format", format), escaper.Replace(name))}
	var warning *samlFault
	for _, f := range children(child(query, nsSAMLP, "Extensions"), nsExtension, "Facet") {
		m.facet = value(f, "id")
		switch m.facet {
		case facetInsured:
			warning = m.insurability(s, q)
		case facetChronic:
			for _, y := range s.years(a.today) {
				m.add("chronicCondition", q.from, q.until, claim{nippin + "chronicCondition:year", "gYear", y})
			}
		}
	}
	return a.samlResponse(q, warning, m.list, network)
}

// memberWriter collects assertions.
type memberWriter struct {
	a                 *asking
	id, nameID, facet string
	list              []string
}

// add makes an assertion that holds from a day to a day; without days it has no such conditions.
func (m *memberWriter) add(kind string, from, until day, claims ...claim) {
	conditions, statement := "", ""
	if from != 0 {
		conditions = el("saml:Conditions" + attr("NotBefore", from.midnight().Format("2006-01-02T15:04:05Z07:00")) +
			attr("NotOnOrAfter", (until+1).midnight().Format("2006-01-02T15:04:05Z07:00")))
	}
	for _, c := range claims {
		if c.value != "" {
			statement += el("saml:Attribute"+attr("Name", c.name), leaf("saml:AttributeValue"+attr("xmlns:xs", "http://www.w3.org/2001/XMLSchema")+attr("xsi:type", "xs:"+c.kind), c.value))
		}
	}
	if statement != "" {
		statement = el("saml:AttributeStatement", statement)
	}
	m.list = append(m.list, el("saml:Assertion"+attr("ID", "_a"+m.id+"-"+strconv.Itoa(len(m.list)+1))+` Version="2.0"`+attr("IssueInstant", instant(m.a.now)),
		leaf("saml:Issuer", nippin+"100"), el("saml:Subject", m.nameID), conditions,
		el("saml:Advice", leaf("ext:AssertionType", nippin+kind), el("ext:Facet"+attr("id", m.facet))),
		statement))
}

// insurability makes the assertions of that facet and the warning that goes with them.
func (m *memberWriter) insurability(s *situation, q *question) *samlFault {
	const care = nippin + "careReceiver:"
	died := ""
	if s.died != 0 {
		died = s.died.String()
	}
	m.add("insurability:patientData", 0, 0, claim{ssinAttribute, "string", s.shown()}, claim{care + "name", "string", s.Surname}, claim{care + "firstName", "string", s.FirstName},
		claim{care + "birthDate", "date", s.birthday()}, claim{care + "deceasedDate", "date", died}, claim{care + "gender", "string", s.sex()})
	for _, i := range s.items {
		promise := ""
		if q.invoicing {
			promise = approval(m.id)
		}
		m.add("insurability:period", i.from, i.until, claim{care + "registrationNumber", "string", i.Affiliate}, claim{care + "mutuality", "string", i.Mutuality},
			claim{nippin + "cb1", "string", i.CT1}, claim{nippin + "cb2", "string", i.CT2}, claim{nippin + "paymentApproval", "string", promise},
			claim{nippin + "communicationDate", "date", i.information.String()})
	}
	if s.event != "" && s.moved == 0 {
		m.add("insurability:generalSituation", 0, 0, claim{nippin + "generalSituation:event", "string", s.event})
	}
	if len(s.items) > 0 || s.Refused {
		m.add("insurability:payment", q.from, q.until, claim{nippin + "payment:byIO", "boolean", boolean(s.paid())})
	}
	if s.House != nil {
		for i, in := range []bool{s.House.Doctor, s.House.Nurse, s.House.Kine} {
			if in {
				m.add("medicalHouse", s.house[0], s.house[1], claim{nippin + "medicalHouse:type", "string", []string{"Medical", "Nurse", "Kine"}[i]})
			}
		}
	}
	if q.stay {
		m.add("hospitalisation", m.a.today+day(s.Stay.Since), q.until)
	}
	switch {
	case s.moved != 0:
		return &samlFault{"Success", "PartialAnswer", "WARNING", "MUTATION"}
	case s.truncated:
		return &samlFault{"Success", "PartialAnswer", "WARNING", "ONLY_FIVE_PERIODS_RETURNED"}
	}
	return nil
}
