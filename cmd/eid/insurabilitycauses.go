package main

import (
	"strings"

	"github.com/eidkit/eidkit/verify/assurability"
)

// causeWords say why there is no answer, or none that helps, for the counter. What a program or an administrator wants to know stands
// in the JSON.
var causeWords = map[string][4]string{ // en, nl, fr, de
	"timeout": {"the service took too long", "de dienst deed er te lang over", "le service a mis trop de temps", "der Dienst brauchte zu lange"},
	"paused": {"the service has failed several times and is left alone for a while", "de dienst faalde verschillende keren en wordt even met rust gelaten",
		"le service a échoué plusieurs fois et n'est pas interrogé pendant un moment", "der Dienst fiel mehrmals aus und wird eine Weile nicht gefragt"},
	"certificate": {"what answers at the service's address does not prove to be the service", "wat op het adres van de dienst antwoordt, bewijst niet de dienst te zijn",
		"ce qui répond à l'adresse du service ne prouve pas être le service", "was unter der Adresse des Dienstes antwortet, weist sich nicht als der Dienst aus"},
	"answer refused": {"what came is no answer to this question, and was not used", "wat terugkwam is geen antwoord op deze vraag en werd niet gebruikt",
		"ce qui est revenu ne répond pas à cette question et n'a pas été utilisé", "was zurückkam, beantwortet diese Frage nicht und wurde nicht verwendet"},
	"session":   {"there is no session with the platform", "er is geen sessie met het platform", "il n'y a pas de session avec la plate-forme", "es gibt keine Sitzung mit der Plattform"},
	"cancelled": {"the question was broken off", "de vraag werd afgebroken", "la question a été interrompue", "die Frage wurde abgebrochen"},
	"unavailable": {"the service cannot be reached, or is out of order", "de dienst is niet bereikbaar of buiten werking",
		"le service est injoignable ou hors service", "der Dienst ist nicht erreichbar oder außer Betrieb"},
	"unauthenticated": {"the platform does not take the session's token", "het platform aanvaardt het token van de sessie niet",
		"la plate-forme n'accepte pas le jeton de la session", "die Plattform nimmt das Token der Sitzung nicht an"},
	"unauthorised": {"this provider or this software may not ask the service", "deze zorgverlener of deze software mag de dienst niet bevragen",
		"ce prestataire ou ce logiciel ne peut pas interroger le service", "dieser Leistungserbringer oder diese Software darf den Dienst nicht fragen"},
	"message":  {"the service does not accept the message", "de dienst aanvaardt het bericht niet", "le service n'accepte pas le message", "der Dienst nimmt die Nachricht nicht an"},
	"question": {"the service does not accept the question", "de dienst aanvaardt de vraag niet", "le service n'accepte pas la question", "der Dienst nimmt die Frage nicht an"},
	"insurer": {"the insurer's system does not answer, or not properly", "het systeem van de verzekeringsinstelling antwoordt niet of niet goed",
		"le système de l'organisme assureur ne répond pas, ou pas bien", "das System des Versicherungsträgers antwortet nicht oder nicht richtig"},
	"no meaning": {"the service tells no cover; what its code means is not public", "de dienst deelt geen dekking mee; wat zijn code betekent, is niet openbaar",
		"le service ne communique pas de couverture ; la signification de son code n'est pas publique", "der Dienst teilt keine Deckung mit; was sein Code bedeutet, ist nicht öffentlich"},

	"10": {"something is missing from the question", "er ontbreekt iets in de vraag", "il manque quelque chose dans la question", "in der Frage fehlt etwas"},
	"11": {"a number in the question is malformed", "een nummer in de vraag heeft een foute vorm", "un numéro de la question est mal formé", "eine Nummer in der Frage hat eine falsche Form"},
	"12": {"the check digits of the national number are wrong", "de controlecijfers van het rijksregisternummer kloppen niet",
		"les chiffres de contrôle du numéro national sont faux", "die Prüfziffern der Nationalregisternummer stimmen nicht"},
	"21": {"there is no such mutuality", "dat ziekenfonds bestaat niet", "cette mutualité n'existe pas", "diese Krankenkasse gibt es nicht"},
	"23": {"no insurer knows the number", "geen verzekeringsinstelling kent het nummer", "aucun organisme assureur ne connaît le numéro", "kein Versicherungsträger kennt die Nummer"},
	"30": {"the day lies in the future, or the period is not valid", "de dag ligt in de toekomst of de periode is ongeldig",
		"le jour est dans le futur ou la période n'est pas valable", "der Tag liegt in der Zukunft oder der Zeitraum ist ungültig"},
	"31": {"the period ends before it begins", "de periode eindigt voor ze begint", "la période se termine avant de commencer", "der Zeitraum endet, bevor er beginnt"},
	"32": {"this provider may not ask about a period: ask about single days", "deze zorgverlener mag niet naar een periode vragen: vraag naar aparte dagen",
		"ce prestataire ne peut pas demander une période : demandez des jours séparés", "dieser Leistungserbringer darf nicht nach einem Zeitraum fragen: fragen Sie nach einzelnen Tagen"},
	"40": {"there are no data that far back", "er zijn geen gegevens van zo lang geleden", "il n'y a pas de données aussi anciennes", "so weit zurück gibt es keine Daten"},
	"42": {"the patient is not in hospital on these days", "de patiënt ligt op die dagen niet in het ziekenhuis",
		"le patient n'est pas hospitalisé à ces dates", "der Patient liegt an diesen Tagen nicht im Krankenhaus"},
	"43": {"no insurer knows the patient on these days", "geen verzekeringsinstelling kent de patiënt op die dagen",
		"aucun organisme assureur ne connaît le patient à ces dates", "kein Versicherungsträger kennt den Patienten an diesen Tagen"},
	"44": {"several insurers know the patient on these days", "verschillende verzekeringsinstellingen kennen de patiënt op die dagen",
		"plusieurs organismes assureurs connaissent le patient à ces dates", "mehrere Versicherungsträger kennen den Patienten an diesen Tagen"},
	"99": {"this provider may not ask that", "deze zorgverlener mag dat niet vragen", "ce prestataire ne peut pas demander cela", "dieser Leistungserbringer darf das nicht fragen"},
}

