package archtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// importRule says what a package may import beside the standard library: packages of this module from its root, and modules. A name
// that ends in /... covers what is below as well. Tests may import anything.
type importRule struct {
	pkg string
	may []string
	why string // the reason for everything that is not in may
}

// importRules is the architecture. The first rule whose pkg covers a package holds for it, so particular rules stand before general ones.
var importRules = []importRule{
	{"niss", nil,
		"numbers are arithmetic: a program that only checks one must not take in cards or certificates"},
	{"card", nil,
		"the seam between programs and hardware knows neither a reader, nor a card family, nor a PKI; whoever writes a transport takes in nothing else"},
	{"card/pcsc", []string{"card", "github.com/ebfe/scard", "golang.org/x/sys/..."},
		"a transport carries bytes: what they mean is for the drivers above it"},
	{"card/pinpad", []string{"card"},
		"PC/SC part 10 is about readers, for every card family"},
	{"card/beid", []string{"card", "card/pinpad", "niss", "internal/beidfile", "golang.org/x/crypto/..."},
		"a driver reads and signs; whether what it read is true is for verify, so that it can be judged without a reader"},
	{"card/beid/saved", []string{"niss", "internal/beidfile"},
		"a saved file is read where no reader is"},
	{"card/sis", []string{"card", "niss", "golang.org/x/text/..."},
		"a driver reads; whether the holder is insured is for verify/assurability, without a reader"},
	{"verify", []string{"internal/...", "golang.org/x/crypto/..."},
		"servers verify: no reader, no cgo, no agent, and no test anchors"},
	{"verify/carddata", []string{"verify", "internal/beidfile", "golang.org/x/crypto/..."},
		"servers check uploaded card data: raw files in, no reader"},
	{"verify/report", []string{"verify"},
		"a report is written from the verdict alone"},
	{"verify/server", []string{"verify", "verify/report", "github.com/VictoriaMetrics/metrics"},
		"HTTP around the verifier: it judges nothing itself"},
	{"verify/assurability", []string{"niss", "internal/...", "golang.org/x/text/..."},
		"the insurers' network is asked by number: no card, no reader"},
	{"verify/weblogin", []string{"verify", "internal/..."},
		"servers check logins: no reader, no page"},
	{"sign/pkcs12", []string{"internal/..."},
		"a key from a file: it knows no format of signatures"},
	{"sign", []string{"verify", "internal/...", "golang.org/x/crypto/..."},
		"servers sign: any crypto.Signer with its certificate, no reader, no cgo, no agent"},
	{"pkcs11", []string{"github.com/miekg/pkcs11"},
		"keys of any module for any program: what is signed with them is not its business"},
	{"testcards/internal/...", []string{"testcards/internal/..."},
		"encodings for the makers of test data, which share nothing with the readers that they test"},
	{"testcards/pki", []string{"testcards/internal/...", "golang.org/x/crypto/..."},
		"an independent maker of certificates: it must not share code with what judges them"},
	{"testcards/answers", []string{"testcards/internal/...", "testcards/pki"},
		"an independent maker of OCSP answers and time stamps: it must not share code with what judges them"},
	{"testcards/network", []string{"testcards/internal/...", "testcards/pki", "testcards/answers"},
		"independent services: they must not share code with their clients"},
	{"testcards/insurers", []string{"testcards", "testcards/internal/...", "testcards/pki", "github.com/russellhaering/goxmldsig/...", "github.com/beevik/etree"},
		"independent services: they must not share code with their clients, nor read XML with it"},
	{"testcards/signed", []string{"testcards/internal/...", "testcards/pki", "testcards/answers"},
		"an independent maker of signatures: the judge is not tested by its own writer"},
	{"testcards/sis", []string{"testcards/internal/patients", "golang.org/x/text/..."},
		"an independent maker of cards: it must not share code with the driver that reads them"},
	{"testcards/vpcd", []string{"golang.org/x/sys/..."},
		"a link that carries bytes for any chip, simulated here or elsewhere"},
	{"testcards/...", []string{"card", "internal/...", "testcards/..."},
		"simulated cards stand on the card's side of the seam; verify and card/pcsc are on the other"},
	{"agent/access", []string{"internal/atomicfile", "internal/sysfile", "golang.org/x/net/idna", "golang.org/x/sys/...", "github.com/pelletier/go-toml/v2"},
		"it decides by names and rules alone: no network, no card, no dialog"},
	{"agent/audit", []string{"internal/atomicfile", "golang.org/x/sys/...", "filippo.io/age"},
		"it writes what it is told: it knows no card and no rule"},
	{"internal/pinentry", []string{"card"},
		"a client of a dialog: it gives a card.PIN and knows nothing of its use"},
	{"internal/pcscdtest", []string{"card/...", "testcards/...", "golang.org/x/sys/..."},
		"help for tests: real daemon, simulated cards"},
	{"internal/archtest", nil,
		"it reads the others' source"},
	{"internal/atomicfile", []string{"golang.org/x/sys/..."},
		"files swapped whole, for every cache and store"},
	{"internal/sysfile", []string{"golang.org/x/sys/..."},
		"who can change a file, for every user of one: it knows none of them"},
	{"internal/evidence", []string{"internal/atomicfile", "filippo.io/age"},
		"what was said to services, kept for the operator alone: it knows no service"},
	{"internal/holder", []string{"niss"},
		"who a certificate names, for every judge: it judges nothing itself"},
	{"internal/sigalg", []string{"golang.org/x/crypto/...", "github.com/ProtonMail/go-crypto/brainpool"},
		"algorithms stand at the bottom: they know no certificate and no format"},
	{"internal/pdf/pdffont", []string{"internal/pdf", "golang.org/x/image/...", "golang.org/x/text/..."},
		"text in PDF files: the one place that knows fonts"},
	{"internal/...", []string{"internal/...", "golang.org/x/crypto/...", "golang.org/x/text/..."},
		"formats and small tools below the public packages: importing one of those would be a circle in the making"},
	{"agent/reading", []string{"card", "card/beid", "card/beid/saved", "niss", "verify", "verify/carddata"},
		"a card read and judged, for the command as for the agent: it knows neither readers nor clients"},
	{"agent/login", []string{"agent/access", "agent/protocol", "card", "card/beid"},
		"the one way from a client to the authentication key: what is signed is built from an origin and a nonce, and nothing else is near"},
	{"agent/cards", []string{"agent/access", "agent/desk", "agent/gate", "agent/protocol", "agent/reading", "card/...", "internal/pinentry"},
		"cards and their owners: what is done with one is for the service, and without a pass nothing is"},
	{"agent/spool", []string{"agent/protocol"},
		"bytes in files: whose they are and what is done with them is not its business"},
	{"agent/desk", []string{"agent/access", "agent/content", "card", "card/beid", "internal/pinentry"},
		"questions to a person: what becomes of the answer is for others, and of a card it knows the PIN request alone"},
	{"agent/content", []string{"internal/filekind", "internal/pdf"},
		"documents are looked at as bytes: it knows no client, no card and no dialog"},
	{"agent/patient", []string{"agent/reading", "card", "card/beid", "card/sis", "niss", "verify/assurability", "verify/carddata", "internal/termview"},
		"card and network put together, for the command as for the agent: it knows neither readers nor clients"},
	{"agent/service", []string{"agent/access", "agent/audit", "agent/cards", "agent/content", "agent/desk", "agent/gate", "agent/login", "agent/patient",
		"agent/protocol", "agent/reading", "agent/spool", "card", "card/beid", "card/beid/saved", "niss", "sign", "verify", "verify/assurability"},
		"what the methods do: it meets cards behind the gate only, and no connection"},
	{"agent/gate", []string{"agent/access", "agent/audit", "agent/desk", "agent/protocol"},
		"the way to the card is decided, asked and written down, and knows no card"},
	{"agent/broker", []string{"agent/peer", "internal/sysfile", "golang.org/x/sys/..."},
		"it hands connections on and knows nothing of what is said on them"},
	{"agent/localtls", []string{"internal/atomicfile", "golang.org/x/sys/..."},
		"a certificate in a file and in browsers' stores: who serves with it is not its business"},
	{"agent/attacks", nil,
		"tests of the whole agent: nobody imports it"},
	{"agent/protocol", nil,
		"messages and errors, for both sides: they know no connection"},
	{"agent/peer", []string{"golang.org/x/sys/..."},
		"who is at the other end: what he may do is for agent/access"},
	{"agent/dial", []string{"agent/peer", "agent/protocol", "github.com/gorilla/websocket", "golang.org/x/sys/..."},
		"a client: it takes in nothing of the server"},
	{"agent", []string{"agent/access", "agent/desk", "agent/dial", "agent/pages", "agent/peer", "agent/protocol", "agent/service", "agent/spool",
		"internal/atomicfile", "github.com/gorilla/websocket", "github.com/VictoriaMetrics/metrics", "golang.org/x/sys/..."},
		"the server carries requests: it reaches no card, and only package agent/service knows the gate"},
	{"agent/pages", nil,
		"static files and the headers around them: their data come over the WebSocket, to whoever has a session"},
	{"agent/client", nil,
		"files for pages, and nothing that runs here"},
	{"agent/webeid", []string{"agent/access", "agent/protocol", "internal/atomicfile", "golang.org/x/sys/..."},
		"it translates for the browser's extension: cards, PINs and consent stay the agent's"},
	{"cmd/eid/demosite", []string{"verify/...", "internal/pdf/...", "golang.org/x/text/..."},
		"a site like any other: it checks what it is sent, and knows no card and no agent"},
	{"cmd/eid/...", []string{"niss", "card/...", "verify/...", "sign/...", "pkcs11", "testcards/...", "internal/...", "cmd/eid/...", "agent/...",
		"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/pelletier/go-toml/v2", "golang.org/x/term", "golang.org/x/text/...", "golang.org/x/sys/..."},
		"the command wires everything; help for tests and other command lines are no part of it"},
}

