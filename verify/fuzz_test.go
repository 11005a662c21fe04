package verify_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// FuzzFile: any bytes get a verdict, the same twice, with a reason; and never
// a good one from who trusts nobody.
func FuzzFile(f *testing.F) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		f.Fatal(err)
	}
	who, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		f.Fatal(err)
	}
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, make := range makers {
		for _, level := range []signed.Level{signed.B, signed.LTA} {
			data, err := make(signed.Options{PKI: p, Signer: who, At: at, Level: level})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("%PDF-1.7"))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("<a/>"))
	nobody := &verify.Anchors{}
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		judge := func() *verify.Report {
			var v verify.Verifier
			defer v.Close()
			rep, err := v.File(ctx, bytes.NewReader(data), int64(len(data)), verify.Options{Anchors: nobody, At: at.Add(time.Hour), Offline: true})
			if err != nil {
				t.Fatal(err)
			}
			return rep
		}
		rep := judge()
		switch {
		case rep.Indication == verify.TotalPassed, rep.Error == "" && len(rep.Signatures) == 0, rep.Error != "" && rep.Reason == "":
			t.Fatalf("%q %q with %d signatures, reason %q", rep.Error, rep.Indication, len(rep.Signatures), rep.Reason)
		}
		for _, s := range rep.Signatures {
			if len(s.Errors) == 0 || s.SubIndication == "" {
				t.Errorf("%s %s %s without a reason", s.ID, s.Indication, s.SubIndication)
			}
		}
		if again := judge(); again.Error != rep.Error || again.Indication != rep.Indication || again.SubIndication != rep.SubIndication {
			t.Errorf("%s %s, then %s %s", rep.Indication, rep.SubIndication, again.Indication, again.SubIndication)
		}
	})
}
