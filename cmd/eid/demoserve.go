package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent"
	"github.com/eidkit/eidkit/agent/client"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/cmd/eid/demosite"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/insurers"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/assurability"
)

// demoReader is the simulated reader's name; the second one has a 2 behind it.
const demoReader = "eidkit DEMO reader"

// demo is everything that `eid demo` runs: the services behind the cards, a reader with a card, the agent and the portal.
type demo struct {
	app      *app
	net      *network.Network
	insurers *insurers.Network
	system   *testcards.System
	readers  [2]demoSlot // the second one comes with its first card
	agent    *runningAgent
	site     *http.Server

	listeners []net.Listener
	door      net.Listener // the portal's
	folder    string       // state and documents, gone with the demo
	verifier  *verify.Verifier
	said      sync.Mutex // one line at a time on standard output
	signals   chan os.Signal
	removing  sync.Mutex // the folder
}

// demoInfo is what `eid demo --json` says first, and when p is typed; other lines are {"open": address} when the agent wants to show a page,
// and {"commands": n} when c is typed.
type demoInfo struct {
	Schema   int      `json:"schema"`
	Card     string   `json:"card"`
	Reader   string   `json:"reader"`
	Portal   string   `json:"portal"`
	Agent    string   `json:"agent"`
	Viewer   string   `json:"viewer"`
	Pharmacy string   `json:"pharmacy"`
	Log      string   `json:"log"`
	Network  string   `json:"network"`
	Cards    []string `json:"cards"` // that may be typed
}

// startDemo starts it all; whoever gets it calls close.
func (a *app) startDemo(ctx context.Context, f demoFlags) (d *demo, err error) {
	d = &demo{app: a}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.folder, err = os.MkdirTemp("", "eidkit-demo"); err != nil {
		return d, err
	}
	d.watchSignals(os.Exit)
	if d.net, err = network.Start(ctx, network.Options{}); err != nil {
		return d, err
	}
	if d.insurers, err = insurers.Start(ctx, insurers.Options{PKI: d.net.Of(pki.EC)}); err != nil {
		return d, err
	}
	d.system = &testcards.System{}
	d.addReader(0)
	if err := d.insert(0, f.profile); err != nil {
		return d, err
	}
	if d.listeners, err = agent.Listen(ctx, int(f.port)); err != nil {
		return d, hinted{err, "an agent may be running: eid agent stop, or take a free port with --port 0"}
	}
	p, err := d.parts(f)
	if err != nil {
		return d, err
	}
	port := d.listeners[0].Addr().(*net.TCPAddr).Port
	p.base = fmt.Sprintf("http://127.0.0.1:%d", port)
	if d.agent, err = a.newAgent(p); err != nil {
		return d, err
	}
	var listen net.ListenConfig
	if d.door, err = listen.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(f.sitePort)))); err != nil {
		return d, hinted{err, "take a free port for the portal with --site-port 0"}
	}
	lib, err := fs.Sub(client.FS, "dist")
	if err != nil {
		return d, err
	}
	site := demosite.New(demosite.Options{Origin: "http://" + d.door.Addr().String(), Agent: fmt.Sprintf("ws://127.0.0.1:%d http://127.0.0.1:%d", port, port), // content policies cannot name [::1]
		Client: lib, Anchors: p.anchors, Verifier: d.verifier, Config: map[string]any{"agentPort": port, "level": "lt"}})
	d.site = &http.Server{Handler: site, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	return d, nil
}

// demoPolicy lets the pharmacy page ask about numbers without a card; everything else is asked of the user.
const demoPolicy = "[pages.free_numbers]\nper_minute = 10\nper_day = 200\n"

// parts are those of the demo's agent: simulated readers, test roots, the test network, and the user's browser.
func (d *demo) parts(f demoFlags) (p agentParts, err error) {
	a := d.app
	if f.policy == "" {
		f.policy = filepath.Join(d.folder, "policy.toml")
		if err := os.WriteFile(f.policy, []byte(demoPolicy), 0o600); err != nil {
			return p, err
		}
	}
	if f.policy, err = namedPolicy(f.policy); err != nil {
		return p, err
	}
	d.verifier = &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	p = agentParts{system: d.system, open: func(name string) card.Reader {
		r, err := d.system.Reader(name)
		if err != nil {
			return goneReader(name)
		}
		return r
	}, autoPIN: automatic, anchors: &verify.Anchors{}, verifier: d.verifier, developer: true, state: filepath.Join(d.folder, "state"),
		runtime: filepath.Join(d.folder, "run"), policy: f.policy, policyOwner: os.Getuid(), show: d.show(f)}
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		p.anchors.Add(d.net.Of(alg).Root.Certificate)
	}
	p.signing = func() sign.Options {
		return sign.Options{TSAs: []sign.TSA{{URL: d.net.Of(pki.EC).TSAURL()}}, Anchors: p.anchors, Verifier: d.verifier}
	}
	if p.log, err = a.agentLog(f.log); err != nil {
		return p, err
	}
	session, c, err := d.insurance()
	if err != nil {
		return p, err
	}
	p.insurance, p.insuranceSession = c, func() (time.Time, bool) { return session.Until(), true }
	return p, nil
}

// goneReader is a reader that was unplugged.
type goneReader string

func (r goneReader) Name() string { return string(r) }

func (r goneReader) Connect(context.Context, card.Mode) (card.Transport, error) {
	return nil, fmt.Errorf("%s: %w", string(r), card.ErrNoReader)
}

