package crl

import (
	"crypto/x509"
	"errors"
	"math/big"
	"testing"

	"github.com/eidkit/eidkit/internal/certs"
)

func uri(s string) certs.GeneralName { return certs.GeneralName{Form: certs.URIName, Value: []byte(s)} }
func dir(n []byte) certs.GeneralName { return certs.GeneralName{Form: certs.DirectoryName, Value: n} }

func TestCovers(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	ours, theirs := a.cert.RawSubject, newAuthority(t, "Other CA", ecKey()).cert.RawSubject
	leaf := &x509.Certificate{RawIssuer: ours}
	ca := &x509.Certificate{RawIssuer: ours, BasicConstraintsValid: true, IsCA: true}
	all := certs.AllReasons
	rdn := wrap(0x31, seq([]byte{6, 3, 0x55, 4, 3}, wrap(12, []byte("part 1"))))
	whole := append([]byte{}, ours[2:]...)
	part1 := seq(whole, rdn)
	point := func(names ...certs.GeneralName) certs.DistributionPoint {
		return certs.DistributionPoint{FullName: names, Reasons: all}
	}
	a1, a2 := uri("http://a.example/1"), uri("http://a.example/2")
	for name, test := range map[string]struct {
		list    List
		cert    *x509.Certificate
		at      certs.DistributionPoint
		reasons uint16 // 0: not in scope
	}{
		"complete":                       {List{Issuer: ours}, leaf, ImplicitPoint(leaf), all},
		"complete, point named":          {List{Issuer: ours}, leaf, point(a1), all},
		"another issuer":                 {List{Issuer: theirs}, leaf, ImplicitPoint(leaf), 0},
		"reasons of the certificate":     {List{Issuer: ours}, leaf, certs.DistributionPoint{Reasons: 2}, 2},
		"same point":                     {List{Issuer: ours, Point: &IssuingPoint{FullName: []certs.GeneralName{a1}, Reasons: all}}, leaf, point(a1), all},
		"one name of several":            {List{Issuer: ours, Point: &IssuingPoint{FullName: []certs.GeneralName{dir(theirs), a2}, Reasons: all}}, leaf, point(a1, a2), all},
		"another point":                  {List{Issuer: ours, Point: &IssuingPoint{FullName: []certs.GeneralName{a2}, Reasons: all}}, leaf, point(a1), 0},
		"same text, other form":          {List{Issuer: ours, Point: &IssuingPoint{FullName: []certs.GeneralName{{Form: certs.DNSName, Value: a1.Value}}, Reasons: all}}, leaf, point(a1), 0},
		"point, none in certificate":     {List{Issuer: ours, Point: &IssuingPoint{FullName: []certs.GeneralName{a1}, Reasons: all}}, leaf, ImplicitPoint(leaf), 0},
		"point named as issuer":          {List{Issuer: ours, Point: &IssuingPoint{FullName: []certs.GeneralName{dir(ours)}, Reasons: all}}, leaf, ImplicitPoint(leaf), all},
		"relative in list":               {List{Issuer: ours, Point: &IssuingPoint{Relative: rdn, Reasons: all}}, leaf, point(dir(part1)), all},
		"relative in certificate":        {List{Issuer: ours, Point: &IssuingPoint{FullName: []certs.GeneralName{dir(part1)}, Reasons: all}}, leaf, certs.DistributionPoint{Relative: rdn, Reasons: all}, all},
		"relative in both":               {List{Issuer: ours, Point: &IssuingPoint{Relative: rdn, Reasons: all}}, leaf, certs.DistributionPoint{Relative: rdn, Reasons: all}, all},
		"relative, another":              {List{Issuer: ours, Point: &IssuingPoint{Relative: rdn, Reasons: all}}, leaf, point(dir(ours)), 0},
		"user list, leaf":                {List{Issuer: ours, Point: &IssuingPoint{OnlyUser: true, Reasons: all}}, leaf, point(a1), all},
		"user list, CA":                  {List{Issuer: ours, Point: &IssuingPoint{OnlyUser: true, Reasons: all}}, ca, point(a1), 0},
		"CA list, leaf":                  {List{Issuer: ours, Point: &IssuingPoint{OnlyCA: true, Reasons: all}}, leaf, point(a1), 0},
		"CA list, CA":                    {List{Issuer: ours, Point: &IssuingPoint{OnlyCA: true, Reasons: all}}, ca, point(a1), all},
		"attribute list":                 {List{Issuer: ours, Point: &IssuingPoint{OnlyAttribute: true, Reasons: all}}, leaf, point(a1), 0},
		"some reasons":                   {List{Issuer: ours, Point: &IssuingPoint{Reasons: 6}}, leaf, certs.DistributionPoint{Reasons: 4 | 8}, 4},
		"no reason in common":            {List{Issuer: ours, Point: &IssuingPoint{Reasons: 6}}, leaf, certs.DistributionPoint{Reasons: 8}, 0},
		"indirect, named":                {List{Issuer: theirs, Point: &IssuingPoint{Indirect: true, Reasons: all}}, leaf, certs.DistributionPoint{Reasons: all, Issuer: []certs.GeneralName{dir(theirs)}}, all},
		"indirect, not named":            {List{Issuer: theirs, Point: &IssuingPoint{Indirect: true, Reasons: all}}, leaf, point(a1), 0},
		"named, not indirect":            {List{Issuer: theirs}, leaf, certs.DistributionPoint{Reasons: all, Issuer: []certs.GeneralName{dir(theirs)}}, 0},
		"named is the issuer itself":     {List{Issuer: ours}, leaf, certs.DistributionPoint{Reasons: all, Issuer: []certs.GeneralName{dir(ours)}}, all},
		"indirect, another named":        {List{Issuer: ours, Point: &IssuingPoint{Indirect: true, Reasons: all}}, leaf, certs.DistributionPoint{Reasons: all, Issuer: []certs.GeneralName{uri("http://x"), dir(theirs)}}, 0},
		"point is the CRL issuer's name": {List{Issuer: theirs, Point: &IssuingPoint{Indirect: true, FullName: []certs.GeneralName{dir(theirs)}, Reasons: all}}, leaf, certs.DistributionPoint{Reasons: all, Issuer: []certs.GeneralName{dir(theirs)}}, all},
		"relative to the CRL issuer":     {List{Issuer: theirs, Point: &IssuingPoint{Indirect: true, Relative: rdn, Reasons: all}}, leaf, certs.DistributionPoint{Relative: rdn, Reasons: all, Issuer: []certs.GeneralName{dir(theirs)}}, all},
		"issuer that is no name":         {List{Issuer: []byte{5}, Point: &IssuingPoint{Relative: rdn, Reasons: all}}, &x509.Certificate{RawIssuer: []byte{5}}, point(a1), 0},
	} {
		reasons, err := test.list.Covers(test.cert, test.at)
		if reasons != test.reasons || (reasons == 0) != errors.Is(err, ErrScope) {
			t.Errorf("%s: reasons %x, %v", name, reasons, err)
		}
	}
}

