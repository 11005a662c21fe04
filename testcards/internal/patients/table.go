package patients

import "slices"

// Words of the outcomes.
const (
	insured, notInsured, refused, unknown = "INSURED", "NOT_INSURED", "THIRD_PARTY_REFUSED", "UNKNOWN"
	conflict, deceased                    = "CONFLICT", "DECEASED"
	ordinary, increased, none             = "ORDINARY", "INCREASED", ""
)

// All lists them, the ordinary one first.
func All() []Patient { return slices.Clone(table) }

var table = slices.Concat(insuredOnes, changingOnes, otherOnes)

// insuredOnes are insured all the time.
var insuredOnes = []Patient{
	person(1, "ordinary", "ordinary insurance", "SPECIMEN", "MARIJKE", true, "19710501", 204),
	person(2, "increased", "increased intervention", "PROEFKAART", "JOZEF", false, "19480923", 117).with(func(p *Patient) {
		p.codes("131", "131")
		p.all(insured, increased)
		p.Card.Description, p.Card.CT, p.Card.Franchise = "valid, increased intervention and social franchise", "131", 2013
	}),
	person(3, "expired", "ordinary insurance; the SIS card is no longer valid", "EXEMPLE", "LUC", false, "19650214", 311).with(func(p *Patient) {
		p.Card.Description, p.Card.ValidUntil = "validity over since 2012", "20120306"
	}),
	person(4, "letters", "a name with letters of all kinds", "ÇELIKÖZ-MÜLLER D'ÉPREUVE", "ÆØÅNN", true, "20010630", 42).with(func(p *Patient) {
		p.Card.Description = "names with letters of all kinds"
	}),
	person(5, "directory", "ordinary insurance; the directory of the SIS card is garbled", "BEISPIEL", "URSULA", true, "19590101", 8).with(func(p *Patient) {
		p.Card.Description = "the directory is garbled, the files are not"
	}),
	person(7, "empty", "ordinary insurance; none on the SIS card", "VIERGE", "ANAÏS", true, "19930712", 250).with(func(p *Patient) {
		p.Card.Description = "no insurance data were ever written"
	}),
	person(8, "maximum", "increased intervention, maximum billing reached this year and last; the SIS card says ordinary", "PERSONNE", "Exemple", false, "19500615", 997).with(func(p *Patient) {
		p.at("126", "0000123456789")
		p.codes("111", "111")
		p.Years, p.Social = []int{-1, 0}, true
		p.all(insured, increased)
		p.Card.Description = "ordinary insurance, which is increased in the meantime"
	}),
	person(9, "medicalhouse", "belongs to a medical house", "MAISON", "Médard", false, "19770808", 155).with(func(p *Patient) {
		p.House = &House{From: -400, Until: 400, Doctor: true, Nurse: true}
		p.all(insured, ordinary, "MEDICAL_HOUSE")
		p.Pharmacist = outcome(insured, ordinary)
	}),
	person(10, "hospitalised", "in hospital since three days", "MUTEE", "Exemple", true, "19620203", 998).with(func(p *Patient) {
		p.at("108", "62020399834")
		p.codes("130", "130")
		p.Stay = &Stay{Hospital: "000071099911", Service: "210", Since: -3}
	}),
	person(11, "codes-differ", "codes that point to different tariffs", "VERSCHIL", "Kobe", false, "19830919", 421).with(func(p *Patient) {
		p.codes("120", "121")
		p.all(insured, ordinary, "CODES_DIFFER")
	}),
	person(12, "code-unknown", "a code that is in no list", "RAADSEL", "Ine", true, "19900131", 88).with(func(p *Patient) {
		p.codes("190", "110")
		p.all(insured, none, "CODE_UNKNOWN")
		p.Pharmacist = outcome(insured, ordinary, "CODE_UNKNOWN")
	}),
	person(13, "no-codes", "insured, without codes", "SANSCODE", "Olive", true, "19690607", 350).with(func(p *Patient) {
		p.codes("", "")
		p.all(insured, none, "NO_CODES")
		p.Pharmacist = outcome(insured, ordinary, "CODE_UNKNOWN")
	}),
	person(14, "old-information", "the insurer's information is of ninety days ago", "OUDNIEUWS", "Cyriel", false, "19440229", 177).with(func(p *Patient) {
		p.Covers[0].Information = -90
		p.all(insured, ordinary, "OLD_INFORMATION")
	}),
	person(15, "multiple", "several situations at once", "MEERVOUD", "Tine", true, "19860425", 402).with(func(p *Patient) { p.Event = "multiple" }),
}

