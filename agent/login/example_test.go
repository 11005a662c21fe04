package login_test

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/login"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/weblogin"
)

// A login, from the server's nonce to the server's verdict.
func ExampleToken() {
	ctx := context.Background()
	sim := testcards.New(testcards.Citizen18)
	c, err := beid.Open(ctx, sim.Reader())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	challenge := weblogin.NewNonce() // the server's, kept in its session

	origin, err := access.ParseOrigin("https://aangifte.example.be") // of the connection
	if err != nil {
		fmt.Println(err)
		return
	}
	nonce, err := login.ParseNonce(challenge)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := login.Token(ctx, c, origin, nonce, func(context.Context, beid.PINRequest) (card.PIN, error) {
		return card.NewPIN([]byte(testcards.PIN)) // a dialog asks the holder
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	roots := &verify.Anchors{}
	roots.Add(sim.Root())
	who, err := weblogin.Validate(ctx, token, challenge, weblogin.Options{Origin: "https://aangifte.example.be", Anchors: roots,
		Intermediates: []*x509.Certificate{sim.PKI().CitizenCA.Certificate}, Mode: weblogin.SkipRevocation})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(who.Algorithm, who.GivenNames, who.Surname)
	// Output:
	// ES384 Hanne Margriet Wouters-Specimen
}
