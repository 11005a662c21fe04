// Package answers makes what revocation and time stamp services answer, with
// the keys of a test PKI, for any time and right or wrong as wanted: OCSP
// answers and RFC 3161 time stamps. CRLs are made by pki.PKI.CRL.
//
// Fill in an OCSP and call Response, or a Timestamp and call Token. The same
// values give the same bytes. Package testcards/network serves such answers,
// testcards/signed embeds them in signatures.
//
// It is an independent maker: it writes with its own code and shares none with
// what it tests.
//
// Out of scope: what is revoked, HTTP (both in testcards/network), reading
// answers.
//
// References: RFC 6960 (OCSP), RFC 3161 and RFC 5816 (time stamps).
package answers
