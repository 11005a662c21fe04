package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/sign"
	"github.com/spf13/cobra"
)

// stampFlags are the flags of `eid timestamp`.
type stampFlags struct {
	format, out, hash string
	services          serviceFlags
	result            resultFlags
}

func (a *app) timestampCommand() *cobra.Command {
	var f stampFlags
	cmd := &cobra.Command{
		Use:   "timestamp FILE...",
		Short: "Have a time stamp authority say that files exist now",
		Long: `Have a time stamp authority say that files exist now, unchanged (RFC 3161). Only the digest leaves this
machine. The token is written beside the file, a.txt.tst for a.txt, and is checked first; with
--format pades it goes into the PDF, as report-stamped.pdf. No card is needed.`,
		Example: `  eid timestamp letter.txt --tsa http://tsa.example/
  eid timestamp report.pdf --format pades
  openssl ts -verify -in letter.txt.tst -token_in -data letter.txt -CAfile root.pem`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.timestamp(cmd.Context(), args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "pades: a document time stamp in a PDF (default: a token in a file of its own)")
	flags.StringVar(&f.out, "out", "", "file to write; for several files a folder, made if it is missing")
	flags.StringVar(&f.hash, "hash", "", "sha256, sha384, sha512, sha3-256, sha3-384 or sha3-512 (default: sha256)")
	f.services.add(cmd)
	f.result.add(cmd, "sign.json")
	return cmd
}

func (a *app) timestamp(ctx context.Context, args []string, f stampFlags) (err error) {
	p := &signPlan{mode: modeTimestamp, force: f.result.force}
	defer p.close()
	format := sign.FormatCAdES // a token by itself
	if f.format != "" {
		if format = sign.FormatPAdES; !strings.EqualFold(f.format, string(format)) {
			return usagef("--format takes pades, or is left out, not %q", termview.Clean(f.format))
		}
	}
	if f.hash != "" {
		if p.options.Hash, err = hashNamed("--hash", f.hash); err != nil {
			return err
		}
	}
	if p.options.TSAs, err = a.authorities(f.services); err != nil {
		return err
	}
	if len(p.options.TSAs) == 0 {
		return hinted{usagef("no time stamp authority is named"), stampHint}
	}
	picked, err := pick(args, false, "", false)
	if err != nil {
		return err
	}
	for _, file := range picked {
		p.tasks = append(p.tasks, &signTask{inputs: []*inputFile{file.input()}, format: format})
	}
	if err := p.setServices(a, f.services, nil); err != nil {
		return err
	}
	n := naming{mode: p.mode, out: f.out, force: p.force}
	if err := n.nameAll(p.tasks, false); err != nil {
		return err
	}
	if err := n.checkOutputs(ctx, p.tasks); err != nil {
		return err
	}
	return (&signRun{app: a, plan: p, result: f.result}).all(ctx)
}

// stampHint is what to do without a time stamp authority where one is the whole purpose.
const stampHint = `name one with --tsa URL, or in the configuration: [sign] tsa = ["URL"]`

// checkStamps shows which time stamp authorities are configured. It asks none.
func (a *app) checkStamps() check {
	list, err := a.authorities(serviceFlags{})
	if err != nil {
		return check{Name: "time stamps", Status: checkFailed, Detail: "configuration: sign.tsa: " + err.Error(), Hint: "mend the part [sign] of the configuration file"}
	}
	if len(list) == 0 {
		return check{Name: "time stamps", Status: checkOK, Detail: "no authority is configured: signatures have level b unless --tsa names one"}
	}
	var hosts []string
	for _, tsa := range list {
		host := "(unreadable address)"
		if u, err := url.Parse(tsa.URL); err == nil && u.Host != "" {
			host = u.Host
		}
		hosts = append(hosts, host)
	}
	return check{Name: "time stamps", Status: checkOK, Detail: termview.Clean(fmt.Sprintf("authorities, in turn: %s", strings.Join(hosts, ", ")))}
}
