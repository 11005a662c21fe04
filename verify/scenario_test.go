package verify_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// makers are the formats in which a story can be told.
var makers = map[string]func(signed.Options) ([]byte, error){
	"CAdES": func(o signed.Options) ([]byte, error) { return signed.CAdES([]byte("inhoud"), false, o) },
	"XAdES": func(o signed.Options) ([]byte, error) { return signed.XAdES([]byte("<a>inhoud</a>"), signed.XML{}, o) },
	"PAdES": signed.PAdES,
	"ASiC-E": func(o signed.Options) ([]byte, error) {
		return signed.ASiC([]signed.File{{Name: "inhoud.txt", Data: []byte("inhoud")}}, signed.ASiCE, o)
	},
	"ASiC-E with CAdES": func(o signed.Options) ([]byte, error) {
		return signed.ASiC([]signed.File{{Name: "inhoud.txt", Data: []byte("inhoud")}}, signed.ASiCECAdES, o)
	},
}

// TestScenarios: the life stories of signatures, as an independent maker tells
// them, in every format, with what is embedded and, about the last archive
// time stamp, what the caller knows.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []pki.Algorithm{pki.EC, pki.RSA} {
		p, err := pki.New(pki.Options{Algorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		stories, err := signed.Scenarios(p)
		if err != nil {
			t.Fatal(err)
		}
		anchors := &verify.Anchors{}
		anchors.Add(p.Root.Certificate)
		for format, make := range makers {
			for _, s := range stories {
				if format == "PAdES" && !s.Options.ContentStamp.At.IsZero() {
					continue // PDFs cannot have one
				}
				t.Run(algorithm.String()+"/"+format+"/"+s.Name, func(t *testing.T) {
					t.Parallel()
					data, err := make(s.Options)
					if err != nil {
						t.Fatal(err)
					}
					tell(t, s, data, verify.Options{Anchors: anchors, At: s.Now, Offline: true, CRLs: s.CRLs, OCSPs: s.OCSPs})
				})
			}
		}
	}
}

func tell(t *testing.T, s signed.Scenario, data []byte, o verify.Options) {
	t.Helper()
	var verifier verify.Verifier
	rep, err := verifier.File(context.Background(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Passed() == s.Passed && (s.Passed || slices.Contains(s.Reasons, rep.SubIndication)) {
		return
	}
	t.Errorf("%s %s %s, want passed %v %v", rep.Error, rep.Indication, rep.SubIndication, s.Passed, s.Reasons)
	for _, sig := range rep.Signatures {
		t.Logf("%s %s: %v\nwarnings %v", sig.ID, sig.SubIndication, short(sig.Errors), short(sig.Warnings))
		for _, ts := range sig.Timestamps {
			t.Logf("  %s %s %s %s: %v %v", ts.Kind, ts.Time, ts.Indication, ts.SubIndication, short(ts.Errors), short(ts.Warnings))
		}
	}
}
