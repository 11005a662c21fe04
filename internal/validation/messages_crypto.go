package validation

import (
	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
)

// cryptoRows are the findings of identification, context and cryptographic
// verification (EN 319 102-1 sections 5.2.3, 5.2.4, 5.2.7).
var cryptoRows = map[ades.Code]Row{
	CodeNoSigningCertificate: {Identification, policy.Fail, true, indeterminate(NoSigningCertificateFound), [4]string{
		"The certificate of the signer is not there, so that nobody can be named.",
		"Het certificaat van de ondertekenaar is er niet bij, zodat niemand genoemd kan worden.",
		"Le certificat du signataire est absent, de sorte que personne ne peut être nommé.",
		"Das Zertifikat des Unterzeichners fehlt, sodass niemand genannt werden kann.",
	}},
	CodeKeyOnly: {CertificateValidation, policy.Fail, true, indeterminate(NoCertificateChainFound), [4]string{
		"The signature gives a key but no certificate, so that nobody can be named.",
		"De handtekening geeft een sleutel maar geen certificaat, zodat niemand genoemd kan worden.",
		"La signature fournit une clé mais pas de certificat, de sorte que personne ne peut être nommé.",
		"Die Signatur enthält einen Schlüssel, aber kein Zertifikat, sodass niemand genannt werden kann.",
	}},
	CodeCertDigestMismatch: {CertificateReference, policy.Fail, false, indeterminate(NoSigningCertificateFound), [4]string{
		"The signature names another certificate as the signer's than the one it can be checked with (the digests differ).",
		"De handtekening noemt een ander certificaat als dat van de ondertekenaar dan dat waarmee ze gecontroleerd kan worden (de hashwaarden verschillen).",
		"La signature désigne comme certificat du signataire un autre que celui avec lequel elle se vérifie (les empreintes diffèrent).",
		"Die Signatur nennt als Zertifikat des Unterzeichners ein anderes als das, mit dem sie sich prüfen lässt (die Hashwerte weichen ab).",
	}},
	CodeCertDigestUnusable: {CertificateReference, policy.Fail, false, indeterminate(NoSigningCertificateFound), [4]string{
		"The signature refers to the signer's certificate in a way that cannot be checked.",
		"De handtekening verwijst naar het certificaat van de ondertekenaar op een manier die niet gecontroleerd kan worden.",
		"La signature désigne le certificat du signataire d'une manière qui ne peut pas être vérifiée.",
		"Die Signatur verweist auf eine nicht prüfbare Weise auf das Zertifikat des Unterzeichners.",
	}},
	CodeIssuerSerialMismatch: {CertificateReference, policy.Warn, false, indeterminate(NoSigningCertificateFound), [4]string{
		"Issuer or serial number named in the signature are not those of the signer's certificate.",
		"Uitgever of serienummer in de handtekening zijn niet die van het certificaat van de ondertekenaar.",
		"L'émetteur ou le numéro de série indiqué dans la signature n'est pas celui du certificat du signataire.",
		"Aussteller oder Seriennummer in der Signatur sind nicht die des Zertifikats des Unterzeichners.",
	}},
	CodeSignerIDMismatch: {CertificateReference, policy.Warn, false, indeterminate(NoSigningCertificateFound), [4]string{
		"The signer's certificate was found by its key only; the signature names it otherwise.",
		"Het certificaat van de ondertekenaar werd alleen door zijn sleutel gevonden; de handtekening benoemt het anders.",
		"Le certificat du signataire n'a été trouvé que par sa clé ; la signature le désigne autrement.",
		"Das Zertifikat des Unterzeichners wurde nur an seinem Schlüssel gefunden; die Signatur benennt es anders.",
	}},
	CodePolicyNotAvailable: {ContextInitialization, policy.Warn, false, indeterminate(SignaturePolicyNotAvailable), [4]string{
		"The signature was made under a signature policy that is not available here, so that its rules cannot be checked.",
		"De handtekening werd gezet onder een handtekeningbeleid dat hier niet beschikbaar is, zodat de regels ervan niet gecontroleerd kunnen worden.",
		"La signature a été faite sous une politique de signature indisponible ici, dont les règles ne peuvent donc pas être vérifiées.",
		"Die Signatur wurde unter einer Signaturrichtlinie erstellt, die hier nicht verfügbar ist; ihre Regeln sind deshalb nicht prüfbar.",
	}},
	CodeDataMissing: {CryptographicVerification, policy.Fail, true, indeterminate(SignedDataNotFound), [4]string{
		"What was signed is not there, so that it cannot be compared with the signature.",
		"Wat ondertekend werd is er niet bij, zodat het niet met de handtekening vergeleken kan worden.",
		"Ce qui a été signé est absent et ne peut pas être comparé à la signature.",
		"Was signiert wurde, fehlt und kann deshalb nicht mit der Signatur verglichen werden.",
	}},
	CodeDataChanged: {CryptographicVerification, policy.Fail, true, failed(HashFailure), [4]string{
		"What was signed has been changed since.",
		"Wat ondertekend werd is sindsdien gewijzigd.",
		"Ce qui a été signé a été modifié depuis.",
		"Was signiert wurde, ist seither geändert worden.",
	}},
	CodeListedMissing: {CryptographicVerification, policy.Warn, false, indeterminate(SignedDataNotFound), [4]string{
		"The signed list names a file that is not there, so that it cannot be compared.",
		"De ondertekende lijst noemt een bestand dat er niet bij is, zodat het niet vergeleken kan worden.",
		"La liste signée cite un fichier absent, qui ne peut donc pas être comparé.",
		"Die signierte Liste nennt eine Datei, die fehlt und deshalb nicht verglichen werden kann.",
	}},
	CodeNothingSigned: {CryptographicVerification, policy.Fail, true, indeterminate(SignedDataNotFound), [4]string{
		"The signature covers no content.",
		"De handtekening dekt geen inhoud.",
		"La signature ne couvre aucun contenu.",
		"Die Signatur deckt keinen Inhalt ab.",
	}},
	ades.ManifestEmpty: {CryptographicVerification, policy.Fail, true, indeterminate(SignedDataNotFound), [4]string{
		"The list of the signed files is empty, so that no file is signed.",
		"De lijst van de ondertekende bestanden is leeg, zodat geen enkel bestand ondertekend is.",
		"La liste des fichiers signés est vide, de sorte qu'aucun fichier n'est signé.",
		"Die Liste der signierten Dateien ist leer, sodass keine Datei signiert ist.",
	}},
	CodeDigestUnknown: {CryptographicVerification, policy.Fail, true, indeterminate(CryptoConstraintsFailure), [4]string{
		"A digest algorithm used by the signature is not known here.",
		"Een hashalgoritme dat de handtekening gebruikt is hier niet gekend.",
		"Un algorithme de hachage utilisé par la signature n'est pas connu ici.",
		"Ein von der Signatur verwendeter Hash-Algorithmus ist hier nicht bekannt.",
	}},
	CodeSignatureWrong: {CryptographicVerification, policy.Fail, true, failed(SigCryptoFailure), [4]string{
		"The signature value does not fit what was signed and the signer's key: the signature is not authentic.",
		"De waarde van de handtekening past niet bij wat ondertekend werd en de sleutel van de ondertekenaar: de handtekening is niet echt.",
		"La valeur de la signature ne correspond pas à ce qui a été signé ni à la clé du signataire : la signature n'est pas authentique.",
		"Der Signaturwert passt nicht zum Signierten und zum Schlüssel des Unterzeichners: Die Signatur ist nicht echt.",
	}},
	ades.AlgorithmMismatch: {CryptographicVerification, policy.Fail, true, failed(SigCryptoFailure), [4]string{
		"The signature names two digest algorithms that contradict each other.",
		"De handtekening noemt twee hashalgoritmen die elkaar tegenspreken.",
		"La signature désigne deux algorithmes de hachage qui se contredisent.",
		"Die Signatur nennt zwei Hash-Algorithmen, die einander widersprechen.",
	}},
	ades.BrokenAttributes: {CryptographicVerification, policy.Fail, true, failed(SigCryptoFailure), [4]string{
		"The signed attributes contradict the signature or one another.",
		"De ondertekende attributen zijn in tegenspraak met de handtekening of met elkaar.",
		"Les attributs signés contredisent la signature ou se contredisent entre eux.",
		"Die signierten Attribute widersprechen der Signatur oder einander.",
	}},
	CodeAlgorithmUnknown: {CryptographicVerification, policy.Fail, true, indeterminate(CryptoConstraintsFailure), [4]string{
		"The signature algorithm or the kind of key is not known here, so that the signature cannot be checked.",
		"Het handtekeningalgoritme of het soort sleutel is hier niet gekend, zodat de handtekening niet gecontroleerd kan worden.",
		"L'algorithme de signature ou le type de clé n'est pas connu ici ; la signature ne peut donc pas être vérifiée.",
		"Der Signaturalgorithmus oder die Schlüsselart ist hier nicht bekannt; die Signatur lässt sich deshalb nicht prüfen.",
	}},
	CodeImprintMissing: {CryptographicVerification, policy.Fail, true, indeterminate(SignedDataNotFound), [4]string{
		"What the time stamp is for is not there.",
		"Dat waarvoor de tijdstempel geldt is er niet.",
		"Ce à quoi l'horodatage se rapporte est absent.",
		"Wofür der Zeitstempel gilt, fehlt.",
	}},
	CodeImprintWrong: {CryptographicVerification, policy.Fail, true, failed(HashFailure), [4]string{
		"What the time stamp is for has been changed since.",
		"Dat waarvoor de tijdstempel geldt is sindsdien gewijzigd.",
		"Ce à quoi l'horodatage se rapporte a été modifié depuis.",
		"Wofür der Zeitstempel gilt, ist seither geändert worden.",
	}},
}