func TestDeltas(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	n := func(i int64) *big.Int { return big.NewInt(i) }
	point := &IssuingPoint{raw: []byte{1}}
	base := List{Issuer: a.cert.RawSubject, Number: n(5), AuthorityKeyID: []byte{1}, Point: point}
	for name, test := range map[string]struct {
		change func(delta, base *List)
		want   error
	}{
		"fits":                {func(*List, *List) {}, nil},
		"for the very list":   {func(d, _ *List) { d.Base = n(5) }, nil},
		"for a later list":    {func(d, _ *List) { d.Base = n(6) }, ErrScope},
		"not newer":           {func(d, _ *List) { d.Number = n(5) }, ErrOlder},
		"no number":           {func(d, _ *List) { d.Number = nil }, ErrScope},
		"base without number": {func(_, b *List) { b.Number = nil }, ErrScope},
		"no delta":            {func(d, _ *List) { d.Base = nil }, ErrScope},
		"base is a delta":     {func(_, b *List) { b.Base = n(1) }, ErrScope},
		"another issuer":      {func(d, _ *List) { d.Issuer = []byte{5, 0} }, ErrScope},
		"another key":         {func(d, _ *List) { d.AuthorityKeyID = nil }, ErrScope},
		"another point":       {func(d, _ *List) { d.Point = &IssuingPoint{raw: []byte{2}} }, ErrScope},
		"no point":            {func(d, _ *List) { d.Point = nil }, ErrScope},
		"unusable":            {func(d, _ *List) { d.Unusable = ErrUnusable }, ErrUnusable},
	} {
		delta, b := List{Issuer: base.Issuer, Number: n(7), Base: n(3), AuthorityKeyID: []byte{1}, Point: point}, base
		test.change(&delta, &b)
		if err := b.DeltaFits(&delta); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewer(t *testing.T) {
	t.Parallel()
	a, b := newAuthority(t, "Test CA", ecKey()).cert.RawSubject, newAuthority(t, "Other CA", ecKey()).cert.RawSubject
	n := big.NewInt
	old := List{Issuer: a, Number: n(5), ThisUpdate: noon}
	for name, test := range map[string]struct {
		list List
		want error
	}{
		"newer":              {List{Issuer: a, Number: n(6), ThisUpdate: noon.AddDate(0, 0, 1)}, nil},
		"same":               {old, nil},
		"without number":     {List{Issuer: a, ThisUpdate: noon.AddDate(0, 0, 1)}, nil},
		"lower number":       {List{Issuer: a, Number: n(4), ThisUpdate: noon.AddDate(0, 0, 1)}, ErrOlder},
		"earlier":            {List{Issuer: a, Number: n(6), ThisUpdate: noon.AddDate(0, 0, -1)}, ErrOlder},
		"of another":         {List{Issuer: b, Number: n(6), ThisUpdate: noon.AddDate(0, 0, 1)}, ErrScope},
		"delta for complete": {List{Issuer: a, Number: n(6), Base: n(5), ThisUpdate: noon.AddDate(0, 0, 1)}, ErrScope},
	} {
		if err := test.list.NewerThan(&old); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
