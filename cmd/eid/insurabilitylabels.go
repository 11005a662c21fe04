package main

import (
	"github.com/eidkit/eidkit/verify/assurability"
)

// insuranceWords are the words of `eid insurability` and `eid session`, for the counter.
var insuranceWords = map[string][4]string{ // en, nl, fr, de
	"title": {"INSURABILITY", "VERZEKERBAARHEID", "ASSURABILITÉ", "VERSICHERBARKEIT"},

	"INSURED":             {"INSURED", "VERZEKERD", "ASSURÉ", "VERSICHERT"},
	"NOT_INSURED":         {"NOT INSURED", "NIET VERZEKERD", "NON ASSURÉ", "NICHT VERSICHERT"},
	"THIRD_PARTY_REFUSED": {"THIRD-PARTY PAYMENT REFUSED: the patient pays the full price", "DERDEBETALER GEWEIGERD: de patiënt betaalt de volle prijs", "TIERS PAYANT REFUSÉ : le patient paie le prix plein", "DRITTZAHLER ABGELEHNT: der Patient zahlt den vollen Preis"},
	"DECEASED":            {"DECEASED", "OVERLEDEN", "DÉCÉDÉ", "VERSTORBEN"},
	"UNKNOWN":             {"NOT KNOWN: no insurer says whether the patient is insured", "NIET GEKEND: geen verzekeringsinstelling zegt of de patiënt verzekerd is", "INCONNU : aucun organisme assureur ne dit si le patient est assuré", "UNBEKANNT: kein Versicherungsträger sagt, ob der Patient versichert ist"},
	"CONFLICT":            {"CONFLICT: several insurers claim the patient", "CONFLICT: verschillende verzekeringsinstellingen kennen de patiënt", "CONFLIT : plusieurs organismes assureurs connaissent le patient", "WIDERSPRUCH: mehrere Versicherungsträger kennen den Patienten"},
	"UNAVAILABLE":         {"NO ANSWER: this is not \"not insured\"", "GEEN ANTWOORD: dat is niet \"niet verzekerd\"", "PAS DE RÉPONSE : cela ne veut pas dire « non assuré »", "KEINE ANTWORT: das heißt nicht „nicht versichert“"},
	"INCREASED":           {"INCREASED INTERVENTION (BIM)", "VERHOOGDE TEGEMOETKOMING (VT)", "INTERVENTION MAJORÉE (BIM)", "ERHÖHTE BETEILIGUNG (BIM)"},
	"ORDINARY":            {"ordinary", "gewoon", "ordinaire", "gewöhnlich"},
	"":                    {"NOT KNOWN", "NIET GEKEND", "INCONNU", "UNBEKANNT"},
	"cached": {"ANSWER OF EARLIER TODAY, %s OLD: NO GUARANTEE OF PAYMENT", "ANTWOORD VAN EERDER VANDAAG, %s OUD: GEEN BETALINGSGARANTIE",
		"RÉPONSE D'IL Y A %s, DE CE JOUR : SANS GARANTIE DE PAIEMENT", "ANTWORT VON FRÜHER HEUTE, %s ALT: KEINE ZAHLUNGSGARANTIE"},
	"fullPrice": {"Without an answer nobody promises payment: charge the full price and give the patient the form for cash payment (annex 30).",
		"Zonder antwoord belooft niemand betaling: reken de volle prijs aan en geef de patiënt het attest van contante betaling (bijlage 30).",
		"Sans réponse, personne ne promet de payer : demandez le prix plein et remettez au patient l'attestation de paiement au comptant (annexe 30).",
		"Ohne Antwort verspricht niemand zu zahlen: verlangen Sie den vollen Preis und geben Sie dem Patienten die Bescheinigung der Barzahlung (Anlage 30)."},

	"CODES_DIFFER":      {"the codes CT1 and CT2 point to different tariffs: CT1 counts", "de codes KG1 en KG2 wijzen op verschillende tarieven: KG1 telt", "les codes CT1 et CT2 indiquent des tarifs différents : CT1 compte", "die Codes CT1 und CT2 weisen auf verschiedene Tarife: CT1 zählt"},
	"CODE_UNKNOWN":      {"a holder code is in no list", "een gerechtigdencode staat in geen enkele lijst", "un code titulaire ne figure dans aucune liste", "ein Berechtigtencode steht in keiner Liste"},
	"NO_CODES":          {"no holder codes are told: no tariff can be derived", "geen gerechtigdencodes meegedeeld: geen tarief af te leiden", "aucun code titulaire communiqué : pas de tarif à en déduire", "keine Berechtigtencodes mitgeteilt: kein Tarif ableitbar"},
	"PARTLY_COVERED":    {"not every day asked about is covered", "niet alle gevraagde dagen zijn gedekt", "tous les jours demandés ne sont pas couverts", "nicht alle gefragten Tage sind gedeckt"},
	"INSURER_CHANGED":   {"the patient changed insurer within the days asked about", "de patiënt veranderde van verzekeringsinstelling in de gevraagde periode", "le patient a changé d'organisme assureur pendant la période demandée", "der Patient wechselte in der gefragten Zeit den Versicherungsträger"},
	"TRUNCATED":         {"there are more periods than the service tells: ask about fewer days", "er zijn meer periodes dan de dienst meedeelt: vraag minder dagen", "il y a plus de périodes que le service n'en communique : demandez moins de jours", "es gibt mehr Zeiträume, als der Dienst mitteilt: fragen Sie nach weniger Tagen"},
	"MEDICAL_HOUSE":     {"the patient belongs to a medical house", "de patiënt is ingeschreven in een wijkgezondheidscentrum", "le patient est inscrit dans une maison médicale", "der Patient ist in einem Gesundheitshaus eingeschrieben"},
	"DIED_SINCE":        {"the patient has died since the day asked about", "de patiënt is na de gevraagde dag overleden", "le patient est décédé depuis le jour demandé", "der Patient ist seit dem gefragten Tag verstorben"},
	"PARTIAL_ANSWER":    {"the service could not say everything", "de dienst kon niet alles zeggen", "le service n'a pas pu tout dire", "der Dienst konnte nicht alles sagen"},
	"OLD_INFORMATION":   {"the insurer's information is of before the day asked about", "de informatie van de verzekeringsinstelling dateert van voor de gevraagde dag", "l'information de l'organisme assureur date d'avant le jour demandé", "die Auskunft des Versicherungsträgers ist älter als der gefragte Tag"},
	"CACHED_ANSWER":     {"the service did not answer now", "de dienst antwoordde nu niet", "le service n'a pas répondu cette fois", "der Dienst hat jetzt nicht geantwortet"},
	"NUMBER_NOT_ECHOED": {"the answer does not repeat the national number", "het antwoord herhaalt het rijksregisternummer niet", "la réponse ne répète pas le numéro national", "die Antwort wiederholt die Nationalnummer nicht"},

	"CONTRADICTION": {"the answer contradicts itself: ask the insurer", "het antwoord spreekt zichzelf tegen: vraag het de verzekeringsinstelling", "la réponse se contredit : demandez à l'organisme assureur", "die Antwort widerspricht sich: fragen Sie den Versicherungsträger"},

	"tariff":        {"Tariff", "Tarief", "Tarif", "Tarif"},
	"mutuality":     {"Mutuality", "Ziekenfonds", "Mutualité", "Krankenkasse"},
	"affiliate":     {"Affiliation number", "Aansluitingsnummer", "Numéro d'affiliation", "Mitgliedsnummer"},
	"codes":         {"CT1 / CT2", "KG1 / KG2", "CT1 / CT2", "CT1 / CT2"},
	"covered":       {"Covered", "Gedekt", "Couvert", "Gedeckt"},
	"information":   {"Information of", "Informatie van", "Information du", "Auskunft vom"},
	"approval":      {"Approval number", "Akkoordnummer", "Numéro d'accord", "Zusagenummer"},
	"deceasedOn":    {"Deceased", "Overleden", "Décès", "Verstorben"},
	"maximum":       {"Maximum billing", "Maximumfactuur", "Maximum à facturer", "Maximale Gesundheitsrechnung"},
	"house":         {"Medical house", "Wijkgezondheidscentrum", "Maison médicale", "Gesundheitshaus"},
	"stay":          {"In hospital", "In het ziekenhuis", "Hospitalisé", "Im Krankenhaus"},
	"since":         {"since %s", "sinds %s", "depuis le %s", "seit %s"},
	"transfer":      {"Transfer", "Mutatie", "Mutation", "Wechsel"},
	"transfer-to":   {"to union %s on %s", "naar landsbond %s op %s", "vers l'union %s le %s", "zum Verband %s am %s"},
	"transfer-from": {"from union %s on %s", "van landsbond %s op %s", "de l'union %s le %s", "vom Verband %s am %s"},
	"insurers":      {"Insurers", "Verzekeringsinstellingen", "Organismes assureurs", "Versicherungsträger"},
	"event":         {"Event", "Gebeurtenis", "Événement", "Ereignis"},
	"changeDuring":  {"change within the days asked about", "wijziging in de gevraagde periode", "changement pendant la période demandée", "Änderung in der gefragten Zeit"},
	"multiple":      {"several situations at once", "verschillende situaties tegelijk", "plusieurs situations à la fois", "mehrere Lagen zugleich"},
	"closedBefore":  {"cover ended before", "dekking eerder geëindigd", "couverture terminée avant", "Deckung vorher beendet"},
	"startLater":    {"cover begins later", "dekking begint later", "couverture commence plus tard", "Deckung beginnt später"},
	"source":        {"Source", "Bron", "Source", "Quelle"},
	"genins":        {"mutualities (GenIns)", "ziekenfondsen (GenIns)", "mutualités (GenIns)", "Krankenkassen (GenIns)"},
	"pharmacist":    {"mutualities (pharmacists' service)", "ziekenfondsen (dienst voor apothekers)", "mutualités (service des pharmaciens)", "Krankenkassen (Apothekerdienst)"},
	"memberdata":    {"mutualities (MemberData)", "ziekenfondsen (MemberData)", "mutualités (MemberData)", "Krankenkassen (MemberData)"},
	"time":          {"Time", "Tijdstip", "Heure", "Zeit"},
	"reference":     {"Reference", "Referentie", "Référence", "Referenz"},
	"agrees":        {"the card agrees with the network", "de kaart stemt overeen met het netwerk", "la carte concorde avec le réseau", "die Karte stimmt mit dem Netz überein"},
	"differs":       {"%s: on the card %s, on the network %s: the network counts", "%s: op de kaart %s, op het netwerk %s: het netwerk telt", "%s : sur la carte %s, sur le réseau %s : le réseau compte", "%s: auf der Karte %s, im Netz %s: das Netz zählt"},
	"franchise":     {"Social franchise", "Sociale franchise", "Franchise sociale", "Soziale Franchise"},
	"until":         {"Until", "Tot", "Jusqu'à", "Bis"},
	"none":          {"none", "geen", "aucun", "keine"},
	"not insured":   {"not insured", "niet verzekerd", "non assuré", "nicht versichert"},
	"cause":         {"why", "waarom", "pourquoi ", "Grund"},

	"session":        {"SESSION WITH THE PLATFORM", "SESSIE MET HET PLATFORM", "SESSION AVEC LA PLATE-FORME", "SITZUNG MIT DER PLATTFORM"},
	"session-open":   {"the session is open", "de sessie is open", "la session est ouverte", "die Sitzung ist offen"},
	"session-none":   {"there is no session", "er is geen sessie", "il n'y a pas de session", "es gibt keine Sitzung"},
	"session-closed": {"the session is closed", "de sessie is gesloten", "la session est fermée", "die Sitzung ist geschlossen"},
	"ends":           {"the session ends at %s", "de sessie eindigt om %s", "la session se termine à %s", "die Sitzung endet um %s"},
	"provider":       {"Provider", "Zorgverlener", "Prestataire", "Leistungserbringer"},
	"quality":        {"Quality", "Hoedanigheid", "Qualité", "Eigenschaft"},
	"nihii":          {"NIHII number", "RIZIV-nummer", "Numéro INAMI", "LIKIV-Nummer"},
	"platform":       {"Platform", "Platform", "Plate-forme", "Plattform"},
}

// insuranceWord is one of insuranceWords in the language of the command.
func (a *app) insuranceWord(key string) string { return a.inLanguage(insuranceWords[key]) }

// warningText is a warning for people.
func (a *app) warningText(w assurability.Warning) string {
	if _, known := insuranceWords[string(w)]; !known {
		return string(w)
	}
	return a.insuranceWord(string(w))
}
