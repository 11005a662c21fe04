package signed

import (
	"crypto"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

// Scenario is the life story of a signature and what a verifier must say of
// it at the time Now, with the root of the PKI as its only anchor, what is
// embedded, and what CRLs and OCSPs say.
type Scenario struct {
	Name    string
	Options Options
	Now     time.Time
	// Passed: the verdict is TOTAL-PASSED. If not, it is INDETERMINATE or
	// TOTAL-FAILED with one of the sub-indications of ETSI EN 319 102-1
	// section 5.1.3 in Reasons, the most exact first.
	Passed  bool
	Reasons []string
	// CRLs and OCSPs are about the last archive time stamp's authority, a day
	// after it: nothing embedded can be. In life, services tell.
	CRLs, OCSPs [][]byte
}

// day is a date at noon.
func day(year, month, d int) time.Time {
	return time.Date(year, time.Month(month), d, 12, 0, 0, 0, time.UTC)
}

// storyteller keeps the first error, so that the stories read as such.
type storyteller struct {
	pki *pki.PKI
	err error
	all []Scenario
}

// Scenarios tells the stories with the authorities of one PKI. They are for
// CAdES, PAdES, XAdES and ASiC alike, but for those with a ContentStamp, which
// PDFs cannot have.
func Scenarios(p *pki.PKI) ([]Scenario, error) {
	s := &storyteller{pki: p}
	s.ordinary()
	s.expired()
	s.revoked()
	s.wrong()
	if s.err != nil {
		return nil, fmt.Errorf("telling scenarios: %w", s.err)
	}
	return s.all, nil
}

func (s *storyteller) passed(name string, now time.Time, o Options) {
	s.tell(Scenario{Name: name, Options: o, Now: now, Passed: true})
}

func (s *storyteller) fails(name string, now time.Time, o Options, reasons ...string) {
	s.tell(Scenario{Name: name, Options: o, Now: now, Reasons: reasons})
}

func (s *storyteller) tell(x Scenario) {
	if n := len(x.Options.Archive); n > 0 && s.err == nil {
		last := x.Options.Archive[n-1]
		var e evidence
		e, s.err = x.Options.aboutStamp(last, last.At.AddDate(0, 0, 1))
		x.CRLs, x.OCSPs = e.crls, e.ocsps
	}
	s.all = append(s.all, x)
}

// options are those of a signature made on 1 June 2025 with a certificate that
// ends with that year.
func (s *storyteller) options(l Level) Options {
	signer, err := Citizen(s.pki, pki.Request{NotBefore: day(2023, 1, 1), NotAfter: day(2025, 12, 31)})
	if err != nil {
		s.err = err
		return Options{}
	}
	return Options{PKI: s.pki, Signer: signer, At: day(2025, 6, 1), Level: l}
}

// unit is a time stamp unit with a key of its own for the years given.
func (s *storyteller) unit(from, to int) *pki.Authority {
	key := s.pki.LeafKey(pki.Basic, fmt.Sprintf("time stamp unit %d", from))
	u, err := s.pki.TimestampUnit(pki.Service{NotBefore: day(from, 1, 1), NotAfter: day(to, 12, 31), Key: key})
	if err != nil {
		s.err = err
	}
	return u
}

// ordinary: within the validity of everything.
func (s *storyteller) ordinary() {
	soon := day(2025, 6, 2)
	for _, l := range []Level{LT, LTA} {
		s.passed(l.String()+", the day after", soon, s.options(l))
		o := s.options(l)
		o.OnlyCRLs = true
		s.passed(l.String()+" with CRLs alone, the day after", soon, o)
	}
	none := s.options(LT)
	none.NoAnswers = true
	s.fails("certificates embedded but no CRL or OCSP answer", soon, none, "TRY_LATER", "NO_POE")
}

// expired: certificates that are over at the time of validation.
func (s *storyteller) expired() {
	s.fails("B-B, signer expired since", day(2026, 6, 1), s.options(B), "OUT_OF_BOUNDS_NO_POE", "TRY_LATER")
	// The responder's certificate ended as well, and nothing proves that its answer is older than that.
	s.fails("B-LT, signer expired since", day(2026, 6, 1), s.options(LT), "OUT_OF_BOUNDS_NO_POE", "REVOCATION_OUT_OF_BOUNDS_NO_POE")
	s.passed("B-LTA, signer expired since", day(2026, 6, 1), s.options(LTA))

	old := s.options(LT)
	old.Timestamp = Stamp{TSA: s.unit(2023, 2025)}
	s.fails("B-LT, signer and time stamp unit expired since", day(2026, 6, 1), old, "OUT_OF_BOUNDS_NO_POE", "NO_POE")

	saved := old
	saved.Level, saved.Archive = LTA, []Stamp{{At: day(2025, 11, 1), TSA: s.unit(2025, 2030)}}
	s.passed("B-LTA, signer and first unit expired, archived in time", day(2028, 6, 1), saved)

	late := saved
	late.Archive = []Stamp{{At: day(2026, 2, 1), TSA: s.unit(2025, 2030)}}
	s.fails("B-LTA, archived when signer and first unit had expired", day(2028, 6, 1), late, "OUT_OF_BOUNDS_NO_POE", "NO_POE")

	renewed := saved
	renewed.Archive = []Stamp{{At: day(2025, 11, 1), TSA: s.unit(2025, 2027)}, {At: day(2027, 6, 1), TSA: s.unit(2027, 2029), Hash: crypto.SHA384},
		{At: day(2029, 6, 1), TSA: s.unit(2029, 2040), Hash: crypto.SHA512}}
	s.passed("B-LTA, renewed twice, all units but the last expired", day(2035, 6, 1), renewed)

	gap := saved
	gap.Archive = []Stamp{{At: day(2025, 11, 1), TSA: s.unit(2025, 2027)}, {At: day(2028, 6, 1), TSA: s.unit(2028, 2040)}}
	s.fails("B-LTA, renewed after the unit before had expired", day(2035, 6, 1), gap, "OUT_OF_BOUNDS_NO_POE", "NO_POE")

	lists := s.options(LT) // signed by the CA, which lasts
	lists.OnlyCRLs = true
	s.passed("B-LT with CRLs alone, signer expired since", day(2026, 6, 1), lists)
}

// revoked: answers that say so.
func (s *storyteller) revoked() {
	now := day(2025, 7, 1)
	with := func(l Level, at time.Time, reason int) Options {
		o := s.options(l)
		if o.Signer != nil {
			o.Revoked = []Revocation{{o.Signer.Certificate, at, reason}}
		}
		o.RevocationAt = day(2025, 6, 20)
		return o
	}
	s.passed("B-LT, revoked after the time stamp", now, with(LT, day(2025, 6, 10), pki.KeyCompromise))
	s.passed("B-LTA, revoked after the time stamp, expired since", day(2027, 7, 1), with(LTA, day(2025, 6, 10), pki.Superseded))
	s.fails("B-LT, revoked before the time stamp", now, with(LT, day(2025, 5, 1), pki.KeyCompromise), "REVOKED", "REVOKED_NO_POE")
	s.fails("B-LTA, revoked before the time stamp", now, with(LTA, day(2025, 5, 1), pki.Unspecified), "REVOKED", "REVOKED_NO_POE")
	s.fails("B-LT, on hold", now, with(LT, day(2025, 5, 1), pki.CertificateHold), "TRY_LATER", "REVOKED_NO_POE", "REVOKED")

	content := with(LT, day(2025, 5, 1), pki.KeyCompromise)
	content.ContentStamp = Stamp{At: day(2025, 5, 2)}
	s.fails("B-LT, revoked before the content time stamp", now, content, "REVOKED", "REVOKED_NO_POE")

	ca := s.options(LT)
	ca.RevocationAt = day(2025, 6, 20)
	ca.Revoked = []Revocation{{s.pki.CitizenCA.Certificate, day(2025, 6, 10), pki.CessationOfOperation}}
	s.fails("B-LT, CA revoked after the time stamp", now, ca, "REVOKED_CA_NO_POE") // the CA's key can make certificates and answers of any date
	ca.Revoked = []Revocation{{s.pki.CitizenCA.Certificate, day(2025, 5, 1), pki.CACompromise}}
	s.fails("B-LT, CA revoked before the time stamp", now, ca, "REVOKED_CA_NO_POE", "REVOKED", "REVOKED_NO_POE")

	tsa := s.options(LT)
	tsa.RevocationAt = day(2025, 6, 20)
	tsa.Revoked = []Revocation{{s.pki.TSA.Certificate, day(2025, 5, 1), pki.KeyCompromise}}
	s.fails("B-LT, signer expired since, unit revoked before its time stamp", day(2026, 7, 1), tsa, "OUT_OF_BOUNDS_NO_POE", "REVOKED", "REVOKED_NO_POE", "NO_POE")
}

// wrong: times that do not go together.
func (s *storyteller) wrong() {
	early := s.options(LT)
	early.At = day(2022, 6, 1)
	early.RevocationAt = day(2025, 6, 1)
	early.Timestamp = Stamp{At: day(2022, 6, 1), TSA: s.unit(2021, 2030)}
	s.fails("B-LT, time stamp from before the certificate", day(2025, 7, 1), early, "NOT_YET_VALID", "OUT_OF_BOUNDS_NO_POE")

	late := s.options(LT)
	late.Timestamp = Stamp{At: day(2026, 2, 1)}
	s.fails("B-LT, time stamp from after the certificate", day(2026, 7, 1), late, "OUT_OF_BOUNDS_NO_POE", "OUT_OF_BOUNDS_NOT_REVOKED", "EXPIRED")

	order := s.options(LT)
	order.ContentStamp = Stamp{At: day(2025, 6, 3)}
	s.fails("B-LT, content time stamp from after the signature time stamp", day(2025, 7, 1), order, "TIMESTAMP_ORDER_FAILURE")

	weak := s.options(LT)
	weak.Hash = crypto.SHA1
	s.fails("B-LT with SHA-1 in 2025", day(2025, 7, 1), weak, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "CRYPTO_CONSTRAINTS_FAILURE")

	foreign := s.options(LT)
	strange := *s.pki.TSA
	unit, err := s.pki.TimestampUnit(pki.Service{NoPurpose: true})
	if err != nil {
		s.err = err
		return
	}
	strange.Certificate = unit.Certificate
	foreign.Timestamp = Stamp{TSA: &strange}
	s.fails("B-LT, signer expired since, unit that is none", day(2026, 7, 1), foreign, "OUT_OF_BOUNDS_NO_POE", "NO_POE", "SIG_CONSTRAINTS_FAILURE")
}
