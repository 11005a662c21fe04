package pades

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// TestSamples reads the PDF files of the outside test data.
func TestSamples(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "signatures", "pades")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the outside test data is not there: ", err)
	}
	for name, want := range map[string]struct {
		err      error
		format   ades.Format
		findings []ades.Code
		verifies bool
	}{
		"BadEncodedCMS.pdf":       {err: ades.ErrNoSignature},
		"DSS-1683.pdf":            {nil, ades.PKCS7, []ades.Code{ades.NoMessageDigest}, true},
		"pades_infinite_loop.pdf": {nil, ades.PAdES, []ades.Code{ades.BadByteRange, ades.EncodingOddity}, true},
		"siwa.pdf":                {nil, ades.PKCS7, []ades.Code{ades.BadByteRange}, true},
		"dss-1420/PAdES-BpB-att-SHA256-SHA3_256withRSA.pdf": {nil, ades.PAdES, []ades.Code{ades.AlgorithmMismatch, ades.SigningTimeInPDF}, false},
	} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		list, err := read(t, b)
		if !errors.Is(err, want.err) || err == nil != (want.err == nil) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			continue
		}
		s := list[0]
		var codes []ades.Code
		for _, f := range s.Findings {
			codes = append(codes, f.Code)
		}
		slices.Sort(codes)
		if len(list) != 1 || s.Format != want.format || !slices.Equal(codes, want.findings) {
			t.Errorf("%s: %d signatures, %s, findings %v", name, len(list), s.Format, s.Findings)
		}
		if err := s.Algorithm.Verify(s.Signer.PublicKey, s.Digest, s.Value); (err == nil) != want.verifies {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLevels reads what the maker of test signatures makes.
func TestLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[signed.Level]struct {
		level   string
		changes []string
		stamps  []ades.TimestampKind
	}{
		signed.B:   {"B-B", nil, nil},
		signed.T:   {"B-T", nil, []ades.TimestampKind{ades.SignatureTS}},
		signed.LT:  {"B-LT", []string{"validation-data-added"}, []ades.TimestampKind{ades.SignatureTS}},
		signed.LTA: {"B-LTA", []string{"validation-data-added", "timestamp-added"}, []ades.TimestampKind{ades.SignatureTS, ades.DocumentTS}},
	} {
		for _, filter := range []string{signed.PAdESDetached, signed.PKCS7Detached, signed.PKCS7SHA1} {
			o := options(t)
			o.Level = level
			o.Plain = filter != signed.PAdESDetached
			if o.Plain && level > signed.B {
				continue
			}
			p := signed.NewPDF(signed.PDFOptions{XRefStreams: level == signed.LT})
			must(t, p.Sign(o, signed.Field{SubFilter: filter, Reason: "Ik ga akkoord", Place: "Gent", Contact: "here", Rect: [4]int{100, 100, 300, 150}}))
			list, err := read(t, p.Bytes())
			must(t, err)
			s := list[0]
			if bad := complaints(s); len(bad) > 0 {
				t.Errorf("%v %s: %v", level, filter, bad)
			}
			format, wantLevel := ades.PAdES, want.level
			if o.Plain {
				format, wantLevel = ades.PKCS7, "B"
			}
			if len(list) != 1 || s.Format != format || s.SubFormat != filter || s.Level != wantLevel || !s.SigningTime.Equal(noon) || s.Reason != "Ik ga akkoord" || s.Place != "Gent" {
				t.Errorf("%v %s: %+v", level, filter, s)
			}
			f := s.PDF
			if f.Field != "Signature1" || f.Page != 1 || f.Rect != [4]float64{100, 100, 300, 150} || f.PageSize != [2]float64{595, 842} || f.Revision != 2 || f.ContactInfo != "here" {
				t.Errorf("%v %s: %+v", level, filter, f)
			}
			if s.CoversWholeFile != (level < signed.LT) {
				t.Errorf("%v %s: covers the whole file: %v", level, filter, s.CoversWholeFile)
			}
			for _, change := range want.changes {
				if !strings.Contains(changed(s), change) {
					t.Errorf("%v: no %s in %s", level, change, changed(s))
				}
			}
			var kinds []ades.TimestampKind
			for _, stamp := range s.Timestamps {
				kinds = append(kinds, stamp.Kind)
				if !stamp.Found || !stamp.Intact {
					t.Errorf("%v: %s stamp does not fit", level, stamp.Kind)
				}
			}
			if !slices.Equal(kinds, want.stamps) {
				t.Errorf("%v: %v", level, kinds)
			}
			if level >= signed.LT && (len(s.CRLs) == 0 || len(s.OCSPs) == 0 || len(s.Certificates) < 3) {
				t.Errorf("%v: %d CRLs, %d OCSP answers, %d certificates", level, len(s.CRLs), len(s.OCSPs), len(s.Certificates))
			}
		}
	}
}

