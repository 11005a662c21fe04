package saved

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// WriteXML writes the viewer's .eid file as the v5 viewer reads it (facts 10.1): UTF-8, the lowest version from 4.0 to 4.5 that has
// room for the content, elements and attributes in the viewer's order, no empty optional values.
//
// The viewer checks the file against its schema before it reads it, so what the schema does not know is left out even where the
// viewer's own code writes it (carddata_appl_version, protection_date_country), and so is a value that the schema would refuse. The
// document types 61 to 69 have no other word than the one the schema lacks; that word is written, and the viewers of Linux and macOS
// may refuse the file. The photo, the address and the root, CA and national register's certificates must be there: the viewer does
// not bear an empty one. What is missing is named in an error that wraps ErrIncomplete; nothing is then written.
//
// The file carries no signatures, and of the identity no chip key hash, photo hash, special organisation or EU start date.
func (c *Card) WriteXML(w io.Writer) error {
	if missing := c.missingForXML(); len(missing) > 0 {
		return fmt.Errorf("writing the viewer's XML: no %s: %w", strings.Join(missing, ", no "), ErrIncomplete)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing the viewer's XML: %w", err)
	}
	out := &xmlWriter{encoder: xml.NewEncoder(w)}
	out.open("eid", "version", c.viewerVersion(), "graphpersoversion", hexByte(c.GraphicalVersion))
	c.writeXMLIdentity(out)
	c.writeXMLCard(out)
	out.open("address")
	out.text("streetandnumber", c.Address.StreetAndNumber)
	out.text("zip", c.Address.Zip)
	out.text("municipality", c.Address.Municipality)
	out.close()
	out.open("certificates")
	out.base64("root", c.Files.Root)
	out.base64("citizenca", c.Files.CA)
	out.base64("authentication", c.Files.Authentication)
	out.base64("signing", c.Files.Signature)
	out.base64("rrn", c.Files.RRN)
	out.close()
	out.close()
	if out.err == nil {
		out.err = out.encoder.Flush()
	}
	if out.err == nil {
		_, out.err = io.WriteString(w, "\n")
	}
	if out.err != nil {
		return fmt.Errorf("writing the viewer's XML: %w", out.err)
	}
	return nil
}

func (c *Card) writeXMLIdentity(out *xmlWriter) {
	id := c.Identity
	out.open("identity",
		"nationalnumber", id.NationalNumber,
		"dateofbirth", compactDate(id.Birth),
		"gender", sexWord(id.Sex),
		"noblecondition", id.NobleCondition,
		"specialstatus", id.SpecialStatus.Word(),
		"duplicate", onlyIf(len(id.Duplicate) == 2 && allDigits(id.Duplicate), id.Duplicate),
		"memberoffamily", onlyIf(id.MemberOfFamily, "1"),
		"dateandcountryofprotection", protectionForXML(id.ProtectionDateCountry))
	out.text("name", id.Surname)
	out.text("firstname", id.GivenNames)
	if id.ThirdInitial != "" {
		out.text("middlenames", id.ThirdInitial)
	}
	out.text("nationality", id.Nationality)
	out.text("placeofbirth", id.BirthPlace)
	out.base64("photo", c.Files.Photo)
	out.close()
}

func (c *Card) writeXMLCard(out *xmlWriter) {
	id := c.Identity
	out.open("card",
		"documenttype", id.DocumentType.Word(),
		"cardnumber", id.CardNumber,
		"chipnumber", upperHex(id.ChipNumber),
		"validitydatebegin", compactDate(id.ValidFrom),
		"validitydateend", compactDate(id.ValidUntil))
	out.text("deliverymunicipality", id.DeliveryMunicipality)
	if mention := beidfile.MentionWord("workPermit", id.WorkPermit); mention != "" {
		regional := onlyIf(utf8.RuneCountInString(id.RegionalFile) <= 18, id.RegionalFile)
		out.open("workpermit", "mention", mention, "vat1", vatForXML(id.EmployerVAT1), "vat2", vatForXML(id.EmployerVAT2),
			"regionalfile", regional)
		out.close()
	}
	if mention := beidfile.MentionWord("brexitMention1", id.BrexitMention1); mention != "" {
		out.open("brexit", "mention1", mention, "mention2", beidfile.MentionWord("brexitMention2", id.BrexitMention2))
		out.close()
	}
	if mention := beidfile.MentionWord("cardAMention1", id.CardAMention1); mention != "" {
		out.open("cardA", "mentions1", mention, "mentions2", beidfile.MentionWord("cardAMention2", id.CardAMention2))
		out.close()
	}
	out.close()
}

