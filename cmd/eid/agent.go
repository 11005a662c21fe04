package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent"
	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/broker"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/localtls"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/sign"
)

// agentFlags are those of `eid agent`.
type agentFlags struct {
	port      uint16
	tlsPort   uint16
	broker    bool
	alone     bool
	registry  string // socket of the broker; empty: that of the machine
	developer bool
	browser   string
	policy    string
	log       string
	insurance insuranceFlags
}

// defaultTLSPort is beside the agent's own.
const defaultTLSPort = protocol.Port + 1

func (a *app) agentCommand() *cobra.Command {
	var f agentFlags
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Let browsers and programs of this machine use the card, if you allow it",
		Long: `Run the agent: web pages and programs of this machine reach the card through it, on loopback
alone, and each asks you first. What was done stands in a log that shows whether it was changed
(eid audit). PINs are typed in a dialog of this program or on the reader, never in a page.

Runs until interrupted. At log-in it is started by: eid agent autostart install. On a machine with
several users at once, eid agent --broker runs as a service of the system and shares the port out to
the agents of all users.`,
		Example: `  eid agent                    run it
  eid agent open viewer        look at your card in the browser
  eid agent status             is it running, and where
  eid pair "Pharmacy desk"     give a program on this machine a token
  eid grants                   what you have allowed for good`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.broker {
				return a.runBroker(cmd.Context(), f)
			}
			return a.runAgent(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.Uint16Var(&f.port, "port", protocol.Port, "port on 127.0.0.1 and [::1]; 0 takes a free one and writes it into the runtime folder")
	flags.Uint16Var(&f.tlsPort, "tls-port", defaultTLSPort, "port for TLS, once eid agent tls install has made a certificate; 0: none")
	flags.BoolVar(&f.broker, "broker", false, "be the broker of this machine: own the port and hand each user's connections to his agent")
	flags.BoolVar(&f.alone, "no-broker", false, "own the port although there is a broker")
	flags.BoolVar(&f.developer, "developer", false, "take pages of this machine by http as sites too, for development")
	flags.StringVar(&f.policy, "policy", "", "with --developer: policy file in the place of the system's; it must belong to root or to you")
	flags.StringVar(&f.browser, "browser", "", "program that shows a page to you; none: the agent never opens one (default: the system's)")
	flags.StringVar(&f.log, "log", "info", "what is told on standard error: debug, info, warn or error")
	f.insurance.add(cmd)
	_ = flags.MarkHidden("auto-pin") // for simulated cards: it is refused here, with the reason
	cmd.AddCommand(a.agentOpenCommand(), a.agentStatusCommand(), a.agentStopCommand(), a.policiesCommand(), a.agentTLSCommand(),
		a.nativeMessagingCommand(), a.autostartCommand())
	return cmd
}

func (a *app) runAgent(ctx context.Context, f agentFlags) error {
	if err := agent.Harden(); err != nil {
		return err
	}
	log, err := a.agentLog(f.log)
	if err != nil {
		return err
	}
	p := agentParts{developer: f.developer, pinentry: f.insurance.dialog.pinentry, log: log}
	if f.insurance.dialog.autoPIN || strings.HasPrefix(a.reader, testcardPrefix) {
		return usagef("the agent has real readers only; one with simulated cards is: eid demo")
	}
	if f.policy != "" {
		if !f.developer {
			return usagef("--policy is for development, with --developer: the administrator's policy is %s", access.PolicyPath())
		}
		if p.policy, err = namedPolicy(f.policy); err != nil {
			return err
		}
		p.policyOwner = os.Getuid()
	}
	if _, _, err := browserProgram(f.browser); err == nil {
		p.show = func(ctx context.Context, url string) error {
			err := openBrowser(ctx, f.browser, url)
			if err != nil {
				log.Warn("a question could not be shown in a browser", "error", err)
			}
			return err
		}
	}
	return a.serveAgent(ctx, f, p)
}

// namedPolicy is the path of a policy that was given by --policy: one that is not there would be no policy at all, without a word.
func namedPolicy(file string) (string, error) {
	if _, err := os.Stat(file); err != nil {
		return "", usageError{fmt.Errorf("--policy: %w", err)}
	}
	return filepath.Abs(file)
}

// serveAgent runs an agent with these parts, and the rest as the configuration has it.
func (a *app) serveAgent(ctx context.Context, f agentFlags, p agentParts) error {
	if err := a.agentServices(&p); err != nil {
		return err
	}
	defer p.verifier.Close()
	release, err := a.agentInsurance(&p, f.insurance)
	if err != nil {
		return err
	}
	defer release()
	listeners, err := a.agentListeners(ctx, f, p)
	if err != nil {
		return err
	}
	p.base = pagesAddress(listeners, f.port)
	r, err := a.newAgent(p)
	if err != nil {
		closeAll(listeners)
		return err
	}
	defer r.close()
	for _, l := range listeners {
		p.log.Info("listening", "address", l.Addr().String())
	}
	return r.serve(ctx, listeners)
}

// agentServices sets up folders, trust and the way to the network as the configuration has them.
func (a *app) agentServices(p *agentParts) (err error) {
	if p.state, err = stateFolder(); err != nil {
		return err
	}
	if p.runtime, err = dial.RuntimeDir(); err != nil {
		return err
	}
	if p.anchors, err = a.anchors(nil); err != nil {
		return err
	}
	if p.verifier, err = a.verifier(verifyFlags{}); err != nil {
		return err
	}
	authorities, err := a.authorities(serviceFlags{})
	if err != nil {
		return err
	}
	anchors, verifier := p.anchors, p.verifier
	p.signing = func() sign.Options {
		return sign.Options{TSAs: authorities, Anchors: anchors, Verifier: verifier}
	}
	return nil
}

// agentListeners opens the doors: the Unix socket, and the port, unless systemd has opened them or the broker has the port.
func (a *app) agentListeners(ctx context.Context, f agentFlags, p agentParts) (all []net.Listener, err error) {
	defer func() {
		if err != nil {
			closeAll(all)
		}
	}()
	if all, err = agent.Activated(); err != nil {
		return all, err
	}
	unix, tcp := false, false
	for _, l := range all {
		_, isUnix := l.(*net.UnixListener)
		unix, tcp = unix || isUnix, tcp || !isUnix
	}
	if !unix {
		l, err := agent.ListenUnix(ctx, p.runtime)
		if errors.Is(err, agent.ErrRunning) {
			return all, hinted{err, "see it with: eid agent status; end it with: eid agent stop"}
		}
		if err != nil {
			return all, err
		}
		all = append(all, l)
	}
	if !tcp {
		l, err := a.loopback(ctx, f, p)
		if err != nil {
			return all, err
		}
		all = append(all, l...)
	}
	secure, err := tlsListeners(ctx, f.tlsPort, p.state)
	return append(all, secure...), err
}

// loopback is the port: the broker's, if there is one on this machine, or our own.
func (a *app) loopback(ctx context.Context, f agentFlags, p agentParts) ([]net.Listener, error) {
	if !f.alone && int(f.port) == protocol.Port {
		l, err := broker.Register(cmp.Or(f.registry, broker.Path))
		switch {
		case err == nil:
			p.log.Info("the port is shared by the broker of this machine")
			return []net.Listener{l}, nil
		case !errors.Is(err, broker.ErrAbsent) && !errors.Is(err, broker.ErrUnsupported):
			return nil, hinted{err, "the administrator should look at it; --no-broker does without"}
		}
	}
	l, err := agent.Listen(ctx, int(f.port))
	var taken *agent.PortError
	if errors.As(err, &taken) {
		return nil, hinted{err, "end that program; for several users on one machine see docs/terminal-servers.md. --port takes another " +
			"port, but web pages look for the agent on " + strconv.Itoa(protocol.Port) + " alone"}
	}
	if err != nil || f.port != 0 {
		return l, err
	}
	_, err = agent.WritePort(p.runtime, l[0]) // the next agent writes it anew
	return l, err
}

// tlsListeners are the doors for browsers that want TLS, if there is a certificate.
func tlsListeners(ctx context.Context, port uint16, state string) ([]net.Listener, error) {
	certificate, err := localtls.Load(state)
	if errors.Is(err, localtls.ErrNotInstalled) || port == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, hinted{err, "without that file, make another certificate with: eid agent tls install; or do without TLS: --tls-port 0"}
	}
	plain, err := agent.Listen(ctx, int(port))
	if err != nil {
		return nil, hinted{err, "--tls-port takes another port, or none with 0"}
	}
	var secure []net.Listener
	for _, l := range plain {
		secure = append(secure, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}))
	}
	return secure, nil
}

