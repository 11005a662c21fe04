package weblogin

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// The formats, written out in full: the reference validator takes whatever
// begins with "web-eid:1".
const (
	format10 = "web-eid:1.0"
	format11 = "web-eid:1.1"
)

// Bounds of single fields.
const (
	maxSigning    = 5   // certificates
	maxAlgorithms = 50  // of one of them
	maxAppVersion = 256 // bytes
)

// token is a parsed token of which nothing was checked but its form.
type token struct {
	format      string
	certificate *x509.Certificate
	algorithm   string
	signature   []byte
	appVersion  string
	signing     []SigningCertificate
}

// parseToken reads the JSON. Fields that are unknown are passed over.
func parseToken(raw []byte) (*token, error) {
	object, err := parseJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	t := &token{}
	if t.format, err = text(object, "format"); err != nil {
		return nil, err
	}
	if t.format != format10 && t.format != format11 {
		return nil, fmt.Errorf("%w: %.40q", ErrFormat, t.format)
	}
	if t.certificate, err = certificateField(object, "unverifiedCertificate"); err != nil {
		return nil, err
	}
	if t.algorithm, err = text(object, "algorithm"); err != nil {
		return nil, err
	}
	if t.signature, err = base64Field(object, "signature"); err != nil {
		return nil, err
	}
	if _, there := object["appVersion"]; there {
		if t.appVersion, err = text(object, "appVersion"); err != nil {
			return nil, err
		}
		if len(t.appVersion) > maxAppVersion {
			return nil, fmt.Errorf("%w: appVersion is too long", ErrToken)
		}
	}
	return t, t.parseSigning(object)
}

// parseSigning reads the field that format 1.1 has and 1.0 must not have.
func (t *token) parseSigning(object map[string]any) error {
	const name = "unverifiedSigningCertificates"
	value, there := object[name]
	if t.format == format10 {
		if there {
			return fmt.Errorf("%w: %s in %s", ErrFormat, name, t.format)
		}
		return nil
	}
	list, ok := value.([]any)
	if !ok || len(list) == 0 || len(list) > maxSigning {
		return fmt.Errorf("%w: %s has to be a list of 1 to %d", ErrToken, name, maxSigning)
	}
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return fmt.Errorf("%w: %s has something else than objects", ErrToken, name)
		}
		s := SigningCertificate{}
		var err error
		if s.Certificate, err = certificateField(object, "certificate"); err != nil {
			return err
		}
		if s.Algorithms, err = signatureAlgorithms(object); err != nil {
			return err
		}
		t.signing = append(t.signing, s)
	}
	return nil
}

// The values of supportedSignatureAlgorithms (facts sheet "local agents" 2.1).
var (
	cryptoAlgorithms = []string{"ECC", "RSA"}
	paddingSchemes   = []string{"NONE", "PKCS1.5", "PSS"}
	hashFunctions    = []string{"SHA-224", "SHA-256", "SHA-384", "SHA-512", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"}
)

func signatureAlgorithms(object map[string]any) ([]SignatureAlgorithm, error) {
	const name = "supportedSignatureAlgorithms"
	list, ok := object[name].([]any)
	if !ok || len(list) == 0 || len(list) > maxAlgorithms {
		return nil, fmt.Errorf("%w: %s has to be a list of 1 to %d", ErrToken, name, maxAlgorithms)
	}
	var algorithms []SignatureAlgorithm
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%w: %s has something else than objects", ErrToken, name)
		}
		var a SignatureAlgorithm
		for _, f := range []struct {
			name    string
			value   *string
			allowed []string
		}{
			{"cryptoAlgorithm", &a.CryptoAlgorithm, cryptoAlgorithms},
			{"hashFunction", &a.HashFunction, hashFunctions},
			{"paddingScheme", &a.PaddingScheme, paddingSchemes},
		} {
			s, err := text(object, f.name)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(f.allowed, s) {
				return nil, fmt.Errorf("%w: %s %.40q", ErrToken, f.name, s)
			}
			*f.value = s
		}
		algorithms = append(algorithms, a)
	}
	return algorithms, nil
}

// text returns a field that has to be there, be a string and not be empty.
func text(object map[string]any, name string) (string, error) {
	s, ok := object[name].(string)
	if !ok || s == "" {
		return "", fmt.Errorf("%w: %s has to be a string", ErrToken, name)
	}
	return s, nil
}

// base64Field reads RFC 4648 section 4 with padding and nothing between.
func base64Field(object map[string]any, name string) ([]byte, error) {
	s, err := text(object, name)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%w: %s is not Base64", ErrToken, name)
	}
	return b, nil
}

func certificateField(object map[string]any, name string) (*x509.Certificate, error) {
	der, err := base64Field(object, name)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrCertificate, name)
	}
	return c, nil
}
