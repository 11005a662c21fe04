package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent"
	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/client"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/pages"
	"github.com/eidkit/eidkit/agent/peer"
	"github.com/eidkit/eidkit/agent/service"
	"github.com/eidkit/eidkit/agent/spool"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/verify"
)

// agentParts is what an agent is made of: eid agent and eid demo differ in these.
type agentParts struct {
	system  card.System                   // nil: the machine's PC/SC service
	open    func(name string) card.Reader // with system
	autoPIN func(beid.Purpose) (card.PIN, error)

	anchors  *verify.Anchors
	verifier *verify.Verifier
	signing  func() sign.Options

	insurance        service.Insurer // nil: not configured
	insuranceSession func() (time.Time, bool)

	state       string // folder of log, grants and keys
	runtime     string // folder of the socket and of documents under way
	policy      string // file; empty: the system's
	policyOwner int    // user who may own it beside root
	base        string // address of the agent's own pages
	developer   bool   // pages of this machine by http are sites too
	pinentry    string
	show        func(ctx context.Context, url string) error // shows the user a page; nil: there is no browser
	log         *slog.Logger
}

// runningAgent is an agent with what belongs to it.
type runningAgent struct {
	*agent.Agent
	hub       *cards.Hub
	authority *access.Authority
	audit     *audit.Log
	log       *slog.Logger
}

// spoolQuota is how many bytes of documents all connections have under way together.
const spoolQuota = 4 << 30

// newAgent puts an agent together. Nothing listens yet; whoever gets it calls close.
func (a *app) newAgent(p agentParts) (_ *runningAgent, err error) {
	r := &runningAgent{log: p.log}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	r.authority, err = access.Open(access.Options{PolicyPath: p.policy, StateDir: p.state, OwnerUID: p.policyOwner, Developer: p.developer, Log: p.log})
	if err != nil {
		return nil, err
	}
	settings := r.authority.Settings()
	r.hub = cards.New(hubOptions(a, p, settings))
	program := settings.Pinentry
	if program == "" && (p.autoPIN == nil || p.pinentry != "") { // a simulated card's PIN needs no dialog
		if program, err = systemDialog(cmp.Or(p.pinentry, a.config.Pinentry), p.log); err != nil {
			return nil, err
		}
	}
	dialog := pinentry.Dialog{Program: program}
	asking := desk.Options{Dialog: dialog, Language: a.lang, AutoPIN: p.autoPIN}
	if p.show != nil {
		asking.OpenPage = func(ctx context.Context, _ string) error { return r.show(ctx, p, "consent") }
	}
	questions := desk.New(asking)
	me, err := os.Hostname()
	if err != nil {
		me = ""
	}
	logged := audit.Options{Dir: filepath.Join(p.state, "audit"), Host: me, User: userName(), Recipient: settings.DPOKey, MaxBytes: settings.AuditMaxBytes}
	if settings.Syslog {
		if logged.Sink, err = audit.SystemSink(); err != nil { // the log itself is what counts
			p.log.Warn("the heads of the audit log are not sent to the system's log", "error", err)
		}
	}
	if r.audit, err = audit.Open(logged); err != nil {
		return nil, err
	}
	documents, err := spool.New(filepath.Join(p.runtime, "documents"), spoolQuota)
	if err != nil {
		return nil, err
	}
	work, err := service.New(service.Options{Hub: r.hub, Gate: gate.New(r.authority, questions, r.audit), Desk: questions, Authority: r.authority,
		Log:      func(f audit.Filter) ([]audit.Line, error) { return audit.Read(logged.Dir, f) },
		Verifier: p.verifier, Anchors: p.anchors, SignOptions: p.signing, Insurance: p.insurance, InsuranceSession: p.insuranceSession,
		Language: a.lang, Version: currentVersion().Version})
	if err != nil {
		return nil, err
	}
	static, err := pages.New(pages.Options{Client: client.FS})
	if err != nil {
		return nil, err
	}
	r.Agent, err = agent.New(agent.Options{Authority: r.authority, Spool: documents, StateDir: p.state, Log: p.log, Methods: work.Methods(), Events: work,
		Desk: questions, Pages: static, PCSC: r.hub.Available, Base: p.base, Version: currentVersion().Version, Language: a.lang, Developer: p.developer})
	return r, err
}