// insurance is the session and client of the invented pharmacy.
func (d *demo) insurance() (*assurability.Session, *assurability.Client, error) {
	all := insurers.Providers()
	who := all[slices.IndexFunc(all, func(p insurers.Provider) bool { return p.Name == "pharmacy" })]
	key, err := d.insurers.Credential(who.Name)
	if err != nil {
		return nil, nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(d.net.Of(pki.EC).Root.Certificate)
	provider := assurability.Provider{Quality: who.Quality, NIHII: who.NIHII, Name: "Demo", Organisation: who.Organisation, Package: who.Package, Test: true,
		LicenceUser: who.LicenceUser, LicencePassword: who.LicencePassword}
	provider.Titular.Name, provider.Titular.NIHII = who.TitularName, who.TitularNIHII
	if provider.Titular.NISS, err = niss.Parse(who.Person); err != nil {
		return nil, nil, err
	}
	session, err := assurability.NewSession(assurability.SessionOptions{Provider: provider, URL: d.insurers.Address(insurers.STS), Unattended: true, CABundle: roots,
		Credential: func(context.Context) (crypto.Signer, *x509.Certificate, error) { return key.Key, key.Certificate, nil }})
	if err != nil {
		return nil, nil, err
	}
	c, err := assurability.New(assurability.Options{Session: session, Endpoints: map[assurability.Service]string{
		assurability.GenIns: d.insurers.Address(insurers.GenIns), assurability.Pharmacist: d.insurers.Address(insurers.Pharmacist),
		assurability.MemberData: d.insurers.Address(insurers.MemberData)}})
	return session, c, err
}

// simulated is a card whose certificates point to the demo's own services.
func (d *demo) simulated(name string) (*testcards.Card, error) {
	for _, p := range insurers.Patients() {
		if name == patientPrefix+p.Name && p.Number != "" {
			return p.Card("", testcards.Options{PKI: d.net.Of(pki.EC)})
		}
	}
	plain, err := testcards.Open(name, testcards.Options{})
	if err != nil {
		return nil, err
	}
	algorithm := pki.RSA
	switch {
	case plain.Root().PublicKeyAlgorithm == x509.ECDSA:
		algorithm = pki.EC
	case plain.Profile().Applet == "1.1":
		algorithm = pki.RSA1024
	}
	return testcards.Open(name, testcards.Options{PKI: d.net.Of(algorithm)})
}

// show opens a page for the user, or tells him its address.
func (d *demo) show(f demoFlags) func(context.Context, string) error {
	return func(ctx context.Context, url string) error {
		if f.json {
			return d.sayJSON(map[string]string{"open": url})
		}
		if openBrowser(ctx, f.browser, url) != nil {
			d.app.info("the agent asks you something: open %s", url)
		}
		return nil
	}
}

// run serves until ctx ends, and changes cards as they are typed.
func (d *demo) run(ctx context.Context, asJSON bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(d.agent.serve(ctx, d.listeners)) }()
	go func() { cancel(d.site.Serve(d.door)) }()
	if err := d.announce(asJSON); err != nil {
		return err
	}
	go d.typed(ctx, asJSON)
	<-ctx.Done()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// demoCards are those that can be put in by typing their number.
var demoCards = []string{"citizen-1.8", "citizen-1.7", "foreigner-1.8", "kid-1.8", "patient-ordinary"}

// cardNames are all that may be typed.
func cardNames() (names []string) {
	names = slices.Clone(demoCards)
	for _, p := range patientProfiles() {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

func (d *demo) info() (i demoInfo, err error) {
	i = demoInfo{Schema: 1, Card: d.readers[0].name, Reader: demoReader, Portal: "http://" + d.door.Addr().String() + "/",
		Agent: "http://" + d.listeners[0].Addr().String(), Network: d.net.URL(), Cards: cardNames()}
	for page, url := range map[string]*string{"viewer": &i.Viewer, "pharmacy": &i.Pharmacy, "log": &i.Log} {
		if *url, err = d.agent.PageURL(page); err != nil {
			return i, err
		}
	}
	return i, nil
}

func (d *demo) announce(asJSON bool) error {
	i, err := d.info()
	if err != nil {
		return err
	}
	if asJSON {
		return d.sayJSON(i)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "TEST CARD  %s in the %s; its PIN is entered by itself\n\n", i.Card, i.Reader)
	fmt.Fprintf(&out, "Open this  %s\n           a municipality's portal: log in, declare, sign, get a receipt\n\n", i.Portal)
	fmt.Fprintf(&out, "Pages of the agent; each address works once, within a minute (new ones: type p):\n")
	fmt.Fprintf(&out, "  card      %s\n  pharmacy  %s\n  log       %s\n\n", i.Viewer, i.Pharmacy, i.Log)
	fmt.Fprintf(&out, "Type a number to change the card, or the name of one (eid testcard list):\n  0 none")
	for n, name := range demoCards {
		fmt.Fprintf(&out, "  %d %s", n+1, name)
	}
	fmt.Fprintf(&out, "\nCtrl-C ends it. Nothing of it stays.\n")
	_, err = out.WriteTo(d.app.out)
	return err
}

func (d *demo) close() {
	if d.site != nil {
		d.site.Close()
	}
	if d.agent != nil {
		d.agent.close()
	}
	closeAll(d.listeners)
	if d.door != nil {
		d.door.Close()
	}
	if d.verifier != nil {
		d.verifier.Close()
	}
	if d.insurers != nil {
		d.insurers.Close()
	}
	if d.net != nil {
		d.net.Close()
	}
	d.removeFolder()
	d.forgetSignals()
}
