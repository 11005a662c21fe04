package saved

// Schema is the number of the JSON form. It changes only when a member changes its meaning or goes; members may be added under it.
const Schema = 1

// Document is the JSON form: what "eid read --json" prints and [Read] reads back. docs/schema/read.json is its schema, where every
// member is described, docs/schema/README.md says what is stable about it.
//
// Dates are "YYYY-MM-DD", with 00 for an unknown month or day of birth. Binary numbers and hashes are upper-case hexadecimal, files
// and certificates base64. Members that the card does not have, or that were not read, are absent.
type Document struct {
	Schema       int               `json:"schema"`
	Card         CardPart          `json:"card"`
	Identity     IdentityPart      `json:"identity"`
	Address      *AddressPart      `json:"address,omitempty"`
	Photo        *PhotoPart        `json:"photo,omitempty"`
	Certificates *CertificatesPart `json:"certificates,omitempty"`
	TokenInfo    *TokenPart        `json:"tokenInfo,omitempty"`
	Files        *FilesPart        `json:"files,omitempty"`
	Warnings     []string          `json:"warnings"`
	Verification *Verification     `json:"verification,omitempty"`
	Reading      *Reading          `json:"reading,omitempty"`
	Source       *Source           `json:"source,omitempty"`
}

// CardPart is what is known of the card, not of its holder.
type CardPart struct {
	CardNumber           string        `json:"cardNumber"`
	ChipNumber           string        `json:"chipNumber,omitempty"`
	ValidFrom            string        `json:"validFrom,omitempty"`
	ValidUntil           string        `json:"validUntil,omitempty"`
	DeliveryMunicipality string        `json:"deliveryMunicipality,omitempty"`
	DocumentType         DocumentKind  `json:"documentType"`
	AppletVersion        string        `json:"appletVersion,omitempty"`
	GraphicalVersion     string        `json:"graphicalVersion,omitempty"`
	Duplicate            string        `json:"duplicate,omitempty"`
	SpecialOrganisation  *Code         `json:"specialOrganisation,omitempty"`
	BrexitMention1       *Code         `json:"brexitMention1,omitempty"`
	BrexitMention2       *Code         `json:"brexitMention2,omitempty"`
	CardAMention1        *Code         `json:"cardAMention1,omitempty"`
	CardAMention2        *Code         `json:"cardAMention2,omitempty"`
	EUStart              string        `json:"euStart,omitempty"`
	PhotoHash            string        `json:"photoHash,omitempty"`
	BasicKeyHash         string        `json:"basicKeyHash,omitempty"`
	StructureVersion     string        `json:"structureVersion,omitempty"`
	Data                 *CardDataPart `json:"data,omitempty"`
}

// IdentityPart is the holder.
type IdentityPart struct {
	NationalNumber        string      `json:"nationalNumber"`
	Surname               string      `json:"surname"`
	GivenNames            string      `json:"givenNames"`
	ThirdInitial          string      `json:"thirdInitial,omitempty"`
	Nationality           string      `json:"nationality,omitempty"`
	BirthPlace            string      `json:"birthPlace,omitempty"`
	BirthDate             string      `json:"birthDate,omitempty"`
	BirthDateText         string      `json:"birthDateText,omitempty"`
	Sex                   string      `json:"sex,omitempty"`
	NobleCondition        string      `json:"nobleCondition,omitempty"`
	SpecialStatus         Code        `json:"specialStatus"`
	MemberOfFamily        bool        `json:"memberOfFamily"`
	ProtectionDateCountry string      `json:"protectionDateCountry,omitempty"`
	WorkPermit            *Code       `json:"workPermit,omitempty"`
	EmployerVAT1          string      `json:"employerVat1,omitempty"`
	EmployerVAT2          string      `json:"employerVat2,omitempty"`
	RegionalFile          string      `json:"regionalFile,omitempty"`
	Unknown               []FieldPart `json:"unknown,omitempty"`
}

// AddressPart is the holder's address.
type AddressPart struct {
	StreetAndNumber  string      `json:"streetAndNumber"`
	Zip              string      `json:"zip"`
	Municipality     string      `json:"municipality"`
	StructureVersion string      `json:"structureVersion,omitempty"`
	Unknown          []FieldPart `json:"unknown,omitempty"`
}

