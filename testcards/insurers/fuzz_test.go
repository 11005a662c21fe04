package insurers

import (
	"net/http/httptest"
	"testing"
)

// FuzzAnswer: no message makes a service fail otherwise than with a SOAP fault, and none that is not signed gets an answer.
func FuzzAnswer(f *testing.F) {
	n := start(f)
	c := newTill(f, n, "pharmacy")
	services := []Service{STS, GenIns, Pharmacist, MemberData}
	for i, s := range services[1:] {
		m := c.signed(c.body(s), nil)
		f.Add(i+1, m)
	}
	f.Add(0, []byte(el("S:Envelope"+attr("xmlns:S", nsEnvelope), el("S:Header"), el("S:Body", tokenQuestion(c.n.own.sts.Certificate, 1))))) // not signed
	if err := n.Close(); err != nil {                                                                                                       // what goes on in the background would look like coverage
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, service int, raw []byte) {
		s := services[uint(service)%4]
		r := httptest.NewRequest("POST", paths[s], nil)
		r.Header.Set("Content-Type", "text/xml")
		r.Header.Set("SOAPAction", pharmacistAction)
		content, refused := n.answer(s, r, raw, nil)
		if (content == "") == (refused == nil) {
			t.Fatal("neither answer nor fault, or both")
		}
		if refused != nil {
			if _, err := parse(envelope(refused.fault())); err != nil {
				t.Fatal(err)
			}
		}
	})
}
