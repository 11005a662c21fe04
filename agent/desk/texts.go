package desk

import (
	"slices"
	"strings"
)

// languages are those that people read.
var languages = []string{"en", "nl", "fr", "de"}

// shortLanguage is the language of a locale, if there are texts in it, else English.
func shortLanguage(locale string) string {
	for _, l := range languages {
		if len(locale) >= 2 && strings.EqualFold(locale[:2], l) && (len(locale) == 2 || strings.ContainsRune("_-.@", rune(locale[2]))) {
			return l
		}
	}
	return "en"
}

// say is a text of the table in a language.
func say(key, language string) string { return inLanguage(table[key], language) }

func inLanguage(row [4]string, language string) string {
	return row[slices.Index(languages, shortLanguage(language))]
}

// table has the words of the dialogs, in the order of languages. Those of "op." follow the name of who wants it.
var table = map[string][4]string{
	"op.readers": {"wants to know which card readers there are and when a card comes or goes.",
		"wil weten welke kaartlezers er zijn en wanneer een kaart komt of gaat.",
		"souhaite savoir quels lecteurs de cartes sont présents et quand une carte est insérée ou retirée.",
		"möchte wissen, welche Kartenleser da sind und wann eine Karte kommt oder geht."},
	"op.identity": {"wants to read data from the identity card.",
		"wil gegevens van de identiteitskaart lezen.",
		"souhaite lire des données de la carte d’identité.",
		"möchte Daten vom Personalausweis lesen."},
	"op.insurability": {"wants to know whether the holder of the card is insured, and asks the health insurance funds. It also gets name, national number and date of birth.",
		"wil weten of de houder van de kaart verzekerd is, en vraagt dat aan de ziekenfondsen. Ook naam, rijksregisternummer en geboortedatum worden meegedeeld.",
		"souhaite savoir si le titulaire est assuré, interroge les mutualités et reçoit nom, numéro national et date de naissance.",
		"möchte wissen, ob der Inhaber der Karte versichert ist, und fragt die Krankenkassen. Auch Name, Nationalregisternummer und Geburtsdatum werden mitgeteilt."},
	"op.login": {"wants to log you in with your identity card. It gets your name and national number.",
		"wil u aanmelden met uw identiteitskaart. Uw naam en rijksregisternummer worden meegedeeld.",
		"souhaite vous connecter avec votre carte d’identité. Votre nom et votre numéro national sont communiqués.",
		"möchte Sie mit Ihrem Personalausweis anmelden. Ihr Name und Ihre Nationalregisternummer werden mitgeteilt."},
	"op.sign.certificate": {"wants to read your signing certificate: your name and national number are in it.",
		"wil uw handtekeningcertificaat lezen: uw naam en rijksregisternummer staan erin.",
		"souhaite lire votre certificat de signature, qui contient votre nom et votre numéro national.",
		"möchte Ihr Unterschriftszertifikat lesen: Ihr Name und Ihre Nationalregisternummer stehen darin."},
	"op.sign.hash": {"wants you to sign something.",
		"wil dat u iets ondertekent.",
		"souhaite que vous signiez quelque chose.",
		"möchte, dass Sie etwas unterschreiben."},
	"op.sign.document": {"wants you to sign a document.",
		"wil dat u een document ondertekent.",
		"souhaite que vous signiez un document.",
		"möchte, dass Sie ein Dokument unterschreiben."},
	"op.sign.placed": {"has you sign this document. Your signature will stand in it as shown here: look where, then allow it once more.",
		"laat u dit document ondertekenen. Uw handtekening komt erin te staan zoals hier getoond: kijk waar, en sta het dan nog eenmaal toe.",
		"vous fait signer ce document. Votre signature y figurera comme montré ici : regardez où, puis autorisez-le une seconde fois.",
		"lässt Sie dieses Dokument unterschreiben. Ihre Unterschrift wird so darin stehen, wie hier gezeigt: Sehen Sie nach, wo, und erlauben Sie es dann noch einmal."},
	"op.verify": {"wants to have signatures checked on this computer.",
		"wil handtekeningen op deze computer laten controleren.",
		"souhaite faire vérifier des signatures sur cet ordinateur.",
		"möchte Unterschriften auf diesem Computer prüfen lassen."},
	"op.pin.status": {"wants to know how many PIN tries your card has left.",
		"wil weten hoeveel pogingen er voor de pincode van uw kaart overblijven.",
		"souhaite savoir combien d’essais du code PIN il reste à votre carte.",
		"möchte wissen, wie viele PIN-Versuche Ihre Karte noch hat."},
	"op.pin.change": {"wants you to change the PIN of your card.",
		"wil dat u de pincode van uw kaart wijzigt.",
		"souhaite que vous changiez le code PIN de votre carte.",
		"möchte, dass Sie die PIN Ihrer Karte ändern."},
	"op.pair": {"wants lasting access to the card reader on this computer.",
		"wil blijvend toegang tot de kaartlezer op deze computer.",
		"souhaite un accès permanent au lecteur de cartes de cet ordinateur.",
		"möchte dauerhaft Zugriff auf den Kartenleser dieses Computers."},
	"op.own": {"shows your own log and grants.",
		"toont uw eigen logboek en toestemmingen.",
		"affiche votre propre journal et vos autorisations.",
		"zeigt Ihr eigenes Protokoll und Ihre Erlaubnisse."},
	"op.other": {"wants:", "wil:", "souhaite :", "möchte:"},

	"extension":      {"(as the Web eID browser extension says)", "(volgens de browserextensie Web eID)", "(selon l’extension de navigateur Web eID)", "(laut der Browser-Erweiterung Web eID)"},
	"ownPage":        {"eidkit, on this computer", "eidkit, op deze computer", "eidkit, sur cet ordinateur", "eidkit, auf diesem Computer"},
	"unknownProgram": {"A program that could not be identified", "Een programma dat niet herkend kon worden", "Un programme qui n’a pas pu être identifié", "Ein Programm, das nicht erkannt werden konnte"},
	"siteSays":       {"The site says:", "De website zegt:", "Le site dit :", "Die Website sagt:"},
	"programSays":    {"The program says:", "Het programma zegt:", "Le programme dit :", "Das Programm sagt:"},
	"program":        {"Program:", "Programma:", "Programme :", "Programm:"},
	"reader":         {"Reader:", "Lezer:", "Lecteur :", "Leser:"},
	"card":           {"Card:", "Kaart:", "Carte :", "Karte:"},
	"fields":         {"Data asked for:", "Gevraagde gegevens:", "Données demandées :", "Verlangte Daten:"},
	"document":       {"The document", "Het document", "Le document", "Das Dokument"},
	"bytes":          {"bytes", "bytes", "octets", "Byte"},
	"more":           {"and %d more", "en nog %d", "et encore %d", "und %d weitere"},
	"hashOnly": {"Only a checksum was handed over: the content that you would sign cannot be shown.",
		"Er is alleen een controlegetal doorgegeven: de inhoud die u zou ondertekenen kan niet getoond worden.",
		"Seule une empreinte a été transmise : le contenu que vous signeriez ne peut pas être affiché.",
		"Es wurde nur eine Prüfsumme übergeben: Der Inhalt, den Sie unterschreiben würden, kann nicht gezeigt werden."},

	"pair.readers":      {"readers, and when a card comes or goes", "lezers, en wanneer een kaart komt of gaat", "lecteurs, et insertion ou retrait d’une carte", "Leser, und wann eine Karte kommt oder geht"},
	"pair.identity":     {"all data of identity cards but the photo", "alle gegevens van identiteitskaarten behalve de foto", "toutes les données des cartes d’identité sauf la photo", "alle Daten von Personalausweisen außer dem Foto"},
	"pair.insurability": {"insurance of the holders of cards", "verzekering van de houders van kaarten", "assurance des titulaires de cartes", "Versicherung der Inhaber von Karten"},

	"signs.reason":   {"Signed with it, reason:", "Mee ondertekend, reden:", "Signé avec, motif :", "Mitunterschrieben, Grund:"},
	"signs.location": {"Signed with it, place:", "Mee ondertekend, plaats:", "Signé avec, lieu :", "Mitunterschrieben, Ort:"},
	"signs.contact":  {"Signed with it, contact:", "Mee ondertekend, contact:", "Signé avec, contact :", "Mitunterschrieben, Kontakt:"},
	"signs.role":     {"Signed with it, your role:", "Mee ondertekend, uw hoedanigheid:", "Signé avec, votre qualité :", "Mitunterschrieben, Ihre Funktion:"},
	"signs.certify.1": {"The signature certifies the document: afterwards nothing in it may be changed.",
		"De handtekening certificeert het document: daarna mag er niets meer aan gewijzigd worden.",
		"La signature certifie le document : ensuite, plus rien ne pourra y être modifié.",
		"Die Unterschrift zertifiziert das Dokument: Danach darf nichts mehr daran geändert werden."},
	"signs.certify.2": {"The signature certifies the document: afterwards forms may be filled in and signatures added, nothing else.",
		"De handtekening certificeert het document: daarna mogen alleen nog formulieren ingevuld en handtekeningen toegevoegd worden.",
		"La signature certifie le document : ensuite, seuls le remplissage de formulaires et l’ajout de signatures seront permis.",
		"Die Unterschrift zertifiziert das Dokument: Danach dürfen nur noch Formulare ausgefüllt und Unterschriften hinzugefügt werden."},
	"signs.certify.3": {"The signature certifies the document: afterwards forms may be filled in, comments and signatures added, nothing else.",
		"De handtekening certificeert het document: daarna mogen alleen nog formulieren ingevuld en opmerkingen en handtekeningen toegevoegd worden.",
		"La signature certifie le document : ensuite, seuls le remplissage de formulaires et l’ajout de commentaires et de signatures seront permis.",
		"Die Unterschrift zertifiziert das Dokument: Danach dürfen nur noch Formulare ausgefüllt und Anmerkungen und Unterschriften hinzugefügt werden."},
	"signs.other": {"Signed with it:", "Mee ondertekend:", "Signé avec :", "Mitunterschrieben:"},

	"deny":      {"Deny", "Weigeren", "Refuser", "Ablehnen"},
	"allow":     {"Allow", "Toestaan", "Autoriser", "Erlauben"},
	"allowOnce": {"Allow once", "Eenmaal toestaan", "Autoriser une fois", "Einmal erlauben"},
	"always":    {"Always allow", "Altijd toestaan", "Toujours autoriser", "Immer erlauben"},
	"further": {"Allow this from now on without asking? You can withdraw it on the log page.",
		"Dit voortaan toestaan zonder het te vragen? U kunt het intrekken op de pagina met het logboek.",
		"L’autoriser dorénavant sans demander ? Vous pouvez retirer cette autorisation sur la page du journal.",
		"Das künftig ohne Nachfrage erlauben? Sie können es auf der Protokollseite zurücknehmen."},
	"which": {"Which card do you want to use?", "Welke kaart wilt u gebruiken?", "Quelle carte voulez-vous utiliser ?", "Welche Karte möchten Sie benutzen?"},
	"take":  {"This card", "Deze kaart", "Cette carte", "Diese Karte"},
	"next":  {"Next card", "Volgende kaart", "Carte suivante", "Nächste Karte"},
}
