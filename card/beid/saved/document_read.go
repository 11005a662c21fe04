package saved

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// readJSON reads the JSON form. Members it does not know are skipped, so that a later document under the same schema can be read;
// verification, reading, source and warnings are not taken over, for they are the word of whoever wrote the file.
func readJSON(b []byte) (*Card, error) {
	var d Document
	if err := json.Unmarshal(bytes.TrimPrefix(b, byteOrderMark), &d); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, cleanText(err.Error()))
	}
	if d.Schema != Schema {
		return nil, fmt.Errorf("schema %d: %w", d.Schema, ErrUnknownForm)
	}
	c := &Card{Format: FormatJSON, Version: strconv.Itoa(d.Schema)}
	if f := d.Files; f != nil {
		c.Files = beidfile.Files{ATR: nilIfEmpty(f.ATR), CardData: nilIfEmpty(f.CardData), TokenInfo: nilIfEmpty(f.TokenInfo),
			Identity: nilIfEmpty(f.Identity), IdentitySignature: nilIfEmpty(f.IdentitySignature),
			Address: nilIfEmpty(f.Address), AddressSignature: nilIfEmpty(f.AddressSignature), BasicKey: nilIfEmpty(f.BasicKey)}
	}
	if d.Photo != nil {
		c.Files.Photo = nilIfEmpty(d.Photo.Data)
	}
	if d.Certificates != nil {
		d.Certificates.files(&c.Files)
	}
	if err := c.readIdentityParts(&d); err != nil {
		return nil, err
	}
	if err := c.readAddressPart(d.Address); err != nil {
		return nil, err
	}
	return c, c.readNumbers(&d)
}

func (c *Card) readIdentityParts(d *Document) (err error) {
	id, card := &d.Identity, &d.Card
	if card.CardNumber+id.NationalNumber+id.Surname == "" {
		return nil // none, unless the raw file is there
	}
	text := fields{tagCardNumber: card.CardNumber, tagNationalNumber: id.NationalNumber, tagSurname: id.Surname}
	text.set(tagValidFrom, dayFromParts(card.ValidFrom))
	text.set(tagValidUntil, dayFromParts(card.ValidUntil))
	text.set(tagDelivery, card.DeliveryMunicipality)
	text.set(tagGivenNames, id.GivenNames)
	text.set(tagThirdInitial, id.ThirdInitial)
	text.set(tagNationality, id.Nationality)
	text.set(tagBirthPlace, id.BirthPlace)
	text.set(tagBirth, id.BirthDateText)
	if id.BirthDateText == "" {
		text.set(tagBirth, birthFromParts(id.BirthDate))
	}
	text.set(tagSex, sexLetter(id.Sex))
	text.set(tagNobleCondition, id.NobleCondition)
	text.set(tagDocumentType, card.DocumentType.Code)
	text.set(tagSpecialStatus, id.SpecialStatus.Code)
	text.set(tagDuplicate, card.Duplicate)
	text.set(tagSpecialOrg, card.SpecialOrganisation.code())
	if id.MemberOfFamily {
		text[tagMemberOfFamily] = ""
	}
	text.set(tagProtection, id.ProtectionDateCountry)
	text.set(tagWorkPermit, id.WorkPermit.code())
	text.set(tagVAT1, id.EmployerVAT1)
	text.set(tagVAT2, id.EmployerVAT2)
	text.set(tagRegionalFile, id.RegionalFile)
	text.set(tagBrexit1, card.BrexitMention1.code())
	text.set(tagBrexit2, card.BrexitMention2.code())
	text.set(tagCardA1, card.CardAMention1.code())
	text.set(tagCardA2, card.CardAMention2.code())
	text.set(tagEUStart, dayFromParts(card.EUStart))
	for tag, value := range map[byte]string{tagChipNumber: card.ChipNumber, tagPhotoHash: card.PhotoHash,
		tagBasicKeyHash: card.BasicKeyHash, tagStructure: card.StructureVersion} {
		if err := text.setHex(tag, value); err != nil {
			return err
		}
	}
	if err := text.setUnknown(id.Unknown, tagEUStart); err != nil {
		return err
	}
	if c.Identity, err = text.identity(); err == nil && id.BirthDateText == "" {
		c.Identity.BirthText = ""
	}
	return err
}

func (c *Card) readAddressPart(p *AddressPart) (err error) {
	if p == nil {
		return nil
	}
	text := fields{tagStreet: p.StreetAndNumber, tagZip: p.Zip, tagMunicipality: p.Municipality}
	if err := text.setHex(tagStructure, p.StructureVersion); err != nil {
		return err
	}
	if err := text.setUnknown(p.Unknown, tagMunicipality); err != nil {
		return err
	}
	c.Address, err = text.address()
	return err
}

// code is the code, "" of an absent member.
func (c *Code) code() string {
	if c == nil {
		return ""
	}
	return c.Code
}

// setHex gives a tag a value written in hexadecimal.
func (f fields) setHex(tag byte, value string) error {
	b, err := hexBytes(value)
	if err != nil {
		return fmt.Errorf("field %02X: %w", tag, err)
	}
	f.set(tag, b)
	return nil
}

// setUnknown takes fields that were not known to whoever wrote them. They must not take the place of the known ones, 00 to last.
func (f fields) setUnknown(parts []FieldPart, last byte) error {
	for _, p := range parts {
		tag, err := hex.DecodeString(p.Tag)
		if err != nil || len(tag) != 1 || tag[0] <= last {
			return fmt.Errorf("tag of an unknown field: %w", ErrMalformed)
		}
		value, err := hexBytes(p.Value)
		if err != nil {
			return fmt.Errorf("field %02X: %w", tag, err)
		}
		f[tag[0]] = value
	}
	return nil
}

// readNumbers reads card data and token information, for a document without the raw files.
func (c *Card) readNumbers(d *Document) error {
	c.AppletVersion = c.versionByte("applet version", strings.Replace(d.Card.AppletVersion, ".", "", 1))
	c.GraphicalVersion = c.versionByte("graphical version", d.Card.GraphicalVersion)
	if p := d.Card.Data; p != nil {
		serial, err := hex.DecodeString(p.Serial)
		if err != nil || len(serial) != 16 {
			return fmt.Errorf("card data: serial number: %w", ErrMalformed)
		}
		c.CardData = &beidfile.CardData{Serial: [16]byte(serial), ComponentCode: p.ComponentCode, OSNumber: p.OSNumber,
			OSVersion: p.OSVersion, SoftMaskNumber: p.SoftMaskNumber, SoftMaskVersion: p.SoftMaskVersion,
			AppletVersion: c.AppletVersion, GlobalOSVersion: p.GlobalOSVersion, AppletInterfaceVersion: p.AppletInterfaceVersion,
			PKCS1Support: p.PKCS1Support, KeyExchangeVersion: p.KeyExchangeVersion, LifeCycle: p.LifeCycle, PINTries: -1}
		if p.PINTriesLeft != nil {
			c.CardData.PINTries = int(*p.PINTriesLeft)
		}
	}
	if p := d.TokenInfo; p != nil {
		serial, err := hex.DecodeString(p.Serial)
		if err != nil {
			return fmt.Errorf("token information: serial number: %w", ErrMalformed)
		}
		c.Token = &beidfile.TokenInfo{Version: p.Version, Serial: serial, Label: cleanText(p.Label), Graphical: p.Graphical,
			Electrical: p.Electrical, ElectricalInterface: p.ElectricalInterface, Reserved: p.Reserved}
	}
	return nil
}
