package reading

import (
	"time"

	"github.com/eidkit/eidkit/card/beid/saved"
	"github.com/eidkit/eidkit/verify/carddata"
)

// Trusted tells whether all that was read is proven, and all that is promised
// was read. It is false when nothing was verified.
func (r *Reading) Trusted() bool { return r.Checks != nil && r.Checks.Trusted() && len(r.Gaps) == 0 }

// Failed tells whether a check says that the data are not what they seem.
func (r *Reading) Failed() bool { return r.Checks != nil && r.Checks.Failed() }

// Authenticated tells whether the chip proved that it is no copy.
func (r *Reading) Authenticated() bool {
	return r.Checks != nil && r.Checks.ChipKey.Status == carddata.Held && r.Checks.BasicKey.Status == carddata.Held
}

// Card is the reading in the form that is saved.
func (r *Reading) Card() (*saved.Card, error) {
	if r.Saved != nil {
		return r.Saved, nil
	}
	return saved.New(r.Files)
}

// Document is the reading as JSON (docs/schema/read.json).
func (r *Reading) Document() (*saved.Document, error) {
	c, err := r.Card()
	if err != nil {
		return nil, err
	}
	d := c.Document(saved.Options{})
	d.Warnings = append(append([]string{}, r.Warnings...), r.Gaps...)
	if r.Saved == nil {
		d.Reading = &saved.Reading{
			Reader: r.Source, Commands: r.Commands, TestCard: r.TestCard,
			DurationMS: float64(r.Took.Microseconds()) / 1000,
		}
	}
	if r.Checks == nil {
		return d, nil
	}
	v := &saved.Verification{Trusted: r.Trusted(), Failed: r.Checks.Failed(), Weak: append([]string{}, r.Checks.Weak...),
		CheckedAt: r.Checked.UTC().Format(time.RFC3339)}
	parts := map[string]*saved.Check{"identity": &v.Identity, "address": &v.Address, "photo": &v.Photo, "chipNumber": &v.Chip,
		"basicKey": &v.BasicKey, "chipKey": &v.ChipKey, "chain": &v.Chain}
	for _, c := range r.Checks.Checks() {
		*parts[c.Name] = saved.Check{Status: c.Check.Status.String(), Reason: c.Check.Reason}
	}
	d.Verification = v
	return d, nil
}