// missingForXML names what the viewer's schema requires and c does not have.
func (c *Card) missingForXML() (missing []string) {
	need := func(there bool, name string) {
		if !there {
			missing = append(missing, name)
		}
	}
	if c.Identity == nil {
		return []string{"identity"}
	}
	id := c.Identity
	need(len(id.NationalNumber) == 11 && allDigits(id.NationalNumber), "national number of 11 digits")
	need(strings.TrimSpace(id.Surname) != "", "surname")
	need(len(compactDate(id.Birth)) == 8, "birth date")
	need(id.Sex != beidfile.SexUnknown, "sex")
	need(id.DocumentType.Word() != "", "document type known to the viewer")
	need(len(id.CardNumber) > 0 && utf8.RuneCountInString(id.CardNumber) <= 12, "card number of at most 12 characters")
	need(len(id.ChipNumber) == 16, "chip number of 16 bytes")
	need(len(compactDate(id.ValidFrom)) == 8 && len(compactDate(id.ValidUntil)) == 8, "dates of validity")
	need(len(c.Files.Photo) > 0, "photo")
	need(c.Address != nil, "address")
	need(len(c.Files.Root) > 0, "root certificate")
	need(len(c.Files.CA) > 0, "CA certificate")
	need(len(c.Files.RRN) > 0, "national register's certificate")
	return missing
}

// viewerVersion is the lowest version of the form with room for the content; "" is 4.0, which has no version attribute.
func (c *Card) viewerVersion() string {
	id := c.Identity
	word := id.DocumentType.Word()
	switch {
	case beidfile.MentionWord("cardAMention1", id.CardAMention1) != "":
		return "4.5"
	case !slices.Contains(wordsOf40, word) && !slices.Contains(wordsOf43, word): // added after 4.3, no version says when
		return "4.5"
	case c.GraphicalVersion != 0:
		return "4.4"
	case slices.Contains(wordsOf43, word):
		return "4.3"
	case beidfile.MentionWord("brexitMention1", id.BrexitMention1) != "":
		return "4.2"
	case id.MemberOfFamily, protectionForXML(id.ProtectionDateCountry) != "", beidfile.MentionWord("workPermit", id.WorkPermit) != "":
		return "4.1"
	}
	return ""
}

// Document words of the form's first version, and those that 4.3 added.
var (
	wordsOf40 = []string{"belgian_citizen", "kids_card", "bootstrap_card", "habilitation_card", "foreigner_a", "foreigner_b",
		"foreigner_c", "foreigner_d", "foreigner_e", "foreigner_e_plus", "foreigner_f", "foreigner_f_plus", "european_blue_card_h"}
	wordsOf43 = []string{"ict_i", "mobile_ict_j", "foreigner_m", "foreigner_n"}
)

// xmlWriter writes elements until the first error. Elements get an end tag of their own even when empty: the viewer skips the
// element after one that ends in "/>".
type xmlWriter struct {
	encoder *xml.Encoder
	stack   []xml.EndElement
	err     error
}

func (x *xmlWriter) put(t xml.Token) {
	if x.err == nil {
		x.err = x.encoder.EncodeToken(t)
	}
}

// open starts an element with attributes given as name, value, name, value; an attribute with an empty value is left out.
func (x *xmlWriter) open(name string, attributes ...string) {
	start := xml.StartElement{Name: xml.Name{Local: name}}
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: attributes[i]}, Value: attributes[i+1]})
		}
	}
	x.put(start)
	x.stack = append(x.stack, start.End())
}

func (x *xmlWriter) close() {
	last := len(x.stack) - 1
	x.put(x.stack[last])
	x.stack = x.stack[:last]
}

func (x *xmlWriter) text(name, value string) {
	x.open(name)
	x.put(xml.CharData(value))
	x.close()
}

// base64 writes an element unless it would be empty.
func (x *xmlWriter) base64(name string, value []byte) {
	if len(value) > 0 {
		x.text(name, base64.StdEncoding.EncodeToString(value))
	}
}
