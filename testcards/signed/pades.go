package signed

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/cms"
)

// SubFilters of signatures that Sign knows, ISO 32000-1 section 12.8.3.3 and
// ETSI EN 319 142-1.
const (
	PAdESDetached = "ETSI.CAdES.detached"
	PKCS7Detached = "adbe.pkcs7.detached"
	PKCS7SHA1     = "adbe.pkcs7.sha1"
)

// Field says how a signature stands in a PDF. The zero value is an invisible
// PAdES signature on page 1.
type Field struct {
	// Name of the field; empty: Signature1 and so on.
	Name string
	// SubFilter; empty: PAdESDetached.
	SubFilter string
	// Page counts from 1; 0 is 1. Rect is where it is seen, in points; all
	// zero: nowhere.
	Page int
	Rect [4]int
	// Certify makes it a certification signature that allows (DocMDP) 1 no
	// changes, 2 form filling and signatures, 3 annotations as well. Only the
	// first signature may be one.
	Certify int
	// Reason, Place and Contact are texts of the signer.
	Reason, Place, Contact string
}

// PAdES makes a document of one page and signs it.
func PAdES(o Options) ([]byte, error) {
	p := NewPDF(PDFOptions{})
	if err := p.Sign(o, Field{}); err != nil {
		return nil, err
	}
	return p.Bytes(), nil
}

// Sign adds a signature as a revision of its own, and then what its level
// asks: one revision with a DSS (ETSI EN 319 142-1 section 5.4), one for each
// archive time stamp, with further evidence before each but the first.
func (p *PDF) Sign(o Options, f Field) error {
	if err := p.sign(o, f); err != nil {
		return fmt.Errorf("making PDF signature: %w", err)
	}
	return nil
}

func (p *PDF) sign(o Options, f Field) error {
	if err := o.fill(); err != nil {
		return err
	}
	if len(o.Counter) > 0 || o.MIMEType+o.Policy+o.Commitment != "" || !o.ContentStamp.At.IsZero() {
		return fmt.Errorf("%w: counter-signatures and properties are not for PDFs", ErrOptions)
	}
	if f.SubFilter == "" {
		f.SubFilter = PAdESDetached
	}
	contents, err := p.place(f, o.dictionary(f), func(signed []byte) ([]byte, error) { return o.pdfMessage(f.SubFilter, signed) })
	if err != nil || o.Level < LT {
		return err
	}
	e, err := o.aboutSigner()
	if err != nil {
		return err
	}
	p.addEvidence(e, contents)
	if o.Level < LTA {
		return nil
	}
	for i, s := range o.Archive {
		if i > 0 {
			before := o.Archive[i-1]
			if e, err = o.aboutStamp(before, before.RevocationAt); err != nil {
				return err
			}
			p.addEvidence(e, contents)
		}
		if contents, err = p.timestamp(&o, s); err != nil {
			return err
		}
	}
	return nil
}

// Timestamp adds a document time stamp (ETSI EN 319 142-1 section 5.4.3)
// that belongs to no signature. Of the options only PKI counts.
func (p *PDF) Timestamp(o Options, s Stamp) error {
	if o.PKI == nil {
		return fmt.Errorf("making PDF time stamp: %w: no PKI", ErrOptions)
	}
	o.fillStamp(&s)
	if _, err := p.timestamp(&o, s); err != nil {
		return fmt.Errorf("making PDF time stamp: %w", err)
	}
	return nil
}

func (p *PDF) timestamp(o *Options, s Stamp) ([]byte, error) {
	return p.place(Field{}, "/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161", func(signed []byte) ([]byte, error) {
		return o.token(s, nil, signed)
	})
}

// dictionary are the entries of the signature dictionary but ByteRange and
// Contents.
func (o *Options) dictionary(f Field) string {
	s := fmt.Sprintf("/Type /Sig /Filter /Adobe.PPKLite /SubFilter /%s /M (%s) /Name (%s)", f.SubFilter, pdfDate(o.At),
		latin(o.Signer.Certificate.Subject.CommonName))
	for _, entry := range [][2]string{{"Reason", f.Reason}, {"Location", f.Place}, {"ContactInfo", f.Contact}} {
		if entry[1] != "" {
			s += fmt.Sprintf(" /%s (%s)", entry[0], latin(entry[1]))
		}
	}
	if f.Certify > 0 {
		s += fmt.Sprintf(" /Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P %d /V /1.2 >> >>]", f.Certify)
	}
	return s
}

func pdfDate(t time.Time) string { return t.UTC().Format("D:20060102150405+00'00'") }

// latin is a string in the encoding of PDF texts, as far as that is ISO
// 8859-1; what is not becomes a question mark.
func latin(s string) string {
	var out strings.Builder
	for _, r := range s {
		if r > 0xff {
			r = '?'
		}
		out.WriteByte(byte(r))
	}
	return escape(out.String())
}

// pdfMessage is the CMS message over the bytes that are signed.
func (o *Options) pdfMessage(subFilter string, signed []byte) ([]byte, error) {
	m := message{contentType: cms.OIDData, content: signed, detached: true, signingTime: subFilter != PAdESDetached}
	switch subFilter {
	case PAdESDetached, PKCS7Detached:
	case PKCS7SHA1:
		sum := sha1.Sum(signed)
		m.content, m.detached = sum[:], false
	default:
		return nil, fmt.Errorf("%w: SubFilter %q", ErrOptions, subFilter)
	}
	inside := *o
	inside.Level = min(o.Level, T)
	return m.make([]Options{inside})
}