// systemDialog is the dialog program that an agent uses where the policy names none: one that only root can change, since it gets
// the PIN. That there is none is no error; questions are then refused.
func systemDialog(named string, log *slog.Logger) (string, error) {
	if runtime.GOOS == "windows" {
		return named, nil // its own dialog
	}
	path, err := pinentry.Find(named)
	if err != nil {
		log.Warn("what needs the PIN will be refused", "error", err)
		return named, nil
	}
	if err := onlyRoots(path); err != nil {
		return "", hinted{fmt.Errorf("the PIN dialog %s: %w", path, err), "install one with the system's packages, or have the administrator name it in " + access.PolicyPath()}
	}
	return path, nil
}

// hubOptions are those of the machine's readers, or of simulated ones.
func hubOptions(a *app, p agentParts, settings access.Settings) cards.Options {
	o := cards.Options{System: p.system, Open: p.open, Roles: settings.Roles, Language: a.lang, Log: p.log,
		Ignore: func(name string) bool {
			return !a.wants(name) || pcsc.Options{Ignore: settings.IgnoreReaders}.Ignores(name) && len(settings.IgnoreReaders) > 0
		}}
	if o.System == nil {
		o.System, o.Open = pcsc.System(), pcsc.Named
	}
	return o
}

// userName is who runs this, as the system calls him; where it cannot be asked, as he says.
func userName() string {
	if me, err := peer.Self(); err == nil && me.Name != "" {
		return me.Name
	}
	return environmentUser()
}

// environmentUser is the name in the environment.
func environmentUser() string {
	return cmp.Or(os.Getenv("USER"), os.Getenv("USERNAME"), os.Getenv("LOGNAME"))
}

// show has the user look at one of the agent's pages; there has to be a browser.
func (r *runningAgent) show(ctx context.Context, p agentParts, page string) error {
	url, err := r.PageURL(page)
	if err != nil {
		return err
	}
	return p.show(ctx, url)
}

// serve runs the agent until ctx ends or somebody stops it.
func (r *runningAgent) serve(ctx context.Context, listeners []net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beside sync.WaitGroup
	beside.Go(func() {
		if err := r.hub.Run(ctx); ctx.Err() == nil {
			cancel(err)
		}
	})
	beside.Go(func() { r.authority.Watch(ctx) })
	roles := time.NewTicker(rolesEvery)
	defer roles.Stop()
	beside.Go(func() { r.followRoles(ctx, roles.C) })
	beside.Go(func() {
		select {
		case <-r.hub.Ready():
			agent.Settle()
		case <-ctx.Done():
		}
	})
	err := r.Serve(ctx, listeners...)
	if why := context.Cause(ctx); err == nil && !errors.Is(why, context.Canceled) {
		err = why
	}
	cancel(nil)
	beside.Wait()
	if errors.Is(err, agent.ErrClosed) {
		return nil
	}
	return err
}

// rolesEvery is how often the readers' roles are taken from the policy.
const rolesEvery = 2 * time.Second

// followRoles gives the hub the readers' roles that the policy in force has, till ctx ends.
func (r *runningAgent) followRoles(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-tick:
			r.hub.SetRoles(r.authority.Settings().Roles)
		case <-ctx.Done():
			return
		}
	}
}

func (r *runningAgent) close() {
	if r.Agent != nil {
		r.Agent.Close()
	}
	if r.audit != nil {
		if err := r.audit.Close(); err != nil {
			r.log.Error("the log could not be closed", "error", err)
		}
	}
}

// agentLog writes what the agent has to say about itself.
func (a *app) agentLog(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		return nil, usagef("--log takes debug, info, warn or error, not %q", level)
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: l})), nil
}

// agentInsurance is the way to the insurers, if it is configured.
func (a *app) agentInsurance(p *agentParts, f insuranceFlags) (release func(), err error) {
	if a.config.Insurance.STS == "" && a.config.Insurance.NIHII == "" {
		return func() {}, nil
	}
	s, err := a.insuranceSession(f, false)
	if err != nil {
		return nil, fmt.Errorf("insurance: %w", err)
	}
	c, err := a.insuranceClient(s.Session)
	if err != nil {
		return nil, fmt.Errorf("insurance: %w", err)
	}
	p.insurance = c
	p.insuranceSession = func() (time.Time, bool) { return s.Until(), s.options.Provider.Test }
	return func() { s.release() }, nil
}
