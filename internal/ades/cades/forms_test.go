package cades_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
)

const base = "signer-1 CAdES attached %s ECDSA with SHA-384; messageDigest true true"

// The forms of TS 101 733, each on top of the one before.
func TestOldForms(t *testing.T) {
	t.Parallel()
	f := newForge(t).sign(sorted)
	step := func(level, stamps string, attributes ...[]byte) *ades.Signature {
		t.Helper()
		f.unsigned = append(f.unsigned, attributes...)
		list := read(t, f.encode())
		check(t, level, list, fmt.Sprintf(base, level)+stamps)
		return list[0]
	}
	step("B-B", "")
	signatureTS := attribute("1.2.840.113549.1.9.16.2.14", f.stamp(signedAt.Add(time.Minute), nil, f.value))
	step("B-T", "; signature true true", signatureTS)
	certRefs, revRefs := f.references()
	step("C", "; signature true true", certRefs, revRefs)

	// Type and set of values, without the SEQUENCE around them.
	bare := func(attribute []byte) []byte { return attribute[headerSize(attribute):] }
	sigAndRefs := attribute("1.2.840.113549.1.9.16.2.25", f.stamp(signedAt.Add(2*time.Minute), nil, f.value, bare(signatureTS), bare(certRefs), bare(revRefs)))
	step("X", "; signature true true; sigAndRefs true true", sigAndRefs)
	refsOnly := attribute("1.2.840.113549.1.9.16.2.26", f.stamp(signedAt.Add(2*time.Minute), nil, bare(certRefs), bare(revRefs)))
	step("X", "; signature true true; sigAndRefs true true; refsOnly true true", refsOnly)

	certValues, revValues := f.values()
	s := step("XL", "; signature true true; sigAndRefs true true; refsOnly true true", certValues, revValues)
	if len(s.CRLs) != 1 || !bytes.Equal(s.CRLs[0], f.crl) || len(s.OCSPs) != 1 || !bytes.Equal(s.OCSPs[0], f.ocsp) || !slices.ContainsFunc(s.Certificates, f.p.Root.Certificate.Equal) {
		t.Errorf("%d CRLs, %d answers, %d certificates", len(s.CRLs), len(s.OCSPs), len(s.Certificates))
	}
	// What is referred to and stamped exists, once it is there to be looked at.
	for i, want := range map[int][][]byte{1: {f.value, s.Timestamps[0].Raw, f.p.CitizenCA.Certificate.Raw, f.p.Root.Certificate.Raw, f.crl, f.ocsp},
		2: {f.p.CitizenCA.Certificate.Raw, f.p.Root.Certificate.Raw, f.crl, f.ocsp}} {
		for n, raw := range want {
			if !slices.Contains(s.Timestamps[i].Covers, ades.ObjectDigest(raw)) {
				t.Errorf("time stamp %d does not cover object %d", i, n)
			}
		}
		if i == 2 && slices.Contains(s.Timestamps[i].Covers, ades.ObjectDigest(f.value)) {
			t.Error("refs-only covers the signature")
		}
	}

	everything := func() [][]byte {
		parts := append([][]byte{f.encap(), f.certsField()}, f.fields...)
		return append(parts, tlv(0xA1, f.unsigned...))
	}
	archive := attribute("1.2.840.113549.1.9.16.2.48", f.stamp(signedAt.AddDate(1, 0, 0), nil, everything()...))
	const before = "; signature true true; sigAndRefs true true; refsOnly true true"
	s = step("A", before+"; archiveATSv2 true true", archive)
	for n, raw := range [][]byte{f.value, f.crl, f.ocsp, s.Timestamps[0].Raw, s.Timestamps[1].Raw, s.Timestamps[2].Raw, f.p.Root.Certificate.Raw, f.who.Certificate.Raw, f.p.TSA.Certificate.Raw} {
		if !slices.Contains(s.Timestamps[3].Covers, ades.ObjectDigest(raw)) {
			t.Errorf("archive time stamp does not cover object %d", n)
		}
	}
	again := attribute("1.2.840.113549.1.9.16.2.48", f.stamp(signedAt.AddDate(2, 0, 0), nil, everything()...))
	s = step("A", before+"; archiveATSv2 true true; archiveATSv2 true true", again)
	if first, second := s.Timestamps[3], s.Timestamps[4]; slices.Contains(first.Covers, ades.ObjectDigest(second.Raw)) || !slices.Contains(second.Covers, ades.ObjectDigest(first.Raw)) {
		t.Error("archive time stamps cover the wrong tokens")
	}
	f.unsigned[5] = certRefs // in the place of certificate-values
	check(t, "changed", read(t, f.encode()), fmt.Sprintf(base, "A")+"; signature true true; sigAndRefs true false; refsOnly true false; archiveATSv2 true false; archiveATSv2 true false")
}

