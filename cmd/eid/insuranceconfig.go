package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify/assurability"
)

// insuranceConfig is the [insurance] part of the configuration: who asks, with what software, whom and how (docs/assurability.md).
type insuranceConfig struct {
	Quality      string `toml:"quality"`
	NIHII        string `toml:"nihii"`
	Name         string `toml:"name"`
	Organisation bool   `toml:"organisation"`
	Titular      struct {
		Name  string `toml:"name"`
		NIHII string `toml:"nihii"`
		NISS  string `toml:"niss"`
	} `toml:"titular"`
	Package     string `toml:"package"`
	Site        string `toml:"site"`
	Test        bool   `toml:"test"`
	LicenceFile string `toml:"licence_file"`

	STS            string   `toml:"sts"`
	STSAction      string   `toml:"sts_action"`
	Claims         []string `toml:"claims"`
	Lifetime       duration `toml:"lifetime"`
	Margin         duration `toml:"margin"`
	Credential     string   `toml:"credential"` // card, pkcs11:URI or the path of a PKCS #12 file
	PassphraseFile string   `toml:"passphrase_file"`
	Unattended     bool     `toml:"unattended"`
	SessionFile    string   `toml:"session_file"`

	Service   string                          `toml:"service"`
	Endpoints map[assurability.Service]string `toml:"endpoints"`
	Actions   map[assurability.Service]string `toml:"actions"`

	ConnectTimeout duration `toml:"connect_timeout"`
	Timeout        duration `toml:"timeout"`
	Parallel       int      `toml:"parallel"`

	CallLog      string   `toml:"call_log"` // "off": none
	LogKeyFile   string   `toml:"log_key_file"`
	Evidence     string   `toml:"evidence"`
	EvidenceKeys []string `toml:"evidence_keys"`
}

// duration is written as in Go: "8s", "24h".
type duration struct{ time.Duration }

func (d *duration) UnmarshalText(text []byte) (err error) {
	if d.Duration, err = time.ParseDuration(string(text)); err == nil && d.Duration < 0 {
		err = errors.New("a time below zero")
	}
	return err
}

// insuranceHint is what to do about a configuration that says too little.
func insuranceHint() string {
	path, err := configPath()
	if err != nil {
		path = "config.toml"
	}
	return "docs/assurability.md shows the part [insurance] of " + path
}

// insuranceFlags are those of all commands that reach the platform.
type insuranceFlags struct {
	ca     string
	dialog dialogFlags
}

func (f *insuranceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.ca, "ca", "", "PEM file with the roots for TLS (default: network.ca_bundle of the configuration, else the system's)")
	f.dialog.add(cmd)
}

// stateFolder is where the program keeps what must last and is nobody else's business.
func stateFolder() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if runtime.GOOS == "windows" {
			home, err = os.UserCacheDir() // %LocalAppData%
		}
		if err != nil {
			return "", fmt.Errorf("the folder for the program's state: %w", err)
		}
		dir = home
		if runtime.GOOS != "windows" {
			dir = filepath.Join(home, ".local", "state")
		}
	}
	dir = filepath.Join(dir, "eidkit")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", hinted{fmt.Errorf("the folder for the program's state: %w", err), "it has to be yours to write in; XDG_STATE_HOME names another place"}
	}
	return dir, nil
}

