package crl

import (
	"crypto/x509"
	"fmt"

	"github.com/eidkit/eidkit/internal/certs"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ImplicitPoint is the distribution point of a certificate that names none: its issuer (RFC 5280 section 6.3.3).
func ImplicitPoint(cert *x509.Certificate) certs.DistributionPoint {
	return certs.DistributionPoint{
		FullName: []certs.GeneralName{{Form: certs.DirectoryName, Value: cert.RawIssuer}},
		Reasons:  certs.AllReasons,
	}
}

// Covers checks that the list is about the certificate, as found at one of its distribution points (RFC 5280 section 6.3.3, steps b
// and d), and returns for which reasons of revocation it is: bits as in certs.DistributionPoint. It looks neither at the signature nor
// at times. Errors: ErrScope, ErrUnusable.
func (l *List) Covers(cert *x509.Certificate, at certs.DistributionPoint) (reasons uint16, err error) {
	if l.Unusable != nil {
		return 0, l.Unusable
	}
	if !l.issuerFits(cert, at) {
		return 0, fmt.Errorf("%w: it is a list of %s", ErrScope, certs.NameString(l.Issuer))
	}
	p := l.Point
	if p == nil {
		return at.Reasons, nil
	}
	ca := cert.BasicConstraintsValid && cert.IsCA
	switch {
	case p.OnlyAttribute:
		return 0, fmt.Errorf("%w: it is about attribute certificates", ErrScope)
	case p.OnlyUser && ca:
		return 0, fmt.Errorf("%w: it is not about certificates of authorities", ErrScope)
	case p.OnlyCA && !ca:
		return 0, fmt.Errorf("%w: it is about certificates of authorities only", ErrScope)
	case !l.nameFits(cert, at):
		return 0, fmt.Errorf("%w: it is for another distribution point", ErrScope)
	case at.Reasons&p.Reasons == 0:
		return 0, fmt.Errorf("%w: it is about other reasons of revocation", ErrScope)
	}
	return at.Reasons & p.Reasons, nil
}

// issuerFits: the list is the certificate issuer's own or, if indirect, of the CRL issuer that the certificate names.
func (l *List) issuerFits(cert *x509.Certificate, at certs.DistributionPoint) bool {
	if len(at.Issuer) == 0 {
		return certs.EqualName(l.Issuer, cert.RawIssuer)
	}
	for _, n := range at.Issuer {
		if n.Form == certs.DirectoryName && certs.EqualName(n.Value, l.Issuer) {
			return l.Point != nil && l.Point.Indirect || certs.EqualName(l.Issuer, cert.RawIssuer)
		}
	}
	return false
}

// nameFits: one of the names of the list's distribution point is one of the certificate's (step b 2 i).
func (l *List) nameFits(cert *x509.Certificate, at certs.DistributionPoint) bool {
	ours := names(l.Point.FullName, l.Point.Relative, l.Issuer)
	if len(ours) == 0 {
		return true
	}
	issuer := cert.RawIssuer
	for _, n := range at.Issuer {
		if n.Form == certs.DirectoryName {
			issuer = n.Value
			break
		}
	}
	theirs := names(at.FullName, at.Relative, issuer)
	if len(theirs) == 0 {
		theirs = at.Issuer
	}
	for _, a := range ours {
		for _, b := range theirs {
			if a.Form == b.Form && (string(a.Value) == string(b.Value) || a.Form == certs.DirectoryName && certs.EqualName(a.Value, b.Value)) {
				return true
			}
		}
	}
	return false
}

// maxNames bounds the names of a distribution point that are compared, each with each.
const maxNames = 32

// names returns the full names, or the one that a relative name and the issuer's make together.
func names(full []certs.GeneralName, relative, issuer []byte) []certs.GeneralName {
	if relative == nil {
		return full[:min(len(full), maxNames)]
	}
	whole := cryptobyte.String(issuer)
	var rdns cryptobyte.String
	if !whole.ReadASN1(&rdns, cbasn1.SEQUENCE) {
		return []certs.GeneralName{{Form: certs.DirectoryName}}
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(rdns)
		b.AddBytes(relative)
	})
	return []certs.GeneralName{{Form: certs.DirectoryName, Value: b.BytesOrPanic()}}
}

// DeltaFits checks that delta can be applied to this complete list: same issuer and scope, made for it or an older one, and newer than
// it (RFC 5280 sections 5.2.4 and 6.3.3 step c). Errors: ErrScope, ErrOlder, ErrUnusable.
func (l *List) DeltaFits(delta *List) error {
	switch {
	case delta.Unusable != nil:
		return delta.Unusable
	case !delta.IsDelta() || l.IsDelta() || l.Number == nil || delta.Number == nil:
		return fmt.Errorf("%w: not a complete list and a delta, both with numbers", ErrScope)
	case !certs.EqualName(l.Issuer, delta.Issuer):
		return fmt.Errorf("%w: the delta has another issuer", ErrScope)
	case string(l.AuthorityKeyID) != string(delta.AuthorityKeyID):
		return fmt.Errorf("%w: the delta is signed with another key", ErrScope)
	case string(l.Point.encoded()) != string(delta.Point.encoded()):
		return fmt.Errorf("%w: the delta is for another distribution point", ErrScope)
	case l.Number.Cmp(delta.Base) < 0:
		return fmt.Errorf("%w: the delta begins at number %v, the list is %v", ErrScope, delta.Base, l.Number)
	case l.Number.Cmp(delta.Number) >= 0:
		return fmt.Errorf("%w: the delta is number %v, the list %v", ErrOlder, delta.Number, l.Number)
	}
	return nil
}

func (p *IssuingPoint) encoded() []byte {
	if p == nil {
		return nil
	}
	return p.raw
}

// NewerThan checks that this list may replace old: its number is not lower and it was not made earlier. Lists of different issuers or
// kinds do not replace each other. Errors: ErrOlder, ErrScope.
func (l *List) NewerThan(old *List) error {
	switch {
	case !certs.EqualName(l.Issuer, old.Issuer) || l.IsDelta() != old.IsDelta():
		return fmt.Errorf("%w: another issuer's list, or one of another kind, was there before", ErrScope)
	case l.Number != nil && old.Number != nil && l.Number.Cmp(old.Number) < 0:
		return fmt.Errorf("%w: number %v, %v was seen before", ErrOlder, l.Number, old.Number)
	case l.ThisUpdate.Before(old.ThisUpdate):
		return fmt.Errorf("%w: of %s, one of %s was seen before", ErrOlder, l.ThisUpdate.Format("2006-01-02 15:04:05Z"), old.ThisUpdate.Format("2006-01-02 15:04:05Z"))
	}
	return nil
}
