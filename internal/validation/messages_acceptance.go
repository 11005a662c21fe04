package validation

import (
	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
)

// acceptanceRows are the findings of signature acceptance validation
// (EN 319 102-1 section 5.2.8).
var acceptanceRows = map[ades.Code]Row{
	ades.NoMessageDigest: {MandatoryAttributes, policy.Fail, false, indeterminate(SigConstraintsFailure), [4]string{
		"The signature lacks the attribute that binds it to its content (message digest).",
		"De handtekening mist het attribuut dat haar aan haar inhoud bindt (message digest).",
		"Il manque à la signature l'attribut qui la lie à son contenu (message digest).",
		"Der Signatur fehlt das Attribut, das sie an ihren Inhalt bindet (message digest).",
	}},
	ades.NoContentType: {MandatoryAttributes, policy.Fail, false, indeterminate(SigConstraintsFailure), [4]string{
		"The signature does not say of what type its content is, or names another type.",
		"De handtekening zegt niet van welk type haar inhoud is, of noemt een ander type.",
		"La signature n'indique pas le type de son contenu, ou en indique un autre.",
		"Die Signatur sagt nicht, von welchem Typ ihr Inhalt ist, oder nennt einen anderen.",
	}},
	ades.PropertiesUnsigned: {MandatoryAttributes, policy.Fail, false, indeterminate(SigConstraintsFailure), [4]string{
		"The properties of the signature, such as its time, are not covered by it and prove nothing.",
		"De eigenschappen van de handtekening, zoals haar tijdstip, worden er niet door gedekt en bewijzen niets.",
		"Les propriétés de la signature, comme sa date, ne sont pas couvertes par elle et ne prouvent rien.",
		"Die Eigenschaften der Signatur, etwa ihr Zeitpunkt, sind von ihr nicht abgedeckt und beweisen nichts.",
	}},
	ades.PropertiesUntyped: {MandatoryAttributes, policy.Fail, false, indeterminate(SigConstraintsFailure), [4]string{
		"The signature covers its properties without saying, as XAdES demands, that they are its own.",
		"De handtekening dekt haar eigenschappen zonder te zeggen, zoals XAdES eist, dat het de hare zijn.",
		"La signature couvre ses propriétés sans dire, comme XAdES l'exige, qu'elles sont les siennes.",
		"Die Signatur deckt ihre Eigenschaften ab, ohne zu sagen, wie XAdES es verlangt, dass es die ihren sind.",
	}},
	ades.NoSigningCertRef: {Acceptance, policy.Warn, false, indeterminate(SigConstraintsFailure), [4]string{
		"The signature does not say, under its own protection, which certificate is the signer's.",
		"De handtekening zegt niet, onder haar eigen bescherming, welk certificaat dat van de ondertekenaar is.",
		"La signature n'indique pas, sous sa propre protection, quel certificat est celui du signataire.",
		"Die Signatur sagt nicht unter ihrem eigenen Schutz, welches Zertifikat das des Unterzeichners ist.",
	}},
	ades.SigningTimeInPDF: {Acceptance, policy.Warn, false, indeterminate(SigConstraintsFailure), [4]string{
		"The signature carries its time in a place where PAdES does not allow it.",
		"De handtekening draagt haar tijdstip op een plaats waar PAdES het niet toelaat.",
		"La signature porte sa date à un endroit où PAdES ne l'autorise pas.",
		"Die Signatur trägt ihren Zeitpunkt an einer Stelle, an der PAdES ihn nicht erlaubt.",
	}},
	CodeNoSigningTime: {Acceptance, policy.Warn, false, indeterminate(SigConstraintsFailure), [4]string{
		"The signer does not say when he signed.",
		"De ondertekenaar zegt niet wanneer hij ondertekende.",
		"Le signataire n'indique pas quand il a signé.",
		"Der Unterzeichner sagt nicht, wann er unterzeichnet hat.",
	}},
	CodeSigningTimeLate: {Acceptance, policy.Warn, false, indeterminate(SigConstraintsFailure), [4]string{
		"The signer claims a time that is later than the moment at which the signature is proven to have existed.",
		"De ondertekenaar beweert een tijdstip dat later is dan het moment waarop de handtekening bewezen bestond.",
		"Le signataire prétend à une date postérieure au moment où l'existence de la signature est prouvée.",
		"Der Unterzeichner gibt einen Zeitpunkt an, der später liegt als der, zu dem die Signatur nachweislich bestand.",
	}},
	CodeWeakAlgorithm: {Acceptance, policy.Fail, false, indeterminate(CryptoConstraintsFailureNoPOE), [4]string{
		"The signature uses an algorithm or key that is no longer reliable, and nothing proves that it existed when it still was.",
		"De handtekening gebruikt een algoritme of sleutel die niet meer betrouwbaar is, en niets bewijst dat ze bestond toen dat nog wel zo was.",
		"La signature utilise un algorithme ou une clé qui n'est plus fiable, et rien ne prouve qu'elle existait quand il l'était encore.",
		"Die Signatur verwendet einen Algorithmus oder Schlüssel, der nicht mehr verlässlich ist, und nichts beweist, dass sie bestand, als er es noch war.",
	}},
	CodeWeakImprint: {Acceptance, policy.Fail, false, indeterminate(CryptoConstraintsFailureNoPOE), [4]string{
		"The time stamp uses an algorithm or key that is no longer reliable.",
		"De tijdstempel gebruikt een algoritme of sleutel die niet meer betrouwbaar is.",
		"L'horodatage utilise un algorithme ou une clé qui n'est plus fiable.",
		"Der Zeitstempel verwendet einen Algorithmus oder Schlüssel, der nicht mehr verlässlich ist.",
	}},
	CodeWeakReference: {Acceptance, policy.Warn, false, indeterminate(CryptoConstraintsFailureNoPOE), [4]string{
		"The reference to the signer's certificate uses a digest algorithm that is no longer reliable.",
		"De verwijzing naar het certificaat van de ondertekenaar gebruikt een hashalgoritme dat niet meer betrouwbaar is.",
		"La référence au certificat du signataire utilise un algorithme de hachage qui n'est plus fiable.",
		"Der Verweis auf das Zertifikat des Unterzeichners verwendet einen Hash-Algorithmus, der nicht mehr verlässlich ist.",
	}},
	CodeCounterInvalid: {Acceptance, policy.Warn, false, indeterminate(SigConstraintsFailure), [4]string{
		"A counter-signature on this signature is not valid or could not be proven valid.",
		"Een medeondertekening van deze handtekening is niet geldig of kon niet als geldig bewezen worden.",
		"Une contre-signature de cette signature n'est pas valide ou sa validité n'a pas pu être prouvée.",
		"Eine Gegensignatur zu dieser Signatur ist ungültig oder ihre Gültigkeit ließ sich nicht nachweisen.",
	}},
}
