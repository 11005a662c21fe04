package assurability

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/eidkit/eidkit/niss"
)

// OnCard is what a SIS card says, as far as the network says it too. The insurance fields are empty when the card's insurance data
// could not be opened.
type OnCard struct {
	NISS               niss.Number
	Surname, FirstName string
	Birth              niss.Date
	Sex                niss.Sex
	Mutuality          string
	Affiliate          string
	From, Until        niss.Date
	CT1, CT2           string
	Franchise          int // year of the social franchise; 0: none
}

// Difference is a field in which card and network do not agree. The network is right.
type Difference struct {
	Field         string // as in OnCard, in camel case: "mutuality"
	Card, Network string
}

// Reconcile holds a card against an answer, field by field (facts sheet d). What one of them does not say is not compared. Names are
// compared without accents, case and punctuation, as far as both go, since each service cuts them at another length. The period
// on a card is long and that of an answer is cut to the question: they differ only if they do not overlap. Without an
// answer from the insurer there is nothing to compare.
func Reconcile(card OnCard, a *Answer) []Difference {
	if a.Status == Unavailable || a.Status == Unknown || a.Status == Conflict {
		return nil
	}
	var list []Difference
	differ := func(field, onCard, network string, same bool) {
		if onCard != "" && network != "" && !same {
			list = append(list, Difference{field, onCard, network})
		}
	}
	plain := func(field, onCard, network string) { differ(field, onCard, network, onCard == network) }
	p := a.Person
	plain("niss", string(card.NISS), string(p.NISS))
	differ("surname", card.Surname, p.Surname, sameName(card.Surname, p.Surname))
	differ("firstName", card.FirstName, p.FirstName, sameName(card.FirstName, p.FirstName))
	plain("birth", card.Birth.String(), p.Birth.String())
	if card.Sex != niss.Unknown && p.Sex != niss.Unknown {
		plain("sex", card.Sex.String(), p.Sex.String())
	}
	if card.Franchise != 0 && a.Service == GenIns {
		years := make([]string, len(a.MaximumBilling))
		for i, y := range a.MaximumBilling {
			years[i] = strconv.Itoa(y)
		}
		differ("franchise", strconv.Itoa(card.Franchise), orNone(strings.Join(years, " ")), slices.Contains(a.MaximumBilling, card.Franchise))
	}
	i := slices.IndexFunc(a.Periods, func(p Period) bool { return p.covers(a.Until) })
	if i < 0 {
		if card.Mutuality != "" && a.Status == NotInsured {
			list = append(list, Difference{"until", orNone(card.Until.String()), "not insured"})
		}
		return list
	}
	n := a.Periods[i]
	plain("mutuality", card.Mutuality, n.Mutuality)
	plain("affiliate", card.Affiliate, n.Affiliate)
	plain("ct1", card.CT1, n.CT1)
	plain("ct2", card.CT2, n.CT2)
	overlap := (card.Until == niss.Date{} || !card.Until.Before(n.From)) && (n.Until == niss.Date{} || !n.Until.Before(card.From))
	differ("until", card.Until.String(), n.From.String()+" - "+n.Until.String(), overlap)
	return list
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// sameName compares names loosely: letters alone, without accents and case, and one may be cut short.
func sameName(a, b string) bool {
	x, y := letters(a), letters(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	return x != "" && (x == y || len(x) >= 20 && strings.HasPrefix(y, x))
}

// folded are letters that Unicode does not take apart, as registers write them.
var folded = strings.NewReplacer("ß", "SS", "Æ", "AE", "Œ", "OE", "Ø", "O", "Å", "A", "Ł", "L", "Đ", "D", "Þ", "TH", "İ", "I", "ı", "I")

func letters(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(folded.Replace(strings.ToUpper(s))) {
		if unicode.IsLetter(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}
