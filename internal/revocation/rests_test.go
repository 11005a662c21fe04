package revocation

import (
	"crypto/x509"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
)

// TestAlso: an answer out of several lists names each of them, apart from each other: a delta is not the complete list in another
// encoding, and proves nothing about it, nor the other way round.
func TestAlso(t *testing.T) {
	t.Parallel()
	some, rest := spares(issuing(someReasons(1, 2, 3))), spares(issuing(someReasons(4, 5, 6, 7, 8)))
	for _, c := range []struct {
		name  string
		lists []listOf
		want  Status
		parts int // lists that the answer rests on
	}{
		{"one list", []listOf{full()}, Good, 1},
		{"with a delta", []listOf{full(), delta(5)}, Good, 2},
		{"with a delta that revokes", []listOf{full(), delta(5, entry(100, 1))}, Revoked, 2},
		{"with a delta that ends a hold", []listOf{full(entry(100, 6)), delta(5, entry(100, 8))}, Good, 2},
		{"with a delta that does not fit", []listOf{full(), delta(6)}, Good, 1},
		{"some reasons each", []listOf{some, rest}, Good, 2},
		{"the same list twice", []listOf{some, some, rest}, Good, 2},
	} {
		s := simple(c.lists...)(t)
		lists := s.lists[len(s.lists)-len(c.lists):]
		if c.name == "the same list twice" {
			lists[1] = lists[0]
		}
		service := New(Options{})
		answers, problems := service.Check(t.Context(), Question{Certificate: s.leaf, Issuer: s.ca.cert, At: pkitsTime, Now: pkitsTime,
			Pool: []*x509.Certificate{s.anchor.cert}, Evidence: Evidence{CRLs: lists}, Offline: true})
		if len(answers) == 0 || answers[0].Status != c.want {
			t.Errorf("%s: %d answers, %v", c.name, len(answers), problems)
			continue
		}
		a := answers[0]
		got := append([]ades.Digest{a.Digest}, a.Also...)
		var want []ades.Digest
		for _, raw := range lists {
			if d := ades.ObjectDigest(raw); !slices.Contains(want, d) && len(want) < c.parts {
				want = append(want, d)
			}
		}
		for _, d := range want {
			if !slices.Contains(got, d) {
				t.Errorf("%s: a list is not named", c.name)
			}
		}
		if len(got) != c.parts || len(a.Digests) != 0 {
			t.Errorf("%s: %d lists, want %d; %d other encodings", c.name, len(got), c.parts, len(a.Digests))
		}
	}
}