// headerSize is the size of tag and length of an element in DER.
func headerSize(b []byte) int {
	if b[1] < 0x80 {
		return 2
	}
	return 2 + int(b[1]&0x7F)
}

// archive-time-stamp-v2 as makers have read its rules.
func TestArchive2Variants(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		detached bool
		parts    func(f *forge) [][]byte
		want     string
	}{
		"detached": {true, func(f *forge) [][]byte {
			return slices.Concat([][]byte{f.encap(), f.content, f.certsField(), f.crlsField()}, f.fields, [][]byte{tlv(0xA1, f.unsigned...)})
		}, "true true"},
		"without tag and length": {false, func(f *forge) [][]byte {
			return slices.Concat([][]byte{f.encap(), f.certsField(), f.crlsField()}, f.fields, f.unsigned)
		}, "true true"},
		"without the content": {true, func(f *forge) [][]byte {
			return slices.Concat([][]byte{f.encap(), f.certsField(), f.crlsField()}, f.fields, [][]byte{tlv(0xA1, f.unsigned...)})
		}, "true false"},
		"without the certificates": {false, func(f *forge) [][]byte {
			return slices.Concat([][]byte{f.encap(), f.crlsField()}, f.fields, [][]byte{tlv(0xA1, f.unsigned...)})
		}, "true false"},
	} {
		f := newForge(t)
		f.detached = test.detached
		f.revocations = [][]byte{f.crl}
		f.sign(sorted)
		f.unsigned = [][]byte{attribute("1.2.840.113549.1.9.16.2.14", f.stamp(signedAt.Add(time.Minute), nil, f.value))}
		f.unsigned = append(f.unsigned, attribute("1.2.840.113549.1.9.16.2.48", f.stamp(signedAt.AddDate(1, 0, 0), nil, test.parts(f)...)))
		where := map[bool]string{true: "detached", false: "attached"}[test.detached]
		check(t, name, read(t, f.encode(), f.content), fmt.Sprintf(strings.Replace(base, "attached", where, 1), "A")+"; signature true true; archiveATSv2 "+test.want)
		if test.detached {
			check(t, name+", no content", read(t, f.encode()),
				"signer-1 CAdES detached A ECDSA with SHA-384; messageDigest false false; does not verify; signature true true; archiveATSv2 false false")
		}
		// The same in BER: what stands there now is not what was stamped, but its DER is.
		if test.want == "true true" {
			check(t, name+" in BER", read(t, indefinite(t, f.encode()), f.content), fmt.Sprintf(strings.Replace(base, "attached", where, 1), "A")+"; signature true true; archiveATSv2 true true")
		}
	}
}

// indefinite rewrites the outer elements of a message, up to the fields of SignedData, with indefinite lengths, and cuts content in two.
func indefinite(t *testing.T, raw []byte) []byte {
	t.Helper()
	var rewrite func(b []byte, depth int) []byte
	rewrite = func(b []byte, depth int) []byte {
		var out []byte
		for len(b) > 0 {
			size := headerSize(b)
			n := int(b[1])
			if size > 2 {
				n = 0
				for _, c := range b[2:size] {
					n = n<<8 | int(c)
				}
			}
			body := b[size : size+n]
			switch {
			case b[0] == 0x04 && depth == 5 && n > 2:
				out = append(out, 0x24, 0x80)
				out = append(out, octets(body[:n/2])...)
				out = append(out, octets(body[n/2:])...)
				out = append(out, 0, 0)
			case b[0]&0x20 != 0 && depth < 5 && b[0] != 0x31:
				out = append(out, b[0], 0x80)
				out = append(out, rewrite(body, depth+1)...)
				out = append(out, 0, 0)
			default:
				out = append(out, b[:size+n]...)
			}
			b = b[size+n:]
		}
		return out
	}
	return rewrite(raw, 0)
}

