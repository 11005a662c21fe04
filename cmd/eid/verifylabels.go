package main

// verifyWords are the words of the text report of `eid verify`; the sentences
// of errors and warnings come with the report itself.
var verifyWords = map[string][4]string{ // en, nl, fr, de
	"valid":         {"VALID", "GELDIG", "VALABLE", "GÜLTIG"},
	"invalid":       {"NOT VALID", "NIET GELDIG", "NON VALABLE", "NICHT GÜLTIG"},
	"indeterminate": {"NOT PROVEN", "NIET BEWEZEN", "NON PROUVÉ", "NICHT ERWIESEN"},
	"noSignature":   {"NO SIGNATURE", "GEEN HANDTEKENING", "AUCUNE SIGNATURE", "KEINE SIGNATUR"},
	"refused":       {"CANNOT BE READ", "NIET LEESBAAR", "ILLISIBLE", "NICHT LESBAR"},
	"unknownSigner": {"signer unknown", "ondertekenaar onbekend", "signataire inconnu", "Unterzeichner unbekannt"},
	"nationalNumber": {"national number", "rijksregisternummer", "numéro national",
		"Nationalnummer"},
	"time":      {"time", "tijdstip", "date", "Zeit"},
	"claimed":   {"claims %s", "beweert %s", "prétend %s", "angegeben %s"},
	"proven":    {"proven to exist on %s", "bewezen aanwezig op %s", "existence prouvée le %s", "nachgewiesen am %s"},
	"notProven": {"not proven", "niet bewezen", "non prouvée", "nicht nachgewiesen"},
	"covers":    {"covers", "dekt", "couvre", "deckt ab"},
	"wholeFile": {"the whole file", "het hele bestand", "tout le fichier", "die ganze Datei"},
	"documentAt": {"the document as of revision %d", "het document zoals in revisie %d", "le document tel qu'à la révision %d",
		"das Dokument in Revision %d"},
	"additions": {"later additions are allowed ones", "latere toevoegingen zijn toegelaten", "les ajouts ultérieurs sont autorisés",
		"spätere Ergänzungen sind erlaubt"},
	"notFound":    {"not there", "niet aanwezig", "absent", "fehlt"},
	"changed":     {"changed", "gewijzigd", "modifié", "geändert"},
	"more":        {"and %d more", "en nog %d", "et %d de plus", "und %d weitere"},
	"chain":       {"chain", "keten", "chaîne", "Kette"},
	"trusted":     {"trusted", "vertrouwd", "reconnu", "vertrauenswürdig"},
	"algorithm":   {"algorithm", "algoritme", "algorithme", "Algorithmus"},
	"stamp":       {"time stamp", "tijdstempel", "horodatage", "Zeitstempel"},
	"counter":     {"counter-signature", "medeondertekening", "contre-signature", "Gegensignatur"},
	"certificate": {"certificate", "certificaat", "certificat", "Zertifikat"},
	"validity":    {"valid from %s to %s", "geldig van %s tot %s", "valable du %s au %s", "gültig von %s bis %s"},
	"revision":    {"revision %d of %d", "revisie %d van %d", "révision %d sur %d", "Revision %d von %d"},
	"place":       {"place", "plaats", "lieu", "Ort"},
	"reason":      {"reason", "reden", "motif", "Grund"},
	"roles":       {"roles", "rollen", "rôles", "Rollen"},
}

// word is one of verifyWords in the language of the command.
func (a *app) word(key string) string { return a.inLanguage(verifyWords[key]) }

// inLanguage is a word, given in English, Dutch, French and German, in the language of the command.
func (a *app) inLanguage(row [4]string) string {
	for i, l := range []string{"en", "nl", "fr", "de"} {
		if l == a.lang {
			return row[i]
		}
	}
	return row[0]
}
