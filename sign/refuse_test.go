package sign_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

// TestCertificateStatus: expired, not yet valid, revoked, suspended: told at B-B and B-T, refused above, before the key is used.
func TestCertificateStatus(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	p := w.net.Of(usual)
	issue := func(number string, from, until time.Time) *watched {
		t.Helper()
		who, err := p.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{NationalNumber: number, Surname: "Proefkonijn-Specimen"}, NotBefore: from, NotAfter: until})
		if err != nil {
			t.Fatal(err)
		}
		return &watched{software: software{who.Key, who.Certificate}}
	}
	now := time.Now()
	long := now.AddDate(10, 0, 0)
	revoked, held := issue("71715100101", now.AddDate(-1, 0, 0), long), issue("71715100102", now.AddDate(-1, 0, 0), long)
	if err := w.net.Revoke(revoked.certificate, now.Add(-time.Hour), pki.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	if err := w.net.Hold(held.certificate, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		key    *watched
		at     time.Time
		code   string
		reason error
	}{
		{issue("71715100103", now.AddDate(-3, 0, 0), now.AddDate(0, 0, -1)), time.Time{}, "CERTIFICATE_EXPIRED", sign.ErrExpired},
		{issue("71715100104", now.AddDate(0, 0, 1), long), time.Time{}, "CERTIFICATE_NOT_YET_VALID", sign.ErrExpired},
		{issue("71715100105", now.AddDate(-1, 0, 0), long), now.AddDate(-2, 0, 0), "CERTIFICATE_NOT_YET_VALID", sign.ErrExpired},
		{revoked, time.Time{}, "CERTIFICATE_REVOKED", sign.ErrRevoked},
		{held, time.Time{}, "CERTIFICATE_REVOKED", sign.ErrRevoked},
	} {
		for _, level := range []sign.Level{sign.B, sign.T} {
			o := w.options(usual, level)
			o.Time = tt.at
			rep, err := sign.CAdES(t.Context(), io.Discard, aText()[0], tt.key, o)
			if err != nil || !slices.Equal(codes(rep), []string{tt.code}) || rep.Warnings[0].Text == "" || rep.Warnings[0].Detail == "" {
				t.Errorf("%s at %v: %+v, %v", tt.code, level, rep, err)
			}
		}
		tt.key.uses = 0
		for _, level := range []sign.Level{sign.LT, sign.LTA} {
			var out counter
			o := w.options(usual, level)
			o.Time = tt.at
			_, err := sign.CAdES(t.Context(), &out, aText()[0], tt.key, o)
			if !errors.Is(err, tt.reason) || out.n > 0 || tt.key.uses > 0 || strings.Contains(err.Error(), "Proefkonijn") {
				t.Errorf("%s at %v: %v", tt.code, level, err)
			}
		}
	}

	// Offline nobody is asked, and that is told.
	before := w.net.Requests()
	o := w.options(usual, sign.B)
	o.Offline, o.Chain = true, []*x509.Certificate{p.CitizenCA.Certificate}
	o.Verifier = newVerifier(t)
	rep, err := sign.CAdES(t.Context(), io.Discard, aText()[0], w.software(usual, 0), o)
	if err != nil || !slices.Equal(codes(rep), []string{"REVOCATION_NOT_CHECKED"}) {
		t.Errorf("offline: %+v, %v", rep, err)
	}
	if after := w.net.Requests(); after[network.OCSP]+after[network.CRL]+after[network.Issuers] != before[network.OCSP]+before[network.CRL]+before[network.Issuers] {
		t.Errorf("asked although offline: %v, before %v", after, before)
	}

	// Without an anchor the chain is told to be untrusted, and nothing above B-T is made.
	o = w.options(usual, sign.B)
	o.Anchors = nil
	if rep, err = sign.CAdES(t.Context(), io.Discard, aText()[0], w.software(usual, 0), o); err != nil || !slices.Contains(codes(rep), "CERTIFICATE_UNTRUSTED") {
		t.Errorf("no anchor: %+v, %v", rep, err)
	}
	o.Level = sign.LT
	if _, err = sign.CAdES(t.Context(), io.Discard, aText()[0], w.software(usual, 0), o); !errors.Is(err, sign.ErrUntrusted) || !strings.Contains(err.Error(), "anchors") {
		t.Errorf("no anchor: %v", err)
	}
	o = w.options(usual, sign.B)
	o.Time = now.Add(time.Hour)
	if rep, err = sign.CAdES(t.Context(), io.Discard, aText()[0], w.software(usual, 0), o); err != nil || !slices.Equal(codes(rep), []string{"SIGNING_TIME_IN_FUTURE"}) {
		t.Errorf("in the future: %+v, %v", rep, err)
	}
}

