package revocation

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// simple is a chain whose CA publishes these lists.
func simple(lists ...listOf) func(*testing.T) *chain {
	return func(t *testing.T) *chain {
		s := newChain(t)
		for _, l := range lists {
			s.add(s.ca, l)
		}
		return s
	}
}

// at is a leaf with distribution points, and the lists of its CA.
func at(leaf pkix.Extension, lists ...listOf) func(*testing.T) *chain {
	return func(t *testing.T) *chain {
		s := newChain(t, leaf)
		for _, l := range lists {
			s.add(s.ca, l)
		}
		return s
	}
}

func revokes(extensions ...pkix.Extension) listOf {
	return listOf{entries: []x509.RevocationListEntry{entry(100, 1)}, extensions: extensions}
}

func spares(extensions ...pkix.Extension) listOf {
	return listOf{entries: []x509.RevocationListEntry{entry(99, 1), entry(101, 0)}, extensions: extensions}
}

var longSerial = new(big.Int).SetBytes(bytes.Repeat([]byte{0x7e}, 20))

func longEntry(last byte) x509.RevocationListEntry {
	serial := bytes.Repeat([]byte{0x7e}, 20)
	serial[19] = last
	return x509.RevocationListEntry{SerialNumber: new(big.Int).SetBytes(serial), RevocationTime: pkitsTime.AddDate(0, -1, 0)}
}

// basicSituations are those of section 4.4.
var basicSituations = []situation{
	{"4.4.1 missing CRL", undetermined, simple(), ""},
	{"4.4 nothing revoked", valid, simple(listOf{}), ""},
	{"4.4 others revoked", valid, simple(spares()), ""},
	{"4.4.2 revoked CA", invalid, func(t *testing.T) *chain {
		s := newChain(t)
		s.lists = nil
		s.add(s.anchor, listOf{entries: []x509.RevocationListEntry{entry(2, 1)}})
		s.add(s.ca, listOf{})
		return s
	}, ""},
	{"4.4.3 revoked leaf", invalid, simple(revokes()), ""},
	{"4.4.4 bad CRL signature", undetermined, func(t *testing.T) *chain {
		s := simple(listOf{})(t)
		last := s.lists[len(s.lists)-1]
		last[len(last)-1] ^= 1
		return s
	}, ""},
	{"4.4.5 bad CRL issuer name", undetermined, func(t *testing.T) *chain {
		s := newChain(t)
		s.add(ca{issue(t, "Bad CRL Issuer", big.NewInt(5), nil, s.ca.key, asCA), s.ca.key}, listOf{})
		return s
	}, ""},
	{"4.4.6 wrong CRL", undetermined, func(t *testing.T) *chain {
		s := newChain(t)
		s.add(ca{issue(t, "Good CA", big.NewInt(5), nil, newKey(t), asCA), newKey(t)}, listOf{})
		return s
	}, ""},
	{"4.4.7 two CRLs, one of them wrong", valid, func(t *testing.T) *chain {
		s := newChain(t)
		key := newKey(t)
		s.add(ca{issue(t, "Good CA", big.NewInt(5), nil, key, asCA), key}, listOf{})
		s.add(s.ca, listOf{})
		return s
	}, ""},
	{"4.4.8 unknown critical entry extension", undetermined, simple(listOf{entries: []x509.RevocationListEntry{entry(99, 1, unknownCritical)}}), ""},
	{"4.4.8 of the very certificate", undetermined, simple(listOf{entries: []x509.RevocationListEntry{entry(100, 1, unknownCritical)}}), ""},
	{"4.4.9 unknown critical CRL extension", undetermined, simple(spares(unknownCritical)), ""},
	{"4.4.10 unknown critical CRL extension, revoked", undetermined, simple(revokes(unknownCritical)), ""},
	{"4.4.11 old nextUpdate", undetermined, simple(listOf{this: pkitsTime.AddDate(0, 0, -40), next: pkitsTime.AddDate(0, 0, -10)}), ""},
	{"4.4.12 nextUpdate before 2000", undetermined, simple(listOf{this: time.Date(1998, 1, 1, 0, 0, 0, 0, time.UTC), next: time.Date(1999, 1, 1, 12, 1, 0, 0, time.UTC)}), ""},
	{"4.4.13 nextUpdate after 2049", valid, simple(listOf{next: time.Date(2050, 1, 1, 12, 1, 0, 0, time.UTC)}), ""},
	{"4.4 thisUpdate tomorrow", undetermined, simple(listOf{this: pkitsTime.AddDate(0, 0, 1)}), ""},
	{"4.4.14 negative serial number listed", valid, func(t *testing.T) *chain {
		return simple(listOf{entries: []x509.RevocationListEntry{entry(-1, 1)}})(t).withSerial([]byte{0, 0xff})
	}, ""},
	{"4.4.15 negative serial number revoked", invalid, func(t *testing.T) *chain {
		return simple(listOf{entries: []x509.RevocationListEntry{entry(-1, 1)}})(t).withSerial([]byte{0xff})
	}, ""},
	{"4.4.16 long serial number", valid, func(t *testing.T) *chain {
		return simple(listOf{entries: []x509.RevocationListEntry{longEntry(1)}})(t).withSerial(longSerial.Bytes())
	}, ""},
	{"4.4.17 long serial number, another longer", valid, func(t *testing.T) *chain {
		return simple(listOf{entries: []x509.RevocationListEntry{longEntry(1)}})(t).withSerial(longSerial.Bytes()[:19])
	}, ""},
	{"4.4.18 long serial number revoked", invalid, func(t *testing.T) *chain {
		return simple(listOf{entries: []x509.RevocationListEntry{longEntry(0x7e)}})(t).withSerial(longSerial.Bytes())
	}, ""},
	{"4.4.19 separate key for CRLs", valid, separateKeys(spares(), x509.KeyUsageCRLSign), ""},
	{"4.4.20 separate key for CRLs, revoked", invalid, separateKeys(revokes(), x509.KeyUsageCRLSign), ""},
	{"4.4 separate key not for CRLs", undetermined, separateKeys(spares(), x509.KeyUsageDigitalSignature),
		"openssl 3.0 does not look at the key usage of list issuers outside the chain"},
	{"4.7.4 CA key not for CRLs", undetermined, func(t *testing.T) *chain {
		s := newChain(t)
		s.ca.cert = issue(t, "Good CA", big.NewInt(2), &s.anchor, s.ca.key, func(c *x509.Certificate) { asCA(c); c.KeyUsage = x509.KeyUsageCertSign })
		s.add(s.ca, listOf{})
		return s
	}, ""},
}

