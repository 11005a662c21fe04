package validation

import "github.com/eidkit/eidkit/internal/ades"

// checkAttributes is the part of signature acceptance validation (EN
// 319 102-1 section 5.2.8) that does not depend on time. What the readers
// found missing is among the findings already.
func (r *run) checkAttributes(t *token) {
	switch t.sig.Format {
	case ades.CAdES, ades.XAdES, ades.PAdES:
	default:
		return
	}
	if t.sig.SigningTime == nil {
		t.found.add(r.find(CodeNoSigningTime, "", ""))
	}
	if !t.sig.HasCertRefs && !t.found.has(ades.NoSigningCertRef) {
		t.found.add(r.find(ades.NoSigningCertRef, "", ""))
	}
}

func (l findings) has(code ades.Code) bool { return len(l.only(code)) > 0 }
