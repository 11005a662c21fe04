package signed_test

import (
	"bytes"
	"fmt"
	"log"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// A PDF with a signature of level B-LTA, made with a certificate that was
// revoked ten days later.
func Example() {
	p, err := pki.New(pki.Options{})
	if err != nil {
		log.Fatal(err)
	}
	signer, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		log.Fatal(err)
	}
	at := time.Date(2025, 6, 1, 9, 0, 0, 0, time.UTC)
	pdf, err := signed.PAdES(signed.Options{
		PKI: p, Signer: signer, At: at, Level: signed.LTA,
		RevocationAt: at.AddDate(0, 0, 20),
		Revoked:      []signed.Revocation{{Certificate: signer.Certificate, At: at.AddDate(0, 0, 10), Reason: pki.KeyCompromise}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Count(pdf, []byte("%%EOF")), "revisions: the document, the signature, the evidence, the archive time stamp")
	// Output: 4 revisions: the document, the signature, the evidence, the archive time stamp
}

// Stories with the verdict that each deserves.
func ExampleScenarios() {
	p, err := pki.New(pki.Options{})
	if err != nil {
		log.Fatal(err)
	}
	all, err := signed.Scenarios(p)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range all[5:9] {
		fmt.Println(s.Now.Format(time.DateOnly), s.Passed, s.Name)
	}
	// Output:
	// 2026-06-01 false B-B, signer expired since
	// 2026-06-01 false B-LT, signer expired since
	// 2026-06-01 true B-LTA, signer expired since
	// 2026-06-01 false B-LT, signer and time stamp unit expired since
}