// separateKeys has the CA sign lists with another key, certified under its name by the anchor.
func separateKeys(l listOf, usage x509.KeyUsage) func(*testing.T) *chain {
	return func(t *testing.T) *chain {
		s := newChain(t)
		by := s.other("Good CA", func(c *x509.Certificate) { c.KeyUsage = usage })
		s.add(by, l)
		return s
	}
}

// pointSituations are those of section 4.14 where the CA itself publishes.
var pointSituations = []situation{
	{"4.14.1 distribution point", valid, at(points(point(partA)), spares(issuing(partA))), ""},
	{"4.14.2 distribution point, revoked", invalid, at(points(point(partA)), revokes(issuing(partA))), ""},
	{"4.14.3 another distribution point", undetermined, at(points(point(partA)), spares(issuing(partB))), ""},
	{"4.14.4 relative name in both", valid, at(points(point(relativeName("CRL1"))), spares(issuing(relativeName("CRL1")))), ""},
	{"4.14.4 full in certificate, relative in list", valid, at(points(point(fullName(below(goodCA, "CRL1")))), spares(issuing(relativeName("CRL1")))), ""},
	{"4.14.5 relative in certificate, full in list", valid, at(points(point(relativeName("CRL1"))), spares(issuing(fullName(below(goodCA, "CRL1"))))), ""},
	{"4.14.6 relative name, revoked", invalid, at(points(point(relativeName("CRL1"))), revokes(issuing(fullName(below(goodCA, "CRL1"))))), ""},
	{"4.14.8 another relative name", undetermined, at(points(point(relativeName("CRL1"))), spares(issuing(relativeName("CRL2")))), ""},
	{"4.14.7 several names, one in common", valid,
		at(points(point(fullName(urlName("http://crl.example/1"), dirName(name("Part A"))))), spares(issuing(fullName(dirName(name("Part A")), urlName("ldap://x"))))), ""},
	{"4.14 same URL", valid, at(points(point(fullName(urlName("http://crl.example/1")))), spares(issuing(fullName(urlName("http://crl.example/1"))))), ""},
	{"4.14 another URL", undetermined, at(points(point(fullName(urlName("http://crl.example/1")))), spares(issuing(fullName(urlName("http://crl.example/2"))))), ""},
	{"4.14.9 list for a point, none in certificate", undetermined, simple(spares(issuing(partA))), ""},
	{"4.14.10 point in certificate, none in list", valid, at(points(point(partA)), spares()), ""},
	{"4.14.11 user list for a CA", undetermined, func(t *testing.T) *chain {
		s := newChain(t)
		s.lists = nil
		s.add(s.anchor, listOf{extensions: []pkix.Extension{issuing(onlyUser)}})
		s.add(s.ca, listOf{})
		return s
	}, ""},
	{"4.14 user list for a user", valid, simple(spares(issuing(onlyUser))), ""},
	{"4.14.12 CA list for a user", undetermined, simple(spares(issuing(onlyCA))), ""},
	{"4.14.13 CA list for a CA", valid, func(t *testing.T) *chain {
		s := newChain(t)
		s.lists = nil
		s.add(s.anchor, listOf{extensions: []pkix.Extension{issuing(onlyCA)}})
		s.add(s.ca, listOf{})
		return s
	}, ""},
	{"4.14.14 attribute list", undetermined, simple(spares(issuing(onlyAttribute))), ""},
	{"4.14.15 some reasons, revoked for one", invalid, simple(revokes(issuing(someReasons(1, 2)))), ""},
	{"4.14.16 some reasons, on hold", invalid,
		simple(listOf{entries: []x509.RevocationListEntry{entry(100, 6)}, extensions: []pkix.Extension{issuing(someReasons(6))}}), ""},
	{"4.14.17 some reasons, not all", undetermined, simple(spares(issuing(someReasons(1, 2))), spares(issuing(someReasons(3, 4)))), ""},
	{"4.14.18 some reasons, all together", valid, simple(spares(issuing(someReasons(1, 2, 3))), spares(issuing(someReasons(4, 5, 6, 7, 8)))), ""},
	{"4.14.19 some reasons in points of their own", valid, at(points(point(partA, reasons(0x81, 1, 2, 3)), point(partB, reasons(0x81, 4, 5, 6, 7, 8))),
		spares(issuing(partA, someReasons(1, 2, 3))), spares(issuing(partB, someReasons(4, 5, 6, 7, 8)))), ""},
	{"4.14.20 the same, revoked in the first", invalid, at(points(point(partA, reasons(0x81, 1, 2, 3)), point(partB, reasons(0x81, 4, 5, 6, 7, 8))),
		revokes(issuing(partA, someReasons(1, 2, 3))), spares(issuing(partB, someReasons(4, 5, 6, 7, 8)))), ""},
	{"4.14.21 the same, revoked in the second", invalid, at(points(point(partA, reasons(0x81, 1, 2, 3)), point(partB, reasons(0x81, 4, 5, 6, 7, 8))),
		spares(issuing(partA, someReasons(1, 2, 3))), revokes(issuing(partB, someReasons(4, 5, 6, 7, 8)))), ""},
	{"4.14.22 indirect list of the issuer itself", valid, simple(spares(issuing(indirectList))), ""},
	{"4.14.23 indirect list of the issuer itself, revoked", invalid, simple(revokes(issuing(indirectList))), ""},
	{"4.14.24 indirect list of the issuer, entry of another", valid,
		simple(listOf{entries: []x509.RevocationListEntry{entry(100, 1, ofIssuer(name("Other CA")))}, extensions: []pkix.Extension{issuing(indirectList)}}), ""},
}

