package weblogin

import (
	"errors"
	"net/http"
)

// ErrLogin is what all refusals of this package have in common; other errors
// are those of the caller's nonce store, or of a context that ended.
var ErrLogin = errors.New("login refused")

// failure is a refusal with what an HTTP server answers.
type failure struct {
	code   string
	status int
	text   string
}

func (f *failure) Error() string        { return f.text }
func (f *failure) Is(target error) bool { return target == ErrLogin }

// The refusals, each with its code and HTTP status: the one table of both.
// Answer with the code alone; the error's text is for the server's log.
var (
	// ErrToken: no JSON object of the right size, a field missing, twice, or
	// of the wrong type, bad Base64.
	ErrToken error = &failure{"TOKEN_MALFORMED", http.StatusBadRequest, "the token is malformed"}
	// ErrFormat: another format than web-eid:1.0 and web-eid:1.1, or fields
	// that this format has not.
	ErrFormat error = &failure{"FORMAT_UNSUPPORTED", http.StatusBadRequest, "the token's format is not accepted"}
	// ErrCertificate: a certificate in the token cannot be parsed.
	ErrCertificate error = &failure{"CERTIFICATE_MALFORMED", http.StatusBadRequest, "the certificate cannot be read"}
	// ErrAlgorithm: unknown, or it does not fit the kind and size of the key.
	ErrAlgorithm error = &failure{"ALGORITHM_REFUSED", http.StatusBadRequest, "the signature algorithm is not accepted"}
	// ErrNonce: none for this session, used already, or too old.
	ErrNonce error = &failure{"NONCE_UNKNOWN", http.StatusUnauthorized, "no login was begun in this session, or too long ago"}
	// ErrSignature: another key, another origin or another nonce.
	ErrSignature error = &failure{"SIGNATURE_INVALID", http.StatusUnauthorized, "the token's signature does not fit this origin and nonce"}
	// ErrPurpose: the certificate is not for logging in.
	ErrPurpose error = &failure{"CERTIFICATE_PURPOSE", http.StatusForbidden, "the certificate is not for authentication"}
	// ErrPolicy: the certificate's policies are not accepted by this site.
	ErrPolicy error = &failure{"CERTIFICATE_POLICY", http.StatusForbidden, "the certificate's policy is not accepted"}
	// ErrExpired: a certificate of the path is not valid now.
	ErrExpired error = &failure{"CERTIFICATE_EXPIRED", http.StatusForbidden, "a certificate is not valid now"}
	// ErrUntrusted: no path to a trust anchor.
	ErrUntrusted error = &failure{"CERTIFICATE_UNTRUSTED", http.StatusForbidden, "the certificate is not from a trusted issuer"}
	// ErrRevoked: revoked or suspended.
	ErrRevoked error = &failure{"CERTIFICATE_REVOKED", http.StatusForbidden, "the certificate was revoked"}
	// ErrRevocationUnknown: whether it was revoked cannot be found out.
	ErrRevocationUnknown error = &failure{"REVOCATION_UNAVAILABLE", http.StatusServiceUnavailable, "whether the certificate was revoked cannot be found out"}
	// ErrSigningCertificate: one of format 1.1 is not of this person, or not
	// for signing.
	ErrSigningCertificate error = &failure{"SIGNING_CERTIFICATE_INVALID", http.StatusForbidden, "a signing certificate does not belong to the token"}
	// ErrOptions: the site's own configuration is wrong.
	ErrOptions error = &failure{"MISCONFIGURED", http.StatusInternalServerError, "the login is misconfigured"}
)

// Code returns the stable code of an error of this package and the HTTP
// status to answer with; INTERNAL and 500 for any other error. The status of nil is 200.
func Code(err error) (code string, status int) {
	if err == nil {
		return "", http.StatusOK
	}
	var f *failure
	if errors.As(err, &f) {
		return f.code, f.status
	}
	return "INTERNAL", http.StatusInternalServerError
}