// neverIn says which packages stay out of production code whatever their rule allows.
var neverIn = []struct {
	pkg    string   // what is imported
	except []string // by whom it may be
	why    string
}{
	{"internal/pcscdtest", nil, "it starts daemons for tests"},
	{"internal/archtest", nil, "it is a test"},
	{"internal/pdf/pdftest", nil, "it makes files for tests"},
	{"testcards/...", []string{"testcards/...", "cmd/eid/...", "internal/pcscdtest"},
		"simulated cards and test roots are for tests, and in the program for demo and testcard alone"},
	{"testing", []string{"testcards/...", "internal/pcscdtest"},
		"only kits for tests know about tests"},
	{"math/rand", nil, "old generator: math/rand/v2 where chance is simulated, crypto/rand everywhere else"},
	{"math/rand/v2", []string{"testcards/..."}, "keys, nonces and challenges come from crypto/rand"},
	{"log", nil, "a library does not print: errors are returned, traces go where the caller says"},
	{"C", nil, "cgo is in the modules behind card/pcsc and pkcs11, nowhere in this one"},
}

// withoutCgo are the packages that must build without cgo, all they import included, and never reach a card.
var withoutCgo = []string{"niss", "verify/...", "sign/...", "card/beid/saved"}

// unreachable is what the packages of withoutCgo must not get through any of their imports.
var unreachable = []string{"card", "card/pcsc", "card/pinpad", "card/beid", "testcards/...", "cmd/...", "agent/...", "pkcs11/..."}

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	CgoFiles   []string
	Error      *struct{ Err string }
}

