package access

import (
	"errors"
	"slices"
	"testing"
	"time"
)

const deskPolicy = `
unknown_origins = "ask"

[[site]]
id = "desk"
origin = "https://desk.example"
operations = ["readers", "identity", "login", "sign.certificate", "sign.document", "sign.hash", "pin.change", "pin.status"]
fields = ["surname", "address"]
purposes = ["Admission"]
readers = ["patient"]

[[site]]
id = "photo"
origin = "https://photo.example"
operations = ["identity"]
fields = ["all"]
photo = true
beyond = "ask"

[[site]]
id = "evil"
origin = "https://evil.example"
deny = ["all"]

[[site]]
id = "half"
origin = "https://half.example"
operations = ["identity"]
fields = ["surname"]
deny = ["login"]
beyond = "ask"
expires = 2026-03-16
`

func TestRulesOfSites(t *testing.T) {
	t.Parallel()
	b := newBench(t, deskPolicy)
	if err := b.PolicyError(); err != nil {
		t.Fatal(err)
	}
	desk := func(op Operation, fields ...string) Request {
		return Request{Client: site(t, "https://desk.example"), Operation: op, Fields: fields, Purpose: "Admission", Reader: "R 00 00", Role: "patient"}
	}
	if d := b.want(desk(OpIdentity, "surname", "address"), Allow, "policy"); d.Rule != "desk" || !slices.Equal(d.Fields, []string{"surname", "address"}) {
		t.Errorf("%+v", d)
	}
	b.want(desk(OpLogin), Allow, "policy")
	b.want(desk(OpCertificate), Allow, "policy")
	b.want(desk(OpPINStatus), Allow, "policy")
	for _, op := range []Operation{OpSignDocument, OpSignHash, OpPINChange} { // each is shown each time
		if d := b.want(desk(op), Ask, "consent"); d.Rule != "desk" || d.MayRemember {
			t.Errorf("%s: %+v", op, d)
		}
	}
	// Beyond the rule there is nothing, and no user is asked.
	b.refused(desk(OpIdentity, "surname", "nationalNumber"), ReasonPolicy)
	b.refused(desk(OpIdentity, "surname", FieldPhoto), ReasonPolicy)
	b.refused(desk(OpInsurability), ReasonPolicy)
	b.refused(desk(OpIdentity, "Surname"), ReasonKind)
	for _, change := range []func(*Request){
		func(r *Request) { r.Purpose = "admission" },
		func(r *Request) { r.Purpose = "" },
		func(r *Request) { r.Role = "provider" },
		func(r *Request) { r.Role = "" },
	} {
		r := desk(OpIdentity, "surname")
		change(&r)
		b.refused(r, ReasonPolicy)
	}
	b.refused(Request{Client: site(t, "https://evil.example"), Operation: OpReaders}, ReasonPolicy)
	if d := b.Connect(site(t, "https://evil.example")); d.Verdict != Refuse {
		t.Errorf("a denied site connects: %+v", d)
	}

	photo := Request{Client: site(t, "https://photo.example"), Operation: OpIdentity, Fields: []string{"surname", "data", FieldPhoto}, Purpose: "any"}
	b.want(photo, Allow, "policy")
	photo.Operation = OpLogin
	b.want(photo, Ask, "consent")
	photo.Operation, photo.NISS = OpInsurability, true
	b.refused(photo, ReasonKind)

	half := Request{Client: site(t, "https://half.example"), Operation: OpIdentity, Fields: []string{"surname", "sex"}}
	if d := b.want(half, Ask, "consent"); !slices.Equal(d.Fields, []string{"surname"}) || !d.MayRemember {
		t.Errorf("%+v", d)
	}
	half.Operation = OpLogin
	b.refused(half, ReasonPolicy)
	b.clock.add(36 * time.Hour) // the rule has expired, whatever the time zone: a site as any other
	half.Operation, half.Fields = OpIdentity, []string{"surname"}
	if d := b.want(half, Ask, "consent"); len(d.Fields) != 0 {
		t.Errorf("an expired rule allows %v", d.Fields)
	}
}