// pagesAddress is where the agent's own pages are, for a browser: at the port itself, also when the broker has it.
func pagesAddress(listeners []net.Listener, port uint16) string {
	for _, l := range listeners {
		if t, ok := l.Addr().(*net.TCPAddr); ok && t.IP.To4() != nil {
			return "http://" + t.String()
		}
	}
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// runBroker shares the port out to the agents of all users.
func (a *app) runBroker(ctx context.Context, f agentFlags) error {
	log, err := a.agentLog(f.log)
	if err != nil {
		return err
	}
	b, err := broker.New(broker.Options{Log: log})
	if err != nil {
		return err
	}
	agents, clients, err := brokerListeners(ctx, f)
	if err != nil {
		return err
	}
	log.Info("sharing out", "port", f.port, "agents", broker.Path)
	return b.Serve(ctx, agents, clients...)
}

// brokerListeners are the broker's doors: those that systemd has opened, or, without it, ones of its own, which takes root.
func brokerListeners(ctx context.Context, f agentFlags) (agents *net.UnixListener, clients []net.Listener, err error) {
	activated, err := agent.Activated()
	if err != nil {
		return nil, nil, err
	}
	for _, l := range activated {
		if u, ok := l.(*net.UnixListener); ok {
			agents = u
		} else {
			clients = append(clients, l)
		}
	}
	if activated != nil {
		if agents == nil || clients == nil {
			closeAll(activated)
			return nil, nil, errors.New("systemd has opened one kind of the broker's sockets only: see packaging/systemd/system/eidkit-broker.socket")
		}
		return agents, clients, nil
	}
	if err := os.MkdirAll(filepath.Dir(broker.Path), 0o755); err != nil {
		return nil, nil, hinted{err, "run the broker by systemd, or as root"}
	}
	if err := os.Remove(broker.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("replacing the socket of an earlier broker: %w", err)
	}
	if agents, err = broker.ListenUnix(broker.Path); err != nil {
		return nil, nil, err
	}
	if clients, err = agent.Listen(ctx, int(f.port)); err != nil {
		agents.Close()
		return nil, nil, hinted{err, "end what has the port: agents that were started before the broker are ended by their users with eid agent stop"}
	}
	return agents, clients, nil
}
