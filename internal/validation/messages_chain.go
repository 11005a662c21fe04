package validation

import (
	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
)

// chainRows are the findings of X.509 certificate validation and revocation
// (EN 319 102-1 sections 5.2.5 and 5.2.6).
var chainRows = map[ades.Code]Row{
	CodeNoChain: {CertificateValidation, policy.Fail, true, indeterminate(NoCertificateChainFound), [4]string{
		"The certificate does not lead to an authority that is trusted here.",
		"Het certificaat leidt niet tot een instantie die hier vertrouwd wordt.",
		"Le certificat ne mène pas à une autorité reconnue ici.",
		"Das Zertifikat führt zu keiner Stelle, der hier vertraut wird.",
	}},
	CodeAnchorWithdrawn: {CertificateValidation, policy.Fail, true, indeterminate(NoCertificateChainFound), [4]string{
		"The authority that the certificate leads to is not trusted any more, or was not yet, at that time.",
		"De instantie waartoe het certificaat leidt wordt op dat tijdstip niet meer of nog niet vertrouwd.",
		"L'autorité à laquelle mène le certificat n'est plus, ou n'était pas encore, reconnue à ce moment.",
		"Der Stelle, zu der das Zertifikat führt, wird zu diesem Zeitpunkt nicht mehr oder noch nicht vertraut.",
	}},
	CodeChainInvalid: {CertificateValidation, policy.Fail, true, indeterminate(CertificateChainGeneralFailure), [4]string{
		"The chain of certificates is not valid.",
		"De keten van certificaten is niet geldig.",
		"La chaîne de certificats n'est pas valide.",
		"Die Zertifikatskette ist nicht gültig.",
	}},
	CodeChainConstraint: {CertificateValidation, policy.Fail, true, indeterminate(ChainConstraintsFailure), [4]string{
		"A certificate of the chain is used in a way that it does not allow.",
		"Een certificaat van de keten wordt gebruikt op een manier die het niet toelaat.",
		"Un certificat de la chaîne est utilisé d'une manière qu'il n'autorise pas.",
		"Ein Zertifikat der Kette wird auf eine Weise verwendet, die es nicht erlaubt.",
	}},
	CodeRevoked: {CertificateValidation, policy.Fail, true, indeterminate(RevokedNoPOE), [4]string{
		"The certificate has been revoked, and nothing proves that it was used before.",
		"Het certificaat werd ingetrokken, en niets bewijst dat het voordien gebruikt werd.",
		"Le certificat a été révoqué, et rien ne prouve qu'il a été utilisé avant.",
		"Das Zertifikat wurde gesperrt, und nichts beweist, dass es vorher verwendet wurde.",
	}},
	CodeCARevoked: {CertificateValidation, policy.Fail, true, indeterminate(RevokedCANoPOE), [4]string{
		"The certificate of an authority in the chain has been revoked.",
		"Het certificaat van een instantie in de keten werd ingetrokken.",
		"Le certificat d'une autorité de la chaîne a été révoqué.",
		"Das Zertifikat einer Stelle der Kette wurde gesperrt.",
	}},
	CodeOnHold: {CertificateValidation, policy.Fail, false, indeterminate(TryLater), [4]string{
		"The certificate is suspended.",
		"Het certificaat is geschorst.",
		"Le certificat est suspendu.",
		"Das Zertifikat ist vorläufig gesperrt.",
	}},
	CodeExpired: {CertificateValidation, policy.Fail, true, indeterminate(OutOfBoundsNoPOE), [4]string{
		"The certificate has expired, and nothing proves that it was used before.",
		"Het certificaat is vervallen, en niets bewijst dat het voordien gebruikt werd.",
		"Le certificat a expiré, et rien ne prouve qu'il a été utilisé avant.",
		"Das Zertifikat ist abgelaufen, und nichts beweist, dass es vorher verwendet wurde.",
	}},
	CodeNotYetValid: {CertificateValidation, policy.Fail, true, failed(NotYetValid), [4]string{
		"The certificate is not valid yet at that time.",
		"Het certificaat is op dat tijdstip nog niet geldig.",
		"Le certificat n'est pas encore valide à ce moment.",
		"Das Zertifikat ist zu diesem Zeitpunkt noch nicht gültig.",
	}},
	CodeExpiredAtTime: {CertificateValidation, policy.Fail, true, failed(Expired), [4]string{
		"The certificate has expired at that time.",
		"Het certificaat is op dat tijdstip vervallen.",
		"Le certificat a expiré à ce moment.",
		"Das Zertifikat ist zu diesem Zeitpunkt abgelaufen.",
	}},
	CodeRevokedAtTime: {CertificateValidation, policy.Fail, true, failed(Revoked), [4]string{
		"The certificate has been revoked at that time.",
		"Het certificaat is op dat tijdstip ingetrokken.",
		"Le certificat est révoqué à ce moment.",
		"Das Zertifikat ist zu diesem Zeitpunkt gesperrt.",
	}},
	CodeCANotValid: {CertificateValidation, policy.Fail, true, indeterminate(OutOfBoundsNoPOE), [4]string{
		"The certificate of an authority in the chain has expired or is not valid yet.",
		"Het certificaat van een instantie in de keten is vervallen of nog niet geldig.",
		"Le certificat d'une autorité de la chaîne a expiré ou n'est pas encore valide.",
		"Das Zertifikat einer Stelle der Kette ist abgelaufen oder noch nicht gültig.",
	}},
	CodeRevocationDown: {CertificateValidation, policy.Fail, false, indeterminate(TryLater), [4]string{
		"Whether the certificate has been revoked could not be found out: no service gave a usable answer.",
		"Of het certificaat ingetrokken werd kon niet nagegaan worden: geen enkele dienst gaf een bruikbaar antwoord.",
		"On n'a pas pu savoir si le certificat a été révoqué : aucun service n'a donné de réponse utilisable.",
		"Ob das Zertifikat gesperrt wurde, ließ sich nicht feststellen: Kein Dienst gab eine brauchbare Antwort.",
	}},
	CodeRevocationOffline: {CertificateValidation, policy.Fail, false, indeterminate(TryLater), [4]string{
		"Whether the certificate has been revoked is not known: nothing that came along says it, and nobody was asked (offline).",
		"Of het certificaat ingetrokken werd is niet bekend: niets dat meekwam zegt het, en niemand werd gevraagd (offline).",
		"On ne sait pas si le certificat a été révoqué : rien de joint ne le dit, et personne n'a été interrogé (hors ligne).",
		"Ob das Zertifikat gesperrt wurde, ist nicht bekannt: Nichts Mitgeliefertes sagt es, und niemand wurde gefragt (offline).",
	}},
	CodeRevocationNoSource: {CertificateValidation, policy.Fail, false, indeterminate(TryLater), [4]string{
		"Whether the certificate has been revoked cannot be found out: it names no service that would tell.",
		"Of het certificaat ingetrokken werd kan niet nagegaan worden: het noemt geen dienst die dat kan zeggen.",
		"On ne peut pas savoir si le certificat a été révoqué : il ne désigne aucun service qui puisse le dire.",
		"Ob das Zertifikat gesperrt wurde, lässt sich nicht feststellen: Es nennt keinen Dienst, der es sagen könnte.",
	}},
	CodeRevocationOld: {CertificateValidation, policy.Fail, false, indeterminate(TryLater), [4]string{
		"What is known about the revocation of the certificate is too old.",
		"Wat over de intrekking van het certificaat bekend is, is te oud.",
		"Ce que l'on sait de la révocation du certificat est trop ancien.",
		"Was über die Sperrung des Zertifikats bekannt ist, ist zu alt.",
	}},
	CodeRevocationUnknown: {CertificateValidation, policy.Fail, false, indeterminate(TryLater), [4]string{
		"The service that was asked does not know the certificate.",
		"De dienst die gevraagd werd kent het certificaat niet.",
		"Le service interrogé ne connaît pas le certificat.",
		"Der befragte Dienst kennt das Zertifikat nicht.",
	}},
	CodeRevocationUnused: {CertificateValidation, policy.Warn, false, indeterminate(TryLater), [4]string{
		"An answer about the revocation of the certificate could not be used.",
		"Een antwoord over de intrekking van het certificaat kon niet gebruikt worden.",
		"Une réponse sur la révocation du certificat n'a pas pu être utilisée.",
		"Eine Auskunft über die Sperrung des Zertifikats war nicht verwendbar.",
	}},
	CodeTSARevocationOffline: {CertificateValidation, policy.Fail, false, indeterminate(TryLater), [4]string{
		"Whether the time-stamping authority has been revoked is not known: nothing that came along says it, and nobody was asked (offline).",
		"Of de tijdstempelinstantie ingetrokken werd is niet bekend: niets dat meekwam zegt het, en niemand werd gevraagd (offline).",
		"On ne sait pas si l'autorité d'horodatage a été révoquée : rien de joint ne le dit, et personne n'a été interrogé (hors ligne).",
		"Ob die Zeitstempelstelle gesperrt wurde, ist nicht bekannt: Nichts Mitgeliefertes sagt es, und niemand wurde gefragt (offline).",
	}},
	CodeTSARevocationOld: {CertificateValidation, policy.Warn, false, indeterminate(TryLater), [4]string{
		"That the time-stamping authority was not revoked is known for the time of the stamp, but not up to now.",
		"Dat de tijdstempelinstantie niet ingetrokken was is bekend voor het tijdstip van de stempel, maar niet tot nu.",
		"On sait que l'autorité d'horodatage n'était pas révoquée au moment de l'horodatage, mais pas si elle l'est maintenant.",
		"Dass die Zeitstempelstelle nicht gesperrt war, ist für den Zeitpunkt des Stempels bekannt, aber nicht bis jetzt.",
	}},
	CodeTSACARevocation: {CertificateValidation, policy.Warn, false, indeterminate(TryLater), [4]string{
		"Whether an authority above the time-stamping authority has been revoked could not be found out.",
		"Of een instantie boven de tijdstempelinstantie ingetrokken werd kon niet nagegaan worden.",
		"On n'a pas pu savoir si une autorité au-dessus de l'autorité d'horodatage a été révoquée.",
		"Ob eine Stelle über der Zeitstempelstelle gesperrt wurde, ließ sich nicht feststellen.",
	}},
	CodeResponderUnproven: {CertificateValidation, policy.Fail, false, indeterminate(TryLater), [4]string{
		"Whether the service that answered about revocation has been revoked itself could not be found out.",
		"Of de dienst die over intrekking antwoordde zelf ingetrokken werd kon niet nagegaan worden.",
		"On n'a pas pu savoir si le service qui a répondu sur la révocation a lui-même été révoqué.",
		"Ob der Dienst, der über die Sperrung Auskunft gab, selbst gesperrt wurde, ließ sich nicht feststellen.",
	}},
	CodeKeyUsage: {CertificateValidation, policy.Warn, false, indeterminate(ChainConstraintsFailure), [4]string{
		"The certificate is not meant for signatures that bind their signer (non-repudiation).",
		"Het certificaat is niet bedoeld voor handtekeningen die de ondertekenaar binden (onweerlegbaarheid).",
		"Le certificat n'est pas destiné à des signatures qui engagent leur auteur (non-répudiation).",
		"Das Zertifikat ist nicht für Signaturen bestimmt, die den Unterzeichner binden (Nichtabstreitbarkeit).",
	}},
	CodeTimestampPurpose: {CertificateValidation, policy.Fail, false, indeterminate(ChainConstraintsFailure), [4]string{
		"The certificate that signed the time stamp is not one for time stamps.",
		"Het certificaat dat de tijdstempel ondertekende is er geen voor tijdstempels.",
		"Le certificat qui a signé l'horodatage n'est pas destiné à l'horodatage.",
		"Das Zertifikat, das den Zeitstempel signiert hat, ist nicht für Zeitstempel bestimmt.",
	}},
	CodeCertificateOddity: {CertificateValidation, policy.Warn, false, indeterminate(ChainConstraintsFailure), [4]string{
		"A certificate of the chain departs from the standard.",
		"Een certificaat van de keten wijkt af van de norm.",
		"Un certificat de la chaîne s'écarte de la norme.",
		"Ein Zertifikat der Kette weicht von der Norm ab.",
	}},
	CodeWeakCertificate: {CertificateValidation, policy.Fail, false, indeterminate(CryptoConstraintsFailureNoPOE), [4]string{
		"A certificate of the chain uses an algorithm or key that is no longer reliable, and nothing proves that it was used when it still was.",
		"Een certificaat van de keten gebruikt een algoritme of sleutel die niet meer betrouwbaar is, en niets bewijst dat het gebruikt werd toen dat nog wel zo was.",
		"Un certificat de la chaîne utilise un algorithme ou une clé qui n'est plus fiable, et rien ne prouve qu'il a servi quand il l'était encore.",
		"Ein Zertifikat der Kette verwendet einen Algorithmus oder Schlüssel, der nicht mehr verlässlich ist, und nichts beweist, dass es verwendet wurde, als er es noch war.",
	}},
	CodeWeakRevocation: {CertificateValidation, policy.Fail, false, indeterminate(CryptoConstraintsFailureNoPOE), [4]string{
		"Revocation information is signed with an algorithm or key that is no longer reliable.",
		"Intrekkingsinformatie is ondertekend met een algoritme of sleutel die niet meer betrouwbaar is.",
		"Une information de révocation est signée avec un algorithme ou une clé qui n'est plus fiable.",
		"Sperrinformationen sind mit einem Algorithmus oder Schlüssel signiert, der nicht mehr verlässlich ist.",
	}},
}