// TestCovers: a document time stamp covers what stands before it and nothing
// that comes after.
func TestCovers(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Level = signed.LTA
	o.Archive = []signed.Stamp{{At: noon.Add(time.Hour)}, {At: noon.Add(48 * time.Hour)}}
	p := signed.NewPDF(signed.PDFOptions{})
	must(t, p.Sign(o, signed.Field{}))
	late := options(t)
	late.At = noon.Add(96 * time.Hour)
	must(t, p.Sign(late, signed.Field{}))
	list, err := read(t, p.Bytes())
	must(t, err)
	if len(list) != 2 || len(list[0].Timestamps) != 3 || len(list[1].Timestamps) != 0 {
		t.Fatalf("%d signatures, %d time stamps", len(list), len(list[0].Timestamps))
	}
	first, second := list[0].Timestamps[1], list[0].Timestamps[2]
	covers := func(stamp ades.Timestamp, raw []byte) bool {
		return slices.Contains(stamp.Covers, ades.ObjectDigest(raw))
	}
	for name, raw := range map[string][]byte{"value": list[0].Value, "signer": list[0].Signer.Raw, "signature time stamp": list[0].Timestamps[0].Raw, "its certificate": list[0].Timestamps[0].Token.Signer.Raw} {
		if !covers(first, raw) || !covers(second, raw) {
			t.Errorf("%s is not covered", name)
		}
	}
	if !covers(second, first.Raw) || covers(first, first.Raw) || covers(first, second.Raw) {
		t.Error("document time stamps covered wrongly")
	}
	if covers(second, list[1].Value) {
		t.Error("covers a later signature")
	}
	both, one := 0, 0
	for _, raw := range append(slices.Clone(list[0].CRLs), list[0].OCSPs...) {
		switch {
		case covers(first, raw) && covers(second, raw):
			both++
		case covers(second, raw):
			one++
		case covers(first, raw):
			t.Error("covered by the first stamp alone")
		}
	}
	if both == 0 || one == 0 {
		t.Errorf("%d answers before both, %d between", both, one)
	}
}

func TestDocumentTimestampsAlone(t *testing.T) {
	t.Parallel()
	p := signed.NewPDF(signed.PDFOptions{})
	o := options(t)
	must(t, p.Timestamp(o, signed.Stamp{At: noon}))
	must(t, p.Timestamp(o, signed.Stamp{At: noon.Add(time.Hour)}))
	list, err := read(t, p.Bytes())
	must(t, err)
	s := list[0]
	if len(list) != 1 || s.Format != ades.DocTimestamp || s.SubFormat != "ETSI.RFC3161" || !s.SigningTime.Equal(noon) || len(s.Timestamps) != 1 || s.PDF == nil || s.ID != "Signature1" {
		t.Fatalf("%d: %+v", len(list), s)
	}
	if bad := complaints(s); len(bad) > 0 {
		t.Error(bad)
	}
	if len(s.References) != 2 || len(s.References[0].Ranges) != 2 || !strings.Contains(changed(s), "timestamp-added") {
		t.Errorf("%+v\n%s", s.References, changed(s))
	}
}

