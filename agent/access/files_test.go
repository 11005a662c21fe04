package access

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPolicyIsReloaded(t *testing.T) {
	t.Parallel()
	b := newBench(t, "unknown_origins = \"refuse\"\n")
	r := Request{Client: site(t, "https://a.example"), Operation: OpLogin}
	b.refused(r, ReasonUnknown)
	b.write("unknown_origins = \"ask\"\n")
	b.want(r, Ask, "consent")
	for _, bad := range []string{"unknown_origins = \"refuse\"\nfoo = 1\n", "unknown_origins = \"refuse\"\n[[site]]\norigin = \"https://a.example\"", "\x00"} {
		b.write(bad)
		b.want(r, Ask, "consent") // nothing of it counts
		if err := b.PolicyError(); !errors.Is(err, ErrPolicy) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	b.write("[[site]]\norigin = \"https://a.example\"\noperations = [\"login\"]\n")
	b.want(r, Allow, "policy")
	if err := b.PolicyError(); err != nil {
		t.Error(err)
	}
	// Of the same length, in place, in the same moment: seen all the same.
	for i := range 50 {
		word, verdict, by := "login", Allow, "policy"
		if i%2 == 0 {
			word, verdict, by = "photo", Refuse, ""
			word = "verif"
		}
		content := "[[site]]\norigin = \"https://a.example\"\noperations = [\"" + word + "\"]\n"
		content = strings.Replace(content, "\"verif\"]\n", "\"verify\"]", 1)
		if err := os.WriteFile(b.policy, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		b.want(r, verdict, by)
	}
	if err := os.Remove(b.policy); err != nil {
		t.Fatal(err)
	}
	b.want(r, Ask, "consent")
}

func TestBadPolicyAtTheStart(t *testing.T) {
	t.Parallel()
	b := newBench(t, "[[site]]\norigin = \"https://a.example\"\noperation = [\"login\"]\n")
	if err := b.PolicyError(); !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), "line 3") || !strings.Contains(err.Error(), "operation") {
		t.Errorf("%v", err)
	}
	b.refused(Request{Client: site(t, "https://a.example"), Operation: OpLogin}, ReasonBroken)
	b.refused(Request{Client: Client{Kind: Page}, Operation: OpIdentity}, ReasonBroken)
	b.want(Request{Client: Client{Kind: Page}, Operation: OpOwn}, Allow, "launch")
	if d := b.Connect(site(t, "https://a.example")); d.Reason != ReasonBroken {
		t.Errorf("%+v", d)
	}
	if _, _, err := b.Pair("x", "", []Operation{OpIdentity}); !errors.Is(err, ErrPairing) {
		t.Error(err)
	}
	if s := b.Settings(); s.SignHash || s.Launch {
		t.Errorf("%+v", s)
	}
	b.write("")
	b.want(Request{Client: site(t, "https://a.example"), Operation: OpLogin}, Ask, "consent")
}

func TestPolicyFaultsNameTheirLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ policy, line, why string }{
		{"unknown_origins = \"allow\"", "line 1", "neither"},
		{"\n\nunknown_origin = \"ask\"", "line 3", "unknown_origin"},
		{"[[site]]\norigin = \"https://a.example/\"\noperations = [\"login\"]", "line 2", "not an origin"},
		{"[[site]]\norigin = \"null\"\noperations = [\"login\"]", "line 2", "not an origin"},
		{"[[site]]\norigin = \"http://localhost\"\noperations = [\"login\"]", "line 1", "developer"},
		{"\n[[site]]\noperations = [\"login\"]", "line 2", "no origin"},
		{"[[site]]\norigin = \"https://a.example\"\noperations = [\"login\", \"logon\"]", "line 3", "logon"},
		{"[[site]]\norigin = \"https://a.example\"\noperations = [\"pair\"]", "line 3", "pair"},
		{"[[site]]\norigin = \"https://a.example\"\noperations = [\"identity\"]\nfields = [\"name\"]", "line 4", "name"},
		{"[[site]]\norigin = \"https://a.example\"\noperations = [\"identity\"]\nfields = [\"photo\"]", "line 4", "photo = true"},
		{"[[site]]\norigin = \"https://a.example\"\noperations = [\"identity\"]", "line 1", "allows nothing"},
		{"[[site]]\norigin = \"https://a.example\"", "line 1", "names operations"},
		{"[[site]]\norigin = \"https://a.example\"\noperations = \"login\"", "line 3", ""},
		{"[[site]]\norigin = \"https://a.example\"\noperations = [\"login\"]\nexpires = \"soon\"", "line 4", ""},
		{"[[site]]\norigin = \"https://a.example\"\noperations = [\"login\"]\npurposes = [\"\"]", "line 1", "purposes"},
		{"[[site]]\nid = \"x\"\norigin = \"https://a.example\"\noperations = [\"login\"]\n\n[[site]]\nid = \"x\"\norigin = \"https://b.example\"\noperations = [\"login\"]", "line 6", "two rules"},
		{"[[site]]\norigin = \"https://a.example\"\noperations = [\"login\"]\n[[site]]\norigin = \"https://a.example:443\"\nbeyond = \"ask\"\noperations = [\"verify\"]", "line 4", "agree"},
		{"[[program]]\nname = \"x\"\noperations = [\"login\"]", "line 1", "a program can have"},
		{"[[program]]\noperations = [\"identity\"]\nfields = [\"all\"]", "line 1", "name"},
		{"[[program]]\nname = \"x\"\nexecutable = \"bin/x\"\noperations = [\"readers\"]", "line 1", "whole path"},
		{"[[program]]\nname = \"x\"\noperations = [\"readers\"]\nfree_numbers = {per_minute = 1, per_day = 5}", "line 1", "insurability"},
		{"[[program]]\nname = \"x\"\noperations = [\"insurability\"]\nfree_numbers = {per_minute = 1}", "line 1", "per_day"},
		{"[dialogs]\npinentry = \"pinentry\"", "", "whole path"},
		{"[audit]\ndpo_key = \"AGE-SECRET-KEY-1\"", "", "public key"},
		{"[audit]\ndpo_key = \"age1vg7xe7mdjm3prg87mktnnm7yq32va0fx6gefvrd5ztgrvhluw33syald\"", "", "public key"}, // cut off by pasting
		{"[audit]\nmax_mib = -1", "", "max_mib"},
		{"[readers.roles]\n\"x\" = \"\"", "", "roles"},
		{"sign_hash = 0", "line 1", ""},
		{"a = [", "line 1", ""},
		{strings.Repeat("#", maxPolicy+1), "", "bytes"},
	} {
		p, err := parsePolicy([]byte(test.policy), false)
		if !errors.Is(err, ErrPolicy) || p != nil || !strings.Contains(err.Error(), test.line) || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%.120q: %v; want %q and %q", test.policy, err, test.line, test.why)
		}
	}
	if _, err := parsePolicy([]byte("[[site]]\norigin = \"http://localhost:8080\"\noperations = [\"login\"]"), true); err != nil {
		t.Errorf("developer mode: %v", err)
	}
}

