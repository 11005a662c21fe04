package beidfile

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// shared reads a file of the test data that lie outside the project.
func shared(t *testing.T, path ...string) []byte {
	t.Helper()
	root := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the folder ../shared/data beside the project is absent")
	}
	b, err := os.ReadFile(filepath.Join(append([]string{root, "cards"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A specimen card of applet 1.1.
func TestSpecimen11(t *testing.T) {
	id, err := ParseIdentity(shared(t, "alice", "Identity.tlv"))
	if err != nil {
		t.Fatal(err)
	}
	photoHash := sha1.Sum(shared(t, "alice", "Photo.tlv"))
	want := &Identity{
		CardNumber: "000000122157", ChipNumber: unhex(t, "534C494E3366 00296CFF293B2A122219"),
		ValidFrom: Date{2009, 7, 23}, ValidUntil: Date{2014, 7, 23}, DeliveryMunicipality: "Antwerpen",
		NationalNumber: "71715100070", Surname: "SPECIMEN", GivenNames: "Alice Geldigekaart", ThirdInitial: "A",
		Nationality: "BELG", BirthPlace: "Hamont-Achel", Birth: Date{1971, 1, 1}, BirthText: "01 JAN 1971", Sex: Female,
		DocumentType: "1", SpecialStatus: "0", PhotoHash: photoHash[:],
	}
	if !reflect.DeepEqual(id, want) {
		t.Errorf("got  %+v\nwant %+v", id, want)
	}
	if id.DocumentType.Kind() != Citizen || id.SpecialStatus.Word() != "NO_STATUS" {
		t.Errorf("kind %s, status %s", id.DocumentType.Kind(), id.SpecialStatus.Word())
	}
	address, err := ParseAddress(shared(t, "alice", "Address.tlv"))
	if want := (&Address{StreetAndNumber: "Meirplaats 1 bus 1", Zip: "2000", Municipality: "Antwerpen"}); err != nil || !reflect.DeepEqual(address, want) {
		t.Errorf("address %+v, %v", address, err)
	}
}

// A re-keyed card of applet 1.7: SHA-256 photo hash, EC signatures with filler.
func TestRekeyed17(t *testing.T) {
	id, err := ParseIdentity(shared(t, "rekeyed-1.7", "identity.tlv"))
	if err != nil {
		t.Fatal(err)
	}
	photoHash := sha256.Sum256(shared(t, "rekeyed-1.7", "photo.jpg"))
	want := &Identity{
		CardNumber: "000001241600", ChipNumber: unhex(t, "534C4790025100002239288F12920363"),
		ValidFrom: Date{2022, 7, 5}, ValidUntil: Date{2032, 7, 5}, DeliveryMunicipality: "Brussel",
		NationalNumber: "01050399963", Surname: "Specimen", GivenNames: "Nora Angèle", Nationality: "BELG", BirthPlace: "Leuven",
		Birth: Date{2001, 5, 3}, BirthText: "03 MEI 2001", Sex: Female, DocumentType: "1", SpecialStatus: "0", PhotoHash: photoHash[:],
	}
	if !reflect.DeepEqual(id, want) {
		t.Errorf("got  %+v\nwant %+v", id, want)
	}
	raw := shared(t, "rekeyed-1.7", "address.tlv")
	address, err := ParseAddress(raw)
	if want := (&Address{StreetAndNumber: "Specimenstraat 12", Zip: "1000", Municipality: "Brussel"}); err != nil || !reflect.DeepEqual(address, want) {
		t.Errorf("address %+v, %v", address, err)
	}

	signature := shared(t, "rekeyed-1.7", "identity-signature.der")
	signed := SignedAddress(raw, signature)
	if !bytes.HasPrefix(signed, raw[:33]) || !bytes.Equal(signed[34:], signature) || len(signed) != 34+256 {
		t.Errorf("signed address of %d bytes", len(signed))
	}
}

// DERLength agrees with encoding/asn1 about where each object ends, filler or not.
func TestDERLengthShared(t *testing.T) {
	for _, name := range []string{"alice/AuthentificationCertificate.tlv", "alice/SigningCertificate.tlv", "alice/CACertificate.tlv",
		"alice/RootCertificate.tlv", "alice/RRNCertificate.tlv", "rekeyed-1.7/rrn-cert.der", "rekeyed-1.7/identity-signature.der",
		"rekeyed-1.7/address-signature.der"} {
		b := shared(t, filepath.FromSlash(name))
		var raw asn1.RawValue
		rest, err := asn1.Unmarshal(b, &raw)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := DERLength(b); !ok || n != len(b)-len(rest) {
			t.Errorf("%s: %d, want %d", name, n, len(b)-len(rest))
		}
	}
}

// The saved specimen holds a TokenInfo file and the card data of a real reading.
func TestSavedSpecimen(t *testing.T) {
	b := shared(t, "specimen.eid")
	at := bytes.Index(b, unhex(t, "30 27 02 01 00 04 10"))
	if at < 0 {
		t.Fatal("no TokenInfo in it")
	}
	info, err := ParseTokenInfo(b[at : at+41])
	want := TokenInfo{Serial: unhex(t, "534C494E336600296CFF278E44192025"), Label: "BELPIC", Graphical: 4, Electrical: 2}
	if err != nil || !reflect.DeepEqual(info, want) {
		t.Errorf("got %+v, %v", info, err)
	}
	at = bytes.Index(b, unhex(t, "06 1C 534C494E"))
	if at < 0 {
		t.Fatal("no card data in it")
	}
	data, err := ParseCardData(b[at+2 : at+30])
	if err != nil || !bytes.Equal(data.Serial[:], info.Serial) || data.AppletVersion != 0x11 || data.LifeCycle != 0x0F {
		t.Errorf("got %+v, %v", data, err)
	}
}
