package xades_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/testcards/pki"
)

// TestFrozen: what an archive time stamp is over does not grow, even if the files that it is over as well are not here.
func TestFrozen(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	files := []ades.Content{file("a.txt", "Ik verklaar")}
	counter := func(doc []byte, id string) ([]byte, string, error) {
		d, err := xades.PrepareCountersignature(t.Context(), doc, id, m.making)
		if err != nil {
			return nil, "", err
		}
		return m.finish(t, d, nil), d.ID(), nil
	}
	must := func(doc []byte, id string) ([]byte, string) {
		out, id, err := counter(doc, id)
		if err != nil {
			t.Fatal(err)
		}
		return out, id
	}
	doc := m.sign(t, nil, files, xades.MakeOptions{Packaging: xades.PackDetached}, nil)
	s := readIDs(t, doc)[0]
	doc, c1 := must(doc, s)
	lta, err := xades.Raise(t.Context(), doc, xades.Detached(files), *m.raising(ades.LevelLTA, signingTime.Add(time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := counter(lta, c1); !errors.Is(err, ades.ErrUnsuitable) || !strings.Contains(err.Error(), "nothing can be added") {
		t.Errorf("counter-signing what is under an archive time stamp: %v", err)
	}
	raising := *m.raising(ades.LevelT, signingTime.Add(2*time.Minute))
	raising.IDs = []string{c1}
	for _, resolve := range []xades.Resolver{nil, xades.Detached(files)} {
		if _, err := xades.Raise(t.Context(), lta, resolve, raising); !errors.Is(err, ades.ErrUnsuitable) {
			t.Errorf("raising what is under an archive time stamp: %v", err)
		}
	}
	anonymous := bytes.Replace(lta, []byte("-value\">"), []byte("-value\" >"), 1)
	anonymous = bytes.Replace(anonymous, []byte("<ds:SignatureValue Id="), []byte("<ds:SignatureValue n="), 1)
	if _, _, err := counter(anonymous, s); !errors.Is(err, ades.ErrUnsuitable) {
		t.Errorf("an Id for what is under an archive time stamp: %v", err)
	}
	// Behind the time stamp there is room, and in what stands there.
	more, c2 := must(lta, s)
	more, _ = must(more, c2)
	list, err := xades.ReadDocument(t.Context(), more, xades.Detached(files), xades.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ts := range list[0].Timestamps {
		if !ts.Intact {
			t.Errorf("%s does not hold any more", ts.ID)
		}
	}
}

// TestEmptyEvidence: elements for evidence without any in them are none.
func TestEmptyEvidence(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	now := signingTime.Add(time.Minute)
	doc := m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, m.raising(ades.LevelT, now))
	const end = "</xades:UnsignedSignatureProperties>"
	fake := bytes.Replace(doc, []byte(end), []byte("<xades:CertificateValues/><xades:RevocationValues><xades:CRLValues><xades:EncapsulatedCRLValue>MAA=</xades:EncapsulatedCRLValue></xades:CRLValues></xades:RevocationValues>"+end), 1)
	out, err := xades.Raise(t.Context(), fake, nil, *m.raising(ades.LevelLT, now))
	if err != nil || bytes.Equal(out, fake) {
		t.Fatalf("nothing was added: %v", err)
	}
	list, err := xades.ReadDocument(t.Context(), out, nil, xades.Options{})
	if err != nil || len(list[0].OCSPs) == 0 {
		t.Errorf("no answer about the signer: %v", err)
	}
	// What has all of it stays as it is.
	if again, err := xades.Raise(t.Context(), out, nil, *m.raising(ades.LevelLT, now)); err != nil || !bytes.Equal(again, out) {
		t.Errorf("raised again with nothing new: %v", err)
	}
	down := m.raising(ades.LevelLT, now)
	down.Evidence = func(context.Context, []ades.Need, []*x509.Certificate, ades.Values) (ades.Values, error) {
		return ades.Values{}, errors.New("down")
	}
	if _, err := xades.Raise(t.Context(), fake, nil, *down); err == nil {
		t.Error("raised without evidence")
	}
}

// TestCounterEvidence: raising proves counter-signatures as well, if that can be done, since nothing can be added to them later.
func TestCounterEvidence(t *testing.T) {
	t.Parallel()
	m, other := newMaker(t, pki.RSA, false), newMaker(t, pki.EC, false)
	now := signingTime.Add(time.Minute)
	doc := m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, nil)
	id := readIDs(t, doc)[0]
	for range 2 { // the second over the first
		d, err := xades.PrepareCountersignature(t.Context(), doc, id, other.making)
		if err != nil {
			t.Fatal(err)
		}
		doc, id = other.finish(t, d, nil), d.ID()
	}
	_, answer, err := other.about(other.who.Certificate, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, works := range []bool{true, false} {
		r := m.raising(ades.LevelLTA, now)
		evidence, asked := r.Evidence, 0
		r.Evidence = func(ctx context.Context, needs []ades.Need, pool []*x509.Certificate, have ades.Values) (ades.Values, error) {
			theirs := slices.ContainsFunc(needs, func(n ades.Need) bool { return n.Certificate.Equal(other.who.Certificate) })
			switch {
			case theirs && works:
				asked++
				return other.raising(ades.LevelLTA, now).Evidence(ctx, needs, pool, have)
			case theirs:
				return ades.Values{}, fmt.Errorf("not trusted")
			}
			return evidence(ctx, needs, pool, have)
		}
		out, err := xades.Raise(t.Context(), doc, nil, *r)
		if err != nil {
			t.Fatal(err)
		}
		list, err := xades.ReadDocument(t.Context(), out, nil, xades.Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(list[0].OCSPs, func(der []byte) bool { return bytes.Equal(der, answer) })
		if found != works || works && asked != 2 || list[0].Level != "B-LTA" {
			t.Errorf("services work %t: proof of the counter-signature %t, asked %d times, level %s", works, found, asked, list[0].Level)
		}
	}
}
