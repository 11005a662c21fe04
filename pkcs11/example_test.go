package pkcs11_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/pkcs11"
)

// A URI says which key; what follows the question mark says where the module and, for a server, the PIN are. Here the module is not
// there.
func Example() {
	ctx := context.Background()
	u, err := pkcs11.ParseURI("pkcs11:token=Signing;object=seal?module-path=/nowhere/module.so&pin-source=file:/etc/eidkit/pin")
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := pkcs11.OpenKey(ctx, u, pkcs11.Options{})
	if errors.Is(err, pkcs11.ErrNoModule) {
		fmt.Println(err)
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer key.Close()
	sig, err := key.Sign(nil, make([]byte, 32), crypto.SHA256)
	fmt.Println(key.Description(), len(sig), err)
	// Output: no such PKCS #11 module: stat /nowhere/module.so: no such file or directory
}

// A PIN belongs in no URI.
func ExampleParseURI() {
	u, err := pkcs11.ParseURI("pkcs11:token=A%20card;id=%02;type=private")
	fmt.Println(*u.Token, u.ID, err)
	_, err = pkcs11.ParseURI("pkcs11:token=A%20card?pin-value=1234")
	fmt.Println(errors.Is(err, pkcs11.ErrPINValue))
	// Output:
	// A card [2] <nil>
	// true
}
