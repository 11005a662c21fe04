package xades

//lint:file-ignore SA1019 DSA, to read old signatures only; points of curves that crypto/ecdh does not have

import (
	"bytes"
	"crypto"
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"strconv"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// keyInfo reads what ds:KeyInfo says of the key: certificates, names of one,
// or the key itself. Other kinds are passed over. XML Signature, section 4.5.
func (s *signature) keyInfo() {
	if s.dsig.KeyInfo == nil {
		return
	}
	count := 0
	for n := range s.dsig.KeyInfo.Elements() {
		if count++; count > maxValues {
			s.note(ades.UnsupportedPart, "KeyInfo", "more than %d elements", maxValues)
			break
		}
		switch {
		case n.Is(xmldsig.NamespaceDS, "X509Data"):
			s.x509Data(n)
		case n.Is(xmldsig.NamespaceDS, "KeyValue"), n.Is(xmldsig.NamespaceDS11, "DEREncodedKeyValue"):
			if s.out.PublicKey != nil {
				continue
			}
			if s.out.PublicKey = keyValue(n); s.out.PublicKey == nil {
				s.note(ades.EncodingOddity, "KeyValue", "a key that cannot be read")
			}
		case n.Is(xmldsig.NamespaceDS, "KeyName"):
			if s.out.SignerID.Name == "" {
				s.out.SignerID.Name = text(n)
			}
		}
	}
	s.pool.fromKeyInfo = len(s.out.Certificates)
}

func (s *signature) x509Data(data *xmldsig.Node) {
	count := 0
	for n := range data.Elements() {
		if count++; count > maxValues || n.Space() != xmldsig.NamespaceDS {
			continue
		}
		id := &s.out.SignerID
		switch n.Local() {
		case "X509Certificate":
			s.addCertificate(n, s.dsig.KeyInfo)
		case "X509CRL":
			s.addCRL(n, s.dsig.KeyInfo)
		case "X509IssuerSerial":
			if id.Serial == nil {
				id.Name, id.Serial = issuerText(n)
			}
		case "X509SKI":
			if ski, err := xmldsig.DecodeBase64(n.Text()); err == nil && id.KeyID == nil {
				id.KeyID = ski
			}
		}
	}
}

// issuerText reads X509IssuerSerialType: a name as text and a number.
func issuerText(n *xmldsig.Node) (name string, serial *big.Int) {
	name = text(ds(n, "X509IssuerName"))
	digits := text(ds(n, "X509SerialNumber"))
	if len(digits) > 100 { // 20 bytes are 49 digits
		return name, nil
	}
	if v, ok := new(big.Int).SetString(digits, 10); ok {
		serial = v
	}
	return name, serial
}

// chooseSigner picks the signer's certificate among those that came along: by
// the digest in the signed attribute, by what KeyInfo names, by the key that
// the value fits, or the one that issued no other.
func (s *signature) chooseSigner() {
	all := s.out.Certificates
	if len(s.out.CertRefs) > 0 {
		ref := s.out.CertRefs[0]
		s.out.Signer = s.certificate(ref.Hash, ref.Digest)
		if s.out.SignerID.Serial == nil {
			s.out.SignerID.Issuer, s.out.SignerID.Serial = ref.Issuer, ref.Serial
			if s.out.SignerID.Name == "" {
				s.out.SignerID.Name = ref.Name
			}
		}
	}
	candidates := all[:s.pool.fromKeyInfo]
	if len(candidates) == 0 && (s.out.HasCertRefs || s.out.SignerID.Serial != nil || s.out.SignerID.KeyID != nil || s.out.PublicKey != nil) {
		candidates = all
	}
	if len(candidates) == 1 && s.out.Signer == nil {
		s.out.Signer = candidates[0]
	}
	for _, fits := range []func(*x509.Certificate) bool{s.named, s.signs, func(c *x509.Certificate) bool { return !isIssuer(c, candidates) }} {
		for i := 0; i < len(candidates) && i < maxItems && s.out.Signer == nil; i++ {
			if fits(candidates[i]) {
				s.out.Signer = candidates[i]
			}
		}
	}
	if s.out.Signer == nil && s.pool.fromKeyInfo > 0 {
		s.out.Signer = all[0]
	}
}

// named tells whether KeyInfo names the certificate, by serial number, key identifier or key.
func (s *signature) named(c *x509.Certificate) bool {
	id := s.out.SignerID
	return id.Serial != nil && id.Serial.Cmp(c.SerialNumber) == 0 && !bytes.Equal(c.RawIssuer, c.RawSubject) ||
		len(id.KeyID) > 0 && bytes.Equal(id.KeyID, c.SubjectKeyId) || s.out.PublicKey != nil && equalKeys(s.out.PublicKey, c.PublicKey)
}

// maxVerified bounds the values of a document that are checked to find a signer.
const maxVerified = 500

// signs tells whether the value is one of the certificate's key.
func (s *signature) signs(c *x509.Certificate) bool {
	if s.verified++; s.verified > maxVerified {
		return false
	}
	return s.out.Digest != nil && s.out.AlgorithmError == nil && c.PublicKey != nil && s.out.Algorithm.Verify(c.PublicKey, s.out.Digest, s.out.Value) == nil
}

// keyValue reads a key; nil if it cannot be.
func keyValue(n *xmldsig.Node) crypto.PublicKey {
	if n.Is(xmldsig.NamespaceDS11, "DEREncodedKeyValue") {
		der, err := xmldsig.DecodeBase64(n.Text())
		if err != nil {
			return nil
		}
		key, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil
		}
		return key
	}
	for v := range n.Elements() {
		switch v.Local() {
		case "RSAKeyValue":
			modulus, exponent := number(ds(v, "Modulus")), number(ds(v, "Exponent"))
			if modulus == nil || exponent == nil || modulus.Sign() == 0 || exponent.BitLen() > 31 || exponent.Sign() == 0 {
				return nil
			}
			return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
		case "DSAKeyValue":
			k := &dsa.PublicKey{Y: number(ds(v, "Y"))}
			k.P, k.Q, k.G = number(ds(v, "P")), number(ds(v, "Q")), number(ds(v, "G"))
			if k.P == nil || k.Q == nil || k.G == nil || k.Y == nil {
				return nil
			}
			return k
		case "ECKeyValue":
			return ecKey(v.Child(xmldsig.NamespaceDS11, "NamedCurve"), v.Child(xmldsig.NamespaceDS11, "PublicKey"))
		case "ECDSAKeyValue": // RFC 4050
			return rfc4050Key(v)
		}
	}
	return nil
}

