package ades

// Code names a finding. Codes stay once released.
type Code string

// Codes of the readers. Package verify has the constraint, the indication and the sentences for each.
const (
	// Format checking: FORMAT_FAILURE.
	BadStructure      Code = "BAD_STRUCTURE"       // a mandatory part is missing or malformed
	BadByteRange      Code = "BAD_BYTE_RANGE"      // PDF: not around the signature, overlapping, outside
	BadContainer      Code = "BAD_CONTAINER"       // ASiC: rules broken so that what is signed is unclear
	NoSignedFile      Code = "NO_SIGNED_FILE"      // container without a signed file
	DuplicateID       Code = "DUPLICATE_ID"        // XML: an ID stands twice
	AmbiguousContent  Code = "AMBIGUOUS_CONTENT"   // what is signed cannot be told
	MultipleSignerDoc Code = "MULTIPLE_SIGNERS"    // PDF: more than one SignerInfo
	UnsupportedPart   Code = "UNSUPPORTED_PART"    // refused transform (XSLT), unknown critical thing
	ContainerOddity   Code = "CONTAINER_ODDITY"    // mimetype missing, extra files: a warning
	FileNotSigned     Code = "FILE_NOT_SIGNED"     // container: a file that the signature does not cover: a warning
	DataInSignature   Code = "DATA_IN_SIGNATURE"   // XML: a ds:Signature that the signature leaves out holds more than a signature: a warning
	EncodingOddity    Code = "ENCODING_ODDITY"     // not DER, BOM, ...: a warning
	OddCertificate    Code = "ODD_CERTIFICATE"     // parsed leniently: a warning
	BadCertificate    Code = "BAD_CERTIFICATE"     // an embedded certificate that cannot be parsed: a warning
	BadRevocation     Code = "BAD_REVOCATION_DATA" // embedded CRL or OCSP that cannot be parsed: a warning
	BadTimestamp      Code = "BAD_TIMESTAMP"       // embedded token that cannot be parsed: a warning

	// Signed attributes: SIG_CONSTRAINTS_FAILURE.
	NoMessageDigest    Code = "NO_MESSAGE_DIGEST"       // CMS attributes without message-digest
	NoContentType      Code = "NO_CONTENT_TYPE"         // CMS attributes without content-type, or another one
	NoSigningCertRef   Code = "NO_SIGNING_CERT_REF"     // AdES without signing-certificate attribute
	PropertiesUnsigned Code = "PROPERTIES_NOT_SIGNED"   // XAdES SignedProperties that no reference covers
	PropertiesUntyped  Code = "PROPERTIES_NOT_DECLARED" // XAdES SignedProperties covered by a reference that lacks their Type
	SigningTimeInPDF   Code = "SIGNING_TIME_IN_PDF"     // PAdES baseline forbids the attribute: a warning
	AlgorithmMismatch  Code = "ALGORITHM_MISMATCH"      // digest algorithm of signer and signature differ

	// CMS.
	BrokenAttributes  Code = "BROKEN_ATTRIBUTES"   // signed attributes against RFC 5652: missing, doubled, other type of content or algorithms: SIG_CRYPTO_FAILURE
	OtherContent      Code = "OTHER_CONTENT"       // content was given, but the signature holds and signs another: a warning
	HashIndexMismatch Code = "HASH_INDEX_MISMATCH" // ats-hash-index of an archive time stamp: missing, broken, or naming what is not there

	// References.
	ManifestBroken Code = "MANIFEST_BROKEN" // manifest cannot be parsed
	ManifestEmpty  Code = "MANIFEST_EMPTY"  // manifest of a container that lists no file

	// PDF.
	ModifiedAfterwards Code = "MODIFIED_AFTER_SIGNING" // a later revision changed what may not change
	NotWholeRevision   Code = "NOT_WHOLE_REVISION"     // byte range leaves out part of its revision
)