// margin is how many bytes signatures with the same options may differ in
// length, at most: those of elliptic curves do.
const margin = 64

// place adds a field with a signature dictionary, whose Contents sign returns
// for the bytes around them.
func (p *PDF) place(f Field, dictionary string, sign func(signed []byte) ([]byte, error)) ([]byte, error) {
	trial, err := sign([]byte("how long is it?"))
	if err != nil {
		return nil, err
	}
	room := len(trial) + margin
	number := p.New()
	if f.Certify > 0 {
		if len(p.fields) > 0 {
			return nil, fmt.Errorf("%w: only the first signature certifies", ErrOptions)
		}
		p.perms = number
	}
	objects := p.addField(f, number)
	const ranges = "[0 0000000000 0000000000 0000000000]"
	objects[number] = fmt.Sprintf("<< %s /ByteRange %s /Contents <%s> >>", dictionary, ranges, strings.Repeat("0", 2*room))
	before := len(p.data)
	p.Append(objects)

	mark := fmt.Appendf(nil, "/ByteRange %s /Contents <", ranges)
	at := before + bytes.Index(p.data[before:], mark)
	start := at + len(mark) - 1 // of the angle bracket
	end := start + 2*room + 2   // after the other one
	filled := fmt.Appendf(nil, "/ByteRange [0 %010d %010d %010d]", start, end, len(p.data)-end)
	copy(p.data[at:], filled)
	contents, err := sign(bytes.Join([][]byte{p.data[:start], p.data[end:]}, nil))
	if err != nil {
		return nil, err
	}
	if len(contents) > room {
		return nil, errors.New("the signature came out longer than the trial")
	}
	hex.Encode(p.data[start+1:], contents)
	padded := append(contents, bytes.Repeat([]byte{0}, room-len(contents))...)
	return padded, nil
}

// addField makes the objects around a signature dictionary: the field with its
// widget, the page and the catalog.
func (p *PDF) addField(f Field, signature int) map[int]string {
	field := p.New()
	p.fields = append(p.fields, field)
	if f.Name == "" {
		f.Name = fmt.Sprintf("Signature%d", len(p.fields))
	}
	n := max(f.Page, 1) - 1
	p.pages[n].annots = append(p.pages[n].annots, field)
	objects := map[int]string{}
	text := fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /V %d 0 R /F 132 /P %d 0 R /Rect [%d %d %d %d]",
		latin(f.Name), signature, FirstPage+2*n, f.Rect[0], f.Rect[1], f.Rect[2], f.Rect[3])
	if f.Rect != [4]int{} {
		look := p.New()
		width, height := f.Rect[2]-f.Rect[0], f.Rect[3]-f.Rect[1]
		objects[look] = stream(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 %d %d] /Resources << /Font << /F1 %d 0 R >> >> ", width, height, Font),
			fmt.Sprintf("0.5 w 0 0 %d %d re S BT /F1 8 Tf 4 %d Td (%s) Tj ET", width, height, height/2, latin(f.Name)))
		text += fmt.Sprintf(" /AP << /N %d 0 R >>", look)
	}
	objects[field] = text + " >>"
	objects[FirstPage+2*n] = p.page(n)
	objects[Catalog] = p.catalog()
	return objects
}

// dss is the document security store: what is in it, by object number.
type dss struct {
	number             int
	certs, crls, ocsps []int
	seen               map[string]int
	vri                []string
}

// addEvidence adds a revision in which the DSS has the evidence, with a VRI
// entry for the signature whose Contents are given.
func (p *PDF) addEvidence(e evidence, contents []byte) {
	if p.dss == nil {
		p.dss = &dss{number: p.New(), seen: map[string]int{}}
	}
	objects := map[int]string{}
	put := func(list *[]int, raws [][]byte) string {
		var here []int
		for _, raw := range raws {
			n, known := p.dss.seen[string(raw)]
			if !known {
				n = p.New()
				p.dss.seen[string(raw)] = n
				objects[n] = stream("", string(raw))
				*list = append(*list, n)
			}
			here = append(here, n)
		}
		return references(here)
	}
	var certs [][]byte
	for _, c := range e.certs {
		certs = append(certs, c.Raw)
	}
	// Empty arrays are left out: ETSI EN 319 142-1 section 5.4.2.2.
	array := func(name, list string) string {
		if list == "" {
			return ""
		}
		return fmt.Sprintf(" /%s [%s]", name, list)
	}
	one := array("Cert", put(&p.dss.certs, certs)) + array("CRL", put(&p.dss.crls, e.crls)) + array("OCSP", put(&p.dss.ocsps, e.ocsps))
	p.dss.vri = append(p.dss.vri, fmt.Sprintf("/%X <<%s >>", cms.Digest(crypto.SHA1, contents), one))
	objects[p.dss.number] = fmt.Sprintf("<< /Type /DSS%s%s%s /VRI << %s >> >>", array("Certs", references(p.dss.certs)),
		array("CRLs", references(p.dss.crls)), array("OCSPs", references(p.dss.ocsps)), strings.Join(p.dss.vri, " "))
	objects[Catalog] = p.catalog()
	p.Append(objects)
}
