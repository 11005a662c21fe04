package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"

	verifyserver "github.com/eidkit/eidkit/verify/server"
	"github.com/spf13/cobra"
)

// serveFlags are the flags of `eid serve`, beside those it shares with verify.
type serveFlags struct {
	verifyFlags
	listen, certFile, keyFile, spool, log string
	maxUpload                             int64
	judged, queue                         int
	allowTimes                            bool
	grace                                 time.Duration
}

// defaultListen is loopback: who may ask from elsewhere is for a proxy to know.
const defaultListen = "127.0.0.1:24390"

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Verify signatures over HTTP",
		Long: `Verify signatures for other programs: POST a file to /v1/verify and get the report of
"eid verify" back, as JSON, as a page or as ETSI XML. Keeps nothing of what it is sent.
/healthz, /readyz and /metrics are for whoever runs it. Ends on SIGINT or SIGTERM, after the
requests under way. docs/server.md has the requests and answers.`,
		Example: `  eid serve
  curl --data-binary @contract.pdf http://127.0.0.1:24390/v1/verify
  curl -F file=@letter.p7s -F content=@letter.txt -H 'Accept: text/html' http://127.0.0.1:24390/v1/verify`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", defaultListen, "address and port to listen on; port 0 picks one")
	flags.StringVar(&f.certFile, "tls-cert", "", "speak TLS with this certificate (PEM, chain after it)")
	flags.StringVar(&f.keyFile, "tls-key", "", "and its key (PEM)")
	flags.StringArrayVar(&f.trust, "trust", nil, "trust these certificates too: a PEM or DER file, or a folder of them")
	flags.BoolVar(&f.onlyTrust, "only-trust", false, "trust nothing but that: neither the built-in roots nor the store")
	flags.StringVar(&f.policy, "policy", "", "judge by this policy (JSON)")
	flags.BoolVar(&f.offline, "offline", false, "ask no service: use what is in the files or was fetched before")
	flags.StringVar(&f.cache, "cache", "", "folder for fetched revocation lists (default: the user's cache)")
	flags.BoolVar(&f.allowPrivate, "allow-private", false, "let services have private and loopback addresses")
	flags.BoolVar(&f.allowTimes, "allow-times", false, "take the times at and receivedAt from clients: whoever may ask must be trusted with them")
	flags.Int64Var(&f.maxUpload, "max-upload", 64<<20, "bytes of the files of one request")
	flags.IntVar(&f.judged, "parallel", 0, "files judged at a time (default: two for each processor)")
	flags.IntVar(&f.queue, "queue", 0, "requests that may wait for that (default: 512)")
	flags.StringVar(&f.spool, "spool", "", "folder for uploads over 256 KiB while they are judged (default: the system's)")
	flags.StringVar(&f.log, "log", "json", "a line for each request on standard error: json, text or none")
	flags.DurationVar(&f.grace, "grace", 30*time.Second, "how long requests under way may take when it ends")
	return cmd
}

func (a *app) serve(ctx context.Context, f serveFlags) error {
	options, err := a.verifyOptions(f.verifyFlags)
	if err != nil {
		return err
	}
	defer options.close()
	verifier, err := a.verifier(f.verifyFlags)
	if err != nil {
		return err
	}
	defer verifier.Close()
	log, err := a.requestLog(f.log)
	if err != nil {
		return err
	}
	l, err := listen(f)
	if err != nil {
		return err
	}
	s := verifyserver.New(verifyserver.Options{
		Verifier: verifier, Verify: options.Options, MaxUpload: f.maxUpload, SpoolFolder: f.spool,
		Judged: f.judged, Queue: f.queue, AllowTimes: f.allowTimes, Log: log,
	})
	scheme := "http"
	if f.certFile != "" {
		scheme = "https"
	}
	fmt.Fprintf(a.err, "eid: listening on %s://%s/v1/verify\n", scheme, l.Addr())
	return s.Serve(ctx, l, f.grace)
}

func listen(f serveFlags) (net.Listener, error) {
	if (f.certFile == "") != (f.keyFile == "") {
		return nil, usagef("--tls-cert and --tls-key go together")
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	if f.certFile == "" {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		l.Close()
		return nil, usageError{fmt.Errorf("reading the TLS certificate: %w", err)}
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}), nil
}

// requestLog writes a line for each request, without names of files or
// persons.
func (a *app) requestLog(form string) (*slog.Logger, error) {
	switch form {
	case "json":
		return slog.New(slog.NewJSONHandler(a.err, nil)), nil
	case "text":
		return slog.New(slog.NewTextHandler(a.err, nil)), nil
	case "none":
		return slog.New(slog.DiscardHandler), nil
	}
	return nil, usagef("--log takes json, text or none, not %q", form)
}
