package access

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const programPolicy = `
unknown_programs = "refuse"
[[program]]
name = "Officina"
executable = "/opt/officina"
operations = ["identity", "insurability"]
fields = ["surname"]
[program.free_numbers]
per_minute = 2
per_day = 5
`

func (b *bench) pair(name, executable string, ops ...Operation) (string, Client) {
	b.t.Helper()
	token, p, err := b.Pair(name, executable, ops)
	if err != nil {
		b.t.Fatal(err)
	}
	return token, Client{Kind: Program, Name: p.Name, PairingID: p.ID, Executable: executable}
}

func TestPairing(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	token, c := b.pair("Kassa 2", "/usr/bin/kassa", OpIdentity, OpReaders)
	if len(token) != 43 {
		t.Errorf("the token has %d characters", len(token))
	}
	p, ok := b.Paired(token)
	if !ok || p.ID != c.PairingID || p.Executable != "/usr/bin/kassa" {
		t.Errorf("%+v, %v", p, ok)
	}
	for _, wrong := range []string{"", token[:42], token + "A", strings.ToUpper(token), p.Token, p.ID} {
		if _, ok := b.Paired(wrong); ok {
			t.Errorf("%q is a token", wrong)
		}
	}
	raw, err := os.ReadFile(filepath.Join(b.dir, "state", grantsName))
	if err != nil || strings.Contains(string(raw), token) {
		t.Errorf("the token is in the file: %v", err)
	}
	b.want(Request{Client: c, Operation: OpIdentity, Fields: []string{"surname"}}, Allow, "pairing")
	b.want(Request{Client: c, Operation: OpReaders}, Allow, "pairing")
	if d := b.want(Request{Client: c, Operation: OpIdentity, Fields: []string{"surname", FieldPhoto}}, Ask, "consent"); len(d.Fields) != 1 || d.MayRemember {
		t.Errorf("%+v", d)
	}
	b.refused(Request{Client: c, Operation: OpInsurability}, ReasonKind) // not paired for it
	for _, op := range []Operation{OpLogin, OpCertificate, OpSignHash, OpSignDocument, OpPINStatus, OpPINChange, OpVerify, OpOwn} {
		b.refused(Request{Client: c, Operation: op}, ReasonKind)
	}
	b.open() // the file is read again
	if _, ok := b.Paired(token); !ok {
		t.Error("the pairing did not last")
	}
	if err := b.Unpair(c.PairingID); err != nil {
		t.Fatal(err)
	}
	b.refused(Request{Client: c, Operation: OpIdentity}, ReasonUnknown)
	if _, ok := b.Paired(token); ok {
		t.Error("the token still counts")
	}
	for _, bad := range []struct {
		name, executable string
		ops              []Operation
	}{
		{"", "", []Operation{OpIdentity}}, {"a\u202eb", "", []Operation{OpIdentity}}, {"two\nlines", "", []Operation{OpIdentity}}, {" space", "", []Operation{OpIdentity}},
		{strings.Repeat("x", 65), "", []Operation{OpIdentity}}, {"x", "", nil}, {"x", "", []Operation{OpLogin}}, {"x", strings.Repeat("x", 5000), []Operation{OpIdentity}},
	} {
		if _, _, err := b.Pair(bad.name, bad.executable, bad.ops); !errors.Is(err, ErrPairing) {
			t.Errorf("%+v is paired: %v", bad, err)
		}
	}
}

