package niss_test

import (
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/niss"
)

func ExampleParse() {
	n, err := niss.Parse("850730 002 59")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(n, n.Format())
	fmt.Println(n.Birth(), n.Sex(), n.BIS())
	// Output:
	// 85073000259 85.07.30-002.59
	// 1985-07-30 female false
}

func ExampleParse_wrong() {
	_, err := niss.Parse("85.07.30-002.58")
	fmt.Println(errors.Is(err, niss.ErrCheckDigits), err)
	// Output: true national number: check digits do not fit
}

// A BIS number of somebody whose birth day was not known.
func ExampleNumber_Birth() {
	n, err := niss.Parse("62.43.00-017.34")
	fmt.Println(err)
	fmt.Println(n.BIS(), n.Birth(), n.Birth().Day == 0)
	// Output:
	// <nil>
	// true 1962-03-00 true
}

func ExampleParseCard() {
	for _, s := range []string{"591000012331", "b123456748", "591-0000123-13"} {
		c, err := niss.ParseCard(s)
		fmt.Println(c.Format(), err)
	}
	// Output:
	// 591-0000123-31 <nil>
	// B 1234567 48 <nil>
	//  card number: check digits do not fit
}
