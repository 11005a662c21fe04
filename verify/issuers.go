package verify

import (
	"context"
	"crypto/x509"
)

// Issuers fetches the certificates from the addresses that c names for its
// issuer's (RFC 5280 section 4.2.2.1). They are candidates: nothing says that
// they are right. What came is remembered for an hour.
func (v *Verifier) Issuers(ctx context.Context, c *x509.Certificate) []*x509.Certificate {
	n, err := v.network()
	if err != nil || c == nil {
		return nil
	}
	return n.issuers(ctx, c)
}
