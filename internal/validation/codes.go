package validation

import "github.com/eidkit/eidkit/internal/ades"

// Codes of the engine, beside those of the readers in internal/ades. Codes
// stay once released.
const (
	// Identification of the signing certificate.
	CodeNoSigningCertificate ades.Code = "NO_SIGNING_CERTIFICATE"
	CodeKeyOnly              ades.Code = "KEY_WITHOUT_CERTIFICATE"
	CodeCertDigestMismatch   ades.Code = "CERT_DIGEST_MISMATCH"
	CodeCertDigestUnusable   ades.Code = "CERT_DIGEST_UNUSABLE"
	CodeIssuerSerialMismatch ades.Code = "ISSUER_SERIAL_MISMATCH"
	CodeSignerIDMismatch     ades.Code = "SIGNER_ID_MISMATCH"

	// Validation context.
	CodePolicyNotAvailable ades.Code = "SIGNATURE_POLICY_NOT_AVAILABLE"

	// Cryptographic verification.
	CodeDataMissing      ades.Code = "SIGNED_DATA_MISSING"
	CodeDataChanged      ades.Code = "SIGNED_DATA_CHANGED"
	CodeNothingSigned    ades.Code = "NOTHING_SIGNED"
	CodeListedMissing    ades.Code = "LISTED_DATA_MISSING"
	CodeDigestUnknown    ades.Code = "DIGEST_UNKNOWN"
	CodeSignatureWrong   ades.Code = "SIGNATURE_VALUE_WRONG"
	CodeAlgorithmUnknown ades.Code = "ALGORITHM_UNKNOWN"
	CodeImprintMissing   ades.Code = "TIMESTAMPED_DATA_MISSING"
	CodeImprintWrong     ades.Code = "TIMESTAMPED_DATA_CHANGED"

	// Certificate validation.
	CodeNoChain              ades.Code = "NO_CERTIFICATE_CHAIN"
	CodeAnchorWithdrawn      ades.Code = "ANCHOR_WITHDRAWN"
	CodeChainInvalid         ades.Code = "CERTIFICATE_CHAIN_INVALID"
	CodeChainConstraint      ades.Code = "CERTIFICATE_NOT_ALLOWED"
	CodeRevoked              ades.Code = "CERTIFICATE_REVOKED"
	CodeCARevoked            ades.Code = "CA_REVOKED"
	CodeOnHold               ades.Code = "CERTIFICATE_ON_HOLD"
	CodeExpired              ades.Code = "CERTIFICATE_EXPIRED"
	CodeNotYetValid          ades.Code = "CERTIFICATE_NOT_YET_VALID"
	CodeExpiredAtTime        ades.Code = "CERTIFICATE_EXPIRED_AT_TIME" // of a certificate judged alone
	CodeRevokedAtTime        ades.Code = "CERTIFICATE_REVOKED_AT_TIME" // the same
	CodeCANotValid           ades.Code = "CA_NOT_VALID"
	CodeRevocationDown       ades.Code = "REVOCATION_UNAVAILABLE"
	CodeRevocationOffline    ades.Code = "REVOCATION_OFFLINE"
	CodeRevocationNoSource   ades.Code = "REVOCATION_NOT_PUBLISHED"
	CodeRevocationOld        ades.Code = "REVOCATION_NOT_FRESH"
	CodeRevocationUnknown    ades.Code = "REVOCATION_STATUS_UNKNOWN"
	CodeRevocationUnused     ades.Code = "REVOCATION_ANSWER_UNUSABLE"
	CodeTSARevocationOffline ades.Code = "TIMESTAMP_REVOCATION_OFFLINE"
	CodeTSARevocationOld     ades.Code = "TIMESTAMP_REVOCATION_NOT_FRESH"
	CodeTSACARevocation      ades.Code = "TIMESTAMP_CA_REVOCATION_UNKNOWN"
	CodeResponderUnproven    ades.Code = "RESPONDER_STATUS_UNKNOWN"
	CodeKeyUsage             ades.Code = "KEY_USAGE"
	CodeTimestampPurpose     ades.Code = "TIMESTAMP_KEY_PURPOSE"
	CodeCertificateOddity    ades.Code = "CERTIFICATE_ODDITY"
	CodeWeakCertificate      ades.Code = "CERTIFICATE_ALGORITHM_WEAK"
	CodeWeakRevocation       ades.Code = "REVOCATION_ALGORITHM_WEAK"

	// Acceptance.
	CodeNoSigningTime   ades.Code = "NO_SIGNING_TIME"
	CodeSigningTimeLate ades.Code = "SIGNING_TIME_AFTER_PROOF"
	CodeWeakAlgorithm   ades.Code = "ALGORITHM_WEAK"
	CodeWeakImprint     ades.Code = "TIMESTAMP_ALGORITHM_WEAK"
	CodeWeakReference   ades.Code = "CERT_DIGEST_WEAK"
	CodeCounterInvalid  ades.Code = "COUNTER_SIGNATURE_NOT_VALID"

	// Times and proofs.
	CodeTimestampUnusable  ades.Code = "TIMESTAMP_NOT_USABLE"
	CodeTimestampOrder     ades.Code = "TIMESTAMP_ORDER"
	CodeTimestampDelay     ades.Code = "TIMESTAMP_DELAY"
	CodeBeforeCertificate  ades.Code = "SIGNED_BEFORE_CERTIFICATE"
	CodeAfterRevocation    ades.Code = "SIGNED_AFTER_REVOCATION"
	CodeAfterExpiry        ades.Code = "SIGNED_AFTER_EXPIRY"
	CodeAfterAlgorithmEnd  ades.Code = "SIGNED_WITH_OBSOLETE_ALGORITHM"
	CodeNoProof            ades.Code = "NO_PROOF_OF_EXISTENCE"
	CodeRevocationUnproven ades.Code = "REVOCATION_WITHOUT_PROOF"
)
