package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// workshop is the test PKIs of both algorithms with their services, whose
// clock is the judges' own: the real one; and what the judges are told to trust.
type workshop struct {
	net     *network.Network
	roots   string // PEM of both roots
	root    map[pki.Algorithm]string
	nss     string // a key store of NSS that trusts them; made by nssdir
	anchors *verify.Anchors
	online  *verify.Verifier
	people  map[pki.Algorithm][]*pki.Issued
}

// software is a key in memory.
type software struct {
	crypto.Signer
	certificate *x509.Certificate
}

func (k software) Certificate() *x509.Certificate { return k.certificate }

func newWorkshop(t testing.TB) *workshop {
	t.Helper()
	n, err := network.Start(context.Background(), network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	w := &workshop{net: n, anchors: &verify.Anchors{}, online: newVerifier(t), root: map[pki.Algorithm]string{}, people: map[pki.Algorithm][]*pki.Issued{}}
	var roots []*x509.Certificate
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		c := n.Of(alg).Root.Certificate
		roots = append(roots, c)
		w.anchors.Add(c)
		w.root[alg] = inFile(t, "root.pem", inPEM(c))
		for _, p := range persons {
			who, err := signed.Citizen(n.Of(alg), pki.Request{Subject: p, NotAfter: time.Date(2049, 12, 31, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			w.people[alg] = append(w.people[alg], who)
		}
	}
	w.roots = inFile(t, "roots.pem", inPEM(roots...))
	return w
}

// newVerifier is one that has seen nothing yet and reaches the test services.
func newVerifier(t testing.TB) *verify.Verifier {
	v := &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 30 * time.Second}
	t.Cleanup(func() { v.Close() })
	return v
}

// nssdir is the key store for pdfsig.
func (w *workshop) nssdir(t testing.TB) string {
	t.Helper()
	if w.nss == "" {
		dir := "sql:" + t.TempDir()
		mustRun(t, "", "certutil", "-N", "-d", dir, "--empty-password")
		for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
			mustRun(t, "", "certutil", "-A", "-d", dir, "-n", "root "+alg.String(), "-t", "CT,C,C", "-i", w.root[alg])
		}
		w.nss = dir
	}
	return w.nss
}

// persons who sign; none of them exists.
var persons = []pki.Subject{
	{NationalNumber: "71715100070", Surname: "Proefkonijn-Specimen", GivenNames: "Zoë Marie"},
	{NationalNumber: "00000000097", Surname: "Specimen", GivenNames: "Jan"},
}

// citizen is a person with a key of an algorithm.
func (w *workshop) citizen(alg pki.Algorithm, person int) *pki.Issued { return w.people[alg][person] }

func (w *workshop) software(alg pki.Algorithm, person int) software {
	who := w.citizen(alg, person)
	return software{who.Key, who.Certificate}
}

// options are for a signature of now with the services of that algorithm.
func (w *workshop) options(alg pki.Algorithm, level sign.Level) sign.Options {
	return sign.Options{Level: level, Anchors: w.anchors, Verifier: w.online, TSAs: []sign.TSA{{URL: w.net.Of(alg).TSAURL()}}}
}

// signedBefore is a PDF with a signature that testcards/signed made.
func (w *workshop) signedBefore(t testing.TB, level signed.Level, o signed.PDFOptions) []byte {
	t.Helper()
	p := signed.NewPDF(o)
	who := w.citizen(pki.EC, 1)
	if err := p.Sign(signed.Options{PKI: w.net.Of(pki.EC), Signer: who, At: time.Now().Add(-time.Hour), Level: level}, signed.Field{}); err != nil {
		t.Fatal(err)
	}
	return p.Bytes()
}

// judged is what our own verify says of a file: online, or offline with
// nothing remembered.
func (w *workshop) judged(t testing.TB, data []byte, offline bool, detached ...verify.Content) *verify.Report {
	t.Helper()
	v := w.online
	if offline {
		v = newVerifier(t)
	}
	rep, err := v.File(context.Background(), bytes.NewReader(data), int64(len(data)), verify.Options{Anchors: w.anchors, Offline: offline, Detached: detached})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// complaint is nothing for a report of n passed signatures.
func complaint(rep *verify.Report, n int) error {
	if rep.Passed() && len(rep.Signatures) == n {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s, %d signatures", rep.Error, rep.Reason, rep.Indication, len(rep.Signatures))
	for _, s := range rep.Signatures {
		fmt.Fprintf(&b, "\n%s %s %s: %s %s", s.ID, s.Format, s.Level, s.Indication, s.SubIndication)
		for _, m := range append(s.Errors, s.Warnings...) {
			fmt.Fprintf(&b, "\n  %s %s %s", m.Code, m.Text, m.Detail)
		}
		for _, ts := range s.Timestamps {
			for _, m := range append(ts.Errors, ts.Warnings...) {
				fmt.Fprintf(&b, "\n  %s: %s %s %s", ts.ID, m.Code, m.Text, m.Detail)
			}
		}
	}
	return fmt.Errorf("%s", b.String())
}

func source(name, mime string, data []byte) sign.Source {
	return sign.Source{Name: name, Data: bytes.NewReader(data), Size: int64(len(data)), MIMEType: mime}
}

// signFile makes one signature in memory.
func signFile(ctx context.Context, f sign.Format, in []sign.Source, key sign.Key, o sign.Options) ([]byte, *sign.Report, error) {
	var b bytes.Buffer
	var rep *sign.Report
	var err error
	switch f {
	case sign.FormatCAdES:
		rep, err = sign.CAdES(ctx, &b, in[0], key, o)
	case sign.FormatPAdES:
		rep, err = sign.PAdES(ctx, &b, in[0], key, o)
	case sign.FormatXAdES:
		rep, err = sign.XAdES(ctx, &b, in, key, o)
	case sign.FormatASiCE:
		rep, err = sign.ASiCE(ctx, &b, in, key, o)
	}
	return b.Bytes(), rep, err
}

func inPEM(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}

// inFile writes a file into a folder of its own.
func inFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// runTool runs one of the judges or makers, in a folder if one is given. make
// test installs them all.
func runTool(t testing.TB, dir, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%v: make test installs it", err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

func mustRun(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	out, err := runTool(t, dir, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
