package saved

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// All persons here are invented; their numbers have valid check digits.

var chip = "SLIN\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B"

// citizen is the identity file of a Belgian citizen, as tags and values.
func citizen(changes fields) fields {
	f := fields{
		tagCardNumber: "591000000106", tagChipNumber: chip, tagValidFrom: "01.02.2021", tagValidUntil: "01.02.2031",
		tagDelivery: "Brussel", tagNationalNumber: "71010100409", tagSurname: "Voorbeeld", tagGivenNames: "Zoë Anaïs",
		tagThirdInitial: "Ö", tagNationality: "Belg", tagBirthPlace: "'s-Gravenvoeren", tagBirth: "01 JAN 1971", tagSex: "V",
		tagNobleCondition: "", tagDocumentType: "1", tagSpecialStatus: "0", tagPhotoHash: strings.Repeat("\x5A", 48),
		tagBasicKeyHash: strings.Repeat("\xA5", 48),
	}
	maps.Copy(f, changes)
	return f
}

// foreigner has every field that foreigners' cards may have, and one that nobody knows.
func foreigner(changes fields) fields {
	f := citizen(fields{
		tagCardNumber: "B123456748", tagNationalNumber: "85033101585", tagSurname: "Müller-Đorđević", tagGivenNames: "Jörg Ça",
		tagThirdInitial: "", tagNationality: "Ruritanië", tagBirthPlace: "Strelsau", tagBirth: "1985", tagSex: "M",
		tagNobleCondition: "Graf", tagDocumentType: "33", tagSpecialStatus: "4", tagDuplicate: "01", tagSpecialOrg: "2",
		tagMemberOfFamily: "", tagProtection: "31.01.2024-RU", tagWorkPermit: "8", tagVAT1: "0123.456.789", tagVAT2: "0987.654.321",
		tagRegionalFile: "RF-2024-000123", tagBrexit1: "B", tagBrexit2: "C", tagCardA1: "D", tagCardA2: "K",
		tagEUStart: "01.03.2022", 0x2A: "\x00\xFF later",
	})
	maps.Copy(f, changes)
	return f
}

// cardData is the answer of GET CARD DATA of a 1.8 card, with the PIN tries.
var cardData = []byte(chip + "\xA5\x03\x01\x01\x01\x18\x00\x01\x00\x00\x02\x0F\x03\xFF\xFF")

// tokenInfo is as in facts 7, with the chip number above.
var tokenInfo = slices.Concat([]byte("\x30\x27\x02\x01\x00\x04\x10"), []byte(chip), []byte("\x80\x06BELPIC\x03\x02\x04\x30\x9E\x04\x05\x04\x02\x00"))

// rawFiles are the files of a card with this identity. Their signatures are of the right shape only.
func rawFiles(t testing.TB, identity fields) beidfile.Files {
	t.Helper()
	street := fields{tagStreet: "Rue de l'Exemple 1 bte 2", tagZip: "1000", tagMunicipality: "Bruxelles"}
	return beidfile.Files{
		ATR: []byte("\x3B\x7F\x96\x00"), CardData: cardData, TokenInfo: tokenInfo,
		Identity: identity.bytes(), IdentitySignature: slices.Concat([]byte("\x30\x03\x02\x01\x01"), make([]byte, 99)),
		Address: append(street.bytes(), make([]byte, 60)...), AddressSignature: slices.Concat([]byte("\x30\x03\x02\x01\x02"), make([]byte, 99)),
		Photo:          readTestdata(t, "photo.jpg"),
		Authentication: []byte("\x30\x03\x02\x01\x03"), Signature: []byte("\x30\x03\x02\x01\x04"),
		CA: []byte("\x30\x03\x02\x01\x05"), Root: []byte("\x30\x03\x02\x01\x06"), RRN: rrnCertificate(t),
		BasicKey: []byte("\x30\x03\x02\x01\x07"),
	}
}

func rrnCertificate(t testing.TB) []byte {
	t.Helper()
	block, _ := pem.Decode(readTestdata(t, "rrn.pem"))
	if block == nil {
		t.Fatal("testdata/rrn.pem holds no PEM")
	}
	return block.Bytes
}

func newCard(t testing.TB, identity fields) *Card {
	t.Helper()
	c, err := New(rawFiles(t, identity))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everyPerson is a card of each document type and of each special status, among them odd birth dates.
func everyPerson(t testing.TB) map[string]*Card {
	t.Helper()
	all := map[string]*Card{
		"plain citizen": newCard(t, citizen(nil)),
		"bare citizen":  newCard(t, citizen(fields{tagThirdInitial: "", tagGivenNames: "", tagSpecialStatus: ""})),
		"full":          newCard(t, foreigner(nil)),
		"no birth day":  newCard(t, citizen(fields{tagBirth: "00 MEI 1971"})),
		"german date":   newCard(t, citizen(fields{tagBirth: "01.MÄR. 1971", tagSex: "W"})),
		"quote and semicolon": newCard(t, citizen(fields{tagSurname: `O"Reilly; jr`, tagDelivery: "=1+1", tagGivenNames: "-Anna",
			tagBirthPlace: "'=x", tagNobleCondition: "@SUM(A1)"})),
	}
	for _, code := range documentTypes() {
		person := citizen
		if kind := code.Kind(); kind == beidfile.Foreigner || kind == beidfile.KidForeigner {
			person = foreigner
		}
		all["type "+string(code)] = newCard(t, person(fields{tagDocumentType: string(code)}))
	}
	for code := range 6 {
		all[fmt.Sprint("status ", code)] = newCard(t, citizen(fields{tagSpecialStatus: fmt.Sprint(code)}))
	}
	return all
}

// documentTypes are all that are known.
func documentTypes() (all []beidfile.DocumentType) {
	for code := range 100 {
		if t := beidfile.DocumentType(fmt.Sprint(code)); t.Kind() != beidfile.Other {
			all = append(all, t)
		}
	}
	return all
}

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sharedData reads test data from outside the project.
func sharedData(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "data", "cards", filepath.FromSlash(name)))
	if os.IsNotExist(err) {
		t.Skipf("../shared/data/cards/%s is not there", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sameFiles tells which raw files differ.
func sameFiles(got, want beidfile.Files) error {
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if !bytes.Equal(g.Field(i).Bytes(), w.Field(i).Bytes()) {
			return fmt.Errorf("file %s:\n got %X\nwant %X", g.Type().Field(i).Name, g.Field(i).Bytes(), w.Field(i).Bytes())
		}
	}
	return nil
}

// sameValues tells which members of two identities, addresses, ... differ. Warnings are not compared: a form does not hold them.
func sameValues(got, want any) error {
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if g.IsNil() || w.IsNil() {
		if g.IsNil() != w.IsNil() {
			return fmt.Errorf("got %v, want %v", got, want)
		}
		return nil
	}
	g, w = g.Elem(), w.Elem()
	for i := range g.NumField() {
		name := g.Type().Field(i).Name
		if name != "Warnings" && !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			return fmt.Errorf("%s: got %#v, want %#v", name, g.Field(i), w.Field(i))
		}
	}
	return nil
}