// name is the import path from the module's root; those of other modules stay as they are.
func name(importPath string) string {
	return strings.TrimPrefix(importPath, module+"/")
}

func (p pkg) ours() bool { return strings.HasPrefix(p.ImportPath, module) }

// covers tells whether pattern, maybe ending in /..., covers the package.
func covers(pattern, name string) bool {
	if above, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == above || strings.HasPrefix(name, above+"/")
	}
	return name == pattern
}

func anyCovers(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, name) })
}

// badImports checks what each package imports against the rules.
func badImports(pkgs []pkg) (complaints []string) {
	standard := map[string]bool{"C": true, "unsafe": true}
	for _, p := range pkgs {
		standard[p.ImportPath] = p.Standard || standard[p.ImportPath]
	}
	for _, p := range pkgs {
		if !p.ours() {
			continue
		}
		i := slices.IndexFunc(importRules, func(r importRule) bool { return covers(r.pkg, name(p.ImportPath)) })
		if i < 0 {
			complaints = append(complaints, fmt.Sprintf("%s: no rule says what it may import: add one, with its reason", name(p.ImportPath)))
			continue
		}
		for _, imported := range p.Imports {
			if !standard[imported] && !anyCovers(importRules[i].may, name(imported)) {
				complaints = append(complaints, fmt.Sprintf("%s imports %s: it may import %s: %s",
					name(p.ImportPath), name(imported), orNothing(importRules[i].may), importRules[i].why))
			}
			for _, ban := range neverIn {
				if covers(ban.pkg, name(imported)) && !anyCovers(ban.except, name(p.ImportPath)) {
					complaints = append(complaints, fmt.Sprintf("%s imports %s: %s", name(p.ImportPath), name(imported), ban.why))
				}
			}
		}
	}
	return complaints
}