// TestRSASHA1 makes the oldest kind of PDF signature by hand.
func TestRSASHA1(t *testing.T) {
	t.Parallel()
	p, err := pki.New(pki.Options{Algorithm: pki.RSA})
	must(t, err)
	citizen, err := signed.Citizen(p, pki.Request{})
	must(t, err)
	key := citizen.Key
	if _, ok := key.Public().(*rsa.PublicKey); !ok {
		t.Fatal("no RSA key")
	}
	f := pdftest.New(pdftest.Catalog, pdftest.Contract())
	must(t, f.Sign(pdftest.Signing{
		Dict:   fmt.Sprintf("/Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.x509.rsa_sha1 /Cert <%x>", citizen.Certificate.Raw),
		Number: tenantValue, Update: pdftest.Update{Objects: objects{tenant: widget("tenant", tenantValue, 3, 0, "0 0 0 0"), 3: page1(tenant), pdftest.Form: form(tenant)}},
		Make: func(b []byte) ([]byte, error) {
			sum := sha1.Sum(b)
			value, err := key.Sign(rand.Reader, sum[:], crypto.SHA1)
			return ber.Append(nil, ber.Universal, false, ber.TagOctetString, value), err
		}}))
	list, err := read(t, f.Bytes())
	must(t, err)
	s := list[0]
	if bad := complaints(s); len(bad) > 0 || s.Format != ades.PKCS7 || s.SubFormat != "adbe.x509.rsa_sha1" || !s.CoversWholeFile {
		t.Errorf("%v %+v", bad, s)
	}
}

func TestSignedContent(t *testing.T) {
	t.Parallel()
	file := contract(t).Bytes()
	list, err := read(t, file)
	must(t, err)
	ref := list[0].References[0]
	in, err := ref.Content()
	must(t, err)
	defer in.Close()
	got, err := io.ReadAll(in)
	must(t, err)
	var want []byte
	for _, r := range ref.Ranges {
		want = append(want, file[r.Offset:r.Offset+r.Length]...)
	}
	if !bytes.Equal(got, want) || len(ref.Ranges) != 2 || int64(len(got)) != ref.Ranges[0].Length+ref.Ranges[1].Length {
		t.Errorf("%d bytes, ranges %v", len(got), ref.Ranges)
	}
}

// TestOddSignatures are dictionaries that are not what they should be.
func TestOddSignatures(t *testing.T) {
	t.Parallel()
	sign := func(change func(*pdftest.Signing)) []byte {
		f := pdftest.New(pdftest.Catalog, pdftest.Contract())
		s := pdftest.Signing{Dict: sigDict, Number: tenantValue, Make: message(t), Update: pdftest.Update{Objects: objects{
			tenant: widget("tenant", tenantValue, 3, 0, "0 0 0 0"), 3: page1(tenant), pdftest.Form: form(tenant)}}}
		change(&s)
		must(t, f.Sign(s))
		return f.Bytes()
	}
	dict := func(old, new string) []byte {
		return sign(func(s *pdftest.Signing) { s.Dict = strings.Replace(s.Dict, old, new, 1) })
	}
	fixed := func(b []byte) []byte {
		return sign(func(s *pdftest.Signing) { s.Make = func([]byte) ([]byte, error) { return b, nil } })
	}
	two := func(s *pdftest.Signing) {
		s.Make = func(b []byte) ([]byte, error) { return signed.CAdES(b, true, options(t), options(t)) }
	}
	for name, c := range map[string]struct {
		file []byte
		err  error
		want string // a finding, or nothing
	}{
		"no Type":                   {dict("/Type /Sig", ""), nil, ""},
		"Type of another":           {dict("/Type /Sig", "/Type /DocTimeStamp"), ades.ErrNoSignature, ""},
		"time stamp of Type Sig":    {dict("/ETSI.CAdES.detached", "/ETSI.RFC3161"), ades.ErrNoSignature, ""},
		"no SubFilter":              {dict("/SubFilter /ETSI.CAdES.detached", ""), nil, ""},
		"a key twice":               {dict("/Type /Sig", "/Type /Sig /Type /Sig"), nil, "BAD_STRUCTURE"},
		"Contents of zeros":         {fixed(nil), ades.ErrNoSignature, ""},
		"Contents is no message":    {fixed([]byte("hello")), ades.ErrNoSignature, ""},
		"message of something else": {fixed([]byte{0x30, 3, 6, 1, 42}), ades.ErrNoSignature, ""},
		"time stamp that is none":   {sign(func(s *pdftest.Signing) { s.Dict = "/Type /DocTimeStamp /SubFilter /ETSI.RFC3161" }), ades.ErrNoSignature, ""},
		"two signers":               {sign(two), nil, "MULTIPLE_SIGNERS"},
		"shown by two fields": {sign(func(s *pdftest.Signing) {
			s.Objects[pdftest.Waiting] = widget("landlord", tenantValue, 7, 0, "0 0 0 0")
		}), nil, ""},
		"not listed by the form":     {sign(func(s *pdftest.Signing) { s.Objects[pdftest.Form] = form() }), nil, ""},
		"usage rights":               {sign(func(s *pdftest.Signing) { s.Objects[1] = catalog("/Perms << /UR3 41 0 R >>") }), ades.ErrNoSignature, ""},
		"line ends within the value": {sign(func(s *pdftest.Signing) { s.Room = 5000 }), nil, ""},
		"packed revision":            {sign(func(s *pdftest.Signing) { s.XrefStream = true }), nil, ""},
	} {
		list, err := read(t, c.file)
		if !errors.Is(err, c.err) || err == nil != (c.err == nil) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			continue
		}
		text := strings.Join(complaints(list[0]), "\n")
		if len(list) != 1 || c.want == "" && text != "" || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d signatures: %s", name, len(list), text)
		}
		if name == "shown by two fields" && list[0].PDF.Field != "landlord, tenant" {
			t.Errorf("fields %q", list[0].PDF.Field)
		}
	}
}

