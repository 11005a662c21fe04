package conformance

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// The PKCS#15 files as sheet 7 prints them. In TokenInfo ser stands for the serial and VVVVVVVV for four bytes of versions.
const (
	efDIR      = "61234F0CA00000017750 4B43532D3135 500642454C504943 51043F00DF00 730506036038 02"
	efODF      = "A00A3008 04063F00DF005035 A40A3008 04063F00DF005037 A80A3008 04063F00DF005034"
	tokenInfo  = "3027 020100 0410 ser 800642454C504943 03020430 9E04"
	efAODF     = "3033 300F0C0942617369632050494E 030206C0 3003040101 A11B3019 0302020C 0A0100 020104 020108 800101 0401FF 3004 04023F00"
	prkdfAuth  = "3A 3017 0C0E41757468656E7469636174696F6E 030206C0 040101 300F 040102 03020520 030203B8 02020082 A10E300C300604043F00DF000202"
	prkdfSign  = "39 3015 0C095369676E6174757265 030206C0 040101 020101 3010 040103 0303060040 030203B8 02020083 A10E300C300604043F00DF000202"
	cdfRSAAuth = "302C 3017 0C0E41757468656E7469636174696F6E 030206C0 040101 3003 040102 A10C300A3008 04063F00DF005038"
	cdfRSASign = "3027 3012 0C095369676E6174757265 030206C0 040101 3003 040103 A10C300A3008 04063F00DF005039"
	cdfRSACA   = "3023 300B 0C024341 030206C0 040101 3006 040104 0101FF A10C300A3008 04063F00DF00503A"
	cdfRSARoot = "3025 300D 0C04526F6F74 030206C0 040101 3006 040106 0101FF A10C300A3008 04063F00DF00503B"
	cdfECAuth  = "302F 3017 0C0E41757468656E7469636174696F6E 03020640 040101 3006 040102 830100 A10C300A3008 04063F00DF005038"
	cdfECSign  = "302A 3012 0C095369676E6174757265 03020640 040101 3006 040103 830100 A10C300A3008 04063F00DF005039"
	cdfECCA    = "3026 300B 0C024341 03020640 040101 3009 040104 0101FF 830100 A10C300A3008 04063F00DF00503A"
	cdfECRoot  = "3028 300D 0C04526F6F74 03020640 040101 3009 040106 0101FF 830100 A10C300A3008 04063F00DF00503B"
)

func unhex(text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic("conformance: " + err.Error()) // of the constants above
	}
	return b
}

// keyBits is the size of the card's keys.
func (s *session) keyBits() int {
	switch {
	case s.isEC():
		return 384
	case s.applet >= 0x17:
		return 2048
	}
	return 1024
}

func (s *session) checkPKCS15() {
	bits := fmt.Sprintf("%04X", s.keyBits())
	outer, entries, length := "30", []string{cdfRSAAuth, cdfRSASign, cdfRSACA, cdfRSARoot}, 163
	if s.isEC() {
		outer, entries, length = "A0", []string{cdfECAuth, cdfECSign, cdfECCA, cdfECRoot}, 175
	}
	s.same(0x2F00, unhex(efDIR))
	s.same(0x5031, unhex(efODF))
	s.same(0x5034, unhex(efAODF))
	s.same(0x5035, unhex(outer+prkdfAuth+bits+outer+prkdfSign+bits))
	info := unhex(strings.ReplaceAll(tokenInfo, "ser", hex.EncodeToString(s.serial)))
	if got := s.files[0x5032]; len(got) != 41 || !bytes.HasPrefix(got, info) {
		s.wrong("TokenInfo is %X, want %X and four bytes (sheet 7)", got, info)
	}
	// Three layouts: all, without Signature, without both (sheet 4).
	var cdf []byte
	for i, e := range entries {
		if i > 1 || s.hasCertificate(0x5038+uint16(i)) {
			cdf = append(cdf, unhex(e)...)
		}
	}
	s.same(0x5037, append(cdf, make([]byte, length-len(cdf))...))
}

func (s *session) same(id uint16, want []byte) {
	if got := s.files[id]; !bytes.Equal(got, want) {
		s.wrong("%04X is %X, want %X (sheet 7)", id, got, want)
	}
}

// hasCertificate says whether a certificate file holds one: it is all zeros otherwise.
func (s *session) hasCertificate(id uint16) bool {
	return len(bytes.TrimRight(s.files[id], "\x00")) > 0
}

// certificate reads the certificate in a file: complete, and followed by zeros alone.
func (s *session) certificate(id uint16) *x509.Certificate {
	b := s.files[id]
	if len(b) < 4 || b[0] != 0x30 || b[1] != 0x82 {
		s.wrong("%04X does not begin as a certificate", id)
		return nil
	}
	n := 4 + int(b[2])<<8 + int(b[3])
	if n > len(b) {
		s.wrong("%04X: a certificate of %d bytes in a file of %d", id, n, len(b))
		return nil
	}
	if len(bytes.TrimRight(b[n:], "\x00")) > 0 {
		s.wrong("%04X: what follows the certificate is not zeros", id)
	}
	cert, err := x509.ParseCertificate(b[:n])
	if err != nil {
		s.wrong("%04X: %v", id, err)
		return nil
	}
	return cert
}

