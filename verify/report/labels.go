package report

import (
	"time"

	"github.com/eidkit/eidkit/verify"
)

// label is a text of the page in all languages.
type label struct{ en, nl, fr, de string }

func (l label) in(lang string) string {
	switch lang {
	case "nl":
		return l.nl
	case "fr":
		return l.fr
	case "de":
		return l.de
	}
	return l.en
}

// labels are the texts of the page, by the name that the template uses.
var labels = map[string]label{
	"title":         {"Signature report", "Handtekeningenrapport", "Rapport de signature", "Signaturbericht"},
	"passed":        {"Valid", "Geldig", "Valide", "Gültig"},
	"failed":        {"Not valid", "Niet geldig", "Non valide", "Nicht gültig"},
	"indeterminate": {"Cannot be decided", "Niet te bepalen", "Indéterminé", "Nicht entscheidbar"},
	"refused":       {"The file could not be read", "Het bestand kon niet worden gelezen", "Le fichier n’a pas pu être lu", "Die Datei konnte nicht gelesen werden"},
	"none":          {"No signature found", "Geen handtekening gevonden", "Aucune signature trouvée", "Keine Signatur gefunden"},
	"file":          {"File", "Bestand", "Fichier", "Datei"},
	"checked":       {"Checked on", "Gecontroleerd op", "Vérifié le", "Geprüft am"},
	"signature":     {"Signature", "Handtekening", "Signature", "Signatur"},
	"counter":       {"Counter-signature", "Contrahandtekening", "Contre-signature", "Gegensignatur"},
	"signer":        {"Signed by", "Ondertekend door", "Signé par", "Unterzeichnet von"},
	"unknownSigner": {"Signer not known", "Ondertekenaar onbekend", "Signataire inconnu", "Unterzeichner unbekannt"},
	"niss":          {"National number", "Rijksregisternummer", "Numéro national", "Nationalnummer"},
	"country":       {"Country", "Land", "Pays", "Land"},
	"kind":          {"Kind of card or certificate", "Soort kaart of certificaat", "Type de carte ou de certificat", "Art der Karte oder des Zertifikats"},
	"citizen":       {"Belgian citizen", "Belgisch burger", "Citoyen belge", "Belgischer Bürger"},
	"foreigner":     {"Foreigner's card", "Vreemdelingenkaart", "Carte pour étranger", "Ausländerkarte"},
	"kid":           {"Kids-ID", "Kids-ID", "Kids-ID", "Kids-ID"},
	"professional":  {"Professional or organisation", "Beroeps- of organisatiecertificaat", "Professionnel ou organisation", "Beruf oder Organisation"},
	"other":         {"Other", "Andere", "Autre", "Andere"},
	"claimed":       {"Time said by the signer", "Tijdstip volgens de ondertekenaar", "Heure indiquée par le signataire", "Zeitpunkt laut Unterzeichner"},
	"proven":        {"Proven to exist since", "Bewezen bestaand sinds", "Existence prouvée depuis", "Nachweislich vorhanden seit"},
	"format":        {"Format", "Formaat", "Format", "Format"},
	"algorithm":     {"Algorithm", "Algoritme", "Algorithme", "Algorithmus"},
	"covers":        {"What is signed", "Wat is ondertekend", "Ce qui est signé", "Was unterzeichnet ist"},
	"wholeFile":     {"The whole file", "Het hele bestand", "Le fichier entier", "Die ganze Datei"},
	"partOnly":      {"Not the whole file", "Niet het hele bestand", "Pas le fichier entier", "Nicht die ganze Datei"},
	"intact":        {"unchanged", "ongewijzigd", "inchangé", "unverändert"},
	"changed":       {"changed", "gewijzigd", "modifié", "verändert"},
	"missing":       {"missing", "ontbreekt", "manquant", "fehlt"},
	"chain":         {"Certificates", "Certificaten", "Certificats", "Zertifikate"},
	"anchor":        {"trusted", "vertrouwd", "de confiance", "vertraut"},
	"notTrusted":    {"does not lead to a trusted root", "leidt niet naar een vertrouwde root", "ne mène pas à une racine de confiance", "führt zu keiner vertrauten Wurzel"},
	"valid":         {"valid", "geldig", "valable", "gültig"},
	"timestamps":    {"Time stamps", "Tijdstempels", "Horodatages", "Zeitstempel"},
	"revocation":    {"Revocation", "Intrekking", "Révocation", "Widerruf"},
	"good":          {"not revoked", "niet ingetrokken", "non révoqué", "nicht widerrufen"},
	"revoked":       {"revoked", "ingetrokken", "révoqué", "widerrufen"},
	"onHold":        {"suspended", "geschorst", "suspendu", "gesperrt"},
	"unknown":       {"unknown", "onbekend", "inconnu", "unbekannt"},
	"unavailable":   {"not available", "niet beschikbaar", "indisponible", "nicht verfügbar"},
	"embedded":      {"in the file", "in het bestand", "dans le fichier", "in der Datei"},
	"cached":        {"kept", "bewaard", "en mémoire", "gespeichert"},
	"fetched":       {"asked now", "nu opgevraagd", "demandé maintenant", "jetzt abgefragt"},
	"changes":       {"Changes after this signature", "Wijzigingen na deze handtekening", "Modifications après cette signature", "Änderungen nach dieser Signatur"},
	"allowed":       {"allowed", "toegestaan", "autorisé", "erlaubt"},
	"forbidden":     {"not allowed", "niet toegestaan", "non autorisé", "nicht erlaubt"},
	"page":          {"Page", "Pagina", "Page", "Seite"},
	"invisible":     {"Signature fields without a place on a page are not drawn.", "Velden zonder plaats op een pagina zijn niet getekend.", "Les champs sans place sur une page ne sont pas dessinés.", "Felder ohne Platz auf einer Seite sind nicht gezeichnet."},
	"said":          {"What the signer says", "Wat de ondertekenaar verklaart", "Ce que déclare le signataire", "Was der Unterzeichner erklärt"},
	"unsigned":      {"Not covered by the signature: anybody could have written this.", "Niet gedekt door de handtekening: iedereen kan dit geschreven hebben.", "Non couvert par la signature : n’importe qui a pu l’écrire.", "Nicht von der Signatur gedeckt: das kann jeder geschrieben haben."},
	"role":          {"Role", "Hoedanigheid", "Qualité", "Funktion"},
	"place":         {"Place", "Plaats", "Lieu", "Ort"},
	"reason":        {"Reason", "Reden", "Motif", "Grund"},
	"commitment":    {"Commitment", "Verbintenis", "Engagement", "Verpflichtung"},
	"policyClaim":   {"Signature policy", "Handtekeningbeleid", "Politique de signature", "Signaturrichtlinie"},
	"policy":        {"Judged by policy", "Beoordeeld volgens beleid", "Jugé selon la politique", "Beurteilt nach Richtlinie"},
	"trust":         {"Trusted roots (SHA-256 of the set)", "Vertrouwde roots (SHA-256 van de verzameling)", "Racines de confiance (SHA-256 de l’ensemble)", "Vertraute Wurzeln (SHA-256 der Menge)"},
	"warnings":      {"To note", "Aandachtspunten", "À noter", "Zu beachten"},
	"details":       {"Details", "Details", "Détails", "Einzelheiten"},
	"of":            {"of", "van", "de", "von"},
}

// stamp writes a time to the second, in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// verdictLabel names the label and the colour class of an indication.
func verdictLabel(i verify.Indication) (name, class string) {
	switch i {
	case verify.TotalPassed:
		return "passed", "good"
	case verify.TotalFailed:
		return "failed", "bad"
	}
	return "indeterminate", "open"
}
