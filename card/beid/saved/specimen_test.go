package saved

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// TestSpecimen reads a TLV file that another program saved, of the same invented holder as the files in alice.
func TestSpecimen(t *testing.T) {
	c, err := Read(sharedData(t, "specimen.eid"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Format != FormatTLV || c.Version != "2" || !c.Signed || len(c.Notes) != 0 {
		t.Errorf("format %q, version %q, signed %t, notes %q", c.Format, c.Version, c.Signed, c.Notes)
	}
	id := c.Identity
	for _, v := range []struct{ name, got, want string }{
		{"card number", id.CardNumber, "000000003333"},
		{"chip number", upperHex(id.ChipNumber), "534C494E336600296CFF278E44192025"},
		{"surname", id.Surname, "SPECIMEN"},
		{"given names", id.GivenNames, "Alice Geldigekaart"},
		{"third initial", id.ThirdInitial, "A"},
		{"national number", id.NationalNumber, "71715100070"},
		{"birth date", id.Birth.String(), "1971-01-01"},
		{"sex", string(id.Sex), "F"},
		{"document type", string(id.DocumentType), "1"},
		{"street", c.Address.StreetAndNumber, "Meirplaats 1 bus 1"},
		{"zip", c.Address.Zip, "2000"},
		{"municipality", c.Address.Municipality, "Antwerpen"},
	} {
		if v.got != v.want {
			t.Errorf("%s: %q, want %q", v.name, v.got, v.want)
		}
	}
	if c.AppletVersion != 0x11 || c.CardData.Serial != [16]byte(id.ChipNumber) || !bytes.Equal(c.Token.Serial, id.ChipNumber) {
		t.Errorf("applet %02X, serials %X and %X", c.AppletVersion, c.CardData.Serial, c.Token.Serial)
	}
	if len(c.Challenge) != 20 || len(c.Response) != 128 {
		t.Errorf("challenge of %d bytes, response of %d", len(c.Challenge), len(c.Response))
	}
	for _, same := range []struct {
		file string
		got  []byte
	}{
		{"Address", c.Files.Address}, {"Photo", c.Files.Photo}, {"CACertificate", c.Files.CA}, {"RootCertificate", c.Files.Root},
		{"RRNCertificate", c.Files.RRN},
	} {
		want := sharedData(t, "alice/"+same.file+".tlv")
		if n, ok := beidfile.DERLength(want); ok { // without the card's filler
			want = want[:n]
		}
		if len(want) == 0 || !bytes.Equal(same.got, want) {
			t.Errorf("%s is not the same as in alice", same.file)
		}
	}
	for name, der := range map[string][]byte{"Alice SPECIMEN (Authentication)": c.Files.Authentication, "Alice SPECIMEN (Signature)": c.Files.Signature} {
		if cert, err := x509.ParseCertificate(der); err != nil || cert.Subject.CommonName != name {
			t.Errorf("certificate %s: %v", name, err)
		}
	}
}

// TestSpecimenSignatures shows that the raw files come out byte for byte: the signatures hold over them, and do no more when a byte
// of what was read differs.
func TestSpecimenSignatures(t *testing.T) {
	b := sharedData(t, "specimen.eid")
	c, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkSpecimen(c); err != nil {
		t.Error(err)
	}
	place := bytes.Index(b, []byte("Geldigekaart"))
	changed, err := Read(append(append(bytes.Clone(b[:place]), 'g'), b[place+1:]...))
	if err != nil {
		t.Fatal(err)
	}
	if err := checkSpecimen(changed); err == nil || !changed.Signed {
		t.Errorf("changed identity: signed %t, signature: %v", changed.Signed, err)
	}
}

// checkSpecimen checks the specimen's SHA-1 RSA signatures.
func checkSpecimen(c *Card) error {
	cert, err := x509.ParseCertificate(c.Files.RRN)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		name        string
		signed, sig []byte
	}{
		{"identity", c.Files.Identity, c.Files.IdentitySignature},
		{"address", beidfile.SignedAddress(c.Files.Address, c.Files.IdentitySignature), c.Files.AddressSignature},
	} {
		hash := sha1.Sum(s.signed)
		if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA1, hash[:], s.sig); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// TestSpecimenInOtherForms takes the specimen through every form that holds raw files: its signatures still hold.
func TestSpecimenInOtherForms(t *testing.T) {
	c, err := Read(sharedData(t, "specimen.eid"))
	if err != nil {
		t.Fatal(err)
	}
	var csv bytes.Buffer
	if err := c.WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	for format, b := range map[Format][]byte{
		FormatCSV: csv.Bytes(), FormatJSON: encode(t, c, Options{}), FormatXML35: xml35Of(c), FormatQuickKey: quickKeyOf(c),
	} {
		got, err := Read(b)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if err := checkSpecimen(got); err != nil || got.Format != format || !got.Signed || len(got.Notes) > 0 {
			t.Errorf("%s: format %s, signed %t, notes %q: %v", format, got.Format, got.Signed, got.Notes, err)
		}
		want := c.Files
		if format == FormatQuickKey { // has no place for it
			want.CardData = nil
		}
		if err := sameFiles(got.Files, want); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if err := sameValues(got.Identity, c.Identity); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// xml35Of writes c the way the viewers 3.5 did (facts 10.2), base64 on lines of its own.
func xml35Of(c *Card) []byte {
	enc := func(b []byte) string { return "\n" + wrap(base64.StdEncoding.EncodeToString(b)) + "\n" }
	f, id, a := c.Files, c.Identity, c.Address
	cert := func(label string, der []byte) string {
		return fmt.Sprintf("<certificate><label>%s</label><owner>3</owner><data encoding=\"base64\">%s</data><p15_struct>AAE=</p15_struct></certificate>", label, enc(der))
	}
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>
<beid_card><doc_version>1</doc_version><card_type>eid</card_type>
<biographic><document><version></version><type>` + string(id.DocumentType) + `</type>
<id><name>` + joinNames(id) + `</name><surname>` + id.Surname + `</surname><gender>` + string(id.Sex) + `</gender><date_of_birth>` + id.BirthText + `</date_of_birth><location_of_birth>` + id.BirthPlace + `</location_of_birth><nobility>` + id.NobleCondition + `</nobility><nationality>` + id.Nationality + `</nationality><national_nr>` + id.NationalNumber + `</national_nr><duplicata></duplicata><special_organization></special_organization><member_of_family></member_of_family><special_status>` + string(id.SpecialStatus) + `</special_status></id>
<card><logical_nr>` + id.CardNumber + `</logical_nr><chip_nr>` + upperHex(id.ChipNumber) + `</chip_nr><validity><date_begin>` + cardDate(id.ValidFrom) + `</date_begin><date_end>` + cardDate(id.ValidUntil) + `</date_end></validity><issuing_municipality>` + id.DeliveryMunicipality + `</issuing_municipality></card></document>
<address><version></version><street>` + a.StreetAndNumber + `</street><zip>` + a.Zip + `</zip><municipality>` + a.Municipality + `</municipality><country>be</country></address>
<files><file_id encoding="base64">` + enc(f.Identity) + `</file_id><file_id_sign encoding="base64">` + enc(f.IdentitySignature) + `</file_id_sign><file_address encoding="base64">` + enc(f.Address) + `</file_address><file_address_sign encoding="base64">` + enc(f.AddressSignature) + `</file_address_sign></files></biographic>
<biometric><picture type="jpg"><data encoding="base64">` + enc(f.Photo) + `</data><hash encoding="base64" method="md5">` + enc(id.PhotoHash) + `</hash></picture></biometric>
<scard><serial_nr>00</serial_nr><files><file_datainfo encoding="base64">` + enc(f.CardData) + `</file_datainfo><file_tokeninfo encoding="base64">` + enc(f.TokenInfo) + `</file_tokeninfo></files></scard>
<challenge_response><challenge encoding="base64">` + enc(c.Challenge) + `</challenge><response encoding="base64">` + enc(c.Response) + `</response></challenge_response>
<cryptographic><rrn>` + cert("RRN", f.RRN) + `</rrn><certificates>` + cert("Authentication", f.Authentication) + cert("Signature", f.Signature) + cert("CA", f.CA) + cert("Root", f.Root) + `</certificates><pins></pins></cryptographic></beid_card>
`)
}

// quickKeyOf writes c the way the Quick-Key Toolset did, certificates with the card's filler.
func quickKeyOf(c *Card) []byte {
	file := func(name, id string, b []byte) string {
		return fmt.Sprintf("<%s fileID=%q><fileData>%s</fileData></%s>", name, id, base64.StdEncoding.EncodeToString(b), name)
	}
	filled := func(b []byte) []byte { return append(bytes.Clone(b), make([]byte, 50)...) }
	f := c.Files
	return []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<ns2:MasterFile xmlns:ns2="http://fedict.be/eidtoolset/eidlibrary" fileID="3F00">` + file("dirFile", "2F00", []byte("a#")) +
		`<BelPicDirectory fileID="DF00">` + file("objectDirectoryFile", "5031", []byte{1}) + file("tokenInfo", "5032", f.TokenInfo) +
		file("authenticationCertificate", "5038", filled(f.Authentication)) + file("nonRepudiationCertificate", "5039", filled(f.Signature)) +
		file("caCertificate", "503A", filled(f.CA)) + file("rootCaCertificate", "503B", f.Root) + file("rrnCertificate", "503C", f.RRN) +
		`</BelPicDirectory><IDDirectory fileID="DF01">` + file("identityFile", "4031", f.Identity) +
		file("identityFileSignature", "4032", f.IdentitySignature) + file("addressFile", "4033", f.Address) +
		file("addressFileSignature", "4034", f.AddressSignature) + file("photoFile", "4035", f.Photo) +
		file("preferencesFile", "4039", make([]byte, 100)) + `</IDDirectory></ns2:MasterFile>`)
}

// wrap breaks a text into lines of 64 characters.
func wrap(s string) string {
	var lines []string
	for ; len(s) > 64; s = s[64:] {
		lines = append(lines, s[:64])
	}
	return strings.Join(append(lines, s), "\n")
}

// TestRekeyed takes the files of a re-keyed 1.7 card, which has no more than these, through JSON and CSV.
func TestRekeyed(t *testing.T) {
	raw := func(name string) []byte { return sharedData(t, "rekeyed-1.7/"+name) }
	c, err := New(beidfile.Files{Identity: raw("identity.tlv"), IdentitySignature: raw("identity-signature.der"),
		Address: raw("address.tlv"), AddressSignature: raw("address-signature.der"), Photo: raw("photo.jpg"), RRN: raw("rrn-cert.der")})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Signed || c.Identity.GivenNames != "Nora Angèle" || c.Identity.Birth.String() != "2001-05-03" {
		t.Errorf("signed %t, given names %q, birth %s", c.Signed, c.Identity.GivenNames, c.Identity.Birth)
	}
	var csv bytes.Buffer
	if err := c.WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{csv.Bytes(), encode(t, c, Options{})} {
		got, err := Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := sameFiles(got.Files, c.Files); err != nil || !got.Signed {
			t.Errorf("%s: signed %t: %v", got.Format, got.Signed, err)
		}
	}
	if err := c.WriteXML(&csv); !errors.Is(err, ErrIncomplete) {
		t.Errorf("the viewer's XML without a root certificate: %v, want ErrIncomplete", err)
	}
}
