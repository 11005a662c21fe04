package pcsc

import "strings"

// What PC/SC lists as readers although no eID can be in it, as words in their names (a word is what other than letters and
// digits surrounds; several words in a row count as one pattern). The issues named are of other projects, whose users had one of
// these taken for the card reader.
var noCardReader = []string{
	"windows hello",         // Windows Hello for Business: eid-mw issues 57 and 180
	"virtual smart card",    // Microsoft's, in the TPM
	"uicc", "euicc", "usim", // SIM of a built-in modem: web-eid-app issue 184
	"sim", "esim",
	"sam",               // slot for a security access module, inside some readers
	"yubikey", "yubico", // security keys: web-eid-app issue 184
	"fido", "fido2", "u2f", "security key",
	"nitrokey", "solokey", "solokeys", "onlykey", "trustkey", "canokey", "token2", "ledger",
}

// Ignores says whether Open with these options, and without a name, leaves the reader out: it is on the ignore list or one of
// those that take no eID (Windows Hello, SIM and SAM slots, security keys).
func (o Options) Ignores(reader string) bool {
	for _, part := range o.Ignore {
		if part != "" && hasPart(reader, part) {
			return true
		}
	}
	words := " " + strings.Join(strings.FieldsFunc(strings.ToLower(reader), notWord), " ") + " "
	for _, pattern := range noCardReader {
		if strings.Contains(words, " "+pattern+" ") {
			return true
		}
	}
	return false
}

func notWord(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }

func hasPart(name, part string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(part))
}
