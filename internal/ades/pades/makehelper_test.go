package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is somebody who signs, with the services of his PKI.
type person struct {
	pki *pki.PKI
	*pki.Issued
}

var people = map[pki.Algorithm]func() (person, error){
	pki.EC:  sync.OnceValues(func() (person, error) { return newPerson(pki.EC) }),
	pki.RSA: sync.OnceValues(func() (person, error) { return newPerson(pki.RSA) }),
}

func newPerson(a pki.Algorithm) (person, error) {
	p, err := pki.New(pki.Options{Algorithm: a})
	if err != nil {
		return person{}, err
	}
	who, err := signed.Citizen(p, pki.Request{})
	return person{p, who}, err
}

func somebody(t testing.TB, a pki.Algorithm) person {
	t.Helper()
	p, err := people[a]()
	must(t, err)
	return p
}

// making is a signature of the person at a time.
func (p person) making(at time.Time) ades.Making {
	alg := sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA256}
	if k, ok := p.Key.Public().(*ecdsa.PublicKey); ok {
		alg = sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA256}
		if k.Params().BitSize == 384 {
			alg.Hash = crypto.SHA384
		}
	}
	return ades.Making{Certificate: p.Certificate, Chain: []*x509.Certificate{p.Issuer.Certificate}, Algorithm: alg, Time: at}
}

func file(b []byte) ades.File {
	return ades.File{Name: "test.pdf", Data: bytes.NewReader(b), Size: int64(len(b))}
}

// raising has a time stamp authority and the answers about all certificates,
// made from a time on, a minute apart.
func (p person) raising(level ades.Level, at time.Time) *ades.Raising {
	next := func() time.Time {
		at = at.Add(time.Minute)
		return at
	}
	stamp := func(_ context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
		at := next()
		return answers.Timestamp{TSA: p.pki.TSA, Certificates: []*x509.Certificate{p.pki.TSA.Certificate, p.pki.TimestampCA.Certificate},
			Hash: h, Imprint: digest, Policy: p.pki.TimestampPolicy(), Time: at, Accuracy: time.Second, Serial: big.NewInt(at.Unix())}.Token()
	}
	evidence := func(_ context.Context, needs []ades.Need, _ []*x509.Certificate, _ ades.Values) (out ades.Values, err error) {
		at := next()
		crl, err := p.pki.CRL(p.pki.Root, pki.List{Number: uint64(at.Unix()), ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7)})
		if err != nil {
			return out, err
		}
		out.CRLs = [][]byte{crl}
		for _, need := range needs {
			var ca *pki.Authority
			for _, a := range append(p.pki.CAs(), p.pki.TimestampCA) {
				if bytes.Equal(a.Certificate.RawSubject, need.Certificate.RawIssuer) {
					ca = a
				}
			}
			if ca == nil {
				return out, fmt.Errorf("nobody knows who issued %v", need.Certificate.Subject)
			}
			out.Certificates = append(out.Certificates, need.Certificate.Raw, ca.Certificate.Raw, p.pki.Root.Certificate.Raw)
			responder, err := p.pki.Responder(ca, pki.Service{At: at})
			if err != nil {
				return out, err
			}
			answer, err := answers.OCSP{Responder: responder, Certificates: []*x509.Certificate{responder.Certificate}, ProducedAt: at,
				Singles: []answers.Single{{Serial: need.Certificate.SerialNumber, Issuer: ca.Certificate, ThisUpdate: at, NextUpdate: at.Add(time.Hour)}}}.Response()
			if err != nil {
				return out, err
			}
			out.OCSPs = append(out.OCSPs, answer)
		}
		return out, nil
	}
	return &ades.Raising{Level: level, Stamp: stamp, Evidence: evidence}
}

// sign signs a file and looks whether the file is a prefix of the result.
func (p person) sign(t testing.TB, in []byte, at time.Time, o pades.MakeOptions) []byte {
	t.Helper()
	out, err := p.trySign(in, at, o)
	must(t, err)
	if !bytes.HasPrefix(out, in) {
		t.Fatal("bytes that were there changed")
	}
	return out
}