// checkCertificates is sheet 4: which are there, and that each was signed by the next.
func (s *session) checkCertificates() {
	root := s.certificate(0x503B)
	ca := s.certificate(0x503A)
	s.signedBy(0x503B, root, root)
	s.signedBy(0x503A, ca, root)
	s.signedBy(0x503C, s.certificate(0x503C), root)
	s.keys = map[byte]*signingKey{}
	for _, ref := range []byte{0x82, 0x83} {
		id := 0x4FB6 + uint16(ref) // 5038, 5039
		if !s.hasCertificate(id) {
			continue
		}
		leaf := s.certificate(id)
		s.signedBy(id, leaf, ca)
		if leaf != nil {
			s.keys[ref] = &signingKey{leaf.PublicKey, s.keyBits()}
		}
	}
}

func (s *session) signedBy(id uint16, cert, issuer *x509.Certificate) {
	if cert == nil || issuer == nil {
		return
	}
	if !bytes.Equal(cert.RawIssuer, issuer.RawSubject) {
		s.wrong("%04X was issued by %s, not %s", id, cert.Issuer, issuer.Subject)
	}
	if err := checkSignature(issuer.PublicKey, cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		s.wrong("%04X: signature by %s: %v", id, issuer.Subject, err)
	}
}

// checkSignature takes SHA-1 too, which crypto/x509 refuses and cards of the first years have.
func checkSignature(pub crypto.PublicKey, alg x509.SignatureAlgorithm, signed, sig []byte) error {
	var hash crypto.Hash
	var sum []byte
	switch alg {
	case x509.SHA1WithRSA:
		d := sha1.Sum(signed)
		hash, sum = crypto.SHA1, d[:]
	case x509.SHA256WithRSA:
		d := sha256.Sum256(signed)
		hash, sum = crypto.SHA256, d[:]
	case x509.ECDSAWithSHA384:
		d := sha512.Sum384(signed)
		hash, sum = crypto.SHA384, d[:]
	default:
		return fmt.Errorf("algorithm %v", alg)
	}
	switch key := pub.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, hash, sum, sig)
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, sum, sig) {
			return nil
		}
	}
	return errors.New("does not verify")
}

// checkIdentity is sheet 3.2: the tags, and what the identity says of other files.
func (s *session) checkIdentity() {
	identity := parseRecords(s.files[0x4031])
	for tag := byte(0x01); tag <= 0x11; tag++ {
		if _, ok := identity[tag]; !ok {
			s.wrong("identity without tag %02X", tag)
		}
	}
	if !bytes.Equal(identity[2], s.serial) {
		s.wrong("chip number %X in the identity, %X in the card data", identity[2], s.serial)
	}
	photo := s.files[0x4035]
	if !bytes.HasPrefix(photo, []byte{0xFF, 0xD8, 0xFF}) {
		s.wrong("the photo is no JPEG")
	}
	s.hashed("photo", photo, identity[0x11])
	if s.isEC() {
		s.hashed("basic key", s.files[0x4040], identity[0x1A])
	}
	address := parseRecords(s.files[0x4033])
	for tag := byte(1); tag <= 3; tag++ {
		if len(address[tag]) == 0 {
			s.wrong("address without tag %02X", tag)
		}
	}
	if n := len(s.files[0x4033]); n != 117 && n != 121 {
		s.wrong("address file of %d bytes, want 117 (sheet 2.1)", n)
	}
}

// hashed compares a file with its hash in the identity, which is named by its length.
func (s *session) hashed(what string, content, hash []byte) {
	h := map[int]crypto.Hash{20: crypto.SHA1, 32: crypto.SHA256, 48: crypto.SHA384}[len(hash)]
	if h == 0 {
		s.wrong("%s: hash of %d bytes", what, len(hash))
		return
	}
	d := h.New()
	d.Write(content)
	if !bytes.Equal(d.Sum(nil), hash) {
		s.wrong("%s: hash differs from the one in the identity", what)
	}
}

// checkRegister is sheet 3.6: the national register's signatures, over the exact bytes.
func (s *session) checkRegister() {
	rrn := s.certificate(0x503C)
	if rrn == nil {
		return
	}
	address := append(bytes.Clone(bytes.TrimRight(s.files[0x4033], "\x00")), s.files[0x4032]...)
	for _, f := range []struct {
		id     uint16
		signed []byte
	}{{0x4032, s.files[0x4031]}, {0x4034, address}} {
		sig := s.files[f.id]
		if size := s.registerSize(rrn); len(sig) != size {
			s.wrong("%04X of %d bytes, want %d (sheet 2.1)", f.id, len(sig), size)
		}
		if rrn.SignatureAlgorithm == x509.ECDSAWithSHA384 && len(sig) > 2 {
			n := min(2+int(sig[1]), len(sig))
			if len(bytes.TrimRight(sig[n:], "\x00")) > 0 {
				s.wrong("%04X: what follows the signature is not zeros", f.id)
			}
			sig = sig[:n]
		}
		if err := checkSignature(rrn.PublicKey, rrn.SignatureAlgorithm, f.signed, sig); err != nil {
			s.wrong("%04X: signature of the register: %v", f.id, err)
		}
	}
}

// registerSize is that of 4032 and 4034.
func (s *session) registerSize(rrn *x509.Certificate) int {
	switch key := rrn.PublicKey.(type) {
	case *rsa.PublicKey:
		return key.Size()
	default:
		if s.isEC() {
			return 104
		}
		return 256 // re-keyed 1.7
	}
}
