package pkcs12_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha512"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/sign/pkcs12"

	maker "software.sslmate.com/src/go-pkcs12"
)

// Opening a file and signing with its key. Here the file is made first; a program reads one, and asks for the password.
func Example() {
	p := persons()["ec"]
	data, err := maker.Modern.Encode(p.Key, p.Certificate, p.chain, "a good password")
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := pkcs12.Open(data, word("a bad one")); errors.Is(err, pkcs12.ErrPassword) {
		fmt.Println(err)
	}
	k, err := pkcs12.Open(data, word("a good password"))
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha512.Sum384([]byte("a declaration"))
	sig, err := k.Sign(nil, digest[:], crypto.SHA384)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(k.Certificate().Subject.CommonName, len(k.Chain()))
	fmt.Println(ecdsa.VerifyASN1(k.Public().(*ecdsa.PublicKey), digest[:], sig))
	// Output:
	// opening a PKCS #12 file: the password of the PKCS #12 file is wrong
	// Nore Maes (Signature) 2
	// true
}