func orNothing(may []string) string {
	if len(may) == 0 {
		return "the standard library only"
	}
	return "only " + strings.Join(may, ", ")
}

// needsCgo follows the imports of the packages of withoutCgo and complains of cgo and of what they must not reach.
func needsCgo(pkgs []pkg) (complaints []string) {
	byPath := map[string]pkg{}
	for _, p := range pkgs {
		byPath[p.ImportPath] = p
	}
	for _, from := range pkgs {
		if !from.ours() || !anyCovers(withoutCgo, name(from.ImportPath)) {
			continue
		}
		seen := map[string]bool{}
		var follow func(path string, way []string)
		follow = func(path string, way []string) {
			p := byPath[path]
			if seen[path] || p.Standard {
				return
			}
			seen[path] = true
			way = append(slices.Clip(way), name(path))
			if len(p.CgoFiles) > 0 {
				complaints = append(complaints, fmt.Sprintf("%s needs cgo: %s", way[0], strings.Join(way, " -> ")))
			}
			if anyCovers(unreachable, name(path)) {
				complaints = append(complaints, fmt.Sprintf("%s reaches %s: %s", way[0], name(path), strings.Join(way, " -> ")))
			}
			for _, imported := range p.Imports {
				follow(imported, way)
			}
		}
		follow(from.ImportPath, nil)
	}
	return complaints
}

// unbuildable complains of packages that go list cannot put together, as when build constraints leave none of their files.
func unbuildable(pkgs []pkg) (complaints []string) {
	for _, p := range pkgs {
		if p.Error != nil {
			complaints = append(complaints, fmt.Sprintf("%s: %s", name(p.ImportPath), strings.TrimSpace(p.Error.Err)))
		}
	}
	return complaints
}

// list has go list describe the module's packages and everything they import, for one system.
func list(goos, cgo string) ([]pkg, error) {
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Standard,Imports,CgoFiles,Error", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED="+cgo)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var pkgs []pkg
	for dec := json.NewDecoder(out); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading what go list says: %w", err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs, cmd.Wait()
}

