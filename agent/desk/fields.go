package desk

// Words that several fields share.
var (
	wordBirth      = [4]string{"date of birth", "geboortedatum", "date de naissance", "Geburtsdatum"}
	wordEmployer   = [4]string{"employer’s VAT numbers", "btw-nummers van de werkgever", "numéros de TVA de l’employeur", "Mehrwertsteuernummern des Arbeitgebers"}
	wordMentions   = [4]string{"mentions of the residence permit", "vermeldingen van de verblijfstitel", "mentions du titre de séjour", "Vermerke des Aufenthaltstitels"}
	wordTechnical  = [4]string{"technical data of the card", "technische gegevens van de kaart", "données techniques de la carte", "technische Daten der Karte"}
	fieldsOfTheEID = map[string][4]string{
		"nationalNumber":        {"national number", "rijksregisternummer", "numéro national", "Nationalregisternummer"},
		"surname":               {"surname", "naam", "nom", "Name"},
		"givenNames":            {"first names", "voornamen", "prénoms", "Vornamen"},
		"thirdInitial":          {"initial of the third first name", "beginletter van de derde voornaam", "initiale du troisième prénom", "Anfangsbuchstabe des dritten Vornamens"},
		"nationality":           {"nationality", "nationaliteit", "nationalité", "Staatsangehörigkeit"},
		"birthPlace":            {"place of birth", "geboorteplaats", "lieu de naissance", "Geburtsort"},
		"birthDate":             wordBirth,
		"birthDateText":         wordBirth,
		"sex":                   {"sex", "geslacht", "sexe", "Geschlecht"},
		"nobleCondition":        {"title of nobility", "adellijke titel", "titre de noblesse", "Adelstitel"},
		"specialStatus":         {"special status (such as white cane)", "bijzonder statuut (zoals witte stok)", "statut particulier (comme la canne blanche)", "besonderer Status (wie weißer Stock)"},
		"memberOfFamily":        {"family member of an EU citizen", "familielid van een EU-burger", "membre de la famille d’un citoyen de l’UE", "Familienangehörige von EU-Bürgern"},
		"protectionDateCountry": {"international protection", "internationale bescherming", "protection internationale", "internationaler Schutz"},
		"workPermit":            {"access to the labour market", "toegang tot de arbeidsmarkt", "accès au marché du travail", "Zugang zum Arbeitsmarkt"},
		"employerVat1":          wordEmployer,
		"employerVat2":          wordEmployer,
		"regionalFile":          {"number of the regional file", "nummer van het regionale dossier", "numéro du dossier régional", "Nummer der Regionalakte"},
		"address":               {"address", "adres", "adresse", "Anschrift"},
		"photo":                 {"photo", "foto", "photo d’identité", "Foto"},
		"cardNumber":            {"card number", "kaartnummer", "numéro de carte", "Kartennummer"},
		"validFrom":             {"start of validity", "begin van de geldigheid", "début de validité", "Beginn der Gültigkeit"},
		"validUntil":            {"end of validity", "einde van de geldigheid", "fin de validité", "Ende der Gültigkeit"},
		"deliveryMunicipality":  {"municipality of issue", "gemeente van afgifte", "commune de délivrance", "ausstellende Gemeinde"},
		"documentType":          {"type of card", "soort kaart", "type de carte", "Art der Karte"},
		"duplicate":             {"number of replacements", "aantal vervangingen", "nombre de remplacements", "Anzahl der Ersatzkarten"},
		"specialOrganisation":   {"special organisation", "bijzondere organisatie", "organisation particulière", "besondere Organisation"},
		"brexitMention1":        wordMentions,
		"brexitMention2":        wordMentions,
		"cardAMention1":         wordMentions,
		"cardAMention2":         wordMentions,
		"euStart":               {"start of the residence as an EU citizen", "begin van het verblijf als EU-burger", "début du séjour comme citoyen de l’UE", "Beginn des Aufenthalts als EU-Bürger"},
		"chipNumber":            {"chip number", "chipnummer", "numéro de puce", "Chipnummer"},
		"appletVersion":         wordTechnical,
		"graphicalVersion":      wordTechnical,
		"photoHash":             wordTechnical,
		"basicKeyHash":          wordTechnical,
		"structureVersion":      wordTechnical,
		"data":                  wordTechnical,
	}
)