func TestLookAlikesAreStrangers(t *testing.T) {
	t.Parallel()
	b := newBench(t, "unknown_origins = \"refuse\"\n[[site]]\norigin = \"https://portal.example\"\noperations = [\"login\"]\n")
	b.want(Request{Client: site(t, "https://portal.example"), Operation: OpLogin}, Allow, "policy")
	for _, s := range []string{
		"https://portal.example:8443", "https://portal.example.evil.test", "https://evilportal.example", "https://www.portal.example", "https://portal.exampl",
		"https://pоrtal.example", "https://portal-example.test", "https://portal.example:80", "https://[2001:db8::1]",
	} {
		b.refused(Request{Client: site(t, s), Operation: OpLogin}, ReasonUnknown)
		if d := b.Connect(site(t, s)); d.Verdict != Refuse || d.Reason != ReasonUnknown {
			t.Errorf("%s connects: %+v", s, d)
		}
	}
	http, err := ParseOriginDev("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Client{{}, {Kind: Site}, {Kind: Kind(9), Origin: origin(t, "https://portal.example")}, {Kind: Site, Origin: http}, {Kind: Extension}} {
		if d := b.Decide(Request{Client: c, Operation: OpLogin}); d.Verdict != Refuse {
			t.Errorf("%+v: %+v", c, d)
		}
		if d := b.Connect(c); d.Verdict != Refuse {
			t.Errorf("%+v connects: %+v", c, d)
		}
	}
}