// TestUnreadableBeside: a value that cannot be read is not silently left out
// when another signature is there.
func TestUnreadableBeside(t *testing.T) {
	t.Parallel()
	f := contract(t)
	must(t, f.Sign(pdftest.Signing{Dict: sigDict, Number: 70, Make: func([]byte) ([]byte, error) { return []byte("hello"), nil },
		Update: pdftest.Update{Objects: objects{pdftest.Waiting: widget("landlord", 70, 7, 0, "0 0 0 0")}}}))
	list, err := read(t, f.Bytes())
	must(t, err)
	if len(list) != 2 || len(complaints(list[0])) > 0 || !strings.Contains(strings.Join(complaints(list[1]), " "), "BAD_STRUCTURE") {
		t.Errorf("%d signatures", len(list))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want error
	}{
		"no PDF":        {"hello", ades.ErrRefused},
		"header alone":  {"%PDF-1.7\n", ades.ErrRefused},
		"no signature":  {string(pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes()), ades.ErrNoSignature},
		"encrypted":     {string(pdftest.New(1, pdftest.Update{Objects: pdftest.Contract().Objects, Trailer: "/Encrypt << /Filter /Adobe.PubSec >>"}).Bytes()), ades.ErrRefused},
		"no page there": {"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj", ades.ErrRefused},
	} {
		if _, err := read(t, []byte(c.file)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(context.Background(), ades.Input{}); !errors.Is(err, ades.ErrRefused) {
		t.Errorf("no file: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := contract(t).Bytes()
	if _, err := Read(ctx, ades.Input{File: ades.File{Data: bytes.NewReader(b), Size: int64(len(b))}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestFlippedBytes: whatever byte is changed, something speaks against it.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	file := contract(t).Bytes()
	list, err := read(t, file)
	must(t, err)
	gap := list[0].References[0].Ranges
	message := int64(len(list[0].Value)) // no more than the message is flipped in the gap
	for i := 0; i < len(file); i += 13 {
		if at := int64(i); at > gap[0].Length+message && at < gap[1].Offset-1 {
			continue
		}
		b := slices.Clone(file)
		b[i] ^= 0x10
		list, err := read(t, b)
		if err != nil {
			continue
		}
		fine := true
		for _, s := range list {
			fine = fine && len(complaints(s)) == 0
		}
		if fine {
			t.Errorf("byte %d flipped from %q goes unseen", i, file[i])
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(contract(f).Bytes())
	f.Add(certified(f, 2).Bytes())
	for _, a := range attacks {
		if start := a.start; start == nil {
			f.Add(a.change(f, contract(f)))
		}
	}
	o := options(f)
	o.Level = signed.LTA
	p := signed.NewPDF(signed.PDFOptions{XRefStreams: true})
	must(f, p.Sign(o, signed.Field{Rect: [4]int{0, 0, 100, 100}}))
	f.Add(p.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := read(t, b)
		if err != nil {
			if !errors.Is(err, ades.ErrNoSignature) && !errors.Is(err, ades.ErrRefused) {
				t.Error(err)
			}
			return
		}
		ids := map[string]bool{}
		for _, s := range list {
			if s.ID == "" || ids[s.ID] || s.PDF == nil {
				t.Errorf("%q: %+v", s.ID, s.PDF)
			}
			ids[s.ID] = true
		}
	})
}
