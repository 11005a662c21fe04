package validation

import (
	"github.com/eidkit/eidkit/internal/ades"
)

// checkFormat is format checking (EN 319 102-1 section 5.2.2): the reader did
// the work, here its findings get their weight.
func (r *run) checkFormat(t *token) {
	list := t.sig.Findings
	if t.stamp != nil {
		list = append(append([]ades.Finding(nil), t.stamp.Findings...), list...)
	}
	for _, f := range list {
		t.found.add(r.find(f.Code, f.Object, f.Detail))
	}
	if t.sig.PDF == nil {
		return
	}
	for _, c := range t.sig.PDF.Changes {
		if !c.Allowed && !t.reported(ades.ModifiedAfterwards, c.Object) {
			t.found.add(r.find(ades.ModifiedAfterwards, c.Object, c.What))
		}
	}
}

// reported tells whether the reader itself said so already.
func (t *token) reported(code ades.Code, object string) bool {
	for _, f := range t.sig.Findings {
		if f.Code == code && (f.Object == object || f.Object == "") {
			return true
		}
	}
	return false
}