// indirectSituations are those of section 4.14 where another publishes for the CA.
var indirectSituations = []situation{
	{"4.14.25 indirect list", valid, indirectBy(issuing(indirectList), entry(99, 1, ofIssuer(goodCA))), ""},
	{"4.14.26 indirect list, CRL issuer not named", undetermined, func(t *testing.T) *chain {
		s := newChain(t, points(point(partA)))
		s.add(s.other("CRL Issuer", asCA), listOf{extensions: []pkix.Extension{issuing(indirectList)}})
		return s
	}, ""},
	{"4.14.27 CRL issuer not the one named", undetermined, func(t *testing.T) *chain {
		s := newChain(t, points(point(partA, crlIssuer(name("CRL Issuer 2")))))
		s.add(s.other("CRL Issuer", asCA), listOf{extensions: []pkix.Extension{issuing(partA, indirectList)}})
		return s
	}, ""},
	{"4.14.28 indirect list with point", valid, indirectBy(issuing(partA, indirectList), entry(99, 1, ofIssuer(goodCA))), ""},
	{"4.14 indirect list with another point", undetermined, indirectBy(issuing(partB, indirectList), entry(99, 1, ofIssuer(goodCA))), ""},
	{"4.14.31 indirect list, revoked", invalid, indirectBy(issuing(indirectList), entry(100, 1, ofIssuer(goodCA))), ""},
	{"4.14.32 indirect list, revoked, issuer stated before", invalid, indirectBy(issuing(indirectList), entry(99, 1, ofIssuer(goodCA)), entry(100, 1)), ""},
	{"4.14.33 indirect list, same number of another", valid, indirectBy(issuing(indirectList), entry(99, 1, ofIssuer(goodCA)), entry(100, 1, ofIssuer(name("Other CA")))), ""},
	{"4.14.34 indirect list, number of the CRL issuer's own", valid, indirectBy(issuing(indirectList), entry(100, 1), entry(99, 1, ofIssuer(goodCA))), ""},
	{"4.14.35 not marked as indirect", undetermined, indirectBy(issuing(partA), entry(99, 1)), ""},
	{"4.14 CRL issuer without path", undetermined, func(t *testing.T) *chain {
		s := newChain(t, points(point(partA, crlIssuer(name("CRL Issuer")))))
		by := ca{key: newKey(t)}
		by.cert = issue(t, "CRL Issuer", big.NewInt(9), nil, by.key, asCA)
		s.others = append(s.others, by)
		s.add(by, listOf{extensions: []pkix.Extension{issuing(indirectList)}})
		return s
	}, ""},
}

