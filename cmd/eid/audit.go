package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent/audit"
)

// auditFlags are those of `eid audit`.
type auditFlags struct {
	dir    string
	key    string
	head   string
	json   bool
	limit  int
	client string
}

// auditReport is the JSON of `eid audit verify` (docs/schema/audit-report.json).
type auditReport struct {
	Schema int `json:"schema"`
	*audit.Report
}

func (a *app) auditCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Look at the agent's log, and find out whether it was changed",
		Long: `The agent writes a line before it touches a card and another before an answer leaves. National
numbers are in the log only sealed to the data-protection officer, or as an HMAC.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&f.dir, "dir", "", "folder of the log (default: that of the agent)")
	cmd.PersistentFlags().BoolVar(&f.json, "json", false, "print JSON")
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Check that no line of the log was changed, removed, put elsewhere or cut off",
		Long: `Exit codes: 0 nothing is wrong, 1 something was changed, 10 nothing is wrong as far as can be seen,
but without the key of the installation nobody can tell whether lines were cut off at the end.`,
		Example: `  eid audit verify
  eid audit verify --dir copy --key audit.key
  eid audit verify --head "$(journalctl -t eidkit-audit -o cat -n 1)"`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.auditVerify(f) },
	}
	verify.Flags().StringVar(&f.key, "key", "", "key of the installation, for a log that was copied without it")
	verify.Flags().StringVar(&f.head, "head", "", "a head that the agent sent to the system's log: its line has to be there")
	show := &cobra.Command{
		Use:   "show",
		Short: "Print what was done, the newest last",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return a.auditShow(f) },
	}
	show.Flags().IntVar(&f.limit, "limit", 100, "so many lines of the log at most; 0: all")
	show.Flags().StringVar(&f.client, "client", "", "of this site or program only")
	cmd.AddCommand(verify, show)
	return cmd
}

// auditDir is the folder of the log.
func auditDir(f auditFlags) (string, error) {
	if f.dir != "" {
		return f.dir, nil
	}
	state, err := stateFolder()
	return filepath.Join(state, "audit"), err
}

// noLog explains why there is nothing to look at.
func noLog(err error) error {
	if errors.Is(err, audit.ErrNone) || errors.Is(err, os.ErrNotExist) {
		return hinted{audit.ErrNone, "the agent begins it: eid agent"}
	}
	return err
}

func (a *app) auditVerify(f auditFlags) error {
	dir, err := auditDir(f)
	if err != nil {
		return err
	}
	var key [][]byte
	if f.key != "" {
		k, err := os.ReadFile(f.key)
		if err != nil {
			return fmt.Errorf("reading the key: %w", err)
		}
		key = append(key, k)
	}
	report, err := audit.Verify(dir, key...)
	if err != nil {
		return noLog(err)
	}
	if f.head != "" && report.Fault == nil {
		if report.Fault, err = audit.VerifyHead(dir, f.head, key...); err != nil {
			return err
		}
	}
	if f.json {
		err = writeJSON(a.out, auditReport{1, report})
	} else {
		err = a.printAuditReport(report)
	}
	switch {
	case err != nil:
		return err
	case report.Fault != nil:
		return verdict(exitInvalid)
	case !report.HeadChecked:
		return verdict(exitIndeterminate)
	}
	return nil
}

func (a *app) auditShow(f auditFlags) error {
	dir, err := auditDir(f)
	if err != nil {
		return err
	}
	if f.limit < 0 {
		return usagef("--limit takes a number from 0")
	}
	if f.limit == 0 {
		f.limit = -1
	}
	lines, err := audit.Read(dir, audit.Filter{Limit: f.limit, Client: f.client})
	if err != nil {
		return noLog(err)
	}
	if !f.json {
		return a.printAudit(lines)
	}
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	for i := range lines {
		if err := e.Encode(&lines[i]); err != nil {
			return err
		}
	}
	return nil
}
