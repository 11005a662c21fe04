package verify

import "time"

// Indication is a main status indication of ETSI EN 319 102-1 section 5.1.3.
type Indication string

// The indications, and the errors of reports.
const (
	TotalPassed   Indication = "TOTAL-PASSED"
	TotalFailed   Indication = "TOTAL-FAILED"
	Indeterminate Indication = "INDETERMINATE"

	// Values of Report.Error: a file that holds no signature, and one that
	// cannot be parsed or holds what is refused on sight.
	ErrorNoSignature = "NO_SIGNATURE_FOUND"
	ErrorRefused     = "PARSE_REFUSED"
)

// Report is the verdict on one file. Its JSON form is held by
// docs/schema/verify.json.
type Report struct {
	Schema         int        `json:"schema"` // 1
	File           string     `json:"file"`   // its name; the command sets it to what it was given
	ValidationTime time.Time  `json:"validationTime"`
	Policy         Basis      `json:"policy"`
	Trust          Basis      `json:"trust"`
	Tool           string     `json:"tool"`
	Error          string     `json:"error,omitempty"`  // ErrorNoSignature, ErrorRefused
	Reason         string     `json:"reason,omitempty"` // of the error, English
	Indication     Indication `json:"indication,omitempty"`
	SubIndication  string     `json:"subIndication,omitempty"`
	// Signatures in file order. Indication above is the worst of theirs.
	Signatures []Signature `json:"signatures"`
}

// Basis names what a report judges by: a policy by its id and the SHA-256 of
// its document, or a set of anchors by the SHA-256 over their sorted
// fingerprints.
type Basis struct {
	ID     string `json:"id,omitempty"`
	SHA256 string `json:"sha256"`
}

// Signature is the verdict on one signature.
type Signature struct {
	ID                 string       `json:"id"`
	Format             string       `json:"format"`
	SubFormat          string       `json:"subFormat,omitempty"`
	Container          string       `json:"container,omitempty"`
	File               string       `json:"file,omitempty"`  // of the signature inside the container
	Level              string       `json:"level,omitempty"` // B-B, B-T, B-LT, B-LTA, ...; empty where the format has none
	Indication         Indication   `json:"indication"`
	SubIndication      string       `json:"subIndication,omitempty"`
	Signer             *Signer      `json:"signer,omitempty"`
	SigningCertificate *Certificate `json:"signingCertificate,omitempty"`
	ClaimedSigningTime *time.Time   `json:"claimedSigningTime,omitempty"`
	BestSignatureTime  *time.Time   `json:"bestSignatureTime,omitempty"`
	// BestSignatureTimeProof is the ID of the time stamp that proves it, or
	// "received" for what the caller vouched for; empty: nothing does, and the
	// time is that of validation.
	BestSignatureTimeProof string        `json:"bestSignatureTimeProof,omitempty"`
	CoversWholeFile        bool          `json:"coversWholeFile"`
	CryptographicallyValid bool          `json:"cryptographicallyValid"`
	Algorithm              string        `json:"algorithm,omitempty"` // "ECDSA with SHA-384"
	Covered                []Covered     `json:"covered,omitempty"`
	Claims                 *Claims       `json:"claims,omitempty"`
	PDF                    *PDFSignature `json:"pdf,omitempty"`
	Timestamps             []Timestamp   `json:"timestamps,omitempty"`
	Chain                  []Certificate `json:"chain,omitempty"` // signer first, anchor last
	Revocation             []Revocation  `json:"revocation,omitempty"`
	CounterSignatures      []Signature   `json:"counterSignatures,omitempty"`
	Errors                 []Message     `json:"errors,omitempty"`
	Warnings               []Message     `json:"warnings,omitempty"`

	content []Content
}

// Signer is the person or body in the signing certificate.
type Signer struct {
	NISS         string `json:"niss,omitempty"`
	Surname      string `json:"surname,omitempty"`
	GivenNames   string `json:"givenNames,omitempty"`
	CommonName   string `json:"commonName,omitempty"`
	Organization string `json:"organization,omitempty"`
	Country      string `json:"country,omitempty"`
	Kind         string `json:"kind"` // citizen, foreigner, kid, professional, other
}

// Certificate is one certificate of a chain.
type Certificate struct {
	Subject   string    `json:"subject"` // RFC 4514
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"` // hexadecimal
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	SHA256    string    `json:"sha256"`
	Key       string    `json:"key"` // "EC P-384"
	Anchor    bool      `json:"anchor,omitempty"`
	Oddities  []string  `json:"oddities,omitempty"`
	DER       []byte    `json:"der,omitempty"` // only when asked for
}

