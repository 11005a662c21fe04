package verify_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/verify"
)

// signaturesDir is where the signatures of others stand, outside the project
// (see CONTRIBUTING.md).
var signaturesDir = filepath.Join("..", "..", "shared", "data", "signatures")

// expectation is a row of expected.tsv.
type expectation struct {
	file     string
	expected string
	why      string
	crypto   string
	detached []string
}

// expectations reads the table; without it the test has nothing to say.
func expectations(t testing.TB) []expectation {
	t.Helper()
	f, err := os.Open(filepath.Join(signaturesDir, "expected.tsv"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the shared test data are not there: ../shared/data/signatures")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []expectation
	for _, row := range rows[1:] {
		e := expectation{file: row[0], expected: row[2], why: row[3], crypto: row[5]}
		for _, d := range strings.Split(row[6], ";") {
			if d = strings.TrimSpace(d); d != "" {
				e.detached = append(e.detached, d)
			}
		}
		list = append(list, e)
	}
	if len(list) < 37 {
		t.Fatalf("only %d rows", len(list))
	}
	return list
}

// outcomes are what a report of a row may say: error, or indication and
// sub-indication; an empty sub-indication allows any.
type outcome struct{ err, indication, sub string }

var subIndication = regexp.MustCompile(`[A-Z]+(_[A-Z]+)+`)

// outcomesOf reads the words of the table.
func (e expectation) outcomes() []outcome {
	words := e.expected
	switch {
	case strings.HasPrefix(words, "parse refused"):
		return []outcome{{err: verify.ErrorRefused}}
	case strings.HasPrefix(words, "any report"):
		return []outcome{{err: verify.ErrorRefused}, {err: verify.ErrorNoSignature}, {indication: "TOTAL-FAILED"}, {indication: "INDETERMINATE"}}
	case words == "NO_SIGNATURE_FOUND":
		return []outcome{{err: verify.ErrorNoSignature}}
	case strings.HasPrefix(words, "not valid"):
		return []outcome{{indication: "TOTAL-FAILED"}, {indication: "INDETERMINATE"}}
	case strings.HasPrefix(words, "signed properties not covered"):
		return []outcome{{indication: "INDETERMINATE", sub: "SIG_CONSTRAINTS_FAILURE"}}
	}
	words = strings.ReplaceAll(words, "TOTAL_", "TOTAL-")
	for _, indication := range []string{"TOTAL-PASSED", "TOTAL-FAILED", "INDETERMINATE"} {
		if _, rest, ok := strings.Cut(words, indication); ok {
			return []outcome{{indication: indication, sub: subIndication.FindString(rest)}}
		}
	}
	return nil
}

// pinned are rows that hold at a time and with an anchor of their own: the
// root is in the file, and trusted for this row alone.
var pinned = map[string]struct{ at, root string }{
	"asic-xades/container-signed.adoc": {"2024-01-01T00:00:00Z", "META-INF/signatures/signatures0.xml"},
}

// TestExpected: the verdicts of the outside table, with nobody trusted, no
// network, and each file under a name of its own in a folder of its own.
func TestExpected(t *testing.T) {
	t.Parallel()
	for _, e := range expectations(t) {
		t.Run(e.file, func(t *testing.T) {
			t.Parallel()
			data := sharedSignature(t, e.file)
			o := e.options(t, data)
			begin := time.Now()
			rep, err := verify.File(context.Background(), bytes.NewReader(data), int64(len(data)), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v: %s %s %s", time.Since(begin).Round(time.Millisecond), rep.Error, rep.Indication, rep.SubIndication)
			e.compare(t, rep)
		})
	}
}

func (e expectation) compare(t *testing.T, rep *verify.Report) {
	t.Helper()
	wants := e.outcomes()
	if wants == nil {
		t.Fatalf("what does %q mean?", e.expected)
	}
	if !slices.ContainsFunc(wants, func(w outcome) bool {
		return w.err == rep.Error && w.indication == string(rep.Indication) && (w.sub == "" || w.sub == rep.SubIndication)
	}) {
		t.Errorf("%s %s %s, want %s (%s)", rep.Error, rep.Indication, rep.SubIndication, e.expected, e.why)
		for _, s := range rep.Signatures {
			t.Logf("%s %s %s %s intact %v\nerrors %v\nwarnings %v", s.ID, s.Format, s.Indication, s.SubIndication, s.CryptographicallyValid,
				short(s.Errors), short(s.Warnings))
		}
		t.Log(rep.Reason)
	}
	for _, s := range rep.Signatures {
		if (s.Indication == verify.TotalPassed) != (len(s.Errors) == 0) {
			t.Errorf("%s with %d errors", s.Indication, len(s.Errors))
		}
	}
}

func short(list []verify.Message) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.Code+" "+m.Object+" "+m.Detail)
	}
	return out
}

func sharedSignature(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(signaturesDir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func randomName(t testing.TB) string {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b[:])
}
