package carddata_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// sharedFile reads a file of the specimen cards, which stand outside the
// project (see CONTRIBUTING.md).
func sharedFile(t testing.TB, name ...string) []byte {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared", "data", "cards"}, name...)...)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the shared test data are not there: %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// alice is a specimen card of applet 1.1: RSA 1024, SHA-1.
func alice(t testing.TB) carddata.Files {
	t.Helper()
	f := carddata.Files{
		ATR:               sharedFile(t, "alice", "ATR.bin"),
		Identity:          sharedFile(t, "alice", "Identity.tlv"),
		IdentitySignature: sharedFile(t, "alice", "IdentitySignature.tlv"),
		Address:           sharedFile(t, "alice", "Address.tlv"),
		AddressSignature:  sharedFile(t, "alice", "AddressSignature.tlv"),
		Photo:             sharedFile(t, "alice", "Photo.tlv"),
		Authentication:    sharedFile(t, "alice", "AuthentificationCertificate.tlv"),
		Signature:         sharedFile(t, "alice", "SigningCertificate.tlv"),
		CA:                sharedFile(t, "alice", "CACertificate.tlv"),
		Root:              sharedFile(t, "alice", "RootCertificate.tlv"),
		RRN:               sharedFile(t, "alice", "RRNCertificate.tlv"),
	}
	// No card data were saved with it; tag 02 stands at offset 14.
	f.CardData = append(bytes.Clone(f.Identity[16:32]), 0xA5, 3, 1, 1, 1, 0x11, 0, 2, 0, 1, 1, 0x0F)
	return f
}

// rekeyed is a specimen of a re-keyed 1.7 card: EC signatures, zero-filled to
// 256 bytes.
func rekeyed(t testing.TB) carddata.Files {
	t.Helper()
	return carddata.Files{
		Identity:          sharedFile(t, "rekeyed-1.7", "identity.tlv"),
		IdentitySignature: sharedFile(t, "rekeyed-1.7", "identity-signature.der"),
		Address:           sharedFile(t, "rekeyed-1.7", "address.tlv"),
		AddressSignature:  sharedFile(t, "rekeyed-1.7", "address-signature.der"),
		Photo:             sharedFile(t, "rekeyed-1.7", "photo.jpg"),
		RRN:               sharedFile(t, "rekeyed-1.7", "rrn-cert.der"),
	}
}

func anchors(t testing.TB, der []byte) *verify.Anchors {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &verify.Anchors{}
	a.Add(cert)
	return a
}

func year(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }

// statuses is the outcome in short, in the order of Result.Checks: n not
// checked, h held, f failed, u untrusted.
func statuses(r *carddata.Result) string {
	var b []byte
	for _, c := range r.Checks() {
		b = append(b, c.Check.Status.String()[0])
	}
	return string(b)
}

func TestAlice(t *testing.T) {
	f := alice(t)
	root := anchors(t, f.Root)
	tests := []struct {
		name    string
		anchors *verify.Anchors
		at      time.Time
		want    string
		err     error
	}{
		{"her root, 2010", root, year(2010), "hhhhnnh", nil},
		{"her root, now", root, time.Time{}, "hhhhnnh", nil}, // valid until 2059
		{"her root, 2008", root, year(2008), "hhhhnnu", verify.ErrExpired},
		{"her root, 2060", root, year(2060), "hhhhnnu", verify.ErrExpired},
		{"pinned roots, 2010", nil, year(2010), "hhhhnnu", verify.ErrUntrusted},
		{"another root", anchors(t, newTestCard(t, testCard{}).files.Root), year(2026), "hhhhnnu", verify.ErrUntrusted},
	}
	for _, tt := range tests {
		r := carddata.Verify(f, carddata.Options{Anchors: tt.anchors, Time: tt.at})
		if got := statuses(r); got != tt.want {
			t.Errorf("%s: %s, want %s: %+v", tt.name, got, tt.want, r)
		}
		if !errors.Is(r.Chain.Err, tt.err) || r.Failed() || r.Trusted() != (tt.err == nil) {
			t.Errorf("%s: error %v, failed %v, trusted %v", tt.name, r.Chain.Err, r.Failed(), r.Trusted())
		}
		if tt.err == nil && len(r.Path) != 2 || tt.err != nil && r.Path != nil {
			t.Errorf("%s: path of %d", tt.name, len(r.Path))
		}
		want := []string{"identity signature: SHA-1", "RRN key: RSA 1024", "address signature: SHA-1", "photo hash: SHA-1", "RRN certificate signature: SHA-1"}
		if !slices.Equal(r.Weak, want) || len(r.Notes) != 0 {
			t.Errorf("%s: weak %q, notes %q", tt.name, r.Weak, r.Notes)
		}
	}
}

func TestRekeyed(t *testing.T) {
	r := carddata.Verify(rekeyed(t), carddata.Options{Time: year(2026)})
	if got := statuses(r); got != "hhhnnnu" || r.Failed() || r.Trusted() {
		t.Errorf("%s: %+v", got, r)
	}
	if !errors.Is(r.Chain.Err, verify.ErrNoIssuer) {
		t.Errorf("chain: %v", r.Chain.Err)
	}
	for _, w := range r.Weak {
		if w != "photo hash: SHA-1" {
			t.Errorf("weak: %s", w)
		}
	}
}

// Every byte of every signed file is changed in turn; the check named must
// notice.
func TestEveryByteCounts(t *testing.T) {
	cards := map[string]func(testing.TB) carddata.Files{"alice": alice, "rekeyed": rekeyed}
	// Only what a check needs is given to it: with the rest the elliptic
	// curve would take minutes.
	parts := []struct {
		name  string
		keep  func(carddata.Files) carddata.Files
		bytes func(*carddata.Files) *[]byte
		check func(*carddata.Result) carddata.Check
	}{
		{"identity", identityOnly, func(f *carddata.Files) *[]byte { return &f.Identity }, identityCheck},
		{"identity signature", identityOnly, func(f *carddata.Files) *[]byte { return &f.IdentitySignature }, identityCheck},
		{"identity signature under the address", addressOnly, func(f *carddata.Files) *[]byte { return &f.IdentitySignature }, addressCheck},
		{"address", addressOnly, func(f *carddata.Files) *[]byte { return &f.Address }, addressCheck},
		{"address signature", addressOnly, func(f *carddata.Files) *[]byte { return &f.AddressSignature }, addressCheck},
		{"photo", photoOnly, func(f *carddata.Files) *[]byte { return &f.Photo }, photoCheck},
	}
	for name, load := range cards {
		for _, part := range parts {
			t.Run(name+"/"+part.name, func(t *testing.T) {
				t.Parallel()
				f := part.keep(load(t))
				if got := part.check(carddata.Verify(f, carddata.Options{Time: year(2026)})); got.Status != carddata.Held {
					t.Fatalf("unchanged: %+v", got)
				}
				target := part.bytes(&f)
				original := *target
				for i := range original {
					for _, to := range []byte{original[i] ^ 1, 0} {
						if to == original[i] {
							continue
						}
						*target = bytes.Clone(original)
						(*target)[i] = to
						r := carddata.Verify(f, carddata.Options{Time: year(2026)})
						if got := part.check(r); got.Status != carddata.Failed || !r.Failed() || r.Trusted() || got.Reason == "" {
							t.Fatalf("byte %d from %02x to %02x: %+v", i, original[i], to, got)
						}
					}
				}
			})
		}
	}
}

func identityOnly(f carddata.Files) carddata.Files {
	return carddata.Files{Identity: f.Identity, IdentitySignature: f.IdentitySignature, RRN: f.RRN}
}

func addressOnly(f carddata.Files) carddata.Files {
	return carddata.Files{Address: f.Address, AddressSignature: f.AddressSignature, IdentitySignature: f.IdentitySignature, RRN: f.RRN}
}

func photoOnly(f carddata.Files) carddata.Files {
	return carddata.Files{Photo: f.Photo, Identity: f.Identity}
}

func identityCheck(r *carddata.Result) carddata.Check { return r.Identity }
func addressCheck(r *carddata.Result) carddata.Check  { return r.Address }
func photoCheck(r *carddata.Result) carddata.Check    { return r.Photo }

// No changed certificate of the register leaves the card trusted.
func TestEveryByteOfTheCertificateCounts(t *testing.T) {
	f := alice(t)
	o := carddata.Options{Anchors: anchors(t, f.Root), Time: year(2010)}
	original := f.RRN
	for i := range original {
		f.RRN = bytes.Clone(original)
		f.RRN[i] ^= 1
		if r := carddata.Verify(f, o); r.Trusted() {
			t.Fatalf("byte %d: %+v", i, r)
		}
	}
}

// openssl, an independent judge, over bytes put together here by hand.
func TestSharedCardsWithOpenSSL(t *testing.T) {
	tool, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed as an independent judge: %v", err)
	}
	for name, c := range map[string]struct {
		files  carddata.Files
		digest string
	}{
		"alice": {alice(t), "-sha1"}, "rekeyed": {rekeyed(t), "-sha384"},
	} {
		dir := t.TempDir()
		write := func(name string, b []byte) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		cert, err := x509.ParseCertificate(c.files.RRN)
		if err != nil {
			t.Fatal(err)
		}
		key := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: cert.RawSubjectPublicKeyInfo}))
		trim := func(sig []byte) []byte {
			if c.digest == "-sha384" {
				return sig[:int(sig[1])+2]
			}
			return sig
		}
		address := bytes.TrimRight(c.files.Address, "\x00")
		for what, p := range map[string][2][]byte{
			"identity": {c.files.Identity, trim(c.files.IdentitySignature)},
			"address":  {append(bytes.Clone(address), c.files.IdentitySignature...), trim(c.files.AddressSignature)},
		} {
			out, err := exec.Command(tool, "dgst", c.digest, "-verify", key, "-signature", write("sig", p[1]), write("data", p[0])).CombinedOutput()
			if err != nil {
				t.Errorf("%s %s: %v %s", name, what, err, out)
			}
		}
	}
}
