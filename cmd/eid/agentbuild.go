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
	"slices"
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
	"github.com/eidkit/eidkit/internal/sysfile"
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
	started   access.Settings // those of the policy when it started
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
	r.started = settings
	r.hub = cards.New(hubOptions(a, p, settings))
	program, owner := settings.Pinentry, p.policyOwner
	if program == "" && (p.autoPIN == nil || p.pinentry != "") { // a simulated card's PIN needs no dialog
		owner = 0
		if program, err = systemDialog(cmp.Or(p.pinentry, a.config.Pinentry), p.log); err != nil {
			return nil, err
		}
	}
	dialog := pinentry.Dialog{Program: program, Check: onlyRoots(owner)}
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
	path, err := pinentry.Dialog{Program: named, Check: onlyRoots(0)}.Find()
	switch {
	case errors.Is(err, sysfile.ErrOthers):
		return "", hinted{err, "install one with the system's packages, or have the administrator name it in " + access.PolicyPath()}
	case err != nil:
		log.Warn("what needs the PIN will be refused", "error", err)
		return named, nil
	}
	return path, nil
}

// onlyRoots wants a program that root alone can change, or that owner; 0: nobody else.
func onlyRoots(owner int) func(path string) error {
	return func(path string) error {
		_, err := sysfile.File(path, owner)
		return err
	}
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
	look := time.NewTicker(policyEvery)
	defer look.Stop()
	beside.Go(func() { r.followPolicy(ctx, look.C) })
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

// policyEvery is how often settings are taken from the policy.
const policyEvery = 2 * time.Second

// followPolicy gives the hub the readers' roles that the policy in force has, and says which of its settings wait for the next start, till
// ctx ends.
func (r *runningAgent) followPolicy(ctx context.Context, tick <-chan time.Time) {
	told := ""
	for {
		select {
		case <-tick:
			now := r.authority.Settings()
			r.hub.SetRoles(now.Roles)
			waiting := strings.Join(waitingSettings(r.started, now), ", ")
			if waiting != "" && waiting != told {
				r.log.Warn("the policy has changed, and a part of it counts when the agent is started anew", "settings", waiting)
			}
			told = waiting
		case <-ctx.Done():
			return
		}
	}
}

// waitingSettings are the names, in the policy, of settings that an agent takes at its start alone and that are others now.
func waitingSettings(then, now access.Settings) (names []string) {
	for _, s := range []struct {
		name    string
		changed bool
	}{
		{"audit.dpo_key", then.DPOKey != now.DPOKey},
		{"audit.max_mib", then.AuditMaxBytes != now.AuditMaxBytes},
		{"audit.syslog", then.Syslog != now.Syslog},
		{"dialogs.pinentry", then.Pinentry != now.Pinentry},
		{"readers.ignore", !slices.Equal(then.IgnoreReaders, now.IgnoreReaders)},
	} {
		if s.changed {
			names = append(names, s.name)
		}
	}
	return names
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