// own makes a certificate of its own for a key.
func own(t *testing.T, key crypto.Signer, usage x509.KeyUsage, name string, purposes ...asn1.ObjectIdentifier) software {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: usage, UnknownExtKeyUsage: purposes}
	raw, err := x509.CreateCertificate(nil, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return software{key, c}
}

// TestKeyUsage: the rule by which keys that are not for documents are refused.
func TestKeyUsage(t *testing.T) {
	t.Parallel()
	p, err := pki.New(pki.Options{Algorithm: usual})
	if err != nil {
		t.Fatal(err)
	}
	card, err := p.Issue(pki.Request{Kind: pki.Authentication, Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn-Specimen"}})
	if err != nil {
		t.Fatal(err)
	}
	key := p.LeafKey(pki.Signature, "usage")
	login, mail, document := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}
	logon := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}
	const digital, commitment = x509.KeyUsageDigitalSignature, x509.KeyUsageContentCommitment
	for _, tt := range []struct {
		name string
		key  sign.Key
		good bool
		warn bool
	}{
		{"eID authentication", software{card.Key, card.Certificate}, false, false},
		{"called so", own(t, key, digital, "Jan Specimen (Authentication)"), false, false},
		{"login only", own(t, key, digital, "Specimen", login), false, false},
		{"smart card logon", own(t, key, digital, "Specimen", logon), false, false},
		{"encryption", own(t, key, x509.KeyUsageKeyEncipherment, "Specimen"), false, false},
		{"a CA", own(t, key, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, "Specimen"), false, false},
		{"seal", own(t, key, digital, "Specimen NV"), true, true},
		{"login and mail", own(t, key, digital, "Specimen", login, mail), true, true},
		{"login and documents", own(t, key, digital, "Specimen", login, document), true, true},
		{"both usages", own(t, key, digital|commitment, "Specimen", login), true, false},
		{"no usage", own(t, key, 0, "Specimen", login), true, false},
	} {
		var out counter
		rep, err := sign.CAdES(t.Context(), &out, aText()[0], tt.key, sign.Options{Offline: true})
		switch {
		case !tt.good && (!errors.Is(err, sign.ErrAuthenticationKey) || out.n > 0):
			t.Errorf("%s: %v", tt.name, err)
		case tt.good && (err != nil || slices.Contains(codes(rep), "KEY_USAGE") != tt.warn):
			t.Errorf("%s: %+v, %v", tt.name, rep, err)
		}
	}
}

// TestAlgorithmsRefused: SHA-1 never, weak keys and kinds that are not made neither.
func TestAlgorithmsRefused(t *testing.T) {
	t.Parallel()
	p, err := pki.New(pki.Options{Algorithm: usual})
	if err != nil {
		t.Fatal(err)
	}
	good := own(t, p.LeafKeyOf(pki.EC, pki.Signature, "algorithms"), x509.KeyUsageContentCommitment, "Specimen")
	for _, tt := range []struct {
		name   string
		key    sign.Key
		o      sign.Options
		reason error
	}{
		{"SHA-1", good, sign.Options{Hash: crypto.SHA1}, sign.ErrAlgorithm},
		{"SHA-224", good, sign.Options{Hash: crypto.SHA224}, sign.ErrAlgorithm},
		{"MD5", good, sign.Options{Hash: crypto.MD5}, sign.ErrAlgorithm},
		{"no hash", good, sign.Options{Hash: 99}, sign.ErrAlgorithm},
		{"PSS with EC", good, sign.Options{PSS: true}, sign.ErrOptions},
		{"RSA 1024", own(t, p.LeafKeyOf(pki.RSA1024, pki.Signature, "x"), x509.KeyUsageContentCommitment, "Specimen"), sign.Options{}, sign.ErrAlgorithm},
		{"Ed25519", own(t, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), x509.KeyUsageContentCommitment, "Specimen"), sign.Options{}, sign.ErrAlgorithm},
	} {
		tt.o.Offline = true
		if _, err := sign.CAdES(t.Context(), io.Discard, aText()[0], tt.key, tt.o); !errors.Is(err, tt.reason) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := sign.Timestamp(t.Context(), io.Discard, sign.FormatCAdES, aText()[0], sign.Options{Hash: crypto.SHA1, TSAs: []sign.TSA{{URL: "http://127.0.0.1:1/"}}}); !errors.Is(err, sign.ErrAlgorithm) {
		t.Errorf("time stamp by SHA-1: %v", err)
	}
}