// stateFile is the file that is configured, or else the one of that name in the state folder.
func stateFile(configured, name string) (string, error) {
	if configured != "" {
		return configured, nil
	}
	dir, err := stateFolder()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

// provider is who asks, with the licence out of its file.
func (c *insuranceConfig) provider() (p assurability.Provider, err error) {
	p = assurability.Provider{Quality: c.Quality, NIHII: c.NIHII, Name: c.Name, Organisation: c.Organisation, Package: c.Package, Site: c.Site, Test: c.Test}
	p.Titular.Name, p.Titular.NIHII = c.Titular.Name, c.Titular.NIHII
	if c.Titular.NISS != "" {
		if p.Titular.NISS, err = niss.Parse(c.Titular.NISS); err != nil {
			return p, fmt.Errorf("configuration: insurance.titular.niss: %w", err)
		}
	}
	var missing []string
	for _, key := range [][2]string{{"quality", c.Quality}, {"nihii", c.NIHII}, {"sts", c.STS}} {
		if key[1] == "" {
			missing = append(missing, "insurance."+key[0])
		}
	}
	if missing != nil {
		return p, hinted{fmt.Errorf("configuration: not set: %s", strings.Join(missing, ", ")), insuranceHint()}
	}
	if c.LicenceFile == "" {
		return p, nil
	}
	data, err := readSecret(c.LicenceFile)
	if err != nil {
		return p, fmt.Errorf("configuration: insurance.licence_file %s: %w", c.LicenceFile, err)
	}
	var licence struct {
		User     string `toml:"user"`
		Password string `toml:"password"`
	}
	if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&licence); err != nil || licence.User == "" || licence.Password == "" {
		return p, fmt.Errorf(`configuration: insurance.licence_file %s: it must hold two lines: user = "..." and password = "..."`, c.LicenceFile) // what it holds is not told
	}
	p.LicenceUser, p.LicencePassword = licence.User, licence.Password
	return p, nil
}

// maxSecret is more than a licence or key has, in bytes.
const maxSecret = 4096

// readSecret reads a file that its owner alone may read.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plainPathError(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, hinted{errors.New("others may read it too"), "chmod 600 " + path}
	}
	return readBounded(path, maxSecret)
}

// platform is the session with its options, and the key that opens it while it is open.
type platform struct {
	*assurability.Session
	app     *app
	flags   insuranceFlags
	options assurability.SessionOptions
	release func() // lets go of card, token or file
}

// insuranceSession sets up the session; whoever gets it calls release. withKey tells that a new token may be asked for whatever that
// takes; without, it is renewed only where nobody needs to be asked.
func (a *app) insuranceSession(f insuranceFlags, withKey bool) (*platform, error) {
	c := &a.config.Insurance
	provider, err := c.provider()
	if err != nil {
		return nil, err
	}
	n := a.config.Network
	if f.ca != "" {
		n.CABundle = f.ca
	}
	reach, err := n.options()
	if err != nil {
		return nil, err
	}
	file, err := stateFile(c.SessionFile, "session.json")
	if err != nil {
		return nil, err
	}
	p := &platform{app: a, flags: f, release: func() {}}
	p.options = assurability.SessionOptions{Provider: provider, URL: c.STS, Action: c.STSAction, Claims: c.Claims, Unattended: c.Unattended,
		Lifetime: c.Lifetime.Duration, Margin: c.Margin.Duration, Expiring: a.announceEnd, File: file, Proxy: reach.Proxy, CABundle: reach.CABundle,
		ConnectTimeout: c.ConnectTimeout.Duration, Timeout: c.Timeout.Duration, Parallel: c.Parallel}
	if p.options.Margin == 0 {
		p.options.Margin = 30 * time.Minute
	}
	if c.Unattended && c.onCard() {
		return nil, hinted{errors.New("configuration: insurance.unattended: the holder of an eID card is asked for his PIN each time; nothing does that by itself"),
			"leave it out, or name a file or token as insurance.credential"}
	}
	if withKey || c.Unattended {
		p.options.Credential = p.credential
	}
	if p.Session, err = assurability.NewSession(p.options); err != nil {
		return nil, badInsurance(err)
	}
	return p, nil
}

// badInsurance is what the library finds wrong with the configuration, which is no fault of the question or the session.
func badInsurance(err error) error {
	return hinted{fmt.Errorf("configuration: insurance: %s", strings.TrimPrefix(err.Error(), assurability.ErrQuestion.Error()+": ")), insuranceHint()}
}

// credential is the key that proves to the platform who asks: of a file, a token, or the authentication key of an eID card. It is asked
// for once at a time, and the one before is let go of.
func (p *platform) credential(ctx context.Context) (crypto.Signer, *x509.Certificate, error) {
	p.release()
	p.release = func() {}
	a, c := p.app, &p.app.config.Insurance
	about := func() []string { return []string{a.insuranceWord("session") + ": " + c.Name} }
	if c.onCard() {
		return p.cardCredential(ctx, about)
	}
	k, err := a.openKey(ctx, keyFlags{key: c.Credential, passphraseFile: c.PassphraseFile, dialog: p.flags.dialog}, about)
	if err != nil {
		return nil, nil, err
	}
	p.release = k.close
	return k, k.Certificate(), nil
}

