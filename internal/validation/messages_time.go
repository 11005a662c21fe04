package validation

import (
	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
)

// timeRows are the findings about time stamps, proofs of existence and the
// past (EN 319 102-1 sections 5.4 to 5.6).
var timeRows = map[ades.Code]Row{
	CodeTimestampUnusable: {Times, policy.Warn, false, indeterminate(NoPOE), [4]string{
		"A time stamp of the signature is not valid or could not be proven valid, and counts for nothing.",
		"Een tijdstempel van de handtekening is niet geldig of kon niet als geldig bewezen worden, en telt niet mee.",
		"Un horodatage de la signature n'est pas valide ou sa validité n'a pas pu être prouvée, et ne compte pas.",
		"Ein Zeitstempel der Signatur ist ungültig oder ließ sich nicht als gültig nachweisen und zählt nicht.",
	}},
	CodeTimestampOrder: {Times, policy.Fail, false, indeterminate(TimestampOrderFailure), [4]string{
		"The times of the time stamps contradict their order.",
		"De tijdstippen van de tijdstempels spreken hun volgorde tegen.",
		"Les dates des horodatages contredisent leur ordre.",
		"Die Zeiten der Zeitstempel widersprechen ihrer Reihenfolge.",
	}},
	CodeTimestampDelay: {Times, policy.Fail, false, indeterminate(SigConstraintsFailure), [4]string{
		"More time passed between signing and the time stamp than the policy allows.",
		"Er verliep meer tijd tussen ondertekening en tijdstempel dan het beleid toelaat.",
		"Il s'est écoulé entre la signature et l'horodatage plus de temps que la politique n'en autorise.",
		"Zwischen Unterzeichnung und Zeitstempel verging mehr Zeit, als die Richtlinie erlaubt.",
	}},
	CodeBeforeCertificate: {CertificateValidation, policy.Fail, true, failed(NotYetValid), [4]string{
		"The signature existed before the signer's certificate was valid.",
		"De handtekening bestond voordat het certificaat van de ondertekenaar geldig was.",
		"La signature existait avant que le certificat du signataire soit valide.",
		"Die Signatur bestand, bevor das Zertifikat des Unterzeichners gültig war.",
	}},
	CodeAfterRevocation: {Times, policy.Fail, true, failed(Revoked), [4]string{
		"The signature was made after the certificate had been revoked.",
		"De handtekening werd gezet nadat het certificaat ingetrokken was.",
		"La signature a été faite après la révocation du certificat.",
		"Die Signatur wurde erstellt, nachdem das Zertifikat gesperrt worden war.",
	}},
	CodeAfterExpiry: {Times, policy.Fail, true, failed(Expired), [4]string{
		"The signature was made after the certificate had expired.",
		"De handtekening werd gezet nadat het certificaat vervallen was.",
		"La signature a été faite après l'expiration du certificat.",
		"Die Signatur wurde erstellt, nachdem das Zertifikat abgelaufen war.",
	}},
	CodeAfterAlgorithmEnd: {Times, policy.Fail, false, indeterminate(CryptoConstraintsFailure), [4]string{
		"The signature was made with an algorithm or key that was not reliable any more.",
		"De handtekening werd gezet met een algoritme of sleutel die niet meer betrouwbaar was.",
		"La signature a été faite avec un algorithme ou une clé qui n'était plus fiable.",
		"Die Signatur wurde mit einem Algorithmus oder Schlüssel erstellt, der nicht mehr verlässlich war.",
	}},
	CodeNoProof: {Times, policy.Fail, true, indeterminate(NoPOE), [4]string{
		"Nothing proves that a certificate and what is known about its revocation existed early enough.",
		"Niets bewijst dat een certificaat en wat over zijn intrekking bekend is vroeg genoeg bestonden.",
		"Rien ne prouve qu'un certificat et ce que l'on sait de sa révocation existaient assez tôt.",
		"Nichts beweist, dass ein Zertifikat und das, was über seine Sperrung bekannt ist, früh genug bestanden.",
	}},
	CodeRevocationUnproven: {Times, policy.Fail, false, indeterminate(RevocationOutOfBoundsNoPOE), [4]string{
		"Nothing proves that the revocation information existed while its issuer's certificate was valid.",
		"Niets bewijst dat de intrekkingsinformatie bestond toen het certificaat van haar uitgever geldig was.",
		"Rien ne prouve que l'information de révocation existait tant que le certificat de son émetteur était valide.",
		"Nichts beweist, dass die Sperrinformation bestand, solange das Zertifikat ihres Ausstellers gültig war.",
	}},
}
