package certs

import (
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// QCStatements is what a certificate says about its own qualification (ETSI EN
// 319 412-5 section 4, RFC 3739 section 3.2.6). It is the issuer's claim.
type QCStatements struct {
	Compliance bool     // QcCompliance: qualified, EU
	SSCD       bool     // QcSSCD: the key is in a qualified device
	Types      []string // QcType: "esign", "eseal", "web", or OIDs
	Countries  []string // QcCClegislation; empty: EU
	Retention  int      // QcRetentionPeriod in years, -1 if not said
	PDS        []string // URLs of disclosure statements
	Others     []asn1.ObjectIdentifier
}

var qcTypes = map[string]string{"0.4.0.1862.1.6.1": "esign", "0.4.0.1862.1.6.2": "eseal", "0.4.0.1862.1.6.3": "web"}

// QCStatementsOf returns the statements, nil if there are none. Errors:
// ErrExtension.
func QCStatementsOf(c *x509.Certificate) (*QCStatements, error) {
	body, ok, err := extensionBody(c, OIDQCStatements)
	if err != nil || !ok {
		return nil, err
	}
	q := &QCStatements{Retention: -1}
	for n := 0; !body.Empty(); n++ {
		var statement cryptobyte.String
		var id asn1.ObjectIdentifier
		if n == maxList || !body.ReadASN1(&statement, cbasn1.SEQUENCE) || !statement.ReadASN1ObjectIdentifier(&id) {
			return nil, malformed(OIDQCStatements)
		}
		if !q.read(id, statement) {
			return nil, malformed(OIDQCStatements)
		}
	}
	return q, nil
}

func (q *QCStatements) read(id asn1.ObjectIdentifier, info cryptobyte.String) bool {
	switch id.String() {
	case "0.4.0.1862.1.1":
		q.Compliance = true
	case "0.4.0.1862.1.3":
		return info.ReadASN1Integer(&q.Retention)
	case "0.4.0.1862.1.4":
		q.SSCD = true
	case "0.4.0.1862.1.5":
		return readEach(info, func(list *cryptobyte.String) bool {
			var location, url cryptobyte.String
			if !list.ReadASN1(&location, cbasn1.SEQUENCE) || !location.ReadASN1(&url, cbasn1.IA5String) {
				return false
			}
			q.PDS = append(q.PDS, string(url))
			return len(q.PDS) <= maxURLs
		})
	case "0.4.0.1862.1.6":
		return readEach(info, func(list *cryptobyte.String) bool {
			var oid asn1.ObjectIdentifier
			if !list.ReadASN1ObjectIdentifier(&oid) {
				return false
			}
			name, ok := qcTypes[oid.String()]
			if !ok {
				name = oid.String()
			}
			q.Types = append(q.Types, name)
			return len(q.Types) <= maxURLs
		})
	case "0.4.0.1862.1.7":
		return readEach(info, func(list *cryptobyte.String) bool {
			var country cryptobyte.String
			if !list.ReadASN1(&country, cbasn1.PrintableString) {
				return false
			}
			q.Countries = append(q.Countries, string(country))
			return len(q.Countries) <= maxList
		})
	default:
		q.Others = append(q.Others, id)
	}
	return true
}

// readEach calls one for the elements of a SEQUENCE.
func readEach(info cryptobyte.String, one func(*cryptobyte.String) bool) bool {
	var list cryptobyte.String
	if !info.ReadASN1(&list, cbasn1.SEQUENCE) {
		return false
	}
	for !list.Empty() {
		if !one(&list) {
			return false
		}
	}
	return true
}
