//go:build cgo

package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
)

const (
	rightPIN = "geheim-42" // letters too: tokens have them
	soPIN    = "87654321"
)

// need returns the path of a program, or skips the test where it is missing, except in CI.
func need(t testing.TB, name, install string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: apt-get install %s", name, install)
	}
	if err != nil {
		t.Skipf("%s is not installed: apt-get install %s", name, install)
	}
	return path
}

func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// hsm is SoftHSM with tokens of its own, in this process and for the programs it starts.
type hsm struct {
	dir, module, util, tool string
}

// newHSM prepares SoftHSM: it reads its configuration anew whenever it is initialised, so tests with it do not run in parallel.
func newHSM(t testing.TB) *hsm {
	t.Helper()
	h := &hsm{dir: t.TempDir(), util: need(t, "softhsm2-util", "softhsm2"), tool: need(t, "pkcs11-tool", "opensc")}
	var err error
	if h.module, err = FindModule(URI{ModuleName: "softhsm2"}); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(h.dir, "softhsm2.conf")
	if err := os.Mkdir(h.tokens(), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, conf, fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n", h.tokens()))
	t.Setenv("SOFTHSM2_CONF", conf)
	h.forget()
	return h
}

// forget has the process forget what it learnt of PINs: the copies of a token pass for one.
func (h *hsm) forget() {
	libraries.mu.Lock()
	defer libraries.mu.Unlock()
	for _, lib := range libraries.loaded {
		lib.mu.Lock()
		clear(lib.logins)
		lib.mu.Unlock()
	}
}

// tokens is the folder of the tokens, a folder each.
func (h *hsm) tokens() string { return filepath.Join(h.dir, "tokens") }

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (h *hsm) token(t testing.TB, label string) {
	t.Helper()
	run(t, h.util, "--init-token", "--free", "--label", label, "--pin", rightPIN, "--so-pin", soPIN)
}

// put puts a key with its certificate on a token, by other programs than ours.
func (h *hsm) put(t testing.TB, token, id, label string, i *pki.Issued, more ...string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.Key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.dir, id+".key")
	if len(more) == 0 {
		write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		run(t, h.util, "--import", file, "--token", token, "--label", label, "--id", id, "--pin", rightPIN)
	} else {
		write(t, file, string(der))
		h.write(t, token, append([]string{"privkey", file, "--id", id, "--label", label}, more...)...)
	}
	h.cert(t, token, id, label, i.Certificate)
}

func (h *hsm) cert(t testing.TB, token, id, label string, c *x509.Certificate) {
	t.Helper()
	file := filepath.Join(h.dir, id+".crt")
	write(t, file, string(c.Raw))
	h.write(t, token, "cert", file, "--id", id, "--label", label)
}

func (h *hsm) write(t testing.TB, token string, args ...string) {
	t.Helper()
	run(t, h.tool, append([]string{"--module", h.module, "--token-label", token, "--login", "--pin", rightPIN,
		"--type", args[0], "--write-object", args[1]}, args[2:]...)...)
}

// open opens the module, and closes it with the test.
func (h *hsm) open(t testing.TB, o Options, wrap ...func(cryptoki) cryptoki) *Module {
	t.Helper()
	m, err := open(h.module, o, load)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrap { // over the module that stays loaded, for as long as this test runs
		lib, plain := m.lib, m.lib.api
		lib.api = w(plain)
		t.Cleanup(func() { lib.api = plain })
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// filled are the tokens that full gives copies of, and where the first test made them.
var filled struct {
	once sync.Once
	dir  string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if filled.dir != "" {
		os.RemoveAll(filled.dir)
	}
	os.Exit(code)
}

// full has the token "Kluis", with a key of each kind, 01 to 03, and the chain of one.
func full(t testing.TB) *hsm {
	h := newHSM(t)
	filled.once.Do(func() {
		h.token(t, "Kluis")
		h.put(t, "Kluis", "01", "handtekening RSA", persons()["rsa"])
		h.put(t, "Kluis", "02", "handtekening P-384", persons()["p384"])
		h.put(t, "Kluis", "03", "handtekening P-256", persons()["p256"])
		h.cert(t, "Kluis", "04", "CA", persons()["rsa ca"].Certificate)
		h.cert(t, "Kluis", "05", "Root", persons()["rsa root"].Certificate)
		dir, err := os.MkdirTemp("", "eidkit-pkcs11-")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(dir, "tokens"), os.DirFS(h.tokens())); err != nil {
			t.Fatal(err)
		}
		filled.dir = dir
	})
	if filled.dir == "" {
		t.Fatal("the tokens were not made")
	}
	if err := os.RemoveAll(h.tokens()); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(h.tokens(), os.DirFS(filepath.Join(filled.dir, "tokens"))); err != nil {
		t.Fatal(err)
	}
	return h
}

var persons = sync.OnceValue(func() map[string]*pki.Issued {
	made := map[string]*pki.Issued{}
	for name, algorithm := range map[string]pki.Algorithm{"rsa": pki.RSA, "p384": pki.EC} {
		p, err := pki.New(pki.Options{Algorithm: algorithm})
		if err != nil {
			panic(err)
		}
		issue := func(as string, key crypto.Signer) {
			i, err := p.Issue(pki.Request{Kind: pki.Signature, Key: key, Subject: pki.Subject{Surname: "Peeters", GivenNames: "Lotte", NationalNumber: "85073003328"}})
			if err != nil {
				panic(err)
			}
			made[as] = i
		}
		issue(name, nil)
		if algorithm == pki.EC {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				panic(err)
			}
			issue("p256", key)
		}
		made[name+" ca"] = &pki.Issued{Certificate: p.CitizenCA.Certificate}
		made[name+" root"] = &pki.Issued{Certificate: p.Root.Certificate}
	}
	return made
})

// asker counts what it is asked, and answers with PINs in turn, the last for ever.
type asker struct {
	mu    sync.Mutex
	pins  []string
	asked []PINRequest
	given []Secret
}

func (a *asker) pin(_ context.Context, r PINRequest) (Secret, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pin := a.pins[min(len(a.asked), len(a.pins)-1)]
	a.asked = append(a.asked, r)
	s := NewSecret([]byte(pin))
	a.given = append(a.given, s)
	return s, nil
}

func (a *asker) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

// wiped checks that nothing is left of the PINs given.
func (a *asker) wiped(t testing.TB) {
	t.Helper()
	for _, s := range a.given {
		_ = s.Reveal(func(b []byte) error {
			if len(b) != 0 {
				t.Error("a PIN was not wiped")
			}
			return nil
		})
	}
}

func parseURI(t testing.TB, s string) URI {
	t.Helper()
	u, err := ParseURI(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
