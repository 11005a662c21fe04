package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/verify"
	"github.com/spf13/cobra"
)

// verifyFlags are the flags of `eid verify`.
type verifyFlags struct {
	content, trust, receivedAt []string
	at, policy, language       string
	cache                      string
	offline, json, certificate bool
	printPolicy, allowPrivate  bool
	onlyTrust                  bool
	html, etsi                 string
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Verify the signatures of files",
		Long: `Verify the signatures of PDF, XML, CMS (.p7m, .p7s) and container files (.asice, .odt, .docx),
after ETSI EN 319 102-1: who signed, when, what is covered, and whether it is valid. The kind
of a file is told by its content; files beside it are never picked up. - is standard input.

Exit code 0: all valid; 1: a signature is not valid, or a file has none; 10: something could
not be proven; 6: a file could not be read.`,
		Example: `  eid verify contract.pdf
  eid verify letter.p7s --content letter.txt
  eid verify --trust root.pem --at 2024-01-01T00:00:00Z *.asice`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.printPolicy {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.MinimumNArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.verify(cmd.Context(), args, f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.content, "content", nil, "what a detached signature may be for")
	flags.StringArrayVar(&f.trust, "trust", nil, "trust these certificates too: a PEM or DER file, or a folder of them")
	flags.BoolVar(&f.onlyTrust, "only-trust", false, "trust nothing but that: neither the built-in roots nor the store")
	flags.StringVar(&f.at, "at", "", "judge as of this time (RFC 3339) instead of now")
	flags.StringArrayVar(&f.receivedAt, "received-at", nil, "you know that the file existed at this time (RFC 3339)")
	flags.BoolVar(&f.offline, "offline", false, "ask no service: use what is in the file or was fetched before")
	flags.BoolVar(&f.json, "json", false, "print JSON (docs/schema/verify.json, certificate.json), one line a file if there are several")
	flags.StringVar(&f.html, "html", "", "write the report as a page to this file too, with the pages of a PDF that signatures stand on")
	flags.StringVar(&f.etsi, "etsi", "", "write it as XML of ETSI TS 119 102-2 to this file too")
	flags.BoolVar(&f.certificate, "certificate", false, "the files are certificates: judge the first in each")
	flags.StringVar(&f.policy, "policy", "", "judge by this policy (JSON; begin with what --print-policy prints)")
	flags.BoolVar(&f.printPolicy, "print-policy", false, "print the policy and do nothing else")
	flags.StringVar(&f.language, "language", "", "language of the report, as --lang")
	flags.StringVar(&f.cache, "cache", "", "folder for fetched revocation lists (default: the user's cache)")
	flags.BoolVar(&f.allowPrivate, "allow-private", false, "let services have private and loopback addresses")
	return cmd
}

func (a *app) verify(ctx context.Context, files []string, f verifyFlags) error {
	if f.language != "" {
		if a.lang = language(f.language); a.lang == "" {
			return usagef("--language takes en, nl, fr or de")
		}
	}
	if (f.html != "" || f.etsi != "") && (len(files) > 1 || f.certificate) {
		return usagef("--html and --etsi take the report on one signed file")
	}
	options, err := a.verifyOptions(f)
	if err != nil {
		return err
	}
	defer options.close()
	if f.printPolicy {
		_, err := a.out.Write(append(bytes.TrimRight(options.Policy.Source(), "\n"), '\n'))
		return err
	}
	verifier, err := a.verifier(f)
	if err != nil {
		return err
	}
	defer verifier.Close()
	worst := error(nil)
	for _, name := range files {
		err := a.verifyOne(ctx, verifier, name, f, options.Options, len(files) > 1)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var v verdict
		if err != nil && !errors.As(err, &v) && len(files) > 1 {
			report(a.err, err, "eid verify --help") // the others are still judged
			err = verdict(exitFailure)
		}
		worst = worseOf(worst, err)
	}
	return worst
}

// worseOf keeps what ends the command: not valid, then failed, then not proven.
func worseOf(x, y error) error {
	rank := func(err error) int {
		var v verdict
		switch {
		case err == nil:
			return 0
		case !errors.As(err, &v):
			return 2
		case v == exitInvalid:
			return 3
		case v == exitFailure:
			return 2
		}
		return 1
	}
	if rank(y) > rank(x) {
		return y
	}
	return x
}

// verifyOne verifies one file or certificate and prints the report.
func (a *app) verifyOne(ctx context.Context, v *verify.Verifier, name string, f verifyFlags, o verify.Options, several bool) error {
	in, size, done, err := a.openInput(name)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	defer done()
	o.Name = name
	if name == "-" {
		o.Name = ""
	}
	var rep any
	var code error
	if f.certificate {
		r, err := checkCertificate(ctx, v, in, size, o)
		if err != nil {
			return fmt.Errorf("checking %s: %w", name, err)
		}
		r.File = name
		rep, code = r, exitOf(r.Indication)
	} else {
		r, err := v.File(ctx, a.watched(in, size, name), size, o)
		if err != nil {
			return fmt.Errorf("verifying %s: %w", name, err)
		}
		if err := a.writeReports(ctx, r, name, f); err != nil {
			return err
		}
		r.File = name // with its folder: there may be several of that name
		rep, code = r, exitOf(r.Indication)
	}
	switch {
	case f.json && several: // JSON Lines
		err = json.NewEncoder(a.out).Encode(rep)
	case f.json:
		err = writeJSON(a.out, rep)
	default:
		err = a.printReport(rep)
	}
	if err != nil {
		return err
	}
	return code
}

// exitOf is the exit code of a verdict; a file without one (no signature, or
// refused) is not valid.
func exitOf(i verify.Indication) error {
	switch i {
	case verify.TotalPassed:
		return nil
	case verify.Indeterminate:
		return verdict(exitIndeterminate)
	}
	return verdict(exitInvalid)
}

// checkCertificate judges the first certificate of a file; a chain may go
// through the others.
func checkCertificate(ctx context.Context, v *verify.Verifier, in io.ReaderAt, size int64, o verify.Options) (*verify.CertificateReport, error) {
	const limit = 16 << 20
	if size > limit {
		return nil, fmt.Errorf("more than %d bytes", limit)
	}
	data, err := io.ReadAll(io.NewSectionReader(in, 0, size))
	if err != nil {
		return nil, err
	}
	list, _, err := certs.ParseAll(data)
	if err != nil {
		return nil, usageError{err}
	}
	if len(list) == 0 {
		return nil, usageError{errors.New("no certificate in it")}
	}
	o.Intermediates = append(append([]*x509.Certificate(nil), list[1:]...), o.Intermediates...)
	return v.CheckCertificate(ctx, list[0], o)
}
