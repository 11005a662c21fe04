package protocol

// faults is the one table of errors. Web eID has no codes for readers, cards and
// PINs: there the user sees the reason, and the site hears that he gave up.
var faults = []Fault{
	{NoReader, -32001, "ERR_WEBEID_USER_CANCELLED", true, words(
		"No card reader was found. Connect one.",
		"Er is geen kaartlezer gevonden. Sluit er een aan.",
		"Aucun lecteur de cartes trouvé. Branchez-en un.",
		"Kein Kartenleser gefunden. Schließen Sie einen an.")},
	{NoCard, -32002, "ERR_WEBEID_USER_CANCELLED", true, words(
		"There is no card in the reader.",
		"Er zit geen kaart in de lezer.",
		"Il n’y a pas de carte dans le lecteur.",
		"Im Leser steckt keine Karte.")},
	{CardUnsupported, -32003, "ERR_WEBEID_USER_CANCELLED", false, words(
		"This card cannot do that.",
		"Deze kaart kan dat niet.",
		"Cette carte ne permet pas cela.",
		"Diese Karte kann das nicht.")},
	{CardRemoved, -32004, "ERR_WEBEID_USER_CANCELLED", true, words(
		"The card was taken out too early.",
		"De kaart is te vroeg uit de lezer gehaald.",
		"La carte a été retirée trop tôt.",
		"Die Karte wurde zu früh herausgezogen.")},
	{CardBusy, -32005, "ERR_WEBEID_USER_CANCELLED", true, words(
		"The card is in use. Try again in a moment.",
		"De kaart is in gebruik. Probeer het zo meteen opnieuw.",
		"La carte est occupée. Réessayez dans un instant.",
		"Die Karte wird gerade benutzt. Versuchen Sie es gleich noch einmal.")},
	{ReaderError, -32006, "ERR_WEBEID_USER_CANCELLED", true, words(
		"The reader or the card does not answer properly. Put the card in again.",
		"De lezer of de kaart antwoordt niet goed. Steek de kaart opnieuw in.",
		"Le lecteur ou la carte ne répond pas correctement. Réinsérez la carte.",
		"Leser oder Karte antworten nicht richtig. Stecken Sie die Karte neu ein.")},
	{PINWrong, -32010, "ERR_WEBEID_USER_CANCELLED", true, words(
		"The PIN was wrong.",
		"De pincode was verkeerd.",
		"Le code PIN était erroné.",
		"Die PIN war falsch.")},
	{PINBlocked, -32011, "ERR_WEBEID_USER_CANCELLED", false, words(
		"The PIN is blocked. The municipality can unblock it.",
		"De pincode is geblokkeerd. De gemeente kan ze deblokkeren.",
		"Le code PIN est bloqué. La commune peut le débloquer.",
		"Die PIN ist gesperrt. Die Gemeinde kann sie entsperren.")},
	{PINCancelled, -32012, "ERR_WEBEID_USER_CANCELLED", true, words(
		"No PIN was entered.",
		"Er is geen pincode ingegeven.",
		"Aucun code PIN n’a été saisi.",
		"Es wurde keine PIN eingegeben.")},
	{PINTimeout, -32013, "ERR_WEBEID_USER_TIMEOUT", true, words(
		"It took too long to enter the PIN.",
		"Het ingeven van de pincode duurde te lang.",
		"La saisie du code PIN a pris trop de temps.",
		"Die Eingabe der PIN dauerte zu lange.")},
	{ConsentDenied, -32020, "ERR_WEBEID_USER_CANCELLED", false, words(
		"You did not allow it.",
		"U hebt het niet toegestaan.",
		"Vous ne l’avez pas autorisé.",
		"Sie haben es nicht erlaubt.")},
	{NotAuthorised, -32021, "ERR_WEBEID_USER_CANCELLED", false, words(
		"This is not allowed here.",
		"Dit is hier niet toegestaan.",
		"Ceci n’est pas autorisé ici.",
		"Das ist hier nicht erlaubt.")},
	{OriginRefused, -32022, "ERR_WEBEID_CONTEXT_INSECURE", false, words(
		"This website may not use the card on this computer.",
		"Deze website mag de kaart op deze computer niet gebruiken.",
		"Ce site ne peut pas utiliser la carte sur cet ordinateur.",
		"Diese Website darf die Karte auf diesem Computer nicht benutzen.")},
	{Busy, -32030, "ERR_WEBEID_ACTION_PENDING", true, words(
		"Something else is still going on. Try again in a moment.",
		"Er is nog iets anders bezig. Probeer het zo meteen opnieuw.",
		"Une autre opération est en cours. Réessayez dans un instant.",
		"Es läuft noch etwas anderes. Versuchen Sie es gleich noch einmal.")},
	{TooLarge, -32031, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", false, words(
		"This is too large.",
		"Dit is te groot.",
		"C’est trop volumineux.",
		"Das ist zu groß.")},
	{RateLimited, -32032, "ERR_WEBEID_ACTION_PENDING", true, words(
		"Too many requests. Wait a little.",
		"Te veel verzoeken. Wacht even.",
		"Trop de demandes. Patientez un peu.",
		"Zu viele Anfragen. Warten Sie etwas.")},
	{NetworkUnavailable, -32040, "ERR_WEBEID_NATIVE_FATAL", true, words(
		"A service on the network does not answer.",
		"Een dienst op het netwerk antwoordt niet.",
		"Un service du réseau ne répond pas.",
		"Ein Dienst im Netz antwortet nicht.")},
	{ServiceFault, -32041, "ERR_WEBEID_NATIVE_FATAL", false, words(
		"The service refused the request.",
		"De dienst heeft het verzoek geweigerd.",
		"Le service a refusé la demande.",
		"Der Dienst hat die Anfrage abgelehnt.")},
	{CertificateMissing, -32050, "ERR_WEBEID_USER_CANCELLED", false, words(
		"The card has no certificate for this.",
		"De kaart heeft hier geen certificaat voor.",
		"La carte n’a pas de certificat pour cela.",
		"Die Karte hat dafür kein Zertifikat.")},
	{CertificateRevoked, -32051, "ERR_WEBEID_USER_CANCELLED", false, words(
		"The certificate of this card was revoked.",
		"Het certificaat van deze kaart is ingetrokken.",
		"Le certificat de cette carte a été révoqué.",
		"Das Zertifikat dieser Karte wurde widerrufen.")},
	{CertificateExpired, -32052, "ERR_WEBEID_USER_CANCELLED", false, words(
		"The certificate of this card has expired.",
		"Het certificaat van deze kaart is vervallen.",
		"Le certificat de cette carte a expiré.",
		"Das Zertifikat dieser Karte ist abgelaufen.")},
	{InvalidArgument, -32602, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", false, words(
		"The website or program asked for something impossible.",
		"De website of het programma vroeg iets onmogelijks.",
		"Le site ou le programme a demandé quelque chose d’impossible.",
		"Die Website oder das Programm hat etwas Unmögliches verlangt.")},
	{Internal, -32603, "ERR_WEBEID_NATIVE_FATAL", false, words(
		"Something went wrong in eidkit. Its log says more.",
		"Er ging iets mis in eidkit. Het logboek zegt er meer over.",
		"Une erreur s’est produite dans eidkit. Son journal en dit plus.",
		"In eidkit ist etwas schiefgegangen. Das Protokoll sagt mehr.")},
}

func words(en, nl, fr, de string) map[string]string {
	return map[string]string{"en": en, "nl": nl, "fr": fr, "de": de}
}
