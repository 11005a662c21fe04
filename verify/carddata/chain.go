package carddata

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/verify"
)

// chain looks for a path from the register's certificate to a trust anchor,
// over the certificates of the card.
func (v *verifier) chain() Check {
	switch {
	case v.rrnErr != nil:
		return failed("The certificate of the national register cannot be read.", v.rrnErr)
	case v.rrn == nil && (v.files.Identity != nil || v.files.Address != nil):
		return unproven("The certificate of the national register was not given.", nil)
	case v.rrn == nil:
		return absent("The certificate of the national register was not given.")
	}
	v.weakKey()
	if mark := verify.WeakSignature(v.rrn.SignatureAlgorithm); mark != "" {
		v.weak("RRN certificate signature", mark)
	}
	others := v.candidates()
	path, err := verify.BuildPath(v.rrn, others, v.opts.Anchors, v.opts.Time)
	if err != nil {
		return v.noPath(err, others)
	}
	if err := checkRegister(path); err != nil {
		return failed("The certificate given as the national register's is not one of a register.", err)
	}
	v.res.Path = path
	v.weakPath(path)
	return held()
}

// candidates are the card's own certificates that can be read. They become
// part of a path only by a signature, and its end only as an anchor.
func (v *verifier) candidates() []*x509.Certificate {
	var list []*x509.Certificate
	for _, file := range [][]byte{v.files.Root, v.files.CA} {
		if cert, err := parseCertificate(file); err == nil {
			list = append(list, cert)
		}
	}
	return list
}

// noPath tells a chain that is broken in itself from one that is only not
// trusted. Broken: a certificate of the card carries the issuer's name, and
// none of that name has signed the register's certificate. A root that the
// caller alone gave does not count: it may be another one of the same name.
func (v *verifier) noPath(err error, others []*x509.Certificate) Check {
	named, signed := false, false
	for _, c := range append(others, v.opts.Anchors.Added()...) {
		if !bytes.Equal(c.RawSubject, v.rrn.RawIssuer) {
			continue
		}
		named = named || slices.Contains(others, c)
		signed = signed || verify.CheckIssued(v.rrn, c) == nil
	}
	switch {
	case named && !signed:
		return failed("The root in the card did not issue the certificate of the national register.", err)
	case errors.Is(err, verify.ErrExpired):
		return untrusted("The chain of the national register's certificate is not valid at that time.", err)
	case errors.Is(err, verify.ErrNoIssuer):
		return untrusted("The issuer of the national register's certificate is missing.", err)
	case errors.Is(err, verify.ErrUntrusted):
		return untrusted("The national register's certificate does not lead to a trust anchor.", err)
	}
	return untrusted("No good chain was found from the national register's certificate to a trust anchor.", err)
}

// weakPath marks the certificates above the register's. An anchor's own
// signature is not looked at: nothing rests on it.
func (v *verifier) weakPath(path verify.Path) {
	for i, c := range path[1:] {
		name := fmt.Sprintf("certificate %.64q", c.Subject.CommonName)
		if mark := verify.WeakKey(c.PublicKey); mark != "" {
			v.weak(name+" key", mark)
		}
		if mark := verify.WeakSignature(c.SignatureAlgorithm); mark != "" && i+2 < len(path) {
			v.weak(name+" signature", mark)
		}
	}
}

// checkRegister refuses a good path whose first certificate is not the
// national register's: the holder of any card has a key and a certificate
// under the same root, and could sign an identity of his own making. The
// register's certificate is no CA, names no person, may sign, and was issued
// by the root itself (facts section 4), for no extended purpose such as web
// servers, OCSP or timestamps. One issued further down, or for such a purpose,
// must carry the register's name, RRN, in its organisation or common name.
func checkRegister(path verify.Path) error {
	cert := path[0]
	if cert.IsCA {
		return errors.New("it is a CA's")
	}
	for _, a := range cert.Subject.Names {
		if slices.ContainsFunc(personal, a.Type.Equal) {
			return errors.New("it is a person's")
		}
	}
	if cert.KeyUsage != 0 && cert.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return errors.New("its key usage does not allow to sign data")
	}
	root := path[len(path)-1]
	byRoot := len(path) == 2 && bytes.Equal(root.RawSubject, root.RawIssuer)
	extended := len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0
	if byRoot && !extended {
		return nil
	}
	for _, name := range append([]string{cert.Subject.CommonName}, cert.Subject.Organization...) {
		if slices.Contains(strings.Fields(name), "RRN") {
			return nil
		}
	}
	if extended {
		return errors.New("it is for an extended purpose and is not called RRN")
	}
	return errors.New("it was not issued by the root and is not called RRN")
}

// personal are the attributes in the subject of a person's certificate.
var personal = []asn1.ObjectIdentifier{
	{2, 5, 4, 4},  // surname
	{2, 5, 4, 42}, // given name
	{2, 5, 4, 5},  // serial number, that is, the national number
}
