package sign_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/eidkit/eidkit/sign"
)

// TestAlone: an XML signature leaves out all signatures, or itself only, as is asked for.
func TestAlone(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	const filter, enveloped = "http://www.w3.org/2002/06/xmldsig-filter2", "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	for _, alone := range []bool{false, true} {
		o := w.options(usual, sign.B)
		o.XML.Alone = alone
		var once bytes.Buffer
		if _, err := sign.XAdES(t.Context(), &once, anXML(), w.software(usual, 0), o); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(once.Bytes(), []byte(filter)) == alone || bytes.Contains(once.Bytes(), []byte(enveloped)) != alone {
			t.Errorf("alone %t: the other transform\n%s", alone, once.Bytes())
		}
		_, err := sign.XAdES(t.Context(), &bytes.Buffer{}, []sign.Source{source("a.xml", "", once.Bytes())}, w.software(usual, 1), w.options(usual, sign.B))
		if errors.Is(err, sign.ErrUnsuitable) != alone || !alone && err != nil {
			t.Errorf("alone %t: signed again: %v", alone, err)
		}
	}
	o := w.options(usual, sign.B)
	o.XML.Alone = true
	if _, err := sign.XAdES(t.Context(), &bytes.Buffer{}, aText(), w.software(usual, 0), o); err == nil {
		t.Error("alone in an enveloping signature")
	}
}
