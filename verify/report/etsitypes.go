package report

import (
	"encoding/xml"
	"errors"
)

// ErrNothingToReport: the report is about no signature.
var ErrNothingToReport = errors.New("the report holds no signature")

// The types below are the elements of ETSI TS 119 102-2 V1.2.1 clause 4 that
// are written, in the order its schema asks for.

type validationReport struct {
	XMLName    xml.Name        `xml:"ValidationReport"`
	Xmlns      string          `xml:"xmlns,attr"`
	DS         string          `xml:"xmlns:ds,attr"`
	Signatures []etsiSignature `xml:"SignatureValidationReport"`
	Objects    []etsiObject    `xml:"SignatureValidationObjects>ValidationObject"`
}

type etsiSignature struct {
	Identifier *etsiIdentifier `xml:"SignatureIdentifier"`
	Times      *etsiTimes      `xml:"ValidationTimeInfo"`
	Documents  []etsiDocument  `xml:"SignersDocument"`
	Attributes *etsiAttributes `xml:"SignatureAttributes"`
	Signer     *etsiSigner     `xml:"SignerInformation"`
	Process    *etsiProcess    `xml:"SignatureValidationProcess"`
	Status     etsiStatus      `xml:"SignatureValidationStatus"`
}

type etsiIdentifier struct {
	ID          string `xml:"id,attr"`
	HashOnly    bool   `xml:"HashOnly"`
	DocHashOnly bool   `xml:"DocHashOnly"`
	Name        string `xml:"DAIdentifier,omitempty"`
}

type etsiTimes struct {
	Validation string  `xml:"ValidationTime"`
	Best       etsiPOE `xml:"BestSignatureTime"`
}

type etsiPOE struct {
	Time  string `xml:"POETime"`
	Proof string `xml:"TypeOfProof"`
}

type etsiProvides struct {
	Time string `xml:"POETime"`
}

type etsiDocument struct {
	Digest etsiDigest `xml:"DigestAlgAndValue"`
}

type etsiDigest struct {
	Method etsiMethod `xml:"ds:DigestMethod"`
	Value  string     `xml:"ds:DigestValue"`
}

type etsiMethod struct {
	Algorithm string `xml:"Algorithm,attr"`
}

type etsiAttributes struct {
	SigningTime *etsiTimeAttribute `xml:"SigningTime"`
	Commitments []etsiCommitment   `xml:"CommitmentTypeIndication"`
	Policy      *etsiPolicy        `xml:"SigPolicyIdentifier"`
	Place       *etsiPlace         `xml:"SignatureProductionPlace"`
	Roles       []etsiRole         `xml:"SignerRole"`
	Reason      *etsiReason        `xml:"Reason"`
}

type etsiTimeAttribute struct {
	Signed bool   `xml:"Signed,attr"`
	Time   string `xml:"Time"`
}

type etsiCommitment struct {
	Signed bool   `xml:"Signed,attr"`
	ID     string `xml:"CommitmentTypeIdentifier"`
}

type etsiPolicy struct {
	Signed bool   `xml:"Signed,attr"`
	ID     string `xml:"SigPolicyId"`
}

type etsiPlace struct {
	Signed  bool   `xml:"Signed,attr"`
	Address string `xml:"AddressString"`
}

type etsiRole struct {
	Signed      bool   `xml:"Signed,attr"`
	Role        string `xml:"RoleDetails>Role"`
	Endorsement string `xml:"RoleDetails>EndorsementType"`
}

type etsiReason struct {
	Signed bool   `xml:"Signed,attr"`
	Reason string `xml:"ReasonElement"`
}

type etsiSigner struct {
	Certificate etsiRef `xml:"SignerCertificate"`
	Name        string  `xml:"Signer,omitempty"`
}

type etsiRef struct {
	ID string `xml:"VOReference,attr"`
}

type etsiProcess struct {
	ID string `xml:"SignatureValidationProcessID"`
}

type etsiStatus struct {
	Main string   `xml:"MainIndication"`
	Sub  string   `xml:"SubIndication,omitempty"`
	Data etsiData `xml:"AssociatedValidationReportData"`
}

type etsiData struct {
	Anchor     *etsiRef        `xml:"TrustAnchor"`
	Chain      *etsiChain      `xml:"CertificateChain"`
	Revocation *etsiRevocation `xml:"RevocationStatusInformation"`
	Messages   []etsiTyped     `xml:"AdditionalValidationReportData>ReportData"`
}

type etsiChain struct {
	Signing      etsiRef   `xml:"SigningCertificate"`
	Intermediate []etsiRef `xml:"IntermediateCertificate"`
	Anchor       *etsiRef  `xml:"TrustAnchor"`
}

type etsiRevocation struct {
	Of     etsiRef  `xml:"ValidationObjectId"`
	At     string   `xml:"RevocationTime"`
	Reason string   `xml:"RevocationReason,omitempty"`
	By     *etsiRef `xml:"RevocationObject"`
}

type etsiTyped struct {
	Type  string `xml:"Type"`
	Value string `xml:"Value"`
}

type etsiObject struct {
	ID       string         `xml:"id,attr"`
	Type     string         `xml:"ObjectType"`
	What     etsiWhat       `xml:"ValidationObject"`
	POE      *etsiPOE       `xml:"POE"`
	Provides *etsiProvides  `xml:"POEProvisioning"`
	Report   *etsiSignature `xml:"ValidationReport"`
}

type etsiWhat struct {
	Base64 string      `xml:"base64,omitempty"`
	Digest *etsiDigest `xml:"DigestAlgAndValue"`
}
