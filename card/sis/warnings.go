package sis

import "slices"

// Warning is a code for something odd on a card. Its text holds no data of the holder.
type Warning string

// The warnings.
const (
	HeaderOdd      Warning = "HEADER_ODD"      // in front of the files is something else than on known cards
	DirectoryOdd   Warning = "DIRECTORY_ODD"   // the directory is damaged, or names files at unusual places
	VersionUnknown Warning = "VERSION_UNKNOWN" // a file is of another version than on known cards
	FillerOdd      Warning = "FILLER_ODD"      // fixed bytes between the fields are something else
	NumberWrong    Warning = "NUMBER_WRONG"    // the social security number is none, or its check digits are wrong
	NumberDiffers  Warning = "NUMBER_DIFFERS"  // the number is of another birth date or sex than the card says
	CopiesDiffer   Warning = "COPIES_DIFFER"   // what the card has twice is not the same
	DateWrong      Warning = "DATE_WRONG"      // a date is in no calendar
	ValidityOdd    Warning = "VALIDITY_ODD"    // the card ends before it begins
	NameOdd        Warning = "NAME_ODD"        // a name has characters that no name has, or is not there
	SexUnknown     Warning = "SEX_UNKNOWN"     // the code of the sex is not known
	NoInsurance    Warning = "NO_INSURANCE"    // the enciphered insurance data are not there
)

var warningTexts = map[Warning]string{
	HeaderOdd:      "the header is not that of a known SIS card",
	DirectoryOdd:   "the card's directory is damaged or unusual",
	VersionUnknown: "a file is of a version that is not known",
	FillerOdd:      "fixed bytes between the fields were changed",
	NumberWrong:    "the social security number is not right",
	NumberDiffers:  "the social security number does not fit birth date or sex",
	CopiesDiffer:   "two copies of the same data on the card differ",
	DateWrong:      "a date on the card cannot be right",
	ValidityOdd:    "the card's validity ends before it begins",
	NameOdd:        "a name on the card cannot be right",
	SexUnknown:     "the code for the sex is not known",
	NoInsurance:    "the card has no insurance data",
}

// String is a sentence in English, without data of the holder.
func (w Warning) String() string { return warningTexts[w] }

// warn notes a warning once.
func (im *Image) warn(w Warning) {
	if !slices.Contains(im.Warnings, w) {
		im.Warnings = append(im.Warnings, w)
	}
}
