package saved

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/beidfile"
)

var update = flag.Bool("update", false, "write the golden files anew")

func encode(t testing.TB, c *Card, o Options) []byte {
	t.Helper()
	b, err := json.Marshal(c.Document(o))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDocumentRoundTrip: what is read back is what was written, with and without the raw files.
func TestDocumentRoundTrip(t *testing.T) {
	for name, c := range everyPerson(t) {
		got, err := Read(encode(t, c, Options{}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := errors.Join(sameFiles(got.Files, c.Files), sameCard(got, c)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.Format != FormatJSON || got.Version != "1" || !got.Signed || len(got.Notes) > 0 {
			t.Errorf("%s: %s %s, signed %t, notes %q", name, got.Format, got.Version, got.Signed, got.Notes)
		}

		got, err = Read(encode(t, c, Options{OmitFiles: true}))
		if err != nil {
			t.Errorf("%s without files: %v", name, err)
			continue
		}
		want := *c.Identity
		want.SpecialStatus = statusOrNone(want.SpecialStatus)
		if err := errors.Join(sameValues(got.Identity, &want), sameValues(got.Address, c.Address)); err != nil {
			t.Errorf("%s without files: %v", name, err)
		}
		if got.AppletVersion != 0x18 || got.GraphicalVersion != 5 || *got.CardData != *c.CardData {
			t.Errorf("%s without files: applet %02X, graphical %02X, card data %v", name, got.AppletVersion, got.GraphicalVersion, got.CardData)
		}
		if got.Signed || len(got.Notes) != 1 || !strings.HasPrefix(got.Notes[0], "this file carries no signatures") {
			t.Errorf("%s without files: signed %t, notes %q", name, got.Signed, got.Notes)
		}
	}
}

// sameCard compares all that is parsed.
func sameCard(got, want *Card) error {
	return errors.Join(sameValues(got.Identity, want.Identity), sameValues(got.Address, want.Address),
		sameValues(got.CardData, want.CardData), sameValues(got.Token, want.Token))
}

// TestDocumentGolden holds the JSON form of one card to the byte: its names are promised.
func TestDocumentGolden(t *testing.T) {
	d := newCard(t, foreigner(nil)).Document(Options{})
	d.Verification = &Verification{Trusted: true, Identity: Check{Status: "held"}, Address: Check{Status: "held"},
		Photo: Check{Status: "held"}, Chip: Check{Status: "held"}, BasicKey: Check{Status: "held"},
		ChipKey: Check{Status: "notChecked", Reason: "no challenge was sent to the card"}, Chain: Check{Status: "held"},
		Weak: []string{}, CheckedAt: "2026-01-31T12:00:00Z"}
	d.Reading = &Reading{Reader: "Invented Reader 00 00", Commands: 42, DurationMS: 12.5, TestCard: true}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(schemaFolder, "examples", "read.json"), append(b, '\n'))
}

// schemaFolder holds the JSON Schemas and, below it, an example or two of each.
var schemaFolder = filepath.Join("..", "..", "..", "docs", "schema")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the golden file (-update writes it anew):\n%s", path, got)
	}
}

// TestDocumentValues spot-checks the members that are made, not copied.
func TestDocumentValues(t *testing.T) {
	d := newCard(t, citizen(fields{tagBirth: "1971", tagThirdInitial: "", 0x2A: "x"})).Document(Options{})
	if d.Identity.BirthDate != "1971-00-00" || d.Identity.Sex != "female" || d.Card.AppletVersion != "1.8" || d.Card.GraphicalVersion != "05" {
		t.Errorf("birth %q, sex %q, applet %q, graphical %q", d.Identity.BirthDate, d.Identity.Sex, d.Card.AppletVersion, d.Card.GraphicalVersion)
	}
	if d.Card.DocumentType != (DocumentKind{"1", "belgian_citizen", "citizen"}) || d.Identity.SpecialStatus != (Code{"0", "NO_STATUS"}) {
		t.Errorf("document type %v, special status %v", d.Card.DocumentType, d.Identity.SpecialStatus)
	}
	if d.Photo.MediaType != "image/jpeg" || d.Photo.Width != 14 || d.Photo.Height != 20 {
		t.Errorf("photo %s %d x %d", d.Photo.MediaType, d.Photo.Width, d.Photo.Height)
	}
	if got := d.Identity.Unknown; len(got) != 1 || got[0] != (FieldPart{"2A", "78"}) {
		t.Errorf("unknown fields %v", got)
	}
	rrn := d.Certificates.RRN
	if rrn.Subject != "CN=Invented RRN,O=Invented,C=BE" || rrn.Issuer != rrn.Subject || rrn.SerialNumber != "0A1B2C3D" ||
		rrn.PublicKey != "EC P-384" || rrn.SignatureAlgorithm != "ECDSA-SHA384" || !strings.HasSuffix(rrn.NotBefore, "Z") {
		t.Errorf("certificate %+v", rrn)
	}
	if ca := d.Certificates.CA; ca.Subject != "" || len(ca.DER) != 5 {
		t.Errorf("certificate that is none: %+v", ca)
	}
	if d.Source != nil || d.Warnings == nil {
		t.Errorf("source %v, warnings %v", d.Source, d.Warnings)
	}
	if d := newCard(t, citizen(nil)).Document(Options{OmitFiles: true, OmitPhoto: true}); d.Files != nil || d.Photo != nil {
		t.Error("files or photo, both to be left out")
	}
	if (&Card{}).Document(Options{}) != nil || NewCertificates(beidfile.Files{}) != nil {
		t.Error("a document without identity, or certificates without any")
	}
}

// TestDocumentLies: members that contradict the raw files, or claim a verification, change nothing but the notes.
func TestDocumentLies(t *testing.T) {
	c := newCard(t, citizen(nil))
	d := c.Document(Options{})
	d.Identity.Surname, d.Identity.NationalNumber, d.Address.Zip = "Anders", "85033101585", "9000"
	d.Warnings = []string{"invented warning"}
	d.Verification = &Verification{Trusted: true}
	d.Source = &Source{Format: FormatTLV, Signed: true}
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Identity.Surname != "Voorbeeld" || got.Identity.NationalNumber != "71010100409" || got.Address.Zip != "1000" {
		t.Errorf("%s %s %s: not those of the raw files", got.Identity.Surname, got.Identity.NationalNumber, got.Address.Zip)
	}
	want := []string{"values beside the raw files differ from them and were ignored: national number, surname",
		"values beside the raw files differ from them and were ignored: zip code"}
	if !slices.Equal(got.Notes, want) {
		t.Errorf("notes %q, want %q", got.Notes, want)
	}
	if slices.Contains(got.Identity.Warnings, "invented warning") || got.Format != FormatJSON {
		t.Error("warnings or source were taken over")
	}
}

func TestReadJSONBad(t *testing.T) {
	good := string(encode(t, newCard(t, foreigner(nil)), Options{OmitFiles: true}))
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in the document", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, test := range map[string]struct {
		in   string
		want error
	}{
		"other schema":         {replace(`"schema":1`, `"schema":2`), ErrUnknownForm},
		"no schema":            {replace(`"schema":1,`, ``), ErrUnknownForm},
		"some other JSON":      {`{"name":"x"}`, ErrUnknownForm},
		"no identity":          {`{"schema":1}`, ErrMalformed},
		"cut off":              {good[:len(good)-1], ErrMalformed},
		"more after it":        {good + "{}", ErrMalformed},
		"number for a text":    {replace(`"surname":"Müller-Đorđević"`, `"surname":7`), ErrMalformed},
		"chip number":          {replace(`"chipNumber":"53`, `"chipNumber":"5G`), ErrMalformed},
		"serial too short":     {replace(`"serial":"53`, `"serial":"`), ErrMalformed},
		"number out of range":  {replace(`"lifeCycle":15`, `"lifeCycle":256`), ErrMalformed},
		"unknown field known":  {replace(`"tag":"2A"`, `"tag":"07"`), ErrMalformed},
		"base64":               {replace(`"der":"MAMCAQM="`, `"der":"MA!CAQM="`), ErrMalformed},
		"identity too large":   {replace(`"surname":"Müller`, `"surname":"`+strings.Repeat("x", 70000)), beidfile.ErrTooLarge},
		"nested without bound": {`{"a":` + strings.Repeat("[", 200000), ErrMalformed},
	} {
		if _, err := Read([]byte(test.in)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// TestReadJSONLater: members added by a later version under the same schema are skipped; a byte order mark and blanks do no harm.
func TestReadJSONLater(t *testing.T) {
	b := encode(t, newCard(t, citizen(nil)), Options{})
	b = slices.Concat(byteOrderMark, []byte("\n "), bytes.Replace(b, []byte(`"schema":1`), []byte(`"schema":1,"later":{"a":[1]}`), 1))
	if c, err := Read(b); err != nil || c.Identity.Surname != "Voorbeeld" {
		t.Errorf("%v", err)
	}
}
