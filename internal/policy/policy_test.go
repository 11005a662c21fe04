package policy

import (
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/sigalg"
)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func rsaKey(bits uint) *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int), int(bits-1), 1), E: 65537}
}

func curve(c elliptic.Curve) *ecdsa.PublicKey { return &ecdsa.PublicKey{Curve: c} }

// TestDates: what ETSI TS 119 312 V1.5.1 says, at the days around.
func TestDates(t *testing.T) {
	t.Parallel()
	p := Default()
	for _, test := range []struct {
		hash  stdcrypto.Hash
		at    string
		level Level // of the weakness; empty: none
	}{
		{stdcrypto.SHA1, "2012-07-31", ""},
		{stdcrypto.SHA1, "2012-08-01", Fail},
		{stdcrypto.MD5, "2004-07-31", ""},
		{stdcrypto.MD5, "2020-01-01", Fail},
		{stdcrypto.SHA224, "2028-12-31", ""},
		{stdcrypto.SHA224, "2029-01-01", Warn}, // after this policy was made
		{stdcrypto.SHA256, "2040-01-01", ""},
		{stdcrypto.SHA3_512, "2040-01-01", ""},
		{stdcrypto.SHA3_224, "2020-01-01", Fail}, // in no list
		{0, "2020-01-01", Fail},
	} {
		w, weak := p.Digest(test.hash, date(test.at))
		if weak != (test.level != "") || w.Level != test.level {
			t.Errorf("%v on %s: %+v, want level %q", test.hash, test.at, w, test.level)
		}
	}
	for _, test := range []struct {
		scheme sigalg.Scheme
		key    stdcrypto.PublicKey
		at     string
		level  Level
	}{
		{sigalg.PKCS1, rsaKey(512), "2000-01-01", Fail},
		{sigalg.PKCS1, rsaKey(1024), "2019-09-30", ""},
		{sigalg.PSS, rsaKey(1024), "2019-10-01", Fail},
		{sigalg.PKCS1, rsaKey(2048), "2028-12-31", ""},
		{sigalg.PKCS1, rsaKey(2048), "2029-01-01", Warn},
		{sigalg.PKCS1, rsaKey(4096), "2040-01-01", ""},
		{sigalg.ECDSA, curve(elliptic.P224()), "2021-10-01", Fail},
		{sigalg.ECDSA, curve(elliptic.P256()), "2040-01-01", ""},
		{sigalg.PlainECDSA, curve(elliptic.P521()), "2040-01-01", ""},
		{sigalg.Ed25519, ed25519.PublicKey(make([]byte, 32)), "2040-01-01", ""},
		{sigalg.ECDSA, nil, "2020-01-01", Fail},
		{0, rsaKey(4096), "2020-01-01", Fail},
	} {
		w, weak := p.Key(test.scheme, test.key, date(test.at))
		if weak != (test.level != "") || w.Level != test.level {
			t.Errorf("%v with %s on %s: %+v, want level %q", test.scheme, sigalg.KeyName(test.key), test.at, w, test.level)
		}
	}
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	at := date("2024-01-01")
	own, err := Parse([]byte(`{"schema":1,"id":"x","revocation":{"maximumAge":"1h"}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		p    *Policy
		next time.Time
		want time.Duration
	}{
		{Default(), at.Add(7 * time.Hour), 7 * time.Hour},
		{Default(), time.Time{}, 24 * time.Hour},
		{Default(), at.Add(-time.Hour), 24 * time.Hour}, // nonsense is no grant
		{own, at.Add(7 * time.Hour), time.Hour},
	} {
		if got := test.p.Freshness(at, test.next); got != test.want {
			t.Errorf("next update %v: %v, want %v", test.next, got, test.want)
		}
	}
}

// TestParse: what a document leaves out is as in the default policy.
func TestParse(t *testing.T) {
	t.Parallel()
	source := `{"schema": 1, "id": "strict", "constraints": {"KEY_USAGE": "fail"}, "timestampDelay": "48h"}`
	p, err := Parse([]byte(source), func(name string) (bool, bool) { return name == "KEY_USAGE", true })
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != "strict" || string(p.Source()) != source || p.TimestampDelay() != 48*time.Hour || p.SHA256() == Default().SHA256() {
		t.Errorf("%+v", p)
	}
	if p.Level("KEY_USAGE", Warn) != Fail || p.Level("OTHER", Ignore) != Ignore {
		t.Error("levels")
	}
	if _, weak := p.Digest(stdcrypto.SHA1, date("2020-01-01")); !weak {
		t.Error("the dates of the default policy are lost")
	}
	if Default().Level("KEY_USAGE", Ignore) != Warn || Default().TimestampDelay() != 0 {
		t.Error("the default policy changed")
	}
}

func TestOwnCryptography(t *testing.T) {
	t.Parallel()
	p, err := Parse([]byte(`{"schema":1,"id":"x","cryptography":{"level":"warn","levelAfterUpdate":"ignore","updated":"2020-01-01",
		"digests":{"SHA-1":"2019-01-01","SHA-256":"2022-01-01"},"keys":{}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	at := date("2024-01-01")
	if w, weak := p.Digest(stdcrypto.SHA1, at); !weak || w.Level != Warn {
		t.Errorf("SHA-1: %+v, %v", w, weak)
	}
	if w, weak := p.Digest(stdcrypto.SHA256, at); weak {
		t.Errorf("SHA-256, ignored after the update: %+v", w)
	}
	if w, weak := p.Digest(stdcrypto.SHA512, at); !weak || !w.Until.IsZero() {
		t.Errorf("SHA-512, not listed: %+v, %v", w, weak)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	known := func(name string) (exists, settable bool) { return name == "A" || name == "FIXED", name == "A" }
	for name, source := range map[string]string{
		"nothing":            ``,
		"no object":          `[]`,
		"other schema":       `{"schema": 2, "id": "x"}`,
		"no id":              `{"schema": 1}`,
		"unknown member":     `{"schema": 1, "id": "x", "constraint": {}}`,
		"unknown constraint": `{"schema": 1, "id": "x", "constraints": {"B": "fail"}}`,
		"fixed constraint":   `{"schema": 1, "id": "x", "constraints": {"FIXED": "warn"}}`,
		"unknown level":      `{"schema": 1, "id": "x", "constraints": {"A": "error"}}`,
		"something behind":   `{"schema": 1, "id": "x"} {}`,
		"duration":           `{"schema": 1, "id": "x", "timestampDelay": "soon"}`,
		"negative":           `{"schema": 1, "id": "x", "revocation": {"maximumAge": "-1h"}}`,
		"date":               `{"schema": 1, "id": "x", "cryptography": {"level": "fail", "levelAfterUpdate": "warn", "digests": {"SHA-1": "2012"}}}`,
		"unknown digest":     `{"schema": 1, "id": "x", "cryptography": {"level": "fail", "levelAfterUpdate": "warn", "digests": {"SHA256": ""}}}`,
		"no digest":          `{"schema": 1, "id": "x", "cryptography": {"level": "fail", "levelAfterUpdate": "warn", "digests": {"unknown digest": ""}}}`,
		"unknown key":        `{"schema": 1, "id": "x", "cryptography": {"level": "fail", "levelAfterUpdate": "warn", "keys": {"EC": []}}}`,
		"sizes":              `{"schema": 1, "id": "x", "cryptography": {"level": "fail", "levelAfterUpdate": "warn", "keys": {"RSA": [{"bits": 2048}, {"bits": 1024}]}}}`,
		"crypto level":       `{"schema": 1, "id": "x", "cryptography": {"level": "", "levelAfterUpdate": "warn"}}`,
		"too large":          `{"schema": 1, "id": "` + strings.Repeat("x", maxSize) + `"}`,
	} {
		if _, err := Parse([]byte(source), known); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte(`{"schema": 1, "id": "x", "constraints": {"A": "ignore", "FIXED": "fail"}}`), known); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(defaultSource)
	f.Add([]byte(`{"schema":1,"id":"x","constraints":{"A":"warn"},"revocation":{"maximumAge":"1h"},"timestampDelay":"1h"}`))
	f.Fuzz(func(t *testing.T, source []byte) {
		p, err := Parse(source, nil)
		if err != nil {
			return
		}
		if p.ID() == "" || string(p.Source()) != string(source) {
			t.Errorf("%q read as %+v", source, p)
		}
		p.Digest(stdcrypto.SHA256, date("2024-01-01"))
		p.Freshness(date("2024-01-01"), time.Time{})
	})
}