// faultKeys lead from other codes of the services to causeWords (facts sheet a.8 and b.4); warnings have words of their own.
var faultKeys = map[string]string{
	"NO_IO_ERROR": "43", "MULTIIO_ERROR": "44", "SEND_ERROR": "insurer", "GENERIC_ERROR": "insurer", "AUTHORIZATION_ERROR": "99",
	"UNAUTHORIZED_FACET": "99", "UNAUTHORIZED_REQUESTTYPE": "99", "UNAUTHORIZED_CONTACTTYPE": "99", "UNALLOWED_REQUESTTYPE": "99", "UNALLOWED_CONTACTTYPE": "99",
	"INVALID_INSS_FORMAT": "11", "INVALID_IO_FORMAT": "11", "INVALID_INSS_VALUE": "12", "INVALID_IO_VALUE": "21", "UNKNOWN_IO": "43",
	"UNKNOWN_NISS_ROUTING": "23", "BO_UNKNOWN_NISS": "23", "BO_UNKNOWN_REGNBR": "23", "BO_INVALID_REGNBR": "23", "MULTIPLE_IO": "44",
	"START_DATE_IN_FUTURE": "30", "INVALID_PERIOD": "31", "INVALID_PERIOD_FOR_SECTOR": "32", "PERIOD_TOO_FAR_IN_PAST": "40", "BO_PERIOD_TOO_FAR_IN_THE_PAST": "40",
	"MISMATCHED_CONTACTTYPE": "42", "BO_EXCEPTION": "insurer", "IOSM_EXCEPTION": "insurer", "INVALID_RESPONSE_FROM_IO": "insurer", "SEND_TO_IM_EXCEPTION": "insurer",
	"MUTATION": "INSURER_CHANGED", "ONLY_FIVE_PERIODS_RETURNED": "TRUNCATED", "WARNING": "PARTIAL_ANSWER",
}

// causeText says why there is no answer, with the code that a help desk asks for.
func (a *app) causeText(n *assurability.Answer) string {
	reason := n.Reason()
	if n.Fault != nil && reason == "fault" {
		return a.faultText(n)
	}
	key := reason
	switch {
	case reason == "SOA-01001":
		key = "unauthenticated"
	case reason == "SOA-01002":
		key = "unauthorised"
	case strings.HasPrefix(reason, "SOA-03"):
		key = "message"
	case causeWords[reason] == [4]string{}: // other faults, and statuses of HTTP
		key = "unavailable"
	}
	text := a.inLanguage(causeWords[key])
	if key != reason {
		text += " [" + reason + "]"
	}
	return text
}

// faultText says what a service gives as its reason: in our words where the code is known, then code and words of the service.
func (a *app) faultText(n *assurability.Answer) string {
	f := n.Fault
	key, codes, words := faultKey(f.Code, ""), []string{f.Code}, []string{}
	say := func(message string) {
		if message != "" && (len(words) == 0 || words[len(words)-1] != message) {
			words = append(words, message)
		}
	}
	say(f.Message)
	for i, d := range f.Details {
		if found := faultKey(d.Code, d.Location); i == 0 && found != "" {
			key = found
		}
		codes = append(codes, d.Code)
		say(d.Message)
	}
	if key == "" {
		key = "question"
		if n.Service == assurability.Pharmacist {
			key = "no meaning"
		}
	}
	text := a.inLanguage(causeWords[key])
	if text == "" {
		text = a.insuranceWord(key)
	}
	said := strings.Join(codes, " ")
	if len(words) > 0 {
		said += ": " + strings.Join(words, "; ")
	}
	return text + " [" + said + "]"
}

// faultKey is the row of causeWords for a code of a fault, at a place in the question; empty if there is none.
func faultKey(code, location string) string {
	if strings.Contains(location, "ContactType") && code == "10" { // the catalogue has its two texts exchanged (facts sheet a.8)
		return "99"
	}
	if key, ok := faultKeys[code]; ok {
		return key
	}
	if len(code) == 2 {
		if _, ok := causeWords[code]; ok {
			return code
		}
	}
	return ""
}
