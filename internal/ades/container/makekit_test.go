package container_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// world is a test PKI with its services running, somebody to sign, and a judge who trusts the root.
type world struct {
	t        testing.TB
	pki      *pki.PKI
	who      *pki.Issued
	verifier *verify.Verifier
	anchors  *verify.Anchors
	at       time.Time // of time stamps, if not now
	stamps   int
	units    bool  // each time stamp comes from a unit with a certificate of its own
	err      error // of all services
}

func newWorld(t testing.TB, a pki.Algorithm) *world {
	t.Helper()
	n, err := network.Start(context.Background(), network.Options{PKI: pki.Options{Algorithm: a}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	w := &world{t: t, pki: n.PKI, anchors: &verify.Anchors{}, verifier: &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	t.Cleanup(func() { w.verifier.Close() })
	w.anchors.Add(n.PKI.Root.Certificate)
	if w.who, err = signed.Citizen(n.PKI, pki.Request{}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) stamp(_ context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
	at := w.at
	if at.IsZero() {
		at = time.Now().Truncate(time.Second)
	}
	w.stamps++
	tsa := w.pki.TSA
	if w.units {
		var err error
		if tsa, err = w.pki.TimestampUnit(pki.Service{NotBefore: time.Date(2024, 1, w.stamps, 0, 0, 0, 0, time.UTC)}); err != nil {
			return nil, err
		}
	}
	token, err := answers.Timestamp{TSA: tsa, Certificates: []*x509.Certificate{tsa.Certificate, w.pki.TimestampCA.Certificate}, Hash: h, Imprint: digest,
		Policy: w.pki.TimestampPolicy(), Serial: big.NewInt(int64(w.stamps)), Time: at}.Token()
	return token, errors.Join(w.err, err)
}

func (w *world) evidence(ctx context.Context, needs []ades.Need, pool []*x509.Certificate, have ades.Values) (ades.Values, error) {
	var out ades.Values
	add := func(list *[][]byte, known [][]byte, raw []byte) {
		for _, other := range append(known[:len(known):len(known)], *list...) {
			if bytes.Equal(other, raw) {
				return
			}
		}
		*list = append(*list, raw)
	}
	for _, need := range needs {
		e, err := w.verifier.Evidence(ctx, need.Certificate, verify.Options{Anchors: w.anchors, At: need.At, Intermediates: pool, CRLs: have.CRLs, OCSPs: have.OCSPs})
		if err != nil {
			return out, err
		}
		for _, c := range e.Certificates {
			add(&out.Certificates, have.Certificates, c.Raw)
		}
		for _, raw := range e.CRLs {
			add(&out.CRLs, have.CRLs, raw)
		}
		for _, raw := range e.OCSPs {
			add(&out.OCSPs, have.OCSPs, raw)
		}
	}
	return out, w.err
}

func (w *world) raising(level ades.Level, ids ...string) ades.Raising {
	return ades.Raising{Level: level, Stamp: w.stamp, Evidence: w.evidence, IDs: ids}
}

func (w *world) making() ades.Making {
	m := ades.Making{Certificate: w.who.Certificate, Chain: []*x509.Certificate{w.who.Issuer.Certificate}, Time: time.Now().UTC().Truncate(time.Second).Add(-time.Second),
		Algorithm: sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA256}}
	if w.pki.Options().Algorithm == pki.EC {
		m.Algorithm = sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA384}
	}
	return m
}

func (w *world) value(d *container.Draft, m ades.Making) []byte {
	w.t.Helper()
	value, err := w.who.Key.Sign(nil, d.Digest(), m.Algorithm.Hash)
	if err != nil {
		w.t.Fatal(err)
	}
	return value
}

// finish signs and writes.
func (w *world) finish(d *container.Draft, m ades.Making, r *ades.Raising) []byte {
	w.t.Helper()
	var out bytes.Buffer
	n, err := d.Finish(context.Background(), w.value(d, m), r, &out)
	if err != nil {
		w.t.Fatal(err)
	}
	if n != int64(out.Len()) {
		w.t.Fatalf("%d bytes, but it says %d", out.Len(), n)
	}
	return out.Bytes()
}

// sign makes a container.
func (w *world) sign(level ades.Level, cms bool, files ...file) []byte {
	w.t.Helper()
	m := w.making()
	d, err := container.Prepare(context.Background(), dataOf(files), nil, m, container.MakeOptions{CMS: cms})
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.raising(level)
	return w.finish(d, m, &r)
}

// add puts a further signature into a container.
func (w *world) add(level ades.Level, cms bool, raw []byte) ([]byte, string) {
	w.t.Helper()
	m := w.making()
	in := input(raw).File
	d, err := container.Prepare(context.Background(), nil, &in, m, container.MakeOptions{CMS: cms})
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.raising(level)
	return w.finish(d, m, &r), d.ID()
}

func (w *world) raise(raw []byte, r ades.Raising) []byte {
	w.t.Helper()
	var out bytes.Buffer
	if err := container.Raise(context.Background(), input(raw).File, r, &out); err != nil {
		w.t.Fatal(err)
	}
	return out.Bytes()
}

// passed judges a container: each signature must be of that level and be trusted, and nothing odd.
func (w *world) passed(what string, raw []byte, level ades.Level, signatures int) {
	w.t.Helper()
	rep, err := w.verifier.File(context.Background(), bytes.NewReader(raw), int64(len(raw)), verify.Options{Anchors: w.anchors, Offline: level >= ades.LevelLT})
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	if rep.Indication != verify.TotalPassed || len(rep.Signatures) != signatures {
		w.t.Errorf("%s: %s %s %s, %d signatures", what, rep.Indication, rep.SubIndication, rep.Error, len(rep.Signatures))
		for _, s := range rep.Signatures {
			w.t.Logf("%s: %s %s: %v %v", what, s.ID, s.Indication, s.Errors, s.Warnings)
		}
	}
	for _, s := range read(w.t, raw) {
		if s.Level != level.String() || len(s.Findings) > 0 || !s.CoversWholeFile || s.Container != "ASiC-E" && s.Container != "ASiC-S" {
			w.t.Errorf("%s: %s has level %s, whole %t, findings %v", what, s.ID, s.Level, s.CoversWholeFile, s.Findings)
		}
		if bad := wrong(s); bad != "" {
			w.t.Errorf("%s: %s: %s", what, s.ID, bad)
		}
		for _, ts := range s.Timestamps {
			if !ts.Intact || len(ts.Findings) > 0 {
				w.t.Errorf("%s: time stamp %s: intact %t, %v", what, ts.ID, ts.Intact, ts.Findings)
			}
		}
	}
}

// indication is the verdict on a container, "" if it is refused.
func (w *world) indication(raw []byte) verify.Indication {
	w.t.Helper()
	rep, err := w.verifier.File(context.Background(), bytes.NewReader(raw), int64(len(raw)), verify.Options{Anchors: w.anchors, Offline: true})
	if err != nil {
		return ""
	}
	return rep.Indication
}

func dataOf(files []file) []container.Data {
	var list []container.Data
	for _, f := range files {
		list = append(list, container.Data{File: ades.File{Name: f.name, Data: bytes.NewReader([]byte(f.body)), Size: int64(len(f.body))}})
	}
	return list
}

// entries are the files of a container, with mimetype, in order.
func entries(t testing.TB, raw []byte) []file {
	t.Helper()
	c := openContainer(t, raw)
	var list []file
	for _, e := range c.Entries {
		b, err := e.Bytes(1 << 30)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, file{e.Name, string(b)})
	}
	return list
}

// folder is where a container was unzipped by unzip, which tests it as well.
type folder struct {
	t   testing.TB
	dir string
}

func unzipped(t testing.TB, raw []byte) folder {
	t.Helper()
	f := folder{t, t.TempDir()}
	f.write("../made.asice", raw)
	f.run("unzip", "-tqq", "../made.asice")
	f.run("unzip", "-qq", "../made.asice")
	return f
}

func (f folder) write(name string, b []byte) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), b, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) run(tool string, args ...string) string {
	f.t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") != "" {
			f.t.Fatal(err)
		}
		f.t.Skip(err)
	}
	cmd := exec.Command(tool, args...)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("%s %v: %v\n%s", tool, args, err, out)
	}
	return string(out)
}

// endless is a file of that many zeros.
type endless int64

func (e endless) ReadAt(b []byte, at int64) (int, error) {
	if n := int64(e) - at; n < int64(len(b)) {
		clear(b[:max(n, 0)])
		return int(max(n, 0)), io.EOF
	}
	clear(b)
	return len(b), nil
}