// Covered is one thing that the signature covers, or says it does.
type Covered struct {
	Kind   string      `json:"kind"` // content, signedProperties, manifest, manifestEntry, object, ...
	Name   string      `json:"name,omitempty"`
	URI    string      `json:"uri,omitempty"`
	Found  bool        `json:"found"`
	Intact bool        `json:"intact"`
	Digest string      `json:"digest,omitempty"` // "SHA-256:hex"
	Nodes  []string    `json:"nodes,omitempty"`  // XML: paths of the elements signed
	Ranges []ByteRange `json:"ranges,omitempty"`
}

// ByteRange is part of a file.
type ByteRange struct {
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
}

// Claims are what the signer says of himself and of his act. Signed tells
// whether the signature covers them.
type Claims struct {
	Signed      bool     `json:"signed"`
	Roles       []string `json:"roles,omitempty"`
	Commitments []string `json:"commitments,omitempty"`
	Place       string   `json:"place,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Policy      string   `json:"policy,omitempty"`
}

// PDFSignature is what only signatures in PDF files have.
type PDFSignature struct {
	Field string `json:"field"`
	Page  int    `json:"page,omitempty"`
	// Rect is left, bottom, right, top on the page as shown (cropped and
	// rotated), PageSize its width and height, in points of 1/72 inch.
	Rect      [4]float64 `json:"rect,omitzero"`
	PageSize  [2]float64 `json:"pageSize,omitzero"`
	Revision  int        `json:"revision"`
	Revisions int        `json:"revisions"`
	Certified int        `json:"certified,omitempty"`
	Changes   []Change   `json:"changes,omitempty"`
}

// Change is what a later revision of a PDF did to what was signed.
type Change struct {
	Revision int    `json:"revision"`
	Object   string `json:"object,omitempty"`
	What     string `json:"what"`
	Detail   string `json:"detail,omitempty"`
	Allowed  bool   `json:"allowed"`
}

// Timestamp is the verdict on one time stamp.
type Timestamp struct {
	ID            string        `json:"id"`
	Kind          string        `json:"kind"`
	SHA256        string        `json:"sha256,omitempty"` // of the token
	Time          time.Time     `json:"time"`
	Indication    Indication    `json:"indication"`
	SubIndication string        `json:"subIndication,omitempty"`
	ImprintIntact bool          `json:"imprintIntact"`
	Authority     string        `json:"authority,omitempty"` // subject of its certificate
	Policy        string        `json:"policy,omitempty"`
	Covered       []Covered     `json:"covered,omitempty"`
	Chain         []Certificate `json:"chain,omitempty"`
	Revocation    []Revocation  `json:"revocation,omitempty"`
	Errors        []Message     `json:"errors,omitempty"`
	Warnings      []Message     `json:"warnings,omitempty"`
}

// Revocation is one answer about one certificate of a chain.
type Revocation struct {
	Certificate string     `json:"certificate"`    // its SHA-256
	Kind        string     `json:"kind,omitempty"` // CRL, OCSP
	Status      string     `json:"status"`         // good, revoked, onHold, unknown, unavailable, notNeeded
	Origin      string     `json:"origin,omitempty"`
	URL         string     `json:"url,omitempty"`
	ProducedAt  *time.Time `json:"producedAt,omitempty"`
	ThisUpdate  *time.Time `json:"thisUpdate,omitempty"`
	NextUpdate  *time.Time `json:"nextUpdate,omitempty"`
	RevokedAt   *time.Time `json:"revokedAt,omitempty"`
	Reason      string     `json:"reason,omitempty"` // keyCompromise, ...
	Signer      string     `json:"signer,omitempty"`
	SHA256      string     `json:"sha256,omitempty"`  // of the CRL or OCSP answer
	Problem     string     `json:"problem,omitempty"` // why unavailable
}

// Passed reports whether all signatures are totally passed, and there is one.
func (r *Report) Passed() bool { return r.Error == "" && r.Indication == TotalPassed }

// Message is an error or warning: a stable code and sentences.
type Message struct {
	Code string `json:"code"`
	// Text is one sentence for whoever reads the report, by language: en, nl, fr, de.
	Text   map[string]string `json:"text"`
	Object string            `json:"object,omitempty"`
	Detail string            `json:"detail,omitempty"` // for developers, English
}
