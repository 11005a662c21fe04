package pades

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/pdf"
)

// SubFilters, ISO 32000-2 table 257.
const (
	subFilterCAdES   = "ETSI.CAdES.detached"
	subFilterRFC3161 = "ETSI.RFC3161"
	subFilterSHA1    = "adbe.pkcs7.sha1"
	subFilterX509    = "adbe.x509.rsa_sha1"
)

// readValue reads what is in Contents. That it is none is no error.
func (d *document) readValue(s *signature, known [][]byte) error {
	var err error
	switch s.filter {
	case subFilterRFC3161:
		d.readStamp(s)
		return nil
	case subFilterX509:
		s.sig, err = cades.ReadPKCS1(d.ctx, s.message, certEntry(s), d.content(s), d.options(s, known))
	default:
		err = d.readCMS(s, known)
	}
	if err != nil && !errors.Is(err, ades.ErrNoSignature) && !errors.Is(err, ades.ErrRefused) {
		return fmt.Errorf("signature %s: %w", s.names[0], err)
	}
	if err != nil {
		s.problem, s.unreadable = err, true
		s.sig = &ades.Signature{Format: ades.PKCS7, Findings: []ades.Finding{{Code: ades.BadStructure, Object: "Contents", Detail: err.Error()}}}
	}
	d.describe(s)
	return nil
}

func (d *document) options(s *signature, known [][]byte) cades.Options {
	return cades.Options{ID: s.names[0], Name: s.rangeName(), SHA1Content: s.filter == subFilterSHA1, Certificates: known}
}

// certEntry is the Cert entry of the signature dictionary: one certificate or several.
func certEntry(s *signature) [][]byte {
	var list [][]byte
	switch o := s.view.Resolve(s.dict["Cert"]).(type) {
	case pdf.String:
		list = [][]byte{[]byte(o.Value)}
	case pdf.Array:
		for _, e := range o {
			if c, ok := s.view.Resolve(e).(pdf.String); ok && len(list) < 100 {
				list = append(list, []byte(c.Value))
			}
		}
	}
	return list
}

// malformedSerial tells that the serial number by which a signer is named is
// not an INTEGER of BER, whose first nine bits are never all alike (X.690
// section 8.3.2). OpenSSL, Bouncy Castle and so EU DSS refuse such a message.
func malformedSerial(message []byte) bool {
	e, err := ber.ParsePrefix(message)
	if err != nil {
		return false
	}
	info := e.Reader()
	if _, err := info.Next(); err != nil {
		return false
	}
	explicit, err := info.Next()
	if err != nil {
		return false
	}
	signed, err := explicit.Reader().Next()
	if err != nil {
		return false
	}
	var signers ber.Element
	for r := signed.Reader(); r.More(); {
		if signers, err = r.Next(); err != nil {
			return false
		}
	}
	for r := signers.Reader(); r.More(); {
		signer, err := r.Next()
		if err != nil {
			return false
		}
		fields := signer.Reader()
		if _, err := fields.Next(); err != nil {
			return false
		}
		sid, err := fields.Expect(ber.Universal, ber.TagSequence)
		if err != nil {
			continue // named by its key
		}
		names := sid.Reader()
		if _, err := names.Next(); err != nil {
			return false
		}
		serial, err := names.Expect(ber.Universal, ber.TagInteger)
		if err != nil {
			return false
		}
		if b := serial.Body; len(b) == 0 || len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
			return true
		}
	}
	return false
}

func (d *document) readCMS(s *signature, known [][]byte) error {
	if malformedSerial(s.message) {
		return fmt.Errorf("%w: the serial number of the signer is no integer", ades.ErrRefused)
	}
	content := d.content(s)
	if content == nil && s.filter != subFilterSHA1 {
		// Without its bytes nothing is signed: the message must not pass for
		// its own content.
		content = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
	}
	list, err := cades.ReadCMS(d.ctx, s.message, content, d.options(s, nil))
	if err != nil {
		return err
	}
	s.carried = carried(list[0])
	if list[0].Signer == nil && len(known) > 0 {
		if list, err = cades.ReadCMS(d.ctx, s.message, content, d.options(s, known)); err != nil {
			return err
		}
	}
	s.sig = list[0]
	if len(list) > 1 {
		s.sig.Findings = append(s.sig.Findings, ades.Finding{Code: ades.MultipleSignerDoc, Detail: fmt.Sprintf("%d signers", len(list))})
	}
	return nil
}