// DocumentKind is a document type: its code on the card, the viewer's word for it if there is one, and the broad kind.
type DocumentKind struct {
	Code string `json:"code"`
	Word string `json:"word,omitempty"`
	Kind string `json:"kind"`
}

// Code is a code on the card and the viewer's word for it, if there is one.
type Code struct {
	Code string `json:"code"`
	Word string `json:"word,omitempty"`
}

// FieldPart is a field whose tag is not known here.
type FieldPart struct {
	Tag   string `json:"tag"`
	Value string `json:"value"`
}

// PhotoPart is the photo file; its size in pixels is there when the file can be decoded that far.
type PhotoPart struct {
	MediaType string `json:"mediaType"`
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Data      []byte `json:"data"`
}

// CardDataPart is the answer of GET CARD DATA.
type CardDataPart struct {
	Serial                 string `json:"serial"`
	ComponentCode          byte   `json:"componentCode"`
	OSNumber               byte   `json:"osNumber"`
	OSVersion              byte   `json:"osVersion"`
	SoftMaskNumber         byte   `json:"softMaskNumber"`
	SoftMaskVersion        byte   `json:"softMaskVersion"`
	GlobalOSVersion        uint16 `json:"globalOsVersion"`
	AppletInterfaceVersion byte   `json:"appletInterfaceVersion"`
	PKCS1Support           byte   `json:"pkcs1Support"`
	KeyExchangeVersion     byte   `json:"keyExchangeVersion"`
	LifeCycle              byte   `json:"lifeCycle"`
	PINTriesLeft           *byte  `json:"pinTriesLeft,omitempty"`
}

// TokenPart is the PKCS#15 token information.
type TokenPart struct {
	Version             int    `json:"version"`
	Serial              string `json:"serial"`
	Label               string `json:"label,omitempty"`
	Graphical           byte   `json:"graphical"`
	Electrical          byte   `json:"electrical"`
	ElectricalInterface byte   `json:"electricalInterface"`
	Reserved            byte   `json:"reserved"`
}

// FilesPart are the raw files that are not elsewhere in the document: photo and certificates are in their own members.
type FilesPart struct {
	ATR               []byte `json:"atr,omitempty"`
	CardData          []byte `json:"cardData,omitempty"`
	TokenInfo         []byte `json:"tokenInfo,omitempty"`
	Identity          []byte `json:"identity,omitempty"`
	IdentitySignature []byte `json:"identitySignature,omitempty"`
	Address           []byte `json:"address,omitempty"`
	AddressSignature  []byte `json:"addressSignature,omitempty"`
	BasicKey          []byte `json:"basicKey,omitempty"`
}

// Verification is what verify/carddata found, filled in by who verified. Read takes no notice of it in a file: it would be the
// word of whoever wrote the file.
type Verification struct {
	Trusted   bool     `json:"trusted"`
	Failed    bool     `json:"failed"`
	Identity  Check    `json:"identity"`
	Address   Check    `json:"address"`
	Photo     Check    `json:"photo"`
	Chip      Check    `json:"chipNumber"`
	BasicKey  Check    `json:"basicKey"`
	ChipKey   Check    `json:"chipKey"`
	Chain     Check    `json:"chain"`
	Weak      []string `json:"weak"`
	CheckedAt string   `json:"checkedAt,omitempty"`
}

// Check is one property: Status is "held", "failed", "untrusted" or "notChecked"; Reason is empty when it held.
type Check struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// Reading says how the card was read, filled in by who read it.
type Reading struct {
	Reader     string  `json:"reader"`
	Commands   int     `json:"commands"`
	DurationMS float64 `json:"durationMs"`
	TestCard   bool    `json:"testCard"`
}

// Source says from what file the data came, when they did not come from a card.
type Source struct {
	Format  Format   `json:"format"`
	Version string   `json:"version,omitempty"`
	Signed  bool     `json:"signed"`
	Notes   []string `json:"notes"`
}