// TestAlways: policy before grant before asking, and what can never be for good.
func TestAlways(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	r := Request{Client: site(t, "https://clinic.example"), Operation: OpIdentity, Fields: []string{"surname", "sex"}, Purpose: "Visit", Reader: "ACS ACR39U (1) 00 00"}
	if d := b.Connect(r.Client); d.Verdict != Ask {
		t.Errorf("a stranger: %+v", d)
	}
	if d := b.want(r, Ask, "consent"); !d.MayRemember {
		t.Error("it cannot be remembered")
	}
	g, err := b.Remember(r, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if d := b.Connect(r.Client); d.Verdict != Allow || d.By != "grant" || d.Rule != g.ID {
		t.Errorf("a client with a grant: %+v", d)
	}
	check := func(v Verdict, by string, change func(*Request)) {
		t.Helper()
		r := r
		change(&r)
		b.want(r, v, by)
	}
	check(Allow, "grant", func(*Request) {})
	check(Allow, "grant", func(r *Request) { r.Fields = []string{"sex"} })
	check(Allow, "grant", func(r *Request) { r.Reader = "ACS ACR39U (1) 02 00" }) // plugged in again
	check(Ask, "consent", func(r *Request) { r.Fields = []string{"sex", "address"} })
	check(Ask, "consent", func(r *Request) { r.Fields = []string{"sex", FieldPhoto} })
	check(Ask, "consent", func(r *Request) { r.Purpose = "Marketing" })
	check(Ask, "consent", func(r *Request) { r.Reader = "ACS ACR39U (2) 00 00" })
	check(Ask, "consent", func(r *Request) { r.Operation = OpInsurability })
	check(Ask, "consent", func(r *Request) { r.Client = site(t, "https://clinic.example:8443") })
	check(Refuse, "", func(r *Request) { r.Client.Kind = Extension })

	for _, op := range []Operation{OpLogin, OpCertificate, OpSignHash, OpSignDocument, OpPINStatus, OpPINChange, OpOwn, OpPair} {
		never := Request{Client: r.Client, Operation: op}
		if d := b.Decide(never); d.MayRemember {
			t.Errorf("%s may be remembered", op)
		}
		if _, err := b.Remember(never, time.Time{}); !errors.Is(err, ErrNever) {
			t.Errorf("%s is remembered: %v", op, err)
		}
	}
	photo := r
	photo.Fields = []string{"surname", FieldPhoto}
	if d := b.Decide(photo); d.MayRemember {
		t.Error("the photo may be remembered")
	}
	if _, err := b.Remember(photo, time.Time{}); !errors.Is(err, ErrNever) {
		t.Errorf("the photo is remembered: %v", err)
	}
	niss := Request{Client: r.Client, Operation: OpInsurability, NISS: true}
	if _, err := b.Remember(niss, time.Time{}); !errors.Is(err, ErrNever) {
		t.Errorf("a free number is remembered: %v", err)
	}

	until := r
	until.Purpose = "Today"
	if _, err := b.Remember(until, b.clock.now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b.want(until, Allow, "grant")
	b.clock.add(time.Hour)
	b.want(until, Ask, "consent")
	if n := len(b.Grants()); n != 1 {
		t.Errorf("%d grants", n)
	}

	b.write("[[site]]\norigin = \"https://clinic.example\"\ndeny = [\"identity\"]\nbeyond = \"ask\"\n") // the policy is above the grant
	b.refused(r, ReasonPolicy)
	b.write("grants = false\n")
	if d := b.want(r, Ask, "consent"); d.MayRemember {
		t.Error("the policy wants no grants")
	}
	if _, err := b.Remember(r, time.Time{}); !errors.Is(err, ErrNever) {
		t.Error(err)
	}
	b.write("# nothing\n")
	if err := b.Revoke(g.ID); err != nil {
		t.Fatal(err)
	}
	b.want(r, Ask, "consent")
	if err := b.Revoke(g.ID); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestReadersAreCutDown(t *testing.T) {
	t.Parallel()
	b := newBench(t, deskPolicy)
	d := b.want(Request{Client: site(t, "https://desk.example"), Operation: OpReaders}, Allow, "policy")
	if !d.Reads("any name", "patient") || d.Reads("any name", "provider") || d.Reads("any name", "") || d.Reads("role:patient", "") {
		t.Errorf("%+v", d.Readers)
	}
	all := Request{Client: site(t, "https://clinic.example"), Operation: OpReaders}
	if _, err := b.Remember(all, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if d := b.want(all, Allow, "grant"); !d.Reads("any name", "") {
		t.Errorf("%+v", d.Readers)
	}
}

func TestPagesAndExtensions(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	for _, op := range append(slices.Clone(ruled), OpOwn) {
		r := Request{Client: Client{Kind: Page}, Operation: op, Fields: []string{"surname", FieldPhoto}}
		if op == OpSignHash {
			b.refused(r, ReasonKind)
			continue
		}
		b.want(r, Allow, "launch")
	}
	b.refused(Request{Client: Client{Kind: Page}, Operation: OpInsurability, NISS: true}, ReasonPolicy)
	b.refused(Request{Client: Client{Kind: Page}, Operation: OpPair}, ReasonKind)
	b.refused(Request{Client: Client{Kind: Page}, Operation: "format.card"}, ReasonKind)
	for _, op := range append(slices.Clone(ruled), OpOwn, OpPair, "") {
		for _, c := range []Client{{Kind: Extension, Origin: origin(t, "https://clinic.example")}, site(t, "https://clinic.example")} {
			r := Request{Client: c, Operation: op}
			if slices.Contains(relayed, op) || c.Kind == Site && slices.Contains(ruled, op) {
				b.want(r, Ask, "consent")
			} else {
				b.refused(r, ReasonKind)
			}
		}
	}
	b.write("[[site]]\norigin = \"https://clinic.example\"\noperations = [\"login\", \"sign.certificate\", \"sign.hash\"]\n")
	said := Client{Kind: Extension, Origin: origin(t, "https://clinic.example")}
	b.want(Request{Client: said, Operation: OpLogin}, Allow, "policy") // the PIN dialog names the site
	b.want(Request{Client: said, Operation: OpSignHash}, Ask, "consent")
	b.want(Request{Client: said, Operation: OpCertificate}, Ask, "consent") // nothing else would
	b.want(Request{Client: site(t, "https://clinic.example"), Operation: OpCertificate}, Allow, "policy")
	b.write("[[site]]\norigin = \"https://clinic.example\"\noperations = [\"login\"]\n")
	b.refused(Request{Client: said, Operation: OpCertificate}, ReasonPolicy)
	b.write("launch = false\nsign_hash = false\n")
	b.refused(Request{Client: Client{Kind: Page}, Operation: OpOwn}, ReasonPolicy)
	if d := b.Connect(Client{Kind: Page}); d.Verdict != Refuse {
		t.Errorf("%+v", d)
	}
	b.refused(Request{Client: site(t, "https://clinic.example"), Operation: OpSignHash}, ReasonPolicy)
}

func TestMuting(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	r := Request{Client: site(t, "https://clinic.example"), Operation: OpLogin}
	b.Denied(r.Client)
	b.want(r, Ask, "consent")
	b.Denied(r.Client)
	b.refused(r, ReasonMuted)
	if d := b.Connect(r.Client); d.Reason != ReasonMuted {
		t.Errorf("%+v", d)
	}
	b.want(Request{Client: site(t, "https://other.example"), Operation: OpLogin}, Ask, "consent")
	b.clock.add(10*time.Minute - time.Second)
	b.refused(r, ReasonMuted)
	b.clock.add(time.Second)
	b.want(r, Ask, "consent")
	b.Denied(r.Client) // the first again
	b.want(r, Ask, "consent")

	// A program without a token has no name that counts.
	b.Denied(Client{Kind: Program, Name: "One"})
	b.Denied(Client{Kind: Program, Name: "Two"})
	b.refused(Request{Client: Client{Kind: Program, Name: "Three"}, Operation: OpPair}, ReasonMuted)
}
