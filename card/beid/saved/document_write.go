package saved

import (
	"bytes"
	"fmt"
	"image/jpeg"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// Options are for [Card.Document]. The zero value puts in everything there is.
type Options struct {
	OmitFiles bool // leaves the raw files out: what is read back from the JSON then carries no signatures
	OmitPhoto bool // leaves the photo out
}

// Document gives c in the JSON form, for encoding/json to write. Verification and Reading are left to the caller. It needs an
// identity, and gives nil without one. It shares memory with c.
func (c *Card) Document(o Options) *Document {
	if c.Identity == nil {
		return nil
	}
	d := &Document{
		Schema:       Schema,
		Card:         c.cardPart(),
		Identity:     c.identityPart(),
		Certificates: NewCertificates(c.Files),
		Warnings:     append([]string{}, c.Identity.Warnings...),
	}
	if a := c.Address; a != nil {
		d.Address = &AddressPart{StreetAndNumber: a.StreetAndNumber, Zip: a.Zip, Municipality: a.Municipality,
			StructureVersion: upperHex(a.StructureVersion), Unknown: unknownParts(a.Unknown)}
		d.Warnings = append(d.Warnings, a.Warnings...)
	}
	if len(c.Files.Photo) > 0 && !o.OmitPhoto {
		d.Photo = photoPart(c.Files.Photo)
	}
	if t := c.Token; t != nil {
		d.TokenInfo = &TokenPart{Version: t.Version, Serial: upperHex(t.Serial), Label: t.Label, Graphical: t.Graphical,
			Electrical: t.Electrical, ElectricalInterface: t.ElectricalInterface, Reserved: t.Reserved}
	}
	if !o.OmitFiles {
		d.Files = filesPart(&c.Files)
	}
	if c.Format != "" {
		d.Source = &Source{Format: c.Format, Version: c.Version, Signed: c.Signed, Notes: append([]string{}, c.Notes...)}
	}
	return d
}

func (c *Card) cardPart() CardPart {
	id := c.Identity
	p := CardPart{
		CardNumber: id.CardNumber, ChipNumber: upperHex(id.ChipNumber),
		ValidFrom: id.ValidFrom.String(), ValidUntil: id.ValidUntil.String(), DeliveryMunicipality: id.DeliveryMunicipality,
		DocumentType:        DocumentKind{Code: string(id.DocumentType), Word: id.DocumentType.Word(), Kind: string(id.DocumentType.Kind())},
		GraphicalVersion:    hexByte(c.GraphicalVersion),
		Duplicate:           id.Duplicate,
		SpecialOrganisation: organisation(id.SpecialOrganisation),
		BrexitMention1:      mention("brexitMention1", id.BrexitMention1), BrexitMention2: mention("brexitMention2", id.BrexitMention2),
		CardAMention1: mention("cardAMention1", id.CardAMention1), CardAMention2: mention("cardAMention2", id.CardAMention2),
		EUStart:   id.EUStart.String(),
		PhotoHash: upperHex(id.PhotoHash), BasicKeyHash: upperHex(id.BasicKeyHash), StructureVersion: upperHex(id.StructureVersion),
	}
	if v := c.AppletVersion; v != 0 {
		p.AppletVersion = fmt.Sprintf("%X.%X", v>>4, v&0x0F)
	}
	if d := c.CardData; d != nil {
		p.Data = &CardDataPart{Serial: upperHex(d.Serial[:]), ComponentCode: d.ComponentCode, OSNumber: d.OSNumber,
			OSVersion: d.OSVersion, SoftMaskNumber: d.SoftMaskNumber, SoftMaskVersion: d.SoftMaskVersion,
			GlobalOSVersion: d.GlobalOSVersion, AppletInterfaceVersion: d.AppletInterfaceVersion,
			PKCS1Support: d.PKCS1Support, KeyExchangeVersion: d.KeyExchangeVersion, LifeCycle: d.LifeCycle}
		if d.PINTries >= 0 && d.PINTries <= 0xFF {
			tries := byte(d.PINTries)
			p.Data.PINTriesLeft = &tries
		}
	}
	return p
}

func (c *Card) identityPart() IdentityPart {
	id := c.Identity
	status := statusOrNone(id.SpecialStatus)
	return IdentityPart{
		NationalNumber: id.NationalNumber, Surname: id.Surname, GivenNames: id.GivenNames, ThirdInitial: id.ThirdInitial,
		Nationality: id.Nationality, BirthPlace: id.BirthPlace, BirthDate: id.Birth.String(), BirthDateText: id.BirthText,
		Sex: sexWord(id.Sex), NobleCondition: id.NobleCondition,
		SpecialStatus:  Code{Code: string(status), Word: status.Word()},
		MemberOfFamily: id.MemberOfFamily, ProtectionDateCountry: id.ProtectionDateCountry,
		WorkPermit:   mention("workPermit", id.WorkPermit),
		EmployerVAT1: id.EmployerVAT1, EmployerVAT2: id.EmployerVAT2, RegionalFile: id.RegionalFile,
		Unknown: unknownParts(id.Unknown),
	}
}

func mention(field, code string) *Code {
	if code == "" {
		return nil
	}
	return &Code{Code: code, Word: beidfile.MentionWord(field, code)}
}

// organisations are words for the special organisations (facts 3.2, tag 13), for which the viewer has none.
var organisations = map[string]string{"1": "SHAPE", "2": "NATO", "4": "FORMER_BLUE_CARD_HOLDER", "5": "RESEARCHER"}

func organisation(code string) *Code {
	if code == "" {
		return nil
	}
	return &Code{Code: code, Word: organisations[code]}
}

func unknownParts(fields []beidfile.Field) []FieldPart {
	var parts []FieldPart
	for _, f := range fields {
		parts = append(parts, FieldPart{Tag: fmt.Sprintf("%02X", f.Tag), Value: upperHex(f.Value)})
	}
	return parts
}

// photoPart looks at the photo's header only, for its size.
func photoPart(b []byte) *PhotoPart {
	p := &PhotoPart{MediaType: "application/octet-stream", Data: b}
	if bytes.HasPrefix(b, []byte{0xFF, 0xD8, 0xFF}) {
		p.MediaType = "image/jpeg"
		if config, err := jpeg.DecodeConfig(bytes.NewReader(b)); err == nil {
			p.Width, p.Height = config.Width, config.Height
		}
	}
	return p
}

// filesPart are the raw files without photo and certificates; nil if there are none.
func filesPart(f *beidfile.Files) *FilesPart {
	p := &FilesPart{ATR: f.ATR, CardData: f.CardData, TokenInfo: f.TokenInfo, Identity: f.Identity, IdentitySignature: f.IdentitySignature,
		Address: f.Address, AddressSignature: f.AddressSignature, BasicKey: f.BasicKey}
	for _, b := range [][]byte{p.ATR, p.CardData, p.TokenInfo, p.Identity, p.IdentitySignature, p.Address, p.AddressSignature, p.BasicKey} {
		if len(b) > 0 {
			return p
		}
	}
	return nil
}
