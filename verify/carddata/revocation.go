package carddata

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/eidkit/eidkit/verify"
)

// AskRevocation asks, after Verify with the same options, whether the
// certificates between the register's and the anchor have been revoked: v's
// cache first, then the services that they name. If one has been, or if it
// cannot be found out, Chain becomes Untrusted. Nothing is asked unless Chain
// held. Errors: those of v, and of ctx.
func (r *Result) AskRevocation(ctx context.Context, v *verify.Verifier, o Options) error {
	if r.Chain.Status != Held {
		return nil
	}
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	policy, err := ageless()
	if err != nil {
		return err
	}
	rep, err := v.CheckCertificate(ctx, r.Path[0], verify.Options{Anchors: o.Anchors, Intermediates: r.Path[1:], At: o.Time, Policy: policy})
	if err != nil {
		return fmt.Errorf("asking whether the register's certificate has been revoked: %w", err)
	}
	if rep.Indication == verify.TotalPassed {
		return nil
	}
	cause := errors.New(rep.SubIndication)
	if len(rep.Errors) > 0 {
		cause = fmt.Errorf("%s: %s", rep.Errors[0].Code, rep.Errors[0].Detail)
	}
	switch rep.SubIndication {
	case "REVOKED", "REVOKED_CA_NO_POE":
		r.Chain = untrusted("A certificate of the national register's chain has been revoked.", cause)
	default:
		r.Chain = untrusted("Whether the national register's certificate has been revoked could not be found out.", cause)
	}
	return nil
}

// ageless is the default policy without dates of algorithms: cards are older
// than these, and Weak has the marks.
var ageless = sync.OnceValues(func() (*verify.Policy, error) {
	return verify.ParsePolicy([]byte(`{"schema": 1, "id": "carddata", "constraints": {"CERTIFICATE_ALGORITHM_WEAK": "ignore"}}`))
})
