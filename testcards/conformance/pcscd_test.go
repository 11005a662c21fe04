package conformance_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/conformance"
)

// The same judgements through the machine's PC/SC service.
func TestConformsThroughPCSC(t *testing.T) {
	d := pcscdtest.Start(t)
	ctx := context.Background()
	for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
		c, err := testcards.Open(profile, testcards.Options{Seed: 21})
		if err != nil {
			t.Fatal(err)
		}
		link := d.Insert(t, 0, c)
		r, err := pcsc.Open(ctx, pcscdtest.Readers[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := conformance.CheckCard(ctx, r, all); err != nil {
			t.Errorf("%s: card: %v", profile, err)
		}
		d.Remove(t, 0, link)
		fresh, err := testcards.Open(profile, testcards.Options{Seed: 22, NoFiller: true})
		if err != nil {
			t.Fatal(err)
		}
		link = d.Insert(t, 0, fresh)
		if err := conformance.CheckDriverOn(ctx, r, fresh, openWith("")); err != nil {
			t.Errorf("%s: driver: %v", profile, err)
		}
		d.Remove(t, 0, link)
	}
}

const openscModule = "/usr/lib/*/opensc-pkcs11.so"

// tool runs a program with an empty home, for OpenSC keeps card files there, and returns what it prints.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: apt-get install opensc openssl", name)
	}
	if err != nil {
		t.Skipf("%s is not installed: apt-get install opensc openssl", name)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil && name != "eidenv" { // which ends with 1 after every Belgian card
		t.Errorf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

// OpenSC knows the cards for Belgian ones, reads them, lists keys and certificates after login, and signs with 1.7 as openssl can
// verify. It shows no street of any Belgian card (its issue 912).
func TestOpenSCTakesTheCards(t *testing.T) {
	modules, _ := filepath.Glob(openscModule)
	if len(modules) == 0 {
		tool(t, "eidenv", "--version") // says what is missing
		t.Fatal("OpenSC's PKCS#11 module is not installed: apt-get install opensc-pkcs11")
	}
	d := pcscdtest.Start(t)
	for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8", "foreigner-1.8", "no-signature-1.8"} {
		c, err := testcards.Open(profile, testcards.Options{Seed: 23})
		if err != nil {
			t.Fatal(err)
		}
		link := d.Insert(t, 0, c)
		printed := tool(t, "eidenv", "--reader", pcscdtest.Readers[0])
		for _, tag := range []byte{0x06, 0x07, 0x0B} {
			if want := record(c.File(0x4031), tag); !strings.Contains(printed, ": "+want+"\n") {
				t.Errorf("%s: eidenv does not print %q:\n%s", profile, want, printed)
			}
		}
		listed := tool(t, "pkcs11-tool", "--module", modules[0], "-O", "--login", "--pin", testcards.PIN)
		for text, count := range map[string]int{"Certificate Object": 4, "Private Key Object": 2, "Authentication": 3, "CA": 2, "Root": 2} {
			if profile == "no-signature-1.8" && text == "Certificate Object" {
				count--
			}
			if n := strings.Count(listed, text); n < count {
				t.Errorf("%s: pkcs11-tool prints %q %d times, want %d:\n%s", profile, text, n, count, listed)
			}
		}
		if !strings.HasSuffix(profile, "1.8") {
			signWithOpenSC(t, modules[0])
		}
		if c.PINTries() != 3 {
			t.Errorf("%s: %d tries left", profile, c.PINTries())
		}
		d.Remove(t, 0, link)
	}
}

func signWithOpenSC(t *testing.T, module string) {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("data"), []byte("signed by a simulated card\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	login := []string{"--module", module, "--login", "--pin", testcards.PIN}
	tool(t, "pkcs11-tool", append(login, "-s", "-m", "SHA256-RSA-PKCS", "--id", "02", "-i", at("data"), "-o", at("sig"))...)
	tool(t, "pkcs11-tool", append(login, "-r", "--type", "cert", "--id", "02", "-o", at("cert.der"))...)
	tool(t, "openssl", "x509", "-inform", "der", "-in", at("cert.der"), "-pubkey", "-noout", "-out", at("pub.pem"))
	if out := tool(t, "openssl", "dgst", "-sha256", "-verify", at("pub.pem"), "-signature", at("sig"), at("data")); !strings.Contains(out, "Verified OK") {
		t.Errorf("openssl: %s", out)
	}
}

// record is the text of one record of a file.
func record(file []byte, tag byte) string {
	for len(file) > 2 {
		n := int(file[1])
		if file[0] == tag {
			return string(file[2 : 2+n])
		}
		file = file[2+n:]
	}
	return ""
}
