package saved

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// xmllint checks an XML file against testdata/eid.xsd, which states the form independently of the writer.
func xmllint(t *testing.T, b []byte) error {
	t.Helper()
	program, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("xmllint (Debian: libxml2-utils) is not there, and this is CI")
		}
		t.Logf("not checked against the schema: %v", err)
		return nil
	}
	path := filepath.Join(t.TempDir(), "card.eid")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "--nonet", "--noout", "--schema", filepath.Join("testdata", "eid.xsd"), path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func writeXML(t testing.TB, c *Card) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.WriteXML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestViewerRoundTrip writes every kind of card, checks the file with xmllint, and reads back what the form holds.
func TestViewerRoundTrip(t *testing.T) {
	for name, c := range everyPerson(t) {
		code := string(c.Identity.DocumentType)
		if c.Identity.DocumentType.Word() == "" {
			if err := c.WriteXML(&bytes.Buffer{}); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "document type") {
				t.Errorf("%s: %v, want ErrIncomplete", name, err)
			}
			continue
		}
		b := writeXML(t, c)
		// The schema has no words for 61 to 69: documented in WriteXML.
		if err, fits := xmllint(t, b), len(code) < 2 || code[0] != '6'; hasXmllint() && (err == nil) != fits {
			t.Errorf("%s: xmllint: %v, want it to fit: %t", name, err, fits)
		}
		got, err := Read(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := sameValues(got.Identity, viewerHolds(c.Identity)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(sameValues(got.Address, c.Address), sameFiles(got.Files, viewerFiles(c.Files))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.Format != FormatXML || got.GraphicalVersion != 5 || got.Signed ||
			!slices.Equal(got.Notes, []string{"this file carries no signatures: identity, address and photo cannot be verified"}) {
			t.Errorf("%s: %s, graphical %d, signed %t, notes %q", name, got.Format, got.GraphicalVersion, got.Signed, got.Notes)
		}
		if again := writeXML(t, got); !bytes.Equal(again, b) {
			t.Errorf("%s: written again:\n%s\nfirst:\n%s", name, again, b)
		}
	}
}

// viewerHolds is the part of an identity that the form holds.
func viewerHolds(id *beidfile.Identity) *beidfile.Identity {
	v := *id
	v.BirthText, v.SpecialOrganisation, v.PhotoHash, v.BasicKeyHash, v.EUStart, v.Unknown = "", "", nil, nil, beidfile.Date{}, nil
	v.SpecialStatus = statusOrNone(v.SpecialStatus)
	return &v
}

func viewerFiles(f beidfile.Files) beidfile.Files {
	return beidfile.Files{Photo: f.Photo, Authentication: f.Authentication, Signature: f.Signature, CA: f.CA, Root: f.Root, RRN: f.RRN}
}

// TestViewerGolden holds the form to the byte for a card with everything and for one with nothing optional.
func TestViewerGolden(t *testing.T) {
	golden(t, filepath.Join("testdata", "full.eid"), writeXML(t, newCard(t, foreigner(nil))))
	bare := newCard(t, citizen(fields{tagThirdInitial: "", tagSpecialStatus: ""}))
	bare.GraphicalVersion, bare.Files.Authentication, bare.Files.Signature = 0, nil, nil
	golden(t, filepath.Join("testdata", "bare.eid"), writeXML(t, bare))
}

// TestViewerVersion: each version is chosen for what it added, and no lower one would do.
func TestViewerVersion(t *testing.T) {
	for _, test := range []struct {
		changes   fields
		graphical byte
		want      string
	}{
		{nil, 0, ""},
		{fields{tagMemberOfFamily: ""}, 0, "4.1"},
		{fields{tagProtection: "31.01.2024-RU"}, 0, "4.1"},
		{fields{tagWorkPermit: "9"}, 0, "4.1"},
		{fields{tagBrexit1: "B", tagWorkPermit: "7"}, 0, "4.2"},
		{fields{tagDocumentType: "20"}, 0, "4.3"},
		{fields{tagDocumentType: "23", tagBrexit1: "B"}, 0, "4.3"},
		{nil, 4, "4.4"},
		{fields{tagCardA1: "A"}, 0, "4.5"},
		{fields{tagCardA1: "A"}, 4, "4.5"},
		{fields{tagDocumentType: "31"}, 0, "4.5"},
	} {
		c := newCard(t, citizen(test.changes))
		c.GraphicalVersion = test.graphical
		b := writeXML(t, c)
		want := "<eid"
		if test.want != "" {
			want += ` version="` + test.want + `"`
		}
		if test.graphical != 0 {
			want += ` graphpersoversion="04"`
		}
		if !bytes.Contains(b, []byte("\n"+want+"><identity ")) {
			t.Errorf("%v: %s, want %s>", test.changes, b[:100], want)
		}
		if got, err := Read(b); err != nil || got.Version != "4.0" && got.Version != test.want {
			t.Errorf("%v: read back: version %q, %v", test.changes, got.Version, err)
		}
	}
}

// TestViewerLeavesOut: values that the viewer's schema would refuse are not written, and the file fits it.
func TestViewerLeavesOut(t *testing.T) {
	b := writeXML(t, newCard(t, foreigner(fields{tagDuplicate: "1", tagProtection: "soon", tagVAT1: "BE 0123", tagVAT2: "0123456789",
		tagRegionalFile: strings.Repeat("ø", 19), tagSpecialStatus: "9", tagCardA1: "Z", tagBrexit2: "Z"})))
	if err := xmllint(t, b); err != nil {
		t.Error(err)
	}
	for _, absent := range []string{"duplicate", "protection", "vat1", "regionalfile", "specialstatus", "cardA", "mention2", "carddata", "/>"} {
		if bytes.Contains(b, []byte(absent)) {
			t.Errorf("%s was written: %s", absent, b)
		}
	}
	if !bytes.Contains(b, []byte(`<workpermit mention="limited" vat2="0123456789"></workpermit>`)) {
		t.Errorf("the second VAT number is missing: %s", b)
	}
	if err := xmllint(t, bytes.Replace(b, []byte("<card "), []byte(`<card carddata_appl_version="18" `), 1)); err == nil && hasXmllint() {
		t.Error("the schema of the tests lets carddata_appl_version pass: it cannot tell anything")
	}
}

func hasXmllint() bool {
	_, err := exec.LookPath("xmllint")
	return err == nil
}

// TestViewerIncomplete: what the viewer cannot do without is asked for by name, and nothing is written.
func TestViewerIncomplete(t *testing.T) {
	for want, spoil := range map[string]func(c *Card){
		"identity":        func(c *Card) { c.Identity = nil },
		"national number": func(c *Card) { c.Identity.NationalNumber = "7101010040" },
		"surname":         func(c *Card) { c.Identity.Surname = " " },
		"birth date":      func(c *Card) { c.Identity.Birth = beidfile.Date{} },
		"sex":             func(c *Card) { c.Identity.Sex = "" },
		"document type":   func(c *Card) { c.Identity.DocumentType = "99" },
		"card number":     func(c *Card) { c.Identity.CardNumber = "5910000001061" },
		"chip number":     func(c *Card) { c.Identity.ChipNumber = nil },
		"validity":        func(c *Card) { c.Identity.ValidUntil = beidfile.Date{} },
		"photo":           func(c *Card) { c.Files.Photo = nil },
		"address":         func(c *Card) { c.Address = nil },
		"root":            func(c *Card) { c.Files.Root = nil },
		"CA":              func(c *Card) { c.Files.CA = nil },
		"register":        func(c *Card) { c.Files.RRN = nil },
	} {
		c := newCard(t, citizen(nil))
		spoil(c)
		var b bytes.Buffer
		if err := c.WriteXML(&b); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("without %s: %v, %d bytes written", want, err, b.Len())
		}
	}
}

// TestViewerRead reads files as the viewers of several versions write them, put together by hand.
func TestViewerRead(t *testing.T) {
	photo := base64.StdEncoding.EncodeToString(readTestdata(t, "photo.jpg"))
	file := func(root, identity, third, card, inCard string) string {
		return `<?xml version="1.0" encoding="UTF-8"?>
<eid` + root + `><identity nationalnumber="71010100409" dateofbirth="19710100" gender="female"` + identity + `><name>Voorbeeld &amp; Co</name><firstname>Zoë Anaïs</firstname>` + third + `<nationality>Belg</nationality><placeofbirth>Eupen</placeofbirth><photo>` + wrap(photo) + `
</photo></identity><card documenttype="foreigner_f_plus"` + card + ` cardnumber="591000000106" chipnumber="534C494E000102030405060708090A0B" validitydatebegin="20210201" validitydateend="20310201"><deliverymunicipality>Brussel</deliverymunicipality>` + inCard + `</card><address><streetandnumber>Kerkstraat 1</streetandnumber><zip>1000</zip><municipality>Brussel</municipality></address><certificates><root>MAMCAQY=</root><citizenca>MAMCAQU=</citizenca><rrn>MAMCAQg=</rrn></certificates></eid>
`
	}
	base := beidfile.Identity{CardNumber: "591000000106", ChipNumber: []byte(chip), ValidFrom: beidfile.Date{Year: 2021, Month: 2, Day: 1},
		ValidUntil: beidfile.Date{Year: 2031, Month: 2, Day: 1}, DeliveryMunicipality: "Brussel", NationalNumber: "71010100409",
		Surname: "Voorbeeld & Co", GivenNames: "Zoë Anaïs", Nationality: "Belg", BirthPlace: "Eupen",
		Birth: beidfile.Date{Year: 1971, Month: 1}, Sex: beidfile.Female, DocumentType: "18"}
	for _, test := range []struct {
		version, in string
		change      func(*beidfile.Identity)
		applet      byte
		graphical   byte
	}{
		{"4.0", file("", ` specialstatus="NO_STATUS"`, "<middlenames></middlenames>", "", ""),
			func(id *beidfile.Identity) { id.SpecialStatus = "0" }, 0, 0},
		{"4.1", file(` version="4.1"`, ` noblecondition="Graaf" specialstatus="YELLOW_CANE_EXTENDED_MINORITY" duplicate="02" memberoffamily="1" dateandcountryofprotection="20240131RU"`,
			"<middlenames>Ö</middlenames>", "", `<workpermit mention="seasonal worker" vat1="0123456789" vat2="0987.654.321" regionalfile="RF 1"/>`),
			func(id *beidfile.Identity) {
				id.NobleCondition, id.SpecialStatus, id.Duplicate, id.MemberOfFamily, id.ThirdInitial = "Graaf", "5", "02", true, "Ö"
				id.ProtectionDateCountry, id.WorkPermit, id.RegionalFile = "31.01.2024-RU", "A", "RF 1"
				id.EmployerVAT1, id.EmployerVAT2 = "0123.456.789", "0987.654.321"
			}, 0, 0},
		{"4.2", file(` version="4.2"`, ` memberoffamily="false"`, "", "", `<brexit mention1="Article 18(1) Agreement" mention2="Permanent stay"/>`),
			func(id *beidfile.Identity) { id.BrexitMention1, id.BrexitMention2 = "B", "C" }, 0, 0},
		{"4.4", file(` version="4.4" graphpersoversion="05"`, "", "", ` carddata_appl_version="18"`, `<protection_date_country>31.01.2024-RU</protection_date_country>`),
			func(id *beidfile.Identity) { id.ProtectionDateCountry = "31.01.2024-RU" }, 0x18, 5},
		{"4.5", file(` version="4.5"`, "", "", "", `<cardA mentions1="Au pair" mentions2="Mobility program"></cardA>`),
			func(id *beidfile.Identity) { id.CardAMention1, id.CardAMention2 = "H", "K" }, 0, 0},
	} {
		got, err := Read([]byte(test.in))
		if err != nil {
			t.Errorf("%s: %v", test.version, err)
			continue
		}
		want := base
		test.change(&want)
		if err := sameValues(got.Identity, &want); err != nil || len(got.Identity.Warnings) > 0 || len(got.Notes) != 1 {
			t.Errorf("%s: %v; warnings %q, notes %q", test.version, err, got.Identity.Warnings, got.Notes)
		}
		if got.Version != test.version || got.AppletVersion != test.applet || got.GraphicalVersion != test.graphical || got.Signed {
			t.Errorf("version %q, applet %02X, graphical %d, signed %t", got.Version, got.AppletVersion, got.GraphicalVersion, got.Signed)
		}
		if !bytes.Equal(got.Files.Photo, readTestdata(t, "photo.jpg")) || got.Files.Authentication != nil || len(got.Files.RRN) != 5 {
			t.Errorf("%s: photo or certificates differ", test.version)
		}
		address := &beidfile.Address{StreetAndNumber: "Kerkstraat 1", Zip: "1000", Municipality: "Brussel"}
		if err := sameValues(got.Address, address); err != nil {
			t.Errorf("%s: address: %v", test.version, err)
		}
	}
}

// TestViewerReadOdd: words nobody knows are kept and noted; what deceives the eye is replaced.
func TestViewerReadOdd(t *testing.T) {
	b := writeXML(t, newCard(t, foreigner(fields{tagDocumentType: "11"})))
	for _, change := range [][2]string{
		{`"foreigner_a"`, `"foreigner_z"`}, {`"limited"`, `"sometimes"`}, {"<name>", "<name>\u202Egpj."}, {`"20210201"`, `"20211301"`},
		{`<root>MAMC`, `<root>AAMC`}, {`graphpersoversion="05"`, `graphpersoversion="0505"`},
		{`version="4.5"`, `version="4.5 or some other"`},
	} {
		if !bytes.Contains(b, []byte(change[0])) {
			t.Fatalf("%s is not in %s", change[0], b)
		}
		b = bytes.Replace(b, []byte(change[0]), []byte(change[1]), 1)
	}
	c, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if c.Identity.DocumentType != "foreigner_z" || c.Identity.WorkPermit != "sometimes" || !c.Identity.ValidFrom.IsZero() || c.Files.Root != nil {
		t.Errorf("document type %q, work permit %q, valid from %s, root %X", c.Identity.DocumentType, c.Identity.WorkPermit, c.Identity.ValidFrom, c.Files.Root)
	}
	if c.Version != "" {
		t.Errorf("version %q", c.Version)
	}
	if strings.ContainsRune(c.Identity.Surname, '\u202E') || len(c.Identity.Warnings) != 3 || len(c.Notes) != 4 {
		t.Errorf("surname %+q, warnings %q, notes %q", c.Identity.Surname, c.Identity.Warnings, c.Notes)
	}
}

func TestReadXMLBad(t *testing.T) {
	good := string(writeXML(t, newCard(t, citizen(nil))))
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	long := regexp.MustCompile(`<name>.*</name>`).ReplaceAllString(good, "<name>"+strings.Repeat("x", 70000)+"</name>")
	for name, test := range map[string]struct {
		in   string
		want error
	}{
		"DTD":               {replace("<eid ", "<!DOCTYPE eid>\n<eid "), ErrMalformed},
		"entity bomb":       {replace("<eid ", `<!DOCTYPE eid [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><eid `), ErrMalformed},
		"external entity":   {replace("<eid ", `<!DOCTYPE eid [<!ENTITY a SYSTEM "file:///etc/passwd">]><eid `), ErrMalformed},
		"unknown entity":    {replace("<name>", "<name>&a;"), ErrMalformed},
		"cut off":           {good[:len(good)-10], ErrMalformed},
		"two roots":         {good + good[strings.Index(good, "<eid"):], ErrMalformed},
		"text after it":     {good + "x", ErrMalformed},
		"other root":        {strings.NewReplacer("<eid ", "<dei ", "</eid>", "</dei>").Replace(good), ErrUnknownForm},
		"HTML":              {"<!doctype html><html></html>", ErrMalformed},
		"other encoding":    {replace("UTF-8", "UTF-7"), ErrMalformed},
		"not UTF-8":         {replace("<name>", "<name>\xFF"), ErrMalformed},
		"too deep":          {strings.Repeat("<eid>", 40) + strings.Repeat("</eid>", 40), ErrMalformed},
		"too many elements": {"<eid>" + strings.Repeat("<a></a>", 3000) + "</eid>", ErrMalformed},
		"chip number":       {replace(`chipnumber="53`, `chipnumber="zz`), ErrMalformed},
		"photo":             {replace("<photo>", "<photo>!"), ErrMalformed},
		"nothing in it":     {"<eid></eid>", beidfile.ErrMissing},
		"no name":           {replace("<name>Voorbeeld</name>", "<name></name>"), beidfile.ErrMissing},
		"name too long":     {long, beidfile.ErrTooLarge},
	} {
		if _, err := Read([]byte(test.in)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}
