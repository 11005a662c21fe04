package sigalg_test

import (
	"crypto"
	"errors"
	"testing"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// TestURI: what has a name in XML is read back by it; what has none says so.
func TestURI(t *testing.T) {
	t.Parallel()
	for h := range hashNames {
		if uri := sigalg.HashURI(h); uri != "" {
			if back, ok := sigalg.HashByURI(uri); !ok || back != h {
				t.Errorf("%s is %s", uri, sigalg.HashName(back))
			}
		}
		for _, scheme := range []sigalg.Scheme{sigalg.PKCS1, sigalg.PSS, sigalg.ECDSA} {
			a := sigalg.Algorithm{Scheme: scheme, Hash: h}
			if scheme == sigalg.PSS {
				a.MGFHash, a.SaltLength = h, h.Size()
			}
			uri, err := a.URI()
			if err != nil {
				if h == crypto.SHA256 || h == crypto.SHA384 || h == crypto.SHA512 || !errors.Is(err, sigalg.ErrUnsupported) {
					t.Errorf("%v: %v", a, err)
				}
				continue
			}
			if back, err := sigalg.ByURI(uri); err != nil || back != a {
				t.Errorf("%s is %v, and was made of %v", uri, back, a)
			}
		}
	}
	usual, err := sigalg.Algorithm{Scheme: sigalg.PSS, Hash: crypto.SHA384, SaltLength: -1}.URI()
	if err != nil || usual != "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1" {
		t.Errorf("PSS with the usual parameters: %q, %v", usual, err)
	}
	for _, none := range []sigalg.Algorithm{{}, {Scheme: sigalg.PSS, Hash: crypto.SHA256, MGFHash: crypto.SHA1, SaltLength: 32}, {Scheme: sigalg.PSS, Hash: crypto.SHA256, SaltLength: 20}, {Scheme: sigalg.PKCS1, Hash: crypto.SHA3_256}} {
		if uri, err := none.URI(); !errors.Is(err, sigalg.ErrUnsupported) {
			t.Errorf("%v: %q, %v", none, uri, err)
		}
	}
}
