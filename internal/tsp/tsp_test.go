package tsp_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/tsp"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
)

var (
	ctx    = context.Background()
	at     = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	digest = sha256.Sum256([]byte("what is stamped"))
)

func stamp(t testing.TB) answers.Timestamp {
	t.Helper()
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return answers.Timestamp{TSA: p.TSA, Certificates: []*x509.Certificate{p.TSA.Certificate}, Hash: crypto.SHA256, Imprint: digest[:], Policy: "2.999.7",
		Serial: new(big.Int).Lsh(big.NewInt(1), 100), Time: at, Accuracy: 1500 * time.Millisecond, Ordering: true, Nonce: big.NewInt(77), Name: true}
}

func response(t testing.TB, s answers.Timestamp) []byte {
	t.Helper()
	raw, err := s.Response()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestToken(t *testing.T) {
	t.Parallel()
	s := stamp(t)
	raw, err := s.Token()
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(ctx, append(bytes.Clone(raw), 0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	i := token.Info
	if i.Version != 1 || i.Policy != s.Policy || i.Hash != s.Hash || !bytes.Equal(i.Imprint, s.Imprint) || i.Serial.Cmp(s.Serial) != 0 || !i.GenTime.Equal(s.Time) ||
		i.Accuracy != s.Accuracy || !i.Ordering || i.Nonce.Cmp(s.Nonce) != 0 || len(i.TSA) == 0 || i.Extensions != nil {
		t.Errorf("%+v", i)
	}
	if !bytes.Equal(token.Raw, raw) || len(token.Signed.Signers) != 1 || len(token.Signed.Certificates) != 1 {
		t.Errorf("%d signers, %d certificates", len(token.Signed.Signers), len(token.Signed.Certificates))
	}
	if _, err := tsp.ParseToken(ctx, raw[:len(raw)-1]); !errors.Is(err, ber.ErrMalformed) {
		t.Error(err)
	}
	if _, err := tsp.ParseToken(ctx, []byte{0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1, 0xA0, 0}); err == nil {
		t.Error("data is no token")
	}
}

func TestInfoRefused(t *testing.T) {
	t.Parallel()
	s := stamp(t)
	s.Accuracy, s.Ordering, s.Nonce, s.Name = 0, false, nil, false
	raw, err := s.Token()
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if i := token.Info; i.Accuracy != 0 || i.Ordering || i.Nonce != nil || i.TSA != nil {
		t.Errorf("%+v", i)
	}
	good := token.Info.Raw
	for n := range good {
		if i, err := tsp.ParseInfo(good[:n]); !errors.Is(err, ber.ErrMalformed) {
			t.Fatalf("%d bytes: %+v, %v", n, i, err)
		}
	}
	info, err := ber.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string][]byte{
		"unknown field":     {0x82, 0},
		"negative accuracy": {0x30, 3, 2, 1, 0xFF},
		"odd accuracy":      {0x30, 3, 4, 1, 1},
	} {
		if i, err := tsp.ParseInfo(ber.Append(nil, ber.Universal, true, ber.TagSequence, info.Body, more)); !errors.Is(err, ber.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, i, err)
		}
	}
	i, err := tsp.ParseInfo(ber.Append(nil, ber.Universal, true, ber.TagSequence, info.Body, []byte{0x30, 9, 2, 1, 2, 0x80, 1, 3, 0x81, 1, 4}))
	if err != nil || i.Accuracy != 2*time.Second+3*time.Millisecond+4*time.Microsecond {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestResponse(t *testing.T) {
	t.Parallel()
	s := stamp(t)
	request := tsp.Request{Hash: s.Hash, Imprint: s.Imprint, Policy: s.Policy, Nonce: s.Nonce}
	answer, err := tsp.ParseResponse(ctx, response(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != tsp.Granted || answer.Token == nil {
		t.Errorf("%+v", answer)
	}
	if err := answer.Check(&request); err != nil {
		t.Error(err)
	}
	other := sha256.Sum256([]byte("something else"))
	for name, r := range map[string]tsp.Request{
		"imprint":        {Hash: s.Hash, Imprint: other[:], Nonce: s.Nonce},
		"hash":           {Hash: crypto.SHA512_256, Imprint: s.Imprint, Nonce: s.Nonce},
		"nonce":          {Hash: s.Hash, Imprint: s.Imprint, Nonce: big.NewInt(78)},
		"another policy": {Hash: s.Hash, Imprint: s.Imprint, Nonce: s.Nonce, Policy: "2.999.8"},
	} {
		if err := answer.Check(&r); !errors.Is(err, tsp.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Nonce = nil
	if answer, err = tsp.ParseResponse(ctx, response(t, s)); err != nil || !errors.Is(answer.Check(&request), tsp.ErrMismatch) {
		t.Errorf("nonce not echoed: %v", err)
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	answer, err := tsp.ParseResponse(ctx, answers.TimestampError(2, 15, "no such policy here"))
	if err != nil {
		t.Fatal(err)
	}
	var refusal *tsp.StatusError
	err = answer.Check(&tsp.Request{})
	if !errors.As(err, &refusal) || !errors.Is(err, tsp.ErrRejected) || refusal.Status != tsp.Rejection || refusal.Text != "no such policy here" ||
		!slices.Equal(refusal.Failures, []string{"unacceptedPolicy"}) {
		t.Errorf("%+v", err)
	}
	if err == nil || err.Error() != `time stamp refused: rejection (unacceptedPolicy): "no such policy here"` {
		t.Error(err)
	}
	for status, name := range map[int]string{3: "waiting", 99: "status 99"} {
		answer, err := tsp.ParseResponse(ctx, answers.TimestampError(status, 3, ""))
		if err != nil || answer.Status.String() != name || !slices.Equal(answer.Failures, []string{"bit 3"}) {
			t.Errorf("%+v, %v", answer, err)
		}
	}
	// Granted, but nothing in it.
	answer, err = tsp.ParseResponse(ctx, []byte{0x30, 5, 0x30, 3, 2, 1, 0})
	if err != nil || !errors.Is(answer.Check(&tsp.Request{}), tsp.ErrMismatch) {
		t.Error(err)
	}
	for name, raw := range map[string][]byte{"empty": nil, "no status": {0x30, 0}, "no number": {0x30, 2, 0x30, 0}, "text": []byte("HTTP/1.1"), "broken token": {0x30, 7, 0x30, 3, 2, 1, 0, 0x30, 0}} {
		if answer, err := tsp.ParseResponse(ctx, raw); !errors.Is(err, ber.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, answer, err)
		}
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	first, err := tsp.NewRequest(crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	second, err := tsp.NewRequest(crypto.SHA256, digest[:])
	if err != nil || first.Nonce.Cmp(second.Nonce) == 0 || first.Nonce.BitLen() > 64 {
		t.Errorf("nonces %v and %v", first.Nonce, second.Nonce)
	}
	if _, err := tsp.NewRequest(crypto.SHA256, digest[:5]); !errors.Is(err, sigalg.ErrUnsupported) {
		t.Error(err)
	}
	for _, bad := range []tsp.Request{{Hash: crypto.MD5, Imprint: make([]byte, 16)}, {Hash: crypto.SHA256}, {Hash: crypto.SHA256, Imprint: digest[:], Policy: "1..2"},
		{Hash: crypto.SHA256, Imprint: digest[:], Policy: "x"}, {Hash: crypto.SHA256, Imprint: digest[:], Policy: "1.99999999999"}} {
		if raw, err := bad.Marshal(); err == nil {
			t.Errorf("%+v: %x", bad, raw)
		}
	}
	first.Policy = "2.999.7"
	raw, err := first.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	asked, err := answers.ParseRequest(raw)
	if err != nil || asked.Hash != crypto.SHA256 || !bytes.Equal(asked.Imprint, digest[:]) || asked.Policy != "2.999.7" || asked.Nonce.Cmp(first.Nonce) != 0 {
		t.Errorf("%+v, %v", asked, err)
	}
}

// What openssl's authority makes of a request of ours, and ours of its answer.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is needed")
		}
		t.Skip("openssl is not installed")
	}
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(p.TSA.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"tsa.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.TSA.Certificate.Raw}),
		"tsa.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"serial":  []byte("0A\n"),
		"ts.cnf": []byte("[tsa]\ndefault_tsa = t\n[t]\nserial = ./serial\nsigner_cert = ./tsa.crt\nsigner_key = ./tsa.key\nsigner_digest = sha384\n" +
			"default_policy = 2.999.1\nother_policies = 2.999.2\ndigests = sha256, sha512\naccuracy = secs:1, millisecs:500\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(r *tsp.Request) *tsp.Response {
		t.Helper()
		raw, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "query"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query", "-out", "reply")
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		reply, err := os.ReadFile(filepath.Join(dir, "reply"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := tsp.ParseResponse(ctx, reply)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	r, err := tsp.NewRequest(crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	answer := ask(r)
	if err := answer.Check(r); err != nil {
		t.Error(err)
	}
	if i := answer.Token.Info; i.Policy != "2.999.1" || i.Accuracy != 1500*time.Millisecond || len(answer.Token.Signed.Certificates) != 1 {
		t.Errorf("%+v", i)
	}
	r.Policy, r.NoCertificates, r.Nonce = "2.999.2", true, nil
	if answer = ask(r); answer.Check(r) != nil || len(answer.Token.Signed.Certificates) != 0 {
		t.Errorf("%v, %d certificates", answer.Check(r), len(answer.Token.Signed.Certificates))
	}
	r.Policy = "2.999.3"
	if err := ask(r).Check(r); !errors.Is(err, tsp.ErrRejected) || !strings.Contains(err.Error(), "unacceptedPolicy") {
		t.Error(err)
	}
	weak := &tsp.Request{Hash: crypto.SHA1, Imprint: make([]byte, 20)}
	if err := ask(weak).Check(weak); !errors.Is(err, tsp.ErrRejected) || !strings.Contains(err.Error(), "badAlg") {
		t.Error(err)
	}
}

func FuzzResponse(f *testing.F) {
	f.Add(response(f, stamp(f)))
	f.Add(answers.TimestampError(2, 15, "no such policy here"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if answer, err := tsp.ParseResponse(ctx, b); err == nil {
			_ = answer.Check(&tsp.Request{Hash: crypto.SHA256, Imprint: digest[:]})
		}
		if token, err := tsp.ParseToken(ctx, b); err == nil && token.Info.Serial == nil {
			t.Fatal("token without a serial number")
		}
		if info, err := tsp.ParseInfo(b); err == nil && info.Accuracy < 0 {
			t.Fatal("negative accuracy")
		}
	})
}