// onCard tells whether the provider proves who he is with the card in the reader.
func (c *insuranceConfig) onCard() bool { return c.Credential == "" || c.Credential == cardWord }

func (p *platform) cardCredential(ctx context.Context, about func() []string) (crypto.Signer, *x509.Certificate, error) {
	s, err := p.app.openCard(ctx)
	if err != nil {
		return nil, nil, err
	}
	p.release = func() { s.Close() }
	d, err := p.app.newDialog(p.flags.dialog, s, about)
	if err != nil {
		return nil, nil, err
	}
	key, err := s.AuthenticationKey(ctx, d.Ask)
	if err != nil {
		return nil, nil, err
	}
	return &cardKey{key: key, dialog: d, ctx: ctx}, key.Certificate(), nil
}

// insuranceClient sets up the client, with the call log and the evidence store that are configured. What a call says of lost evidence
// is told at once.
func (a *app) insuranceClient(s *assurability.Session) (*assurability.Client, error) {
	c := &a.config.Insurance
	o := assurability.Options{Session: s, Service: assurability.Service(c.Service), Endpoints: c.Endpoints, Actions: c.Actions,
		Evidence: c.Evidence, EvidenceKeys: c.EvidenceKeys}
	for _, m := range []map[assurability.Service]string{c.Endpoints, c.Actions} {
		for name := range m {
			if !slices.Contains(insuranceServices, name) {
				return nil, fmt.Errorf("configuration: insurance: there is no service %q", name)
			}
		}
	}
	if c.CallLog != "off" {
		key, err := logKey(c.LogKeyFile)
		if err != nil {
			return nil, fmt.Errorf("configuration: insurance.log_key_file: %w", err)
		}
		path, err := stateFile(c.CallLog, "insurability.jsonl")
		if err != nil {
			return nil, err
		}
		l, err := openCallLog(path)
		if err != nil {
			return nil, fmt.Errorf("configuration: insurance.call_log: %w", err)
		}
		o.LogKey = key
		o.Log = func(call assurability.Call) {
			if err := l.add(call); err != nil {
				a.info("warning: the call could not be logged in %s: %s", path, termview.Clean(err.Error()))
			}
			a.warnEvidence(call)
		}
	} else {
		o.Log = a.warnEvidence
	}
	client, err := assurability.New(o)
	if err != nil {
		return nil, badInsurance(err)
	}
	return client, nil
}

// insuranceServices are those that there are.
var insuranceServices = []assurability.Service{assurability.GenIns, assurability.Pharmacist, assurability.MemberData}

func (a *app) warnEvidence(call assurability.Call) {
	if call.EvidenceLost != "" {
		a.info("warning: question and answer could not be kept as evidence: %s", termview.Clean(call.EvidenceLost))
	}
}

// callLog is a file of JSON lines, readable by its owner alone, that is only ever added to.
type callLog struct {
	mu   sync.Mutex
	file *os.File
}

// openCallLog opens it before anything is asked, since what cannot be logged shall not be asked.
func openCallLog(path string) (*callLog, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &callLog{file: f}, nil
}

// add writes a line in one piece, which keeps those of several programs apart.
func (l *callLog) add(call assurability.Call) error {
	line, err := json.Marshal(call)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.file.Write(append(line, '\n'))
	return err
}

// logKey is the key under which national numbers are hashed in the log. Without a file of the operator's, one in the state folder is
// made at the first call.
func logKey(configured string) ([]byte, error) {
	path, err := stateFile(configured, "insurability.key")
	if err != nil {
		return nil, err
	}
	if configured == "" {
		key := make([]byte, 32)
		rand.Read(key)
		switch err := writeNew(path, key); {
		case err == nil:
			return key, nil
		case !errors.Is(err, fs.ErrExist):
			return nil, err
		}
	}
	key, err := readSecret(path)
	if err == nil && len(strings.TrimSpace(string(key))) < 16 {
		err = fmt.Errorf("%s has fewer than 16 bytes", path)
	}
	return key, err
}

// writeNew writes a private file that is not there yet, whole or not at all.
func writeNew(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".eid-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(f.Name(), path) // fails if somebody else was faster
	}
	return errors.Join(err, os.Remove(f.Name()))
}
