package cms_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

var (
	ctx      = context.Background()
	text     = []byte("a test of messages\n")
	signedAt = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
)

func message(t testing.TB, content []byte, level signed.Level) []byte {
	t.Helper()
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CAdES(content, content == nil, signed.Options{PKI: p, Signer: who, At: signedAt, Level: level})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Everything in a message is where it says.
func TestParse(t *testing.T) {
	t.Parallel()
	raw := message(t, text, signed.LTA)
	d, err := cms.ParseBytes(ctx, append(bytes.Clone(raw), make([]byte, 70000)...))
	if err != nil {
		t.Fatal(err)
	}
	if d.ContentType != cms.TypeData || d.Version != 5 || len(d.DigestAlgorithms) != 1 || d.Trailing != 0 || d.Unread || !d.Content.OctetString || d.Content.Length != int64(len(text)) {
		t.Errorf("%+v", d)
	}
	if content, err := d.Content.Bytes(100); err != nil || !bytes.Equal(content, text) {
		t.Errorf("%q, %v", content, err)
	}
	if _, err := d.Content.Bytes(3); !errors.Is(err, ber.ErrTooLarge) {
		t.Error(err)
	}
	kinds := map[string]int{}
	for _, r := range d.Revocations {
		kinds[r.Kind]++
		if !bytes.Contains(raw, r.Raw) || !bytes.Contains(r.Raw, r.Value) {
			t.Error("revocation information is not as it stands")
		}
	}
	if kinds[cms.KindCRL] == 0 || kinds[cms.KindOCSP] == 0 || kinds[cms.KindOther] != 0 || len(d.Certificates) < 4 {
		t.Errorf("%v, %d certificates", kinds, len(d.Certificates))
	}
	for name, part := range map[string]struct {
		r   cms.Range
		tag byte
	}{"encap": {d.Encap, 0x30}, "certs": {d.Certs, 0xA0}, "crls": {d.CRLs, 0xA1}} {
		b, err := io.ReadAll(d.Section(part.r))
		if err != nil || b[0] != part.tag || int64(len(b)) != part.r.Length {
			t.Errorf("%s: %x, %v", name, b[:min(len(b), 4)], err)
		}
		if e, err := ber.Parse(b); err != nil || len(e.Raw) != len(b) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := d.Signers[0]
	if s.Err != nil || !bytes.Equal(raw[s.Offset:s.Offset+int64(len(s.Raw))], s.Raw) || !bytes.Equal(append(bytes.Join(s.Fields, nil), s.UnsignedRaw...), body(t, s.Raw)) {
		t.Errorf("signer %v", s.Err)
	}
	for _, a := range append(s.SignedAttrs, s.UnsignedAttrs...) {
		if !bytes.Equal(raw[a.Offset:a.Offset+int64(len(a.Raw))], a.Raw) || !bytes.HasSuffix(a.Raw, a.SetRaw) || len(a.Values) != 1 {
			t.Errorf("attribute %s is not where it says", a.Type)
		}
	}
	inputs, err := s.SignedInput()
	if err != nil || len(inputs) != 1 || inputs[0][0] != 0x31 || !bytes.Equal(inputs[0][1:], s.SignedField()[1:]) {
		t.Errorf("%d inputs, %v", len(inputs), err)
	}
}

func body(t *testing.T, raw []byte) []byte {
	t.Helper()
	e, err := ber.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return e.Body
}

// The texts that messages come in.
func TestOpen(t *testing.T) {
	t.Parallel()
	raw := message(t, text, signed.B)
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: raw}))
	plain := base64.StdEncoding.EncodeToString(raw)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not looked at")}))
	for name, test := range map[string]struct{ in, encoding string }{
		"binary":               {string(raw), "BER"},
		"PEM":                  {armoured, "PEM"},
		"other label":          {strings.ReplaceAll(armoured, "CMS", "PKCS #7 SIGNED DATA"), "PEM"},
		"CR LF":                {strings.ReplaceAll(armoured, "\n", "\r\n"), "PEM"},
		"without line ends":    {strings.ReplaceAll(armoured, "\n", ""), "PEM"},
		"no end":               {armoured[:strings.Index(armoured, "-----END")], "PEM"},
		"text in front":        {"Subject: signature\n\n" + armoured, "PEM"},
		"certificate in front": {certificate + armoured, "PEM"},
		"headers":              {strings.Replace(armoured, "CMS-----\n", "CMS-----\nComment: x\nFrom: y\n\n", 1), "PEM"},
		"byte order mark":      {"\xEF\xBB\xBF" + armoured, "PEM"},
		"base64":               {plain, "base64"},
		"base64 in lines":      {plain[:100] + "\n" + plain[100:200] + "\r\n " + plain[200:] + "\n", "base64"},
		"base64url":            {base64.RawURLEncoding.EncodeToString(raw), "base64"},
		"S/MIME":               {"MIME-Version: 1.0\nContent-Type: application/pkcs7-mime;\n smime-type=signed-data; name=\"x\"\nContent-Transfer-Encoding: base64\n\n" + plain + "\n", "S/MIME"},
		"S/MIME, binary":       {"Content-Type: application/x-pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n" + string(raw), ""},
	} {
		m, err := cms.Open(strings.NewReader(test.in), int64(len(test.in)))
		if test.encoding == "" { // not text
			if !errors.Is(err, ber.ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(io.NewSectionReader(m.Data, 0, m.Size))
		if err != nil || m.Encoding != test.encoding || !bytes.Equal(got, raw) {
			t.Errorf("%s: %s of %d bytes, want %d; %v", name, m.Encoding, len(got), len(raw), err)
		}
	}
	for name, in := range map[string]string{"empty": "", "text": "hello", "binary": "\x00\x01", "hostile PEM": "-----BEGIN -----BEGIN", "certificate": certificate,
		"one part":     "Content-Type: multipart/signed; boundary=x\n\n--x\na\n--x--\n",
		"no signature": "Content-Type: multipart/signed; boundary=x\n\n--x\na\n--x\nContent-Type: text/plain\n\nb\n--x--\n"} {
		if m, err := cms.Open(strings.NewReader(in), int64(len(in))); !errors.Is(err, ber.ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

// Chunked content, in every size of block, has the digests of what is in it.
func TestDigests(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 4095, 4096, 4097, 512<<10 + 4096, 1200000} {
		content := bytes.Repeat([]byte("x"), n)
		got, length, err := cms.Digests(ctx, bytes.NewReader(content), crypto.SHA256, crypto.SHA1, crypto.SHA3_512)
		if err != nil || length != int64(n) || len(got) != 3 {
			t.Fatalf("%d bytes: %d digests of %d, %v", n, len(got), length, err)
		}
		for h, digest := range got {
			want := h.New()
			want.Write(content)
			if !bytes.Equal(digest, want.Sum(nil)) {
				t.Errorf("%d bytes: %s is wrong", n, sigalg.HashName(h))
			}
		}
	}
	if _, _, err := cms.Digests(ctx, bytes.NewReader(text), crypto.Hash(99)); !errors.Is(err, sigalg.ErrUnsupported) {
		t.Error(err)
	}
	trouble := errors.New("disk on fire")
	for _, good := range []int{0, 100, 5000, 600000} {
		r := io.MultiReader(bytes.NewReader(make([]byte, good)), failing{trouble})
		if _, _, err := cms.Digests(ctx, r, crypto.SHA256); !errors.Is(err, trouble) {
			t.Errorf("good up to %d: %v", good, err)
		}
	}
	// Not to be taken for the end of what is read.
	if _, _, err := cms.Digests(ctx, failing{io.ErrUnexpectedEOF}, crypto.SHA256); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, _, err := cms.Digests(stopped, bytes.NewReader(make([]byte, 1<<20)), crypto.SHA256); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// chunked rewrites a message with its content, and all that is around it, in BER.
func chunked(raw, content []byte, size int) []byte {
	chunks := []byte{0x24, 0x80}
	for len(content) > 0 {
		n := min(size, len(content))
		chunks = ber.Append(chunks, ber.Universal, false, ber.TagOctetString, content[:n])
		content = content[n:]
	}
	chunks = append(chunks, 0, 0)
	outer, _ := ber.Parse(raw)
	in := outer.Reader()
	oid, _ := in.Next()
	explicit, _ := in.Next()
	d, _ := explicit.Reader().Next()
	out := append([]byte{0x30, 0x80}, oid.Raw...)
	out = append(out, 0xA0, 0x80, 0x30, 0x80)
	for r := d.Reader(); r.More(); {
		e, _ := r.Next()
		if !e.Is(ber.Universal, ber.TagSequence) {
			out = append(out, e.Raw...)
			continue
		}
		id, _ := e.Reader().Next()
		out = append(append(out, 0x30, 0x80), id.Raw...)
		out = append(append(out, 0xA0, 0x80), chunks...)
		out = append(out, 0, 0, 0, 0)
	}
	return append(out, 0, 0, 0, 0, 0, 0)
}

func TestChunkedContent(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(text, 50000)
	raw := message(t, content, signed.B)
	for _, size := range []int{1000, 4096, 1 << 20} {
		b := chunked(raw, content, size)
		d, err := cms.ParseBytes(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		if d.Content.Length != int64(len(content)) || len(d.Signers) != 1 || d.Signers[0].Err != nil {
			t.Errorf("chunks of %d: %d bytes, %d signers", size, d.Content.Length, len(d.Signers))
		}
		got, err := d.Content.Digests(ctx, crypto.SHA384, crypto.SHA1) // the one is announced by the message, the other is not
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []crypto.Hash{crypto.SHA384, crypto.SHA1} {
			want := h.New()
			want.Write(content)
			if !bytes.Equal(got[h], want.Sum(nil)) {
				t.Errorf("chunks of %d: %s is wrong", size, sigalg.HashName(h))
			}
		}
		r, err := d.Content.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all, err := io.ReadAll(r); err != nil || !bytes.Equal(all, content) {
			t.Errorf("chunks of %d: read %d bytes, %v", size, len(all), err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	raw := message(t, text, signed.B)
	content := ber.Append(nil, ber.Universal, false, ber.TagOctetString, text)
	twice := bytes.Replace(raw, content, append(bytes.Clone(content), content...), 1) // lengths are wrong as well
	for name, test := range map[string]struct {
		in   []byte
		want error
	}{
		"two contents":   {twice, ber.ErrMalformed},
		"data":           {[]byte{0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1, 0xA0, 0}, cms.ErrNotSigned},
		"no content":     {[]byte{0x30, 0x0B, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2}, ber.ErrMalformed},
		"empty SEQUENCE": {[]byte{0x30, 0}, ber.ErrMalformed},
		"a certificate":  {[]byte{0x30, 2, 0x30, 0}, ber.ErrMalformed},
	} {
		if d, err := cms.ParseBytes(ctx, test.in); !errors.Is(err, test.want) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := cms.ParseBytes(stopped, raw); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A SignedData without the ContentInfo around it, and a signer of which a part cannot be read.
func TestLenient(t *testing.T) {
	t.Parallel()
	raw := message(t, text, signed.T)
	outer, err := ber.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	in := outer.Reader()
	_, _ = in.Next()
	explicit, err := in.Next()
	if err != nil {
		t.Fatal(err)
	}
	d, err := cms.ParseBytes(ctx, explicit.Body)
	if err != nil || len(d.Signers) != 1 || d.Signers[0].Err != nil {
		t.Errorf("without ContentInfo: %v", err)
	}
	whole, err := cms.ParseBytes(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(raw)
	broken[whole.Signers[0].SignedAttrs[0].Offset] = 0x04 // no SEQUENCE
	d, err = cms.ParseBytes(ctx, broken)
	if err != nil || len(d.Signers) != 1 || !errors.Is(d.Signers[0].Err, ber.ErrMalformed) || d.Signers[0].Signature != nil {
		t.Errorf("broken signer: %v", err)
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	raw := []byte{0x31, 18, 0x30, 7, 6, 1, 42, 0x31, 2, 5, 0, 0x30, 7, 6, 1, 42, 0x31, 2, 5, 0}
	list, err := cms.ParseAttributes(raw)
	if err != nil || len(list) != 2 || list[1].Type != "1.2" || list[1].Offset != 11 || len(cms.Find(list, "1.2")) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, found, err := cms.One(list, "1.2"); !found || !errors.Is(err, ber.ErrMalformed) {
		t.Errorf("found %t, %v", found, err)
	}
	if value, found, err := cms.One(list[:1], "1.2"); !found || err != nil || !value.Is(ber.Universal, ber.TagNull) {
		t.Errorf("found %t, %v", found, err)
	}
	if _, found, err := cms.One(list, "1.3"); found || err != nil {
		t.Errorf("found %t, %v", found, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, level := range []signed.Level{signed.B, signed.LT} {
		raw := message(f, text, level)
		f.Add(raw)
		f.Add(chunked(raw, text, 3))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := cms.ParseBytes(ctx, b)
		if err != nil {
			if !errors.Is(err, ber.ErrMalformed) && !errors.Is(err, ber.ErrTooLarge) && !errors.Is(err, cms.ErrNotSigned) {
				t.Fatal(err)
			}
			return
		}
		for _, s := range d.Signers {
			_, _ = s.SignedInput()
		}
		if d.Content != nil {
			r, err := d.Content.Open()
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r); err != nil || n != d.Content.Length {
				t.Fatalf("content of %d bytes, read %d, %v", d.Content.Length, n, err)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	raw := message(f, text, signed.B)
	plain := base64.StdEncoding.EncodeToString(raw)
	f.Add(raw)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: raw}))
	f.Add([]byte(plain))
	f.Add([]byte("Content-Type: application/pkcs7-mime\n\n" + plain))
	f.Add([]byte("Content-Type: multipart/signed; boundary=\"x\"\n\n--x\r\na\n--x\nContent-Type: application/pkcs7-signature\n\n" + plain + "\n--x--\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := cms.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, ber.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if m.Size > int64(len(b)) || len(m.Contents) > 2 {
			t.Fatalf("%d bytes from %d, %d contents", m.Size, len(b), len(m.Contents))
		}
	})
}
