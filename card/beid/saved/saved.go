// Package saved reads and writes the files in which the data of an eID card are kept outside the card: JSON with a schema of its
// own, the viewer's .eid XML, and the older forms of the viewers and of the eID Quick-Key Toolset.
//
// Start with [Read], which tells the form by its content, or with [New] for the raw files of a card just read; then [Card.WriteXML],
// [Card.WriteCSV] or [Card.Document], the Go type of all that "eid read --json" prints (docs/schema/read.json).
//
//	form       read            write  raw files, signatures
//	JSON       schema 1        yes    yes, unless left out
//	eid-xml    4.0 to 4.5      yes    photo and certificates only: its content cannot be verified
//	csv        version 1       yes    yes, when the fields for them are filled
//	tlv        versions 1, 2   -      yes
//	xml-3.5    version 1       -      yes, when the elements for them are filled
//	quick-key  -               -      yes, when the elements for them are there
//
// Where a form holds both the raw files and fields that repeat them, the raw files count: what is shown is what the signatures
// cover. Whether the signatures hold is for verify/carddata to say, from [Card.Files].
//
// Nothing here is trusted: sizes are bounded, XML has no DTD and no entities of its own, and no text reaches the caller with control
// or bidirectional characters. Out of scope: reading cards, verifying, SIS cards.
//
// References: the project's facts sheet on the Belgian eID, section 10, which names the public sources; docs/schema/README.md.
package saved

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// MaxSize is the largest file that [Read] takes, in bytes. A whole card is less than a tenth of it in any form.
const MaxSize = 1 << 20

// Why a file cannot be read or written.
var (
	ErrUnknownForm = errors.New("not a file of card data in a known form")
	ErrTooLarge    = fmt.Errorf("file larger than %d MiB", MaxSize>>20)
	ErrMalformed   = errors.New("malformed")
	ErrSIS         = errors.New("the file holds a SIS card, not an eID")
	ErrIncomplete  = errors.New("the form needs data that are not there")
)

// Format is the form of a file.
type Format string

// The forms, in the words that JSON uses for them.
const (
	FormatJSON     Format = "json"
	FormatXML      Format = "eid-xml"
	FormatTLV      Format = "tlv"
	FormatCSV      Format = "csv"
	FormatXML35    Format = "xml-3.5"
	FormatQuickKey Format = "quick-key"
)

// Card is what one file holds, or is to hold.
type Card struct {
	Format  Format // "" when the data came from a card
	Version string // of the form, as the file states it: "4.5"

	// Files are the raw files that the form holds, or that were read from a card. From the viewer's XML: photo and certificates only.
	Files beidfile.Files

	Identity *beidfile.Identity
	Address  *beidfile.Address   // nil if the file has none
	CardData *beidfile.CardData  // nil if the file has none
	Token    *beidfile.TokenInfo // nil if the file has none

	AppletVersion    byte // 0x18 for 1.8; 0 if not known. The viewer's XML has it without the card data,
	GraphicalVersion byte // and this, of the printed card, without the token information

	// Challenge and Response are the proof of the card's own key that the forms of 2008 to 2012 hold: 20 bytes, and an RSA signature
	// whose public key is not in the file.
	Challenge, Response []byte

	// Signed says that the raw identity file is there with the national register's signature and certificate, and the address file,
	// if any, with its signature: verify/carddata can judge them. It does not say that they hold.
	Signed bool

	// Notes says in English, without personal data, what is to be known about the file: first of all what it carries no signature for.
	Notes []string
}

// New makes a Card of raw files as read from a card. It fails when the identity file is absent or it, the address file, the card
// data or the token information cannot be parsed. The result shares memory with f.
func New(f beidfile.Files) (*Card, error) {
	if f.Identity == nil {
		return nil, fmt.Errorf("the identity file: %w", ErrIncomplete)
	}
	c := &Card{Files: f}
	if err := c.parseFiles(); err != nil {
		return nil, err
	}
	c.judgeSignatures()
	c.Notes = nil // they speak of files
	return c, nil
}

// Read reads a file in any of the forms, told by its content. It fails with ErrUnknownForm, ErrTooLarge or ErrSIS, with
// ErrMalformed when the form is known but broken, and with beidfile's errors when a raw file in it is broken.
func Read(b []byte) (*Card, error) {
	if len(b) > MaxSize {
		return nil, ErrTooLarge
	}
	read, format := recognise(b)
	c, err := read(b)
	if errors.Is(err, ErrUnknownForm) {
		return nil, fmt.Errorf("reading saved card data: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading card data from %s: %w", format, err)
	}
	c.trimCertificates()
	if err := c.parseFiles(); err != nil {
		return nil, fmt.Errorf("reading card data from %s: %w", c.Format, err)
	}
	if c.Identity == nil {
		return nil, fmt.Errorf("reading card data from %s: no identity: %w", c.Format, ErrMalformed)
	}
	c.judgeSignatures()
	return c, nil
}

// recognise chooses the reader: a brace, an angle bracket, a version number and a semicolon, or anything else.
func recognise(b []byte) (read func([]byte) (*Card, error), name string) {
	text := bytes.TrimLeft(bytes.TrimPrefix(b, byteOrderMark), " \t\r\n")
	digits := bytes.TrimLeft(text, "0123456789")
	switch {
	case len(text) == 0:
		return func([]byte) (*Card, error) { return nil, ErrUnknownForm }, "an empty file"
	case text[0] == '{':
		return readJSON, "JSON"
	case text[0] == '<':
		return readXML, "XML"
	case len(digits) > 0 && len(digits) < len(text) && len(text)-len(digits) <= 3 && digits[0] == ';':
		return readCSV, "CSV"
	}
	return readTLV, "TLV"
}

var byteOrderMark = []byte("\xEF\xBB\xBF")

// parseFiles parses the raw files that are there. Values that a form repeats outside them are compared and then given up.
func (c *Card) parseFiles() error {
	if c.Files.Identity != nil {
		id, err := beidfile.ParseIdentity(c.Files.Identity)
		if err != nil {
			return err
		}
		c.compareIdentity(c.Identity, id)
		c.Identity = id
	}
	if c.Files.Address != nil {
		a, err := beidfile.ParseAddress(c.Files.Address)
		if err != nil {
			return err
		}
		c.compareAddress(c.Address, a)
		c.Address = a
	}
	if c.Files.CardData != nil {
		d, err := beidfile.ParseCardData(c.Files.CardData)
		if err != nil {
			return err
		}
		c.CardData, c.AppletVersion = &d, d.AppletVersion
	}
	if c.Files.TokenInfo != nil {
		t, err := beidfile.ParseTokenInfo(c.Files.TokenInfo)
		if err != nil {
			return err
		}
		c.Token, c.GraphicalVersion = &t, t.Graphical
	}
	return nil
}

func (c *Card) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}