// changingOnes have had or will have another insurance.
var changingOnes = []Patient{
	person(16, "transfer", "changed insurer today; the SIS card names the old one", "WISSEL", "Bavo", false, "19800801", 233).with(func(p *Patient) {
		old := p.Covers[0]
		old.Until = -1
		p.Covers = []Cover{old, {From: 0, Until: Open, Mutuality: "126", Affiliate: "0000000271828", CT1: "110", CT2: "110"}}
		p.Transfer = &Transfer{From: "300"}
		p.all(insured, ordinary, "INSURER_CHANGED")
		p.Pharmacist, p.Member = outcome(insured, ordinary), outcome(insured, ordinary, "PARTIAL_ANSWER", "INSURER_CHANGED")
	}),
	person(17, "two-periods", "increased intervention until last week", "PERSOON", "Voorbeeld", true, "19881224", 998).with(func(p *Patient) {
		p.at("319", "0000987654321")
		now := p.Covers[0]
		p.codes("111", "111")
		p.Covers[0].Until, now.From = -8, -7
		p.Covers = append(p.Covers, now)
		p.Card.CT = "111"
	}),
	person(18, "truncated", "more periods this month than an answer tells", "VEELVOUD", "Renaat", false, "19550505", 91).with(func(p *Patient) {
		first := p.Covers[0]
		p.Covers = nil
		for i := range 7 {
			next := first
			next.From, next.Until = -27+4*i, -24+4*i
			next.CT1 = []string{"110", "120"}[i%2]
			next.CT2 = next.CT1
			p.Covers = append(p.Covers, next)
		}
		p.Covers[0].From, p.Covers[6].Until = Ever, Open
		p.Month = outcome(insured, ordinary, "TRUNCATED", "PARTLY_COVERED")
	}),
	person(19, "gap", "was not insured for some days this month", "TROU", "Noémie", true, "19960303", 66).with(func(p *Patient) {
		again := p.Covers[0]
		p.Covers[0].Until, again.From = -20, -9
		p.Covers = append(p.Covers, again)
		p.Month = outcome(insured, ordinary, "PARTLY_COVERED")
	}),
	person(20, "closed", "not insured since some months; the SIS card says otherwise", "ANCIEN", "Exemple", false, "20040910", 997).with(func(p *Patient) {
		p.Covers[0].Until = -200
		p.all(notInsured, none)
		p.Pharmacist = outcome(unknown, none)
		p.Card.Description = "ordinary insurance, which has ended in the meantime"
	}),
	person(21, "later", "insurance begins next month", "STRAKS", "Mirthe", true, "20070217", 12).with(func(p *Patient) {
		p.Covers[0].From = 30
		p.all(notInsured, none)
		p.Pharmacist = outcome(unknown, none)
		p.Card.Serial = 0
	}),
}

// otherOnes are those for whom no insurer pays the provider.
var otherOnes = []Patient{
	person(22, "refused", "insured, but third-party payment is refused", "WEIGER", "Dorien", true, "19740611", 118).with(func(p *Patient) {
		p.Refused = true
		p.all(refused, ordinary)
		p.Pharmacist = outcome(refused, none)
	}),
	person(23, "refused-bare", "third-party payment is refused, and nothing else is told", "NIHIL", "Armand", false, "19520720", 301).with(func(p *Patient) {
		p.Refused, p.Covers = true, nil
		p.all(refused, none)
		p.Pharmacist = outcome(unknown, none)
		p.Card.Mutuality, p.Card.Affiliate = "501", "0000000577215"
	}),
	person(24, "deceased", "died today", "GEWEZEN", "Octaaf", false, "19310504", 45).with(func(p *Patient) {
		died := 0
		p.Died, p.Covers[0].Until = &died, 0
		p.all(deceased, ordinary)
		p.Pharmacist = outcome(deceased, none)
	}),
	person(25, "unknown", "no insurer knows the person", "INCONNU", "Personne", false, "19790909", 209).with(func(p *Patient) {
		p.Stranger, p.Covers = true, nil
		p.all(unknown, none)
		p.Card.Mutuality, p.Card.Affiliate = "203", "0000000141421"
	}),
	person(26, "conflict", "two insurers claim the person", "TWIST", "Godelieve", true, "19670421", 74).with(func(p *Patient) {
		p.Insurers = []string{"1", "3"}
		p.all(conflict, none)
	}),
	person(27, "mute", "the insurer answers and says nothing", "ZWIJGER", "Willem", false, "19850430", 143).with(func(p *Patient) {
		p.Mute, p.Covers = true, nil
		p.all(unknown, none)
		p.Member = outcome(unknown, none, "NUMBER_NOT_ECHOED")
		p.Card.Serial = 0
	}),
	person(28, "not-echoed", "the answer does not repeat the number", "SILENCE", "Rose", true, "19910216", 318).with(func(p *Patient) {
		p.NotEchoed = true
		p.all(insured, ordinary, "NUMBER_NOT_ECHOED")
		p.Card.Serial = 0
	}),
	person(29, "bis", "a foreigner with a bis number", "ASHWORTH", "Heather", true, "19874203", 26).with(func(p *Patient) {
		p.Birth, p.Card.Serial = "19870203", 0
	}),
	person(30, "newborn", "born this week, no number yet: is asked about by affiliate number", "SPECIMEN", "Baby", true, "20260101", 2).with(func(p *Patient) {
		p.Number, p.Birth, p.Card.Serial = "", "", 0
		p.Covers[0].From = -5
		p.Month = outcome(insured, ordinary, "PARTLY_COVERED")
	}),
}
