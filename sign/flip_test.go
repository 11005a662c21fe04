package sign_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// TestFlipped: with a byte of what is signed changed, a signature never
// passes; with any other byte of the file changed it may, if all that it
// vouches for is still the same. TestSoakFlipped changes every byte.
func TestFlipped(t *testing.T) {
	t.Parallel()
	flipAll(t, 48, 12, func(i int) pki.Algorithm { return []pki.Algorithm{pki.RSA, pki.RSA, pki.EC}[i%3] })
}

// flipAll changes so many signed bytes of each kind of file, at B-B and at B-LTA, and a fourth as many of the others. Keys of P-384
// take ten times as long.
func flipAll(t *testing.T, atB, atLTA int, of func(int) pki.Algorithm) {
	t.Helper()
	w := newWorkshop(t)
	for i := range packagings {
		k := &packagings[i]
		for _, level := range []sign.Level{sign.B, sign.LTA} {
			alg := of(i + int(level))
			t.Run(fmt.Sprintf("%s/%v/%v", k.name, level, alg), func(t *testing.T) {
				t.Parallel()
				n := map[sign.Level]int{sign.B: atB, sign.LTA: atLTA}[level]
				flip(t, w, k, level, alg, n, n/4)
			})
		}
	}
}

func flip(t *testing.T, w *workshop, k *packaging, level sign.Level, alg pki.Algorithm, inside, outside int) {
	t.Helper()
	o := w.options(alg, level)
	k.options(&o)
	data, _, err := signFile(context.Background(), k.format, k.in(), w.software(alg, 0), o)
	if err != nil {
		t.Fatal(err)
	}
	content := []byte(contentText)
	m := &made{kind: k, level: level, alg: alg, data: data, w: w}
	// Asked once, whether the certificate is revoked is known afterwards.
	want, passed := w.vouched(t, k, data, content, false)
	if !passed {
		t.Fatal("not passed unchanged")
	}
	chance := rand.New(rand.NewPCG(1, uint64(len(data))))
	signed := m.signedBytes(t)
	var rest []int
	strict := map[int]bool{}
	for _, at := range signed {
		strict[at] = true
	}
	for at := range data {
		if !strict[at] {
			rest = append(rest, at)
		}
	}
	if k.format == sign.FormatASiCE {
		clear(strict)
	}
	for _, list := range [][]int{signed, rest} {
		chance.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	signed, rest = signed[:min(len(signed), inside)], rest[:min(len(rest), outside)]
	if len(signed) == 0 {
		t.Error("nothing is signed")
	}
	for _, at := range append(signed, rest...) {
		changed := bytes.Clone(data)
		changed[at] ^= byte(1 + chance.IntN(255))
		if got, passed := w.vouched(t, k, changed, content, true); passed && (strict[at] || got != want) {
			t.Errorf("passed with byte %d of %d, signed %v, changed from %02x to %02x:\n%s\nfrom\n%s", at, len(data), strict[at], data[at], changed[at], got, want)
		}
	}
	if k.detached {
		for range min(inside, len(content)) {
			changed := bytes.Clone(content)
			at := chance.IntN(len(content))
			changed[at] ^= byte(1 + chance.IntN(255))
			if _, passed := w.vouched(t, k, data, changed, true); passed {
				t.Errorf("passed with byte %d of the content changed", at)
			}
		}
	}
}

// signedBytes are the positions of bytes that the signature is over, or is, so
// that none of them can change: of XML only text that no canonical form drops.
// Those of containers are packed, and other ones may unpack to the same.
func (m *made) signedBytes(t testing.TB) (out []int) {
	t.Helper()
	add := func(piece []byte) {
		at := bytes.LastIndex(m.data, piece)
		if at < 0 || len(piece) == 0 {
			t.Fatalf("%q is not in the file", piece[:min(len(piece), 40)])
		}
		for i := range piece {
			out = append(out, at+i)
		}
	}
	switch m.kind.format {
	case sign.FormatCAdES:
		_, s := cutCMS(t, m.data)
		if !m.kind.detached {
			add([]byte(contentText))
		}
		add(s.signed)
		add(s.value)
	case sign.FormatPAdES:
		r := pdfParts(t, m.data)[0].ranges
		for i := range m.data[:r[2]+r[3]] {
			if i < r[1] || i >= r[2] {
				out = append(out, i)
			}
		}
	case sign.FormatXAdES:
		if m.kind.name == "XAdES, enveloped" {
			add([]byte("Ik  verklaar"))
			add([]byte("urn:eidkit:test:more"))
		}
		for _, name := range []string{"DigestValue", "SignatureValue"} {
			rest := m.data
			for {
				from := bytes.Index(rest, []byte(":"+name))
				if from < 0 {
					break
				}
				from += bytes.IndexByte(rest[from:], '>') + 1
				to := from + bytes.IndexByte(rest[from:], '<')
				// Of the last characters of base64 not every bit counts.
				if text := bytes.TrimRight(rest[from:to], "=\n "); len(text) > 2 && !bytes.ContainsAny(text, "\n \t") {
					add(text[:len(text)-2])
				}
				rest = rest[to+2+len(name):]
			}
		}
	case sign.FormatASiCE:
		z, err := zip.NewReader(bytes.NewReader(m.data), int64(len(m.data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File[1:] {
			at, err := f.DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			for i := range int64(f.CompressedSize64) {
				out = append(out, int(at+i))
			}
		}
	}
	return out
}

// vouched is what passed signatures say, the claims and the signed content of each.
func (w *workshop) vouched(t testing.TB, k *packaging, data, content []byte, offline bool) (string, bool) {
	t.Helper()
	o := verify.Options{Anchors: w.anchors, Offline: offline}
	if k.detached {
		o.Detached = []verify.Content{{Name: contentName, Data: bytes.NewReader(content), Size: int64(len(content))}}
	}
	rep, err := w.online.File(context.Background(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Passed() {
		return "", false
	}
	type signature struct {
		Certificate string
		Time        *time.Time
		Claims      *verify.Claims
		Contents    []string
	}
	var all []signature
	for i := range rep.Signatures {
		s := &rep.Signatures[i]
		row := signature{Certificate: s.SigningCertificate.SHA256, Time: s.ClaimedSigningTime, Claims: s.Claims}
		for _, c := range s.SignedContent() {
			in, err := c.Open()
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.New()
			if _, err := io.Copy(sum, in); err != nil {
				t.Fatal(err)
			}
			in.Close()
			row.Contents = append(row.Contents, fmt.Sprintf("%s %x", c.Name, sum.Sum(nil)))
		}
		all = append(all, row)
	}
	var text strings.Builder
	if err := json.NewEncoder(&text).Encode(all); err != nil {
		t.Fatal(err)
	}
	return text.String(), true
}
