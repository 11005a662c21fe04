package login_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/login"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

func origin(t *testing.T, s string) access.Origin {
	t.Helper()
	o, err := access.ParseOrigin(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func nonce(t *testing.T) (login.Nonce, string) {
	t.Helper()
	text := weblogin.NewNonce()
	n, err := login.ParseNonce(text)
	if err != nil {
		t.Fatal(err)
	}
	return n, text
}

// asked gives the card's PIN and counts.
func asked(n *int, digits string) beid.PINFunc {
	return func(_ context.Context, req beid.PINRequest) (card.PIN, error) {
		*n++
		if req.Purpose != beid.PurposeAuthenticate {
			return card.PIN{}, errors.New("the PIN is asked for something else than a login")
		}
		return card.NewPIN([]byte(digits))
	}
}

func open(t *testing.T, r card.Reader) *beid.Card {
	t.Helper()
	c, err := beid.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func simulated(t *testing.T, profile string, p *pki.PKI) *testcards.Card {
	t.Helper()
	sim, err := testcards.Open(profile, testcards.Options{PKI: p})
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

// TestToken: servers take the tokens of both kinds of cards, from the origin they were made for and from no other, and the card
// keeps no right.
func TestToken(t *testing.T) {
	t.Parallel()
	n, err := network.Start(context.Background(), network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	v := &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	t.Cleanup(func() { v.Close() })
	for _, tt := range []struct{ profile, algorithm, page, server string }{
		{"citizen-1.8", "ES384", "https://aangifte.example.be", "https://aangifte.example.be"},
		{"citizen-1.7", "RS256", "https://aangifte.example.be:8443", "https://aangifte.example.be:8443"},
		{"foreigner-1.8", "ES384", "HTTPS://Bücher.example:443", "https://xn--bcher-kva.example"},
		{"rekeyed-1.7", "RS256", "https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
	} {
		t.Run(tt.profile, func(t *testing.T) {
			t.Parallel()
			keys := n.PKI
			if tt.profile == "citizen-1.7" {
				keys = n.Of(pki.RSA)
			}
			sim := simulated(t, tt.profile, keys)
			r := sim.Reader()
			once, text := nonce(t)
			asks := 0
			token, err := login.Token(t.Context(), open(t, r), origin(t, tt.page), once, asked(&asks, testcards.PIN))
			if err != nil {
				t.Fatal(err)
			}
			nothingLeft(t, r, sim)
			independent(t, token, tt.server, text)

			roots := &verify.Anchors{}
			roots.Add(sim.Root())
			o := weblogin.Options{Origin: tt.server, Anchors: roots, Issuers: v.Issuers, Revocation: weblogin.Online(v)}
			who, err := weblogin.Validate(t.Context(), token, text, o)
			if err != nil || who.Algorithm != tt.algorithm || who.Format != "web-eid:1.0" || asks != 1 {
				t.Fatalf("%+v, %v; asked %d times", who, err, asks)
			}
			if len(who.NISS) != 11 {
				t.Errorf("logged in is %+v", who.Signer)
			}
			for _, other := range []string{"https://example.com", "https://aangifte.example.com", "https://aangifte.example.be:9443",
				"https://www.aangifte.example.be", "https://xn--bcher-kva.example.com"} {
				o := o
				o.Origin = other
				if who, err := weblogin.Validate(t.Context(), token, text, o); !errors.Is(err, weblogin.ErrSignature) {
					t.Errorf("relayed to %s: %v, %v", other, who, err)
				}
			}
			if _, err := weblogin.Validate(t.Context(), token, weblogin.NewNonce(), o); !errors.Is(err, weblogin.ErrSignature) {
				t.Errorf("another nonce: %v", err)
			}
		})
	}
}

// independent checks a token by the definition of its format alone, and its signature with openssl.
func independent(t *testing.T, token []byte, origin, nonce string) {
	t.Helper()
	if len(token) < 100 || len(token) > 10000 {
		t.Errorf("a token of %d bytes", len(token))
	}
	var fields map[string]string
	if err := json.Unmarshal(token, &fields); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(func(yield func(string) bool) {
		for k := range fields {
			if !yield(k) {
				return
			}
		}
	}); !slices.Equal(got, []string{"algorithm", "appVersion", "format", "signature", "unverifiedCertificate"}) {
		t.Errorf("fields %v", got)
	}
	if u, err := url.Parse(fields["appVersion"]); err != nil || u.Scheme != "https" || fields["format"] != "web-eid:1.0" {
		t.Errorf("%v, %s", fields["appVersion"], fields["format"])
	}
	der, err := base64.StdEncoding.Strict().DecodeString(fields["unverifiedCertificate"])
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(fields["signature"])
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	var signed []byte
	hash := "-sha256"
	switch fields["algorithm"] {
	case "RS256":
		o, n := sha256.Sum256([]byte(origin)), sha256.Sum256([]byte(nonce))
		signed = slices.Concat(o[:], n[:])
	case "ES384":
		o, n := sha512.Sum384([]byte(origin)), sha512.Sum384([]byte(nonce))
		signed, hash = slices.Concat(o[:], n[:]), "-sha384"
		if len(sig) != 96 {
			t.Fatalf("a signature of %d bytes", len(sig))
		}
		r, s := new(big.Int).SetBytes(sig[:48]), new(big.Int).SetBytes(sig[48:])
		if d := sha512.Sum384(signed); !ecdsa.Verify(cert.PublicKey.(*ecdsa.PublicKey), d[:], r, s) {
			t.Error("the signature does not hold")
		}
		sig = derSequence(r, s)
	default:
		t.Fatalf("algorithm %s", fields["algorithm"])
	}
	openssl(t, cert, hash, signed, sig)
}

// derSequence is SEQUENCE { INTEGER r, INTEGER s }, as openssl wants ECDSA values: shorter than 128 bytes.
func derSequence(values ...*big.Int) []byte {
	var body []byte
	for _, v := range values {
		b := v.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		body = append(append(body, 2, byte(len(b))), b...)
	}
	return append([]byte{0x30, byte(len(body))}, body...)
}

func openssl(t *testing.T, cert *x509.Certificate, hash string, signed, sig []byte) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is needed")
		}
		t.Log("openssl is not installed: checked by crypto alone")
		return
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	spki, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	key := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	out, err := exec.CommandContext(t.Context(), program, "dgst", hash, "-verify", key, "-signature", write("sig", sig), write("signed", signed)).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Verified OK")) {
		t.Errorf("openssl: %s, %v", out, err)
	}
}

// nothingLeft makes sure that another program finds key 82 shut: the card wants the PIN again.
func nothingLeft(t *testing.T, r card.Reader, sim *testcards.Card) {
	t.Helper()
	if last := sim.Exchanges(); !bytes.Equal(last[len(last)-1].Command[:2], []byte{0x80, 0xE6}) {
		t.Errorf("the last command is %X, not LOG OFF", last[len(last)-1].Command)
	}
	other, err := r.Connect(t.Context(), card.Shared)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	size, algorithm := 32, byte(0x01)
	if sim.Profile().Applet == "1.7" {
		algorithm = 0x08
	}
	if sw := send(t, other, append([]byte{0x00, 0x22, 0x41, 0xB6, 0x05, 0x04, 0x80}, algorithm, 0x84, 0x82)); sw != 0x9000 {
		t.Fatalf("MSE SET: %04X", sw)
	}
	if sw := send(t, other, append([]byte{0x00, 0x2A, 0x9E, 0x9A, byte(size)}, make([]byte, size)...)); sw != 0x6982 {
		t.Errorf("another program's signature with the authentication key: %04X, want 6982", sw)
	}
}

func send(t *testing.T, tr card.Transport, command []byte) int {
	t.Helper()
	resp, err := tr.Transmit(t.Context(), command)
	if err != nil || len(resp) < 2 {
		t.Fatal(resp, err)
	}
	return int(resp[len(resp)-2])<<8 | int(resp[len(resp)-1])
}

// TestEachUseAsks: two logins on one connection are two PINs, and nothing of the first opens the second.
func TestEachUseAsks(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", nil)
	c := open(t, sim.Reader())
	asks := 0
	for range 2 {
		once, text := nonce(t)
		token, err := login.Token(t.Context(), c, origin(t, "https://example.be"), once, asked(&asks, testcards.PIN))
		if err != nil {
			t.Fatal(err)
		}
		independent(t, token, "https://example.be", text)
	}
	verifies := 0
	for _, e := range sim.Exchanges() {
		if e.Command[1] == 0x20 {
			verifies++
		}
	}
	if asks != 2 || verifies != 2 {
		t.Errorf("asked %d times, verified %d times", asks, verifies)
	}
}

// TestRefused: what cannot be signed is refused before the PIN is asked, and a wrong PIN signs nothing.
func TestRefused(t *testing.T) {
	t.Parallel()
	good := origin(t, "https://example.be")
	once, _ := nonce(t)
	for _, tt := range []struct {
		name, profile string
		origin        access.Origin
		nonce         login.Nonce
		want          error
		commands      bool // whether the card is asked at all
	}{
		{"no origin", "citizen-1.8", access.Origin{}, once, &protocol.Error{Code: protocol.InvalidArgument}, false},
		{"no nonce", "citizen-1.8", good, login.Nonce{}, &protocol.Error{Code: protocol.InvalidArgument}, false},
		{"no certificate", "kid-1.8", good, once, beid.ErrNoCertificate, true},
		{"certificates not wanted", "no-certificates-1.8", good, once, beid.ErrNoCertificate, true},
		{"expired", "expired-1.8", good, once, &protocol.Error{Code: protocol.CertificateExpired}, true},
		{"RSA 1024", "citizen-1.1", good, once, card.ErrUnsupported, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim := simulated(t, tt.profile, nil)
			c := open(t, sim.Reader())
			sim.ClearStats()
			asks := 0
			token, err := login.Token(t.Context(), c, tt.origin, tt.nonce, asked(&asks, testcards.PIN))
			var fault *protocol.Error
			if errors.As(err, &fault) {
				err = &protocol.Error{Code: fault.Code}
			}
			if token != nil || !errors.Is(err, tt.want) || asks != 0 {
				t.Errorf("%s, %v; asked %d times", token, err, asks)
			}
			if n := sim.Stats().Commands; (n > 0) != tt.commands {
				t.Errorf("%d commands", n)
			}
			for _, e := range sim.Exchanges() {
				if ins := e.Command[1]; ins == 0x20 || ins == 0x2A || ins == 0x22 {
					t.Errorf("the card got %X", e.Command)
				}
			}
		})
	}
	t.Run("wrong PIN", func(t *testing.T) {
		t.Parallel()
		sim := simulated(t, "citizen-1.8", nil)
		r := sim.Reader()
		asks := 0
		var wrong *card.PINError
		token, err := login.Token(t.Context(), open(t, r), good, once, asked(&asks, "9999"))
		if token != nil || !errors.As(err, &wrong) || wrong.TriesLeft != 2 || asks != 1 {
			t.Errorf("%s, %v; asked %d times", token, err, asks)
		}
		nothingLeft(t, r, sim)
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		sim := simulated(t, "citizen-1.8", nil)
		token, err := login.Token(t.Context(), open(t, sim.Reader()), good, once, func(context.Context, beid.PINRequest) (card.PIN, error) {
			return card.PIN{}, card.ErrPINCancelled
		})
		if token != nil || !errors.Is(err, card.ErrPINCancelled) || sim.PINTries() != 3 {
			t.Errorf("%s, %v", token, err)
		}
	})
}

// TestFaults lets every command of a login fail in turn: no token, no right left, and no try lost.
func TestFaults(t *testing.T) {
	t.Parallel()
	once, _ := nonce(t)
	site := origin(t, "https://example.be")
	sim := simulated(t, "citizen-1.8", nil)
	asks := 0
	if _, err := login.Token(t.Context(), open(t, sim.Reader()), site, once, asked(&asks, testcards.PIN)); err != nil {
		t.Fatal(err)
	}
	commands := sim.Stats().Commands
	for kind, want := range map[testcards.FaultKind]error{testcards.TakeOut: card.ErrRemoved, testcards.TakeOutAfter: card.ErrRemoved,
		testcards.BreakReader: card.ErrReader} {
		for n := 1; n < commands-1; n++ { // the last is LOG OFF, after which the token is good
			r := testcards.NewReader("reader", testcards.ReaderOptions{})
			r.Insert(sim)
			c, err := beid.Open(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			r.SetFaults(testcards.Fault{Kind: kind, At: n})
			token, err := login.Token(t.Context(), c, site, once, asked(&asks, testcards.PIN))
			if token != nil || !errors.Is(err, want) {
				t.Errorf("fault %d at command %d: %s, %v", kind, n, token, err)
			}
			c.Close()
			r.SetFaults()
			r.Insert(sim)
			if r.Connections() != 0 || sim.PINTries() != 3 {
				t.Errorf("fault %d at command %d: %d connections, %d tries", kind, n, r.Connections(), sim.PINTries())
			}
		}
	}
}

// TestParseNonce: text of the right length and nothing that hides in it.
func TestParseNonce(t *testing.T) {
	t.Parallel()
	for _, good := range []string{strings.Repeat("a", 44), strings.Repeat("~", 128), base64.StdEncoding.EncodeToString(make([]byte, 32))} {
		if _, err := login.ParseNonce(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("a", 43), strings.Repeat("a", 129), strings.Repeat("a", 43) + " ", strings.Repeat("a", 43) + "\n",
		strings.Repeat("a", 44) + "\x00", strings.Repeat("é", 30), strings.Repeat("a", 44) + "\xff", strings.Repeat("a", 44) + "\x7f"} {
		n, err := login.ParseNonce(bad)
		if n != (login.Nonce{}) || protocol.CodeOf(err) != protocol.InvalidArgument || err == nil {
			t.Errorf("%q: %v, %v", bad, n, err)
		}
		if err != nil && len(bad) > 20 && strings.Contains(err.Error(), bad) {
			t.Errorf("the error repeats what came: %v", err)
		}
	}
}

func FuzzParseNonce(f *testing.F) {
	for _, s := range []string{"", strings.Repeat("a", 44), strings.Repeat("a", 128), strings.Repeat("é", 44), "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := login.ParseNonce(s)
		if (err == nil) != (n != login.Nonce{}) {
			t.Errorf("%q: %v, %v", s, n, err)
		}
		if err == nil && (len(s) < 44 || len(s) > 128 || strings.ToValidUTF8(s, "") != s) {
			t.Errorf("%q was taken", s)
		}
	})
}

// TestNoOtherBytes: what reaches the card to be signed is the hash of hashes, whatever text a server chose, so that a nonce cannot be
// another message's digest.
func TestNoOtherBytes(t *testing.T) {
	t.Parallel()
	digest := make([]byte, 48)
	rand.Read(digest)
	text := hex.EncodeToString(digest)
	once, err := login.ParseNonce(text)
	if err != nil {
		t.Fatal(err)
	}
	sim := simulated(t, "citizen-1.8", nil)
	asks := 0
	if _, err := login.Token(t.Context(), open(t, sim.Reader()), origin(t, "https://example.be"), once, asked(&asks, testcards.PIN)); err != nil {
		t.Fatal(err)
	}
	o, n := sha512.Sum384([]byte("https://example.be")), sha512.Sum384([]byte(text))
	want := sha512.Sum384(slices.Concat(o[:], n[:]))
	signatures := 0
	for _, e := range sim.Exchanges() {
		if e.Command[1] == 0x2A {
			signatures++
			if !bytes.Equal(e.Command[5:5+48], want[:]) {
				t.Errorf("the card signed %X", e.Command)
			}
		}
	}
	if signatures != 1 {
		t.Errorf("%d signatures", signatures)
	}
}