// indirectBy has a CRL issuer that the leaf names publish for the CA.
func indirectBy(point1 pkix.Extension, entries ...x509.RevocationListEntry) func(*testing.T) *chain {
	return func(t *testing.T) *chain {
		s := newChain(t, points(point(partA, crlIssuer(name("CRL Issuer")))))
		s.add(s.other("CRL Issuer", asCA), listOf{entries: entries, extensions: []pkix.Extension{point1}})
		return s
	}
}

// delta is a delta list number 8.
func delta(of int64, entries ...x509.RevocationListEntry) listOf {
	return listOf{number: 8, entries: entries, extensions: []pkix.Extension{base(of)}}
}

// full is a complete list number 5 that says where deltas are.
func full(entries ...x509.RevocationListEntry) listOf {
	return listOf{entries: entries, extensions: []pkix.Extension{freshest()}}
}

// deltaSituations are those of section 4.15.
var deltaSituations = []situation{
	{"4.15.1 delta without complete list", undetermined, simple(delta(5)), ""},
	{"4.15.2 delta, nothing revoked", valid, simple(full(), delta(5)), ""},
	{"4.15.3 revoked in the complete list", invalid, simple(full(entry(100, 1)), delta(5)), ""},
	{"4.15.4 revoked in the delta", invalid, simple(full(), delta(5, entry(100, 1))), ""},
	{"4.15.5 on hold, then removed", valid, simple(full(entry(100, 6)), delta(5, entry(100, 8))), ""},
	{"4.15.6 on hold, then revoked", invalid, simple(full(entry(100, 6)), delta(5, entry(100, 1))), ""},
	{"4.15 removed in the delta, never listed before", valid, simple(full(), delta(5, entry(100, 8))), ""},
	{"4.15 revoked, then removed", invalid, simple(full(entry(100, 1)), delta(5, entry(100, 8))), "openssl takes the entry for a release"},
	{"4.15 revoked without a reason, then removed", invalid, simple(full(entry(100, 0)), delta(5, entry(100, 8))), "openssl takes the entry for a release"},
	{"4.15.7 delta for an earlier list", valid, simple(full(), delta(3)), ""},
	{"4.15.8 delta for an earlier list, removed", valid, simple(full(entry(100, 6)), delta(3, entry(100, 8))), ""},
	{"4.15.9 delta for an earlier list, revoked", invalid, simple(full(), delta(3, entry(100, 1))), ""},
	{"4.15.10 delta for a later list", valid, simple(full(), delta(6, entry(100, 1))), ""},
	{"4.15 delta older than the complete list", valid, simple(full(), listOf{number: 4, entries: []x509.RevocationListEntry{entry(100, 1)}, extensions: []pkix.Extension{base(3)}}), ""},
	{"4.15 delta for another point", valid, simple(full(), listOf{number: 8, entries: []x509.RevocationListEntry{entry(100, 1)}, extensions: []pkix.Extension{base(5), issuing(onlyUser)}}), ""},
	{"4.15 complete list that removes", undetermined, simple(listOf{entries: []x509.RevocationListEntry{entry(100, 8)}}), "openssl takes the entry for a release"},
}