func TestArchive1(t *testing.T) {
	t.Parallel()
	f := newForge(t).sign(sorted)
	token := f.stamp(signedAt.Add(time.Minute), nil, f.value)
	f.unsigned = [][]byte{attribute("1.2.840.113549.1.9.16.2.14", token)}
	body := func(b []byte) []byte { return b[headerSize(b):] }
	archive := f.stamp(signedAt.AddDate(1, 0, 0), nil, f.content, body(f.fields[3]), f.value, body(token))
	f.unsigned = append(f.unsigned, attribute("1.2.840.113549.1.9.16.2.27", archive))
	check(t, "values", read(t, f.encode()), fmt.Sprintf(base, "B-T")+"; signature true true; archiveATSv1 true true")
	f.unsigned[1] = attribute("1.2.840.113549.1.9.16.2.27", f.stamp(signedAt.AddDate(1, 0, 0), nil, []byte("who knows")))
	check(t, "unknown reading", read(t, f.encode()), fmt.Sprintf(base, "B-T")+"; signature true true; archiveATSv1 false false")
}

// The index of archive-time-stamp-v3, in its versions, and what may be wrong with it.
func TestHashIndex(t *testing.T) {
	t.Parallel()
	const index1, index2, index3 = "0.4.0.1733.2.5", "0.4.0.19122.1.4", "0.4.0.19122.1.5"
	list := func(entries ...[]byte) []byte {
		var out [][]byte
		for _, e := range entries {
			out = append(out, octets(digest(crypto.SHA256, e)))
		}
		return seq(out...)
	}
	alg := seq(oid(sha256OID))
	bare := func(attribute []byte) []byte { // type and only value
		set := attribute[headerSize(attribute)+len(oid("1.2.840.113549.1.9.16.2.14")):]
		return append(oid("1.2.840.113549.1.9.16.2.14"), set[headerSize(set):]...)
	}
	for name, test := range map[string]struct {
		version string
		index   func(f *forge) []byte
		after   func(f *forge)
		want    string
		covers  int // how many of: CRL, CA, signature time stamp
	}{
		"version 1": {index1, func(f *forge) []byte { return seq(list(f.certificates...), list(f.crl), list(f.unsigned...)) }, nil, "true true", 3},
		"version 1, algorithm": {index1, func(f *forge) []byte { return seq(alg, list(f.certificates...), list(f.crl), list(f.unsigned...)) }, nil,
			"true true", 3},
		"version 2": {index2, func(f *forge) []byte { return seq(alg, list(f.certificates...), list(f.crl), list(f.unsigned...)) }, nil, "true true", 3},
		"version 3": {index3, func(f *forge) []byte {
			return seq(alg, list(f.certificates...), list(f.crl), list(bare(f.unsigned[0])))
		}, nil, "true true", 3},
		"empty": {index3, func(*forge) []byte { return seq(alg, list(), list(), list()) }, nil, "true true", 0},
		"added later": {index3, func(f *forge) []byte {
			return seq(alg, list(f.certificates...), list(f.crl), list(bare(f.unsigned[0])))
		},
			func(f *forge) { f.certificates = append(f.certificates, f.p.Root.Certificate.Raw) }, "true true", 3},
		"certificate taken out": {index3, func(f *forge) []byte {
			return seq(alg, list(f.certificates...), list(f.crl), list(bare(f.unsigned[0])))
		},
			func(f *forge) { f.certificates = f.certificates[:1] }, "true false HASH_INDEX_MISMATCH", 0},
		"CRL taken out": {index3, func(f *forge) []byte {
			return seq(alg, list(f.certificates...), list(f.crl), list(bare(f.unsigned[0])))
		},
			func(f *forge) { f.revocations = nil }, "true false HASH_INDEX_MISMATCH", 0},
		"attribute taken out": {index3, func(f *forge) []byte {
			return seq(alg, list(f.certificates...), list(f.crl), list(bare(f.unsigned[0]), []byte("gone")))
		}, nil,
			"true false HASH_INDEX_MISMATCH", 0},
		"certificate of the token": {index3, func(f *forge) []byte { return seq(alg, list(f.p.TSA.Certificate.Raw), list(), list()) }, nil, "true true ENCODING_ODDITY", 0},
		"answer of revocation-values": {index3, func(f *forge) []byte {
			return seq(alg, list(), list(tlv(0xA1, oid("1.3.6.1.5.5.7.48.1.1"), f.ocsp)), list())
		}, func(f *forge) {
			_, values := f.values()
			f.unsigned = append(f.unsigned, values)
		}, "true true ENCODING_ODDITY", 1}, // the CRL in those values is not covered, but is the one in the field: counted below by its digest
		"unknown algorithm": {index3, func(*forge) []byte { return seq(seq(oid("2.999.1")), list(), list(), list()) }, nil, "true false HASH_INDEX_MISMATCH", 0},
		"no index":          {"2.999.1", func(*forge) []byte { return seq() }, nil, "true false HASH_INDEX_MISMATCH", 0},
		"broken index":      {index3, func(*forge) []byte { return seq(alg, list()) }, nil, "true false HASH_INDEX_MISMATCH", 0},
	} {
		f := newForge(t)
		f.revocations = [][]byte{f.crl}
		f.sign(sorted)
		f.unsigned = [][]byte{attribute("1.2.840.113549.1.9.16.2.14", f.stamp(signedAt.Add(time.Minute), nil, f.value))}
		index := test.index(f)
		parts := slices.Concat([][]byte{oid(f.contentType), digest(crypto.SHA256, f.content)}, f.fields, [][]byte{index})
		token := f.stamp(signedAt.AddDate(1, 0, 0), [][]byte{attribute(test.version, index)}, parts...)
		f.unsigned = append(f.unsigned, attribute("0.4.0.1733.2.4", token))
		if test.after != nil {
			test.after(f)
		}
		s := read(t, f.encode())[0]
		if got := describe(s); !strings.HasSuffix(got, "; archiveATSv3 "+test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		covered := 0
		for _, raw := range [][]byte{f.crl, f.p.CitizenCA.Certificate.Raw, s.Timestamps[0].Raw} {
			if slices.Contains(s.Timestamps[1].Covers, ades.ObjectDigest(raw)) {
				covered++
			}
		}
		if name == "answer of revocation-values" {
			covered = 0
			if slices.Contains(s.Timestamps[1].Covers, ades.ObjectDigest(f.ocsp)) {
				covered = 1
			}
		}
		if covered != test.covers {
			t.Errorf("%s: covers %d objects, want %d", name, covered, test.covers)
		}
	}
}

// Attributes hashed in another order than that of DER, as some makers do.
func TestAttributeOrder(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	f.signed = slices.Clone(f.signed)
	slices.Reverse(f.signed)
	if slices.EqualFunc(f.signed, sorted(f.signed), bytes.Equal) {
		t.Fatal("reversed is sorted")
	}
	s := read(t, f.sign(asWritten).encode())[0]
	if got, want := describe(s), fmt.Sprintf(base, "B-B")+"; ENCODING_ODDITY"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(s.AlternateDigests) != 1 || s.Algorithm.Verify(s.Signer.PublicKey, s.Digest, s.Value) == nil {
		t.Errorf("%d other digests", len(s.AlternateDigests))
	}
	// In DER in the message and signed so.
	check(t, "sorted", read(t, newForge(t).sign(sorted).encode()), fmt.Sprintf(base, "B-B"))
}

func TestEd25519(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	for name, attributes := range map[string]bool{"attributes": true, "none": false} {
		f := newForge(t)
		f.key = key
		if !attributes {
			f.signed = nil
		}
		s := read(t, f.sign(sorted).encode())[0]
		if s.Digest == nil || s.Algorithm.Verify(key.Public(), s.Digest, s.Value) != nil {
			t.Errorf("%s: does not verify", name)
		}
		if !attributes && !bytes.Equal(s.Digest, text) {
			t.Errorf("%s: message %q", name, s.Digest)
		}
	}
}

// A message without signed attributes whose content is the signed attributes of another: the value fits, and must not count.
func TestStrippedAttributes(t *testing.T) {
	t.Parallel()
	f := newForge(t).sign(sorted)
	f.content = append([]byte{0x31}, f.fields[3][1:]...)
	f.fields = slices.Delete(f.fields, 3, 4)
	check(t, "stripped", read(t, f.encode()), "signer-1 CMS attached  ECDSA with SHA-384; content true true; NO_MESSAGE_DIGEST AMBIGUOUS_CONTENT")
}

// PKCS #7 1.5 content: any element, of which the contents are hashed without tag and length.
func TestPKCS7Content(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	f.contentType = "1.3.6.1.4.1.311.2.1.4"
	f.signed = [][]byte{attribute("1.2.840.113549.1.9.3", oid(f.contentType)), attribute("1.2.840.113549.1.9.4", octets(digest(crypto.SHA384, octets(text))))}
	f.sign(sorted)
	f.content = octets(text)
	raw := f.encode()
	at := bytes.Index(raw, octets(f.content))
	raw[at] = 0x30 // SEQUENCE in place of OCTET STRING
	list := read(t, raw)
	check(t, "any element", list, "signer-1 PKCS7 attached  ECDSA with SHA-384; messageDigest true true")
	if got := contentOf(t, list[0]); got != string(octets(text)) {
		t.Errorf("content %q", got)
	}
}