func (p person) trySign(in []byte, at time.Time, o pades.MakeOptions) ([]byte, error) {
	d, err := pades.Prepare(context.Background(), file(in), p.making(at), o)
	if err != nil {
		return nil, err
	}
	value, err := p.Key.Sign(nil, d.Digest(), p.making(at).Algorithm.Hash)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	n, err := d.Finish(context.Background(), value, p.raising(o.Level, at), &out)
	if err == nil && n != int64(out.Len()) {
		err = fmt.Errorf("%d bytes instead of %d", n, out.Len())
	}
	return out.Bytes(), err
}

// judge has our own verifier judge a file with the roots of the people trusted.
func judge(t testing.TB, b []byte, at time.Time, by ...person) *verify.Report {
	t.Helper()
	anchors := &verify.Anchors{}
	for _, p := range by {
		anchors.Add(p.pki.Root.Certificate)
	}
	r, err := verify.File(context.Background(), bytes.NewReader(b), int64(len(b)), verify.Options{Name: "test.pdf", Anchors: anchors, At: at, Offline: true, CRLs: crlsOf(t, at, by)})
	must(t, err)
	return r
}

var (
	listsMutex sync.Mutex
	listsMade  = map[string][][]byte{}
)

// crlsOf are the lists that a verifier has who is up to date. They take time to
// make, and many tests want the same.
func crlsOf(t testing.TB, at time.Time, by []person) (lists [][]byte) {
	t.Helper()
	listsMutex.Lock()
	defer listsMutex.Unlock()
	for _, p := range by {
		key := fmt.Sprintf("%p %v", p.pki, at)
		if listsMade[key] == nil {
			for _, ca := range append(p.pki.CAs(), p.pki.TimestampCA, p.pki.Root) {
				crl, err := p.pki.CRL(ca, pki.List{Number: uint64(at.Unix()), ThisUpdate: at.Add(-time.Minute), NextUpdate: at.AddDate(0, 0, 7)})
				must(t, err)
				listsMade[key] = append(listsMade[key], crl)
			}
		}
		lists = append(lists, listsMade[key]...)
	}
	return lists
}

// passes wants each signature TOTAL-PASSED, of the levels given in order.
func passes(t testing.TB, b []byte, at time.Time, levels []string, by ...person) {
	t.Helper()
	r := judge(t, b, at, by...)
	var got []string
	for _, s := range r.Signatures {
		got = append(got, s.Level)
		if s.Indication != verify.TotalPassed {
			t.Errorf("%s: %s %s: %+v", s.ID, s.Indication, s.SubIndication, s.Errors)
		}
	}
	if strings.Join(got, " ") != strings.Join(levels, " ") {
		t.Errorf("levels %v, want %v", got, levels)
	}
}

// tool finds a program; in continuous integration it must be there.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// save writes a file for the programs.
func save(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.pdf")
	must(t, os.WriteFile(path, b, 0o600))
	return path
}

// outside has qpdf and pdfsig judge a file: want valid signatures, the last
// one or a document time stamp over everything if whole. (pdfsig does not
// validate document time stamps.)
func outside(t testing.TB, b []byte, want int, whole bool) {
	t.Helper()
	qpdf, pdfsig := tool(t, "qpdf"), tool(t, "pdfsig")
	path := save(t, b)
	if out, err := exec.Command(qpdf, "--check", path).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	raw, err := exec.Command(pdfsig, "-nocert", path).CombinedOutput()
	out := string(raw)
	if err != nil || strings.Count(out, "Signature is Valid.") != want || strings.Contains(out, "  - Total document signed") != whole {
		t.Errorf("pdfsig: %v, want %d valid, total %v\n%s", err, want, whole, out)
	}
}

// logo is a picture that one can see through.
func logo(t testing.TB) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for i := range 40 * 40 {
		img.SetNRGBA(i%40, i/40, color.NRGBA{200, 30, 30, uint8(i % 256)})
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	return b.Bytes()
}
