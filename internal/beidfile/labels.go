package beidfile

// texts is one text in the four languages of the cards.
type texts struct{ en, nl, fr, de string }

// in is the text in a language, in English if the language is not nl, fr or de.
func (t texts) in(lang string) string {
	switch lang {
	case "nl":
		return t.nl
	case "fr":
		return t.fr
	case "de":
		return t.de
	}
	return t.en
}

// Label is the name of a field as printed for people. Fields are named in camel case after those of [Identity], [Address] and [CardData]:
// "surname", "birthDate", "streetAndNumber", ... Languages are en, nl, fr and de; any other gets English. A field without a label gives
// its own name.
func Label(field, lang string) string {
	t, ok := fieldLabels[field]
	if !ok {
		return field
	}
	return t.in(lang)
}

var fieldLabels = map[string]texts{
	// headings
	"identity":     {"Identity", "Identiteit", "Identité", "Identität"},
	"address":      {"Address", "Adres", "Adresse", "Anschrift"},
	"card":         {"Card", "Kaart", "Carte", "Karte"},
	"certificates": {"Certificates", "Certificaten", "Certificats", "Zertifikate"},
	"photo":        {"Photo", "Foto", "Photo", "Foto"},
	"validity":     {"Validity", "Geldigheid", "Validité", "Gültigkeit"},

	// person
	"surname":         {"Name", "Naam", "Nom", "Name"},
	"givenNames":      {"Given names", "Voornamen", "Prénoms", "Vornamen"},
	"thirdInitial":    {"Third initial", "Derde initiaal", "Troisième initiale", "Dritte Initiale"},
	"nationality":     {"Nationality", "Nationaliteit", "Nationalité", "Staatsangehörigkeit"},
	"birthPlace":      {"Birth place", "Geboorteplaats", "Lieu de naissance", "Geburtsort"},
	"birthDate":       {"Birth date", "Geboortedatum", "Date de naissance", "Geburtsdatum"},
	"sex":             {"Sex", "Geslacht", "Sexe", "Geschlecht"},
	"nationalNumber":  {"National number", "Rijksregisternummer", "Numéro national", "Nationalregisternummer"},
	"nobleCondition":  {"Noble condition", "Adellijke titel", "Titre de noblesse", "Adelstitel"},
	"specialStatus":   {"Special status", "Bijzonder statuut", "Statut spécial", "Sonderstatus"},
	"memberOfFamily":  {"Member of family", "Familielid", "Membre de la famille", "Familienmitglied"},
	"regionalFile":    {"Regional file number", "Gewestelijk dossiernummer", "Numéro de dossier régional", "Regionale Aktennummer"},
	"workPermit":      {"Work permit", "Arbeidsvergunning", "Permis de travail", "Arbeitserlaubnis"},
	"employerVAT1":    {"Employer VAT number 1", "Btw-nummer werkgever 1", "Numéro de TVA de l'employeur 1", "MwSt.-Nummer des Arbeitgebers 1"},
	"employerVAT2":    {"Employer VAT number 2", "Btw-nummer werkgever 2", "Numéro de TVA de l'employeur 2", "MwSt.-Nummer des Arbeitgebers 2"},
	"brexitMention1":  {"Brexit mention 1", "Brexitvermelding 1", "Mention Brexit 1", "Brexit-Vermerk 1"},
	"brexitMention2":  {"Brexit mention 2", "Brexitvermelding 2", "Mention Brexit 2", "Brexit-Vermerk 2"},
	"cardAMention1":   {"Card A mention 1", "Vermelding kaart A 1", "Mention carte A 1", "Vermerk Karte A 1"},
	"cardAMention2":   {"Card A mention 2", "Vermelding kaart A 2", "Mention carte A 2", "Vermerk Karte A 2"},
	"streetAndNumber": {"Street", "Straat", "Rue", "Straße"},
	"zip":             {"Zip code", "Postcode", "Code postal", "Postleitzahl"},
	"municipality":    {"Municipality", "Gemeente", "Commune", "Gemeinde"},

	// card
	"cardNumber":            {"Card number", "Kaartnummer", "Numéro de carte", "Kartennummer"},
	"chipNumber":            {"Chip number", "Chipnummer", "Numéro de puce", "Chipnummer"},
	"validFrom":             {"Valid from", "Geldig vanaf", "Valable à partir du", "Gültig ab"},
	"validUntil":            {"Valid until", "Geldig tot", "Valable jusqu'au", "Gültig bis"},
	"deliveryMunicipality":  {"Place of issue", "Plaats van afgifte", "Lieu de délivrance", "Ausstellungsort"},
	"documentType":          {"Document type", "Documenttype", "Type de document", "Dokumentart"},
	"duplicate":             {"Duplicate", "Duplicaat", "Duplicata", "Duplikat"},
	"specialOrganisation":   {"Special organisation", "Bijzondere organisatie", "Organisation spéciale", "Sonderorganisation"},
	"protectionDateCountry": {"Protection date and country", "Datum en land van bescherming", "Date et pays de protection", "Datum und Land des Schutzes"},
	"euStart":               {"EU start date", "Begindatum EU", "Date de début UE", "Anfangsdatum EU"},
	"appletVersion":         {"Applet version", "Appletversie", "Version de l'applet", "Applet-Version"},
	"pinTries":              {"PIN tries left", "Resterende pinpogingen", "Essais PIN restants", "Verbleibende PIN-Versuche"},
	"photoHash":             {"Photo hash", "Hash van de foto", "Empreinte de la photo", "Hashwert des Fotos"},
	"basicKeyHash":          {"Card key hash", "Hash van de kaartsleutel", "Empreinte de la clé de la carte", "Hashwert des Kartenschlüssels"},
	"structureVersion":      {"File version", "Bestandsversie", "Version du fichier", "Dateiversion"},
}