func TestImports(t *testing.T) {
	for _, system := range []struct{ goos, cgo string }{{runtime.GOOS, "1"}, {"linux", "0"}, {"windows", "0"}, {"darwin", "0"}} {
		t.Run(system.goos+" CGO_ENABLED="+system.cgo, func(t *testing.T) {
			pkgs, err := list(system.goos, system.cgo)
			if err != nil {
				t.Fatal(err)
			}
			ours := 0
			for _, p := range pkgs {
				if p.ours() {
					ours++
				}
			}
			if ours < 5 {
				t.Fatalf("go list shows %d packages of this module: this test does not see it", ours)
			}
			for _, complaint := range slices.Concat(unbuildable(pkgs), badImports(pkgs), needsCgo(pkgs)) {
				t.Error(complaint)
			}
		})
	}
}

// TestImportRulesAreUsed keeps the table free of rules for packages that are gone.
func TestImportRulesAreUsed(t *testing.T) {
	pkgs, err := list(runtime.GOOS, "0")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range importRules {
		if r.why == "" {
			t.Errorf("the rule for %s has no reason", r.pkg)
		}
		if !slices.ContainsFunc(pkgs, func(p pkg) bool { return p.ours() && covers(r.pkg, name(p.ImportPath)) }) {
			t.Errorf("the rule for %s is about no package that is there", r.pkg)
		}
	}
}

func TestImportRulesBite(t *testing.T) {
	std := func(path string) pkg { return pkg{ImportPath: path, Standard: true} }
	ours := func(name string, imports ...string) pkg {
		return pkg{ImportPath: module + "/" + name, Imports: imports}
	}
	in := func(name string) string { return module + "/" + name }
	scard := pkg{ImportPath: "github.com/ebfe/scard", CgoFiles: []string{"scard_unix.go"}}
	for _, test := range []struct {
		name  string
		check func([]pkg) []string
		pkgs  []pkg
		want  []string
	}{
		{"allowed", badImports, []pkg{std("fmt"), ours("niss", "fmt"), ours("card/beid", in("card"), in("niss"))}, nil},
		{"driver imports verify", badImports, []pkg{ours("card/beid", in("verify"))}, []string{"card/beid imports verify: it may import only card,"}},
		{"niss imports a module", badImports, []pkg{ours("niss", "golang.org/x/text/cases")}, []string{"the standard library only"}},
		{"internal imports public", badImports, []pkg{ours("internal/tlv", in("card"))}, []string{"internal/tlv imports card"}},
		{"particular rule first", badImports, []pkg{ours("internal/pinentry", in("card"))}, nil},
		{"test cards in verify", badImports, []pkg{ours("verify", in("testcards/pki"))}, []string{"verify imports testcards/pki: it may", "for tests"}},
		{"test daemon in the command", badImports, []pkg{ours("cmd/eid", in("internal/pcscdtest"))}, []string{"starts daemons"}},
		{"log", badImports, []pkg{std("log"), ours("card", "log")}, []string{"card imports log"}},
		{"cgo", badImports, []pkg{ours("card", "C")}, []string{"card imports C"}},
		{"no rule", badImports, []pkg{ours("pkcs12")}, []string{"pkcs12: no rule"}},
		{"cgo far below verify", needsCgo,
			[]pkg{ours("verify/carddata", in("internal/x")), ours("internal/x", "github.com/ebfe/scard"), scard},
			[]string{"verify/carddata needs cgo: verify/carddata -> internal/x -> github.com/ebfe/scard"}},
		{"cgo elsewhere", needsCgo, []pkg{ours("card/pcsc", "github.com/ebfe/scard"), scard, ours("verify", "net"), std("net")}, nil},
		{"card below verify", needsCgo, []pkg{ours("verify", in("internal/x")), ours("internal/x", in("card")), ours("card")},
			[]string{"verify reaches card: verify -> internal/x -> card"}},
		{"unbuildable", unbuildable, []pkg{{ImportPath: module + "/card/pcsc", Error: &struct{ Err string }{"build constraints exclude all Go files"}}},
			[]string{"card/pcsc: build constraints"}},
	} {
		t.Run(test.name, func(t *testing.T) { compare(t, test.check(test.pkgs), test.want) })
	}
}
