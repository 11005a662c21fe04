package archtest

import (
	"fmt"
	"go/ast"
	"testing"
)

// authenticationKey is the way to key 82 of a card, which logs its holder in.
const authenticationKey = "AuthenticationKey"

// mayLogIn are the places that reach it.
var mayLogIn = []exception{
	{"agent/login/login.go", authenticationKey, "login tokens, built there from an origin and a nonce"},
	{"cmd/eid/insuranceconfig.go", authenticationKey, "the insurers' STS request, built by internal/sts"},
}

// loginKeys complains of the authentication key in any other hand: whoever has the crypto.Signer can have any digest signed. The name
// is enough, called or not, so that no method value carries it away.
func loginKeys(files []file) (complaints []string) {
	for _, f := range files {
		if f.syntax == nil || f.isTest() {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == authenticationKey && !excepted(mayLogIn, f, authenticationKey) {
				complaints = append(complaints, fmt.Sprintf("%s: %s: only agent/login and the insurers' session reach the authentication key", f.at(s), authenticationKey))
			}
			return true
		})
	}
	return complaints
}

func TestLoginKeys(t *testing.T) { check(t, loginKeys) }

func TestLoginKeysBites(t *testing.T) {
	bites(t, loginKeys, []sample{
		{"call", body("agent/service/a.go", "c.AuthenticationKey(ctx, ask)"), []string{"agent/service/a.go:3: AuthenticationKey"}},
		{"method value", body("a.go", "f := c.AuthenticationKey; f(ctx, ask)"), []string{"a.go:3"}},
		{"method expression", body("a.go", "f := (*beid.Card).AuthenticationKey; f(c)"), []string{"a.go:3"}},
		{"another file of login", body("agent/login/other.go", "c.AuthenticationKey(ctx, ask)"), []string{"agent/login/other.go:3"}},
		{"there", body("agent/login/login.go", "c.AuthenticationKey(ctx, ask)"), nil},
		{"test", body("a_test.go", "c.AuthenticationKey(ctx, ask)"), nil},
		{"other key", body("a.go", "c.SigningKey(ctx, ask)"), nil},
	})
}