// maxNumber bounds a number of a key, in bytes: RSA of 16,384 bits.
const maxNumber = 2048

// number reads ds:CryptoBinary.
func number(n *xmldsig.Node) *big.Int {
	b, err := xmldsig.DecodeBase64(n.Text())
	if err != nil || n == nil || len(b) > maxNumber {
		return nil
	}
	return new(big.Int).SetBytes(b)
}

// parseOID reads "urn:oid:1.2.3".
func parseOID(uri string) asn1.ObjectIdentifier {
	var oid asn1.ObjectIdentifier
	for _, part := range strings.Split(strings.TrimPrefix(uri, "urn:oid:"), ".") {
		v, err := strconv.ParseInt(part, 10, 32)
		if err != nil || v < 0 {
			return nil
		}
		oid = append(oid, int(v))
	}
	return oid
}

// ecKey reads ECKeyValue: a curve by OID and an uncompressed point.
func ecKey(curve, point *xmldsig.Node) crypto.PublicKey {
	if curve == nil || point == nil {
		return nil
	}
	c, ok := sigalg.CurveByOID(parseOID(curve.Get("URI")))
	b, err := xmldsig.DecodeBase64(point.Text())
	size := 0
	if ok {
		size = (c.Params().BitSize + 7) / 8
	}
	if !ok || err != nil || len(b) != 1+2*size || b[0] != 4 {
		return nil
	}
	return onCurve(&ecdsa.PublicKey{Curve: c, X: new(big.Int).SetBytes(b[1 : 1+size]), Y: new(big.Int).SetBytes(b[1+size:])})
}

// rfc4050Key reads ECDSAKeyValue: coordinates in decimal.
func rfc4050Key(n *xmldsig.Node) crypto.PublicKey {
	var oid asn1.ObjectIdentifier
	values := map[string]*big.Int{}
	for c := range n.Descendants() {
		switch c.Local() {
		case "NamedCurve":
			oid = parseOID(c.Get("URN") + c.Get("URI"))
		case "X", "Y":
			digits := c.Get("Value")
			if len(digits) > maxNumber {
				return nil
			}
			if v, ok := new(big.Int).SetString(digits, 10); ok {
				values[c.Local()] = v
			}
		}
	}
	curve, ok := sigalg.CurveByOID(oid)
	if !ok || values["X"] == nil || values["Y"] == nil {
		return nil
	}
	return onCurve(&ecdsa.PublicKey{Curve: curve, X: values["X"], Y: values["Y"]})
}

// onCurve gives the key if its point is one.
func onCurve(k *ecdsa.PublicKey) crypto.PublicKey {
	p := k.Curve.Params().P
	if k.X.Sign() < 0 || k.Y.Sign() < 0 || k.X.Cmp(p) >= 0 || k.Y.Cmp(p) >= 0 || !k.Curve.IsOnCurve(k.X, k.Y) {
		return nil
	}
	return k
}
