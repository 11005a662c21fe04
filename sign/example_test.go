package sign_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// testKey is the signature key of a test card, in memory. A real one comes from card/beid, pkcs11 or sign/pkcs12.
func testKey(p *pki.PKI, kind pki.Kind) sign.Key {
	who, err := p.Issue(pki.Request{Kind: kind, Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn", GivenNames: "Zoë Marie"}})
	if err != nil {
		log.Fatal(err)
	}
	return software{who.Key, who.Certificate}
}

func startServices() *network.Network {
	n, err := network.Start(context.Background(), network.Options{PKI: pki.Options{Algorithm: pki.RSA}})
	if err != nil {
		log.Fatal(err)
	}
	return n
}

// A declaration is signed at level B-LT, so that it can be verified without any service.
func ExampleCAdES() {
	services := startServices()
	defer services.Close()
	anchors := &verify.Anchors{}
	anchors.Add(services.PKI.Root.Certificate)
	verifier := &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	defer verifier.Close()

	declaration := "Ik verklaar dat dit een proef is.\n"
	in := sign.Source{Name: "verklaring.txt", Data: bytes.NewReader([]byte(declaration)), Size: int64(len(declaration)), MIMEType: "text/plain"}
	var out bytes.Buffer
	rep, err := sign.CAdES(context.Background(), &out, in, testKey(services.PKI, pki.Signature), sign.Options{
		Level: sign.LT, TSAs: []sign.TSA{{URL: services.PKI.TSAURL()}}, Anchors: anchors, Verifier: verifier,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rep.Format, rep.Level, rep.ID, len(rep.Warnings), "warnings")

	verdict, err := verify.File(context.Background(), bytes.NewReader(out.Bytes()), int64(out.Len()), verify.Options{Anchors: anchors, Offline: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verdict.Indication, verdict.Signatures[0].Level)
	// Output:
	// cades B-LT signer-1 0 warnings
	// TOTAL-PASSED B-LT
}

// The key is elsewhere: a server prepares, the digest goes to the key, the value comes back.
func ExamplePrepare() {
	p, err := pki.New(pki.Options{Algorithm: pki.RSA})
	if err != nil {
		log.Fatal(err)
	}
	key, doc := testKey(p, pki.Signature), "<verklaring>Dit is een proef.</verklaring>"
	in := []sign.Source{{Name: "verklaring.xml", Data: bytes.NewReader([]byte(doc)), Size: int64(len(doc))}}
	o := sign.Options{Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Offline: true}

	prepared, err := sign.Prepare(context.Background(), sign.FormatXAdES, in, key.Certificate(), o)
	if err != nil {
		log.Fatal(err)
	}
	hash, digest := prepared.Digest()
	fmt.Println(hash, len(digest), "bytes")

	value, err := key.Sign(nil, digest, prepared.SignerOpts()) // there
	if err != nil {
		log.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := prepared.Finish(context.Background(), &out, value); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.HasPrefix(out.Bytes(), []byte("<verklaring>Dit is een proef.<ds:Signature")))
	// Output:
	// SHA-256 32 bytes
	// true
}

// What would mislead is refused before the key is used.
func ExampleCAdES_refused() {
	p, err := pki.New(pki.Options{Algorithm: pki.RSA})
	if err != nil {
		log.Fatal(err)
	}
	in := sign.Source{Name: "a.txt", Data: bytes.NewReader([]byte("a")), Size: 1}
	_, err = sign.CAdES(context.Background(), os.Stdout, in, testKey(p, pki.Authentication), sign.Options{})
	fmt.Println(errors.Is(err, sign.ErrAuthenticationKey), err)
	_, err = sign.CAdES(context.Background(), os.Stdout, in, testKey(p, pki.Signature), sign.Options{Level: sign.LT})
	fmt.Println(errors.Is(err, sign.ErrNoTSA), err)
	// Output:
	// true the key is not for signing documents: it is for logging in; choose the signature key
	// true no time stamp authority is named: level B-LT needs one; name one, or sign at level B-B
}

// A signature that is there already is raised to a level at which it stays verifiable for decades.
func ExampleAugment() {
	services := startServices()
	defer services.Close()
	anchors := &verify.Anchors{}
	anchors.Add(services.PKI.Root.Certificate)
	verifier := &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	defer verifier.Close()
	o := sign.Options{TSAs: []sign.TSA{{URL: services.PKI.TSAURL()}}, Anchors: anchors, Verifier: verifier}

	var signed, archived bytes.Buffer
	in := sign.Source{Name: "a.txt", Data: bytes.NewReader([]byte("a")), Size: 1}
	if _, err := sign.ASiCE(context.Background(), &signed, []sign.Source{in}, testKey(services.PKI, pki.Signature), o); err != nil {
		log.Fatal(err)
	}
	o.Level = sign.LTA
	in = sign.Source{Name: "a.asice", Data: bytes.NewReader(signed.Bytes()), Size: int64(signed.Len())}
	rep, err := sign.Augment(context.Background(), &archived, in, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rep.Format, rep.Level)
	// Output:
	// asice B-LTA
}