func TestGrantsEditedFromOutside(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	b := newBench(t, "")
	b.log = slog.New(slog.NewTextHandler(&logged, nil))
	r := Request{Client: site(t, "https://a.example"), Operation: OpReaders}
	token, c := b.pair("Kassa", "", OpReaders)
	if _, err := b.Remember(r, time.Time{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.dir, "state", grantsName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Replace(good, []byte("https://a.example"), []byte("https://b.example"), 1)
	for name, content := range map[string][]byte{
		"another origin": other, "a line more": append(slices.Clone(good), "# x\n"...), "empty": {}, "cut": good[:len(good)-1], "no MAC": good[bytes.IndexByte(good, '\n')+1:],
		"upper case": bytes.Replace(good, []byte("schema"), []byte("Schema"), 1), "huge": bytes.Repeat([]byte("#"), maxGrantsFile+1),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		b.want(r, Ask, "consent")
		b.refused(Request{Client: c, Operation: OpReaders}, ReasonUnknown)
		if _, ok := b.Paired(token); ok || !errors.Is(b.GrantsError(), ErrGrants) || len(b.Grants()) != 0 {
			t.Errorf("%s: something counts: %v", name, b.GrantsError())
		}
		if d := b.Decide(r); d.MayRemember {
			t.Errorf("%s: what cannot be kept is offered", name)
		}
		if _, _, err := b.Pair("x", "", []Operation{OpReaders}); !errors.Is(err, ErrGrants) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !strings.Contains(logged.String(), "grants are refused") {
		t.Error("nobody hears of it")
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	b.want(r, Allow, "grant")
	if runtime.GOOS != "windows" {
		for _, name := range []string{grantsName, keyName} {
			p := filepath.Join(b.dir, "state", name)
			if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", name, info.Mode(), err)
			}
			if err := errors.Join(os.Chmod(p, 0o644), b.Reload()); !errors.Is(err, ErrGrants) {
				t.Errorf("%s that others can read: %v", name, err)
			}
			if err := errors.Join(os.Chmod(p, 0o600), b.Reload()); err != nil {
				t.Error(err)
			}
		}
	}
	if err := os.Remove(filepath.Join(b.dir, "state", keyName)); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(); !errors.Is(err, ErrGrants) {
		t.Errorf("without the key: %v", err)
	}
	if err := b.ResetGrants(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Remember(r, time.Time{}); err != nil {
		t.Fatal(err)
	}
	b.want(r, Allow, "grant")
	if kept, err := os.ReadFile(path + ".refused"); err != nil || !bytes.Equal(kept, good) {
		t.Errorf("the refused file is gone: %v", err)
	}
}

// TestTwoAgents: two processes on one state folder lose nothing of each other, and a withdrawal counts for both at once.
func TestTwoAgents(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	first := b.Authority
	b.open()
	var wg sync.WaitGroup
	for i, a := range []*Authority{first, b.Authority} {
		a.lockWait = 5 * time.Minute // twenty trips to a disk that others use too
		for j := range 10 {
			wg.Go(func() {
				r := Request{Client: site(t, "https://a.example"), Operation: OpIdentity, Fields: []string{identityFields[i*10+j]}}
				if _, err := a.Remember(r, time.Time{}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if n := len(first.Grants()); n != 20 {
		t.Errorf("%d grants", n)
	}
	for _, g := range first.Grants() {
		if err := b.Revoke(g.ID); err != nil {
			t.Error(err)
		}
	}
	if d := first.Decide(Request{Client: site(t, "https://a.example"), Operation: OpIdentity, Fields: []string{"surname"}}); d.Verdict != Ask {
		t.Errorf("%+v", d)
	}
}

func TestFull(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	if err := b.change(func(f *grantsFile) error {
		f.Pairings = make([]Pairing, maxPairings)
		f.Grants = make([]Grant, maxGrants)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Pair("x", "", []Operation{OpReaders}); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if _, err := b.Remember(Request{Client: site(t, "https://a.example"), Operation: OpReaders}, time.Time{}); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

func TestWatchLogsABadPolicy(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	seen := make(chan struct{}, 1)
	b.log = slog.New(signal{seen})
	b.every = time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.Watch(ctx) }()
	b.write("x = 1")
	<-seen
	stop()
	<-done
}

// signal is a log that tells when something is written.
type signal struct{ seen chan struct{} }

func (signal) Enabled(context.Context, slog.Level) bool { return true }
func (s signal) Handle(context.Context, slog.Record) error {
	select {
	case s.seen <- struct{}{}:
	default:
	}
	return nil
}
func (s signal) WithAttrs([]slog.Attr) slog.Handler { return s }
func (s signal) WithGroup(string) slog.Handler      { return s }

func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/policy/*.toml")
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	doc, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsePolicy(raw, false); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if !bytes.Contains(doc, []byte(filepath.Base(path))) {
			t.Errorf("docs/policy.md does not name %s", path)
		}
	}
	hospital := newBench(t, readFile(t, "../../examples/policy/hospital.toml"))
	desk := Request{Client: site(t, "https://admission.hospital.example"), Operation: OpIdentity, Fields: []string{"surname", "address"}, Purpose: "Admission of a patient", Reader: "x", Role: "patient"}
	hospital.want(desk, Allow, "policy")
	desk.Role = "provider"
	hospital.refused(desk, ReasonPolicy)
	hospital.refused(Request{Client: site(t, "https://else.example"), Operation: OpLogin}, ReasonUnknown)
	pharmacy := newBench(t, readFile(t, "../../examples/policy/pharmacy.toml"))
	_, c := pharmacy.pair("Officina", "/opt/officina/bin/officina", OpInsurability)
	pharmacy.want(Request{Client: c, Operation: OpInsurability, NISS: true}, Allow, "policy")
	portal := newBench(t, readFile(t, "../../examples/policy/portal.toml"))
	portal.want(Request{Client: site(t, "https://portal.gov.example"), Operation: OpSignDocument}, Ask, "consent")
	if s := hospital.Settings(); !s.Syslog || s.DPOKey == "" || s.SignHash || !s.Launch || len(s.Roles) != 2 {
		t.Errorf("%+v", s)
	}
}

// TestPolicyDocument: every setting is described.
func TestPolicyDocument(t *testing.T) {
	t.Parallel()
	doc := readFile(t, "../../docs/policy.md")
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			if name := f.Tag.Get("toml"); name != "" && !strings.Contains(doc, "`"+name+"`") && !strings.Contains(doc, "."+name+"`") && !strings.Contains(doc, "[["+name+"]]") && !strings.Contains(doc, "["+name) {
				t.Errorf("docs/policy.md does not describe %s", name)
			}
			if f.Tag.Get("toml") != "" || f.Anonymous {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[policyFile]())
	for _, op := range ruled {
		if !strings.Contains(doc, "`"+string(op)+"`") {
			t.Errorf("docs/policy.md does not describe the operation %s", op)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestFieldsOfTheSchema: what can be asked for is what docs/schema/read.json has.
func TestFieldsOfTheSchema(t *testing.T) {
	t.Parallel()
	var schema struct {
		Properties map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"properties"`
	}
	if err := json.Unmarshal([]byte(readFile(t, "../../docs/schema/read.json")), &schema); err != nil {
		t.Fatal(err)
	}
	want := []string{"address"}
	for _, part := range []string{"identity", "card"} {
		for name := range schema.Properties[part].Properties {
			if name != "unknown" { // fields of which nobody knows what they hold
				want = append(want, name)
			}
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(IdentityFields())); !slices.Equal(got, want) {
		t.Errorf("fields %v, in the schema %v", got, want)
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte(deskPolicy))
	f.Add([]byte(programPolicy))
	f.Add([]byte("[readers.roles]\n\"x\" = \"y\"\n[audit]\nmax_mib = 3\n"))
	f.Add([]byte("[[site]]\norigin = 1979-05-27\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePolicy(b, false)
		if (p == nil) != (err != nil) || err != nil && !errors.Is(err, ErrPolicy) {
			t.Fatalf("%v, %v", p, err)
		}
		if p == nil {
			return
		}
		for o, rules := range p.sites {
			if o.scheme != "https" || len(rules) == 0 {
				t.Fatalf("%v: %d rules", o, len(rules))
			}
		}
	})
}

func FuzzGrants(f *testing.F) {
	key := bytes.Repeat([]byte{7}, keyBytes)
	for _, g := range []grantsFile{{Schema: 1}, {Schema: 1, Grants: []Grant{{ID: "g", Client: "https://a.example", Operation: OpIdentity, Fields: []string{"sex"}, Expires: time.Unix(5, 0).UTC()}}, Pairings: []Pairing{{ID: "p", Name: "x"}}}} {
		b, err := g.encode(key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, sign bool) {
		if sign { // as if the agent had written it
			_, body, err := splitMAC(b)
			if err != nil {
				return
			}
			b = append([]byte(grantsHead+hexMAC(key, body)+grantsHeadEnd), body...)
		}
		g, err := parseGrants(b, key)
		if (g == nil) != (err != nil) || err != nil && !errors.Is(err, ErrGrants) {
			t.Fatalf("%v, %v", g, err)
		}
		if _, err := parseGrants(b, bytes.Repeat([]byte{8}, keyBytes)); err == nil {
			t.Fatal("another key fits")
		}
	})
}
