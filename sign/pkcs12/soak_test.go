//go:build soak

package pkcs12_test

import (
	"os"
	"testing"

	"github.com/eidkit/eidkit/sign/pkcs12"
)

// Files as Firefox and Thunderbird write them: BER with indefinite lengths, 600,000 rounds.
func TestSoakNSS(t *testing.T) {
	p := persons()["ec"]
	at := folder(t, p)
	data := export(t, p, "Geheim 42")
	if err := os.WriteFile(at("in.p12"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at("db"), 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "certutil", "-N", "-d", "sql:"+at("db"), "--empty-password")
	run(t, "pk12util", "-i", at("in.p12"), "-d", "sql:"+at("db"), "-W", "Geheim 42")
	run(t, "pk12util", "-o", at("out.p12"), "-n", "handtekening", "-d", "sql:"+at("db"), "-W", "Geheim 42")
	out, err := os.ReadFile(at("out.p12"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := pkcs12.Open(out, word("Geheim 42"))
	if err != nil || !k.Certificate().Equal(p.Certificate) || len(k.Chain()) != 2 {
		t.Fatalf("%v", err)
	}
	if out[1] != 0x80 {
		t.Error("pk12util writes DER now: this test does not test what it says")
	}
}