func TestProgramsOfThePolicy(t *testing.T) {
	t.Parallel()
	b := newBench(t, programPolicy)
	if err := b.PolicyError(); err != nil {
		t.Fatal(err)
	}
	for name, executable := range map[string]string{"Officina": "/srv/officina", "Officina ": "/opt/officina", "Other": "/opt/officina"} {
		if _, _, err := b.Pair(name, executable, []Operation{OpIdentity}); !errors.Is(err, ErrPairing) {
			t.Errorf("%q at %s is paired: %v", name, executable, err)
		}
	}
	b.refused(Request{Client: Client{Kind: Program, Name: "Other"}, Operation: OpPair}, ReasonUnknown)
	b.refused(Request{Client: Client{Kind: Program, Name: "Officina", Executable: "/tmp/officina"}, Operation: OpPair}, ReasonPolicy)
	b.want(Request{Client: Client{Kind: Program, Name: "Officina", Executable: "/opt/officina"}, Operation: OpPair}, Ask, "consent")

	_, c := b.pair("Officina", "/opt/officina", OpIdentity, OpInsurability)
	b.want(Request{Client: c, Operation: OpIdentity, Fields: []string{"surname"}}, Allow, "policy")
	b.refused(Request{Client: c, Operation: OpIdentity, Fields: []string{"address"}}, ReasonPolicy)
	for _, thief := range []string{"/tmp/thief", ""} { // with a stolen token; the second hides what it is
		elsewhere := c
		elsewhere.Executable = thief
		b.refused(Request{Client: elsewhere, Operation: OpIdentity, Fields: []string{"surname"}}, ReasonPolicy)
		if d := b.Connect(elsewhere); d.Verdict != Refuse {
			t.Errorf("%+v", d)
		}
	}
	if d := b.Connect(c); d.Verdict != Allow || d.By != "policy" {
		t.Errorf("%+v", d)
	}

	number := Request{Client: c, Operation: OpInsurability, NISS: true}
	for range 2 {
		b.want(number, Allow, "policy")
	}
	b.refused(number, ReasonRate)
	for range 2 { // per minute again, then the day is full at five
		b.clock.add(time.Minute)
		b.Decide(number)
		b.Decide(number)
	}
	b.clock.add(time.Minute)
	b.refused(number, ReasonRate)
	b.clock.add(24 * time.Hour)
	b.want(number, Allow, "policy")
	number.Operation = OpIdentity
	b.refused(number, ReasonKind)

	b.write(strings.Replace(programPolicy, "[program.free_numbers]\nper_minute = 2\nper_day = 5\n", "", 1))
	number.Operation = OpInsurability
	b.refused(number, ReasonPolicy)
}

func TestFreeNumbersNeedThePolicy(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	_, c := b.pair("Kassa", "", OpInsurability)
	b.want(Request{Client: c, Operation: OpInsurability}, Allow, "pairing")
	b.refused(Request{Client: c, Operation: OpInsurability, NISS: true}, ReasonPolicy)
	if d := b.Connect(Client{Kind: Program, Name: "Kassa"}); d.Verdict != Refuse {
		t.Errorf("without a token: %+v", d)
	}
}

// TestPagesAskAboutNumbers: where the policy says so, at its rate, and about nothing but insurability.
func TestPagesAskAboutNumbers(t *testing.T) {
	t.Parallel()
	page := Client{Kind: Page}
	none := newBench(t, "")
	none.refused(Request{Client: page, Operation: OpInsurability, NISS: true}, ReasonPolicy)
	b := newBench(t, "[pages.free_numbers]\nper_minute = 2\nper_day = 3\n")
	ask := Request{Client: page, Operation: OpInsurability, NISS: true}
	b.refused(Request{Client: page, Operation: OpIdentity, NISS: true}, ReasonPolicy)
	for range 2 {
		b.want(ask, Allow, "policy")
	}
	b.refused(ask, ReasonRate)
	b.want(Request{Client: page, Operation: OpInsurability}, Allow, "launch")
	_, program := b.pair("Kassa", "", OpInsurability)
	b.refused(Request{Client: program, Operation: OpInsurability, NISS: true}, ReasonPolicy)
	bad := newBench(t, "[pages.free_numbers]\nper_minute = 5\nper_day = 3\n")
	if err := bad.PolicyError(); err == nil || !strings.Contains(err.Error(), "pages.free_numbers") {
		t.Errorf("%v", err)
	}
}