// describe completes a signature with what the file says about it.
func (d *document) describe(s *signature) {
	sig := s.sig
	sig.SubFormat = s.filter
	sig.Format = ades.PKCS7
	if s.filter == subFilterCAdES && sig.HasCertRefs {
		sig.Format = ades.PAdES
	}
	sig.CoversWholeFile = s.rangeProblem == "" && d.coversFile(s)
	for i := range sig.References {
		r := &sig.References[i]
		if r.Content == nil || r.Kind != ades.RefContent && r.Kind != ades.RefMessageDigest {
			continue
		}
		if s.filter == subFilterSHA1 && r.Kind == ades.RefMessageDigest {
			r.Name = "SHA-1 digest within the message"
			continue
		}
		r.Name, r.Ranges = s.rangeName(), []ades.Range{s.first, s.second}
		if !s.inFile {
			r.Found, r.Intact, r.Content, r.Ranges = false, false, nil, nil
		}
	}
	if s.filter == subFilterSHA1 && sig.Digest != nil && !s.inFile {
		sig.Digest = nil
	}
	if sig.SigningTime != nil && s.filter == subFilterCAdES {
		d.note(s, ades.SigningTimeInPDF, "", "signing-time attribute beside M")
	}
	if m, ok := s.view.Resolve(s.dict["M"]).(pdf.String); ok {
		if t, ok := pdf.ParseDate(m.Value); ok {
			sig.SigningTime = &t
		}
	}
	sig.Reason = s.view.Text(s.dict["Reason"])
	if place := s.view.Text(s.dict["Location"]); place != "" {
		sig.Place = place
	}
	s.hasData = len(sig.CRLs)+len(sig.OCSPs) > 0
	sig.PDF = d.facts(s)
	d.noteFaults(s)
}

// describeStamp makes a signature of a document time stamp.
func (d *document) describeStamp(s *signature) {
	sig := s.sig
	genTime := s.stamp.GenTime
	sig.Format, sig.SubFormat = ades.DocTimestamp, s.filter
	if !genTime.IsZero() {
		sig.SigningTime = &genTime
	}
	sig.CoversWholeFile = s.rangeProblem == "" && d.coversFile(s)
	sig.References = append([]ades.Reference{{
		Kind: ades.RefContent, Name: s.rangeName(), Found: s.stamp.Found, Intact: s.stamp.Intact,
		Hash: s.stamp.Hash, Digest: s.stamp.Imprint, Ranges: []ades.Range{s.first, s.second}, Content: d.content(s),
	}}, sig.References...)
	sig.PDF = d.facts(s)
	d.noteFaults(s)
}

func (d *document) note(s *signature, code ades.Code, object, detail string) {
	s.sig.Findings = append(s.sig.Findings, ades.Finding{Code: code, Object: object, Detail: detail})
}

// noteFaults makes findings of what is wrong with the place of a signature.
func (d *document) noteFaults(s *signature) {
	if s.rangeProblem != "" {
		d.note(s, ades.BadByteRange, "ByteRange", s.rangeProblem)
	} else if !s.whole {
		d.note(s, ades.NotWholeRevision, "ByteRange", fmt.Sprintf("it ends at byte %d, which is not the end of a revision", s.end))
	}
	if s.duplicate {
		d.note(s, ades.BadStructure, "signature dictionary", "a key stands twice, so that readers differ about it")
	}
	if s.field.Unlisted {
		d.note(s, ades.EncodingOddity, "field "+s.names[0], "the form does not list the field")
	}
	if d.pdf.Repaired {
		d.note(s, ades.EncodingOddity, "cross-reference", "the file is damaged; its objects were found by searching")
	}
}

// coversFile tells whether nothing but white space comes after what is covered.
func (d *document) coversFile(s *signature) bool {
	if s.end == d.pdf.Size() {
		return true
	}
	rest := d.pdf.Size() - s.end
	if rest > 1024 {
		return false
	}
	tail := make([]byte, rest)
	if _, err := d.pdf.ReadAt(tail, s.end); err != nil && err != io.EOF {
		return false
	}
	return len(strings.Trim(string(tail), " \r\n\t\x00")) == 0
}

// readStamp reads a document time stamp.
func (d *document) readStamp(s *signature) {
	stamp := cades.ReadTimestamp(s.message, func(h crypto.Hash) ([]byte, error) {
		if s.rangeProblem != "" {
			return nil, errors.New("ByteRange does not hold")
		}
		return d.digest(s, h)
	}, ades.DocumentTS)
	if stamp.Token == nil {
		// What cannot be read proves nothing and, as in EU DSS, is not there.
		s.problem = fmt.Errorf("%w: document time stamp that cannot be read", ades.ErrNoSignature)
		if len(stamp.Findings) > 0 {
			s.problem = fmt.Errorf("%w: %s", s.problem, stamp.Findings[0].Detail)
		}
		return
	}
	stamp.ID = s.names[0]
	s.carried = append(carried(stamp.Token), ades.ObjectDigest(stamp.Raw))
	if s.rangeProblem != "" {
		stamp.Findings = append(stamp.Findings, ades.Finding{Code: ades.BadByteRange, Object: "ByteRange", Detail: s.rangeProblem})
	}
	s.stamp = &stamp
}
