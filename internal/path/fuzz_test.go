package path_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"strconv"
	"testing"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/path"
)

// FuzzBuild gives the search whatever can be read as certificates; the signatures count as good, so that the rest is reached.
func FuzzBuild(f *testing.F) {
	root := issue(f, nil, named("Root"), noPolicies)
	ca := issue(f, root, named("CA"), policies(1, 0), mapping(1, 2), constraints([][]byte{dns("example.org")}, [][]byte{ip(10, 0, 0, 0, 255, 0, 0, 0)}), requireExplicit(1), inhibitAny(1))
	sub := issue(f, ca, ca.name, policies(2), pathLen(1), permit(mail("example.org"), uri(".example.org"), dirName(dn("C=US"))))
	leaf := issue(f, sub, named("Leaf"), endEntityCert, altNames(dns("a.example.org"), mail("a@example.org"), uri("http://a.example.org/"), ip(10, 1, 2, 3), dirName(named("x"))), policies(2))
	whole := certificates(leaf, sub, ca, root)
	for i := range whole {
		var b bytes.Buffer
		for _, c := range append(whole[i:], whole[:i]...) {
			b.Write(c.Raw)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, _, err := certs.ParseAll(data)
		if err != nil || len(list) > 12 {
			return
		}
		o := path.Options{Anchors: anchorSet{list: list[len(list)-1:]}, Others: list, At: now,
			CheckSignature: func(_, _ *x509.Certificate) error { return nil }}
		r, err := path.Build(context.Background(), list[0], o)
		var e *path.Error
		switch {
		case err != nil && (!errors.As(err, &e) || e.Certificate == nil || len(e.Path) == 0):
			t.Fatalf("%#v", err)
		case err == nil:
			// What was found holds as it stands, and only for whoever trusts its end.
			if _, err := path.Validate(r.Path, o); err != nil {
				t.Fatal(err)
			}
			o.Anchors = anchorSet{}
			if _, err := path.Build(context.Background(), list[0], o); err == nil {
				t.Fatal("a path without an anchor")
			}
		}
	})
}

// chainOf makes a chain as long as a Belgian one, or longer.
func chainOf(b *testing.B, length int) []*x509.Certificate {
	issuer := issue(b, nil, named("Root"), noPolicies)
	list := certificates(issuer)
	for i := range length - 2 {
		issuer = issue(b, issuer, named("CA "+strconv.Itoa(i)))
		list = append(list, issuer.cert)
	}
	return append(list, issue(b, issuer, named("Leaf"), endEntityCert).cert)
}

// BenchmarkBuild is beside crypto/x509, which does less (no policies unless asked) and the same signatures.
func BenchmarkBuild(b *testing.B) {
	for _, length := range []int{3, 6} {
		chain := chainOf(b, length)
		leaf, others, roots := chain[length-1], chain[1:length-1], chain[:1]
		run := func(name string, work func() error) {
			b.Run(name+" "+strconv.Itoa(length), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := work(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		o := path.Options{Anchors: anchorSet{list: roots}, Others: others, At: now}
		run("eidkit", func() error { _, err := path.Build(context.Background(), leaf, o); return err })
		warm := o
		warm.Cache = &path.Cache{}
		run("eidkit, warm cache", func() error { _, err := path.Build(context.Background(), leaf, warm); return err })
		run("signatures alone", func() error {
			for i, c := range chain[1:] {
				if err := certs.CheckSignature(c, chain[i]); err != nil {
					return err
				}
			}
			return nil
		})
		pool, others509 := x509.NewCertPool(), x509.NewCertPool()
		pool.AddCert(roots[0])
		for _, c := range others {
			others509.AddCert(c)
		}
		run("crypto/x509", func() error {
			_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: others509, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			return err
		})
	}
}
