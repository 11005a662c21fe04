package validation

import (
	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
)

// formatRows are the findings of format checking (EN 319 102-1 section 5.2.2),
// the readers' own.
var formatRows = map[ades.Code]Row{
	ades.BadStructure: {FormatChecking, policy.Fail, true, failed(FormatFailure), [4]string{
		"The signature is not built as its format requires.",
		"De handtekening is niet opgebouwd zoals haar formaat vereist.",
		"La signature n'est pas construite comme son format l'exige.",
		"Die Signatur ist nicht so aufgebaut, wie ihr Format es verlangt.",
	}},
	ades.BadByteRange: {FormatChecking, policy.Fail, true, failed(FormatFailure), [4]string{
		"The byte range that the signature claims to cover in the PDF is not valid.",
		"Het bytebereik dat de handtekening in de PDF zegt te dekken is niet geldig.",
		"La plage d'octets que la signature prétend couvrir dans le PDF n'est pas valide.",
		"Der Bytebereich, den die Signatur im PDF abzudecken angibt, ist nicht gültig.",
	}},
	ades.BadContainer: {FormatChecking, policy.Fail, true, failed(FormatFailure), [4]string{
		"The container breaks its rules, so that it is not clear what is signed.",
		"De container volgt zijn regels niet, zodat niet duidelijk is wat ondertekend is.",
		"Le conteneur enfreint ses règles, de sorte que ce qui est signé n'est pas clair.",
		"Der Container verletzt seine Regeln, sodass unklar ist, was signiert ist.",
	}},
	ades.NoSignedFile: {FormatChecking, policy.Fail, true, failed(FormatFailure), [4]string{
		"The container holds no file that the signature could be for.",
		"De container bevat geen bestand waarvoor de handtekening kan gelden.",
		"Le conteneur ne contient aucun fichier auquel la signature puisse s'appliquer.",
		"Der Container enthält keine Datei, für die die Signatur gelten könnte.",
	}},
	ades.DuplicateID: {FormatChecking, policy.Fail, true, failed(FormatFailure), [4]string{
		"An identifier occurs more than once in the XML, so that it is not clear what is signed.",
		"Een kenmerk komt meer dan eens voor in de XML, zodat niet duidelijk is wat ondertekend is.",
		"Un identifiant figure plus d'une fois dans le XML, de sorte que ce qui est signé n'est pas clair.",
		"Eine Kennung kommt im XML mehrfach vor, sodass unklar ist, was signiert ist.",
	}},
	ades.AmbiguousContent: {FormatChecking, policy.Fail, true, failed(FormatFailure), [4]string{
		"It cannot be told without doubt what the signature covers.",
		"Er kan niet met zekerheid gezegd worden wat de handtekening dekt.",
		"On ne peut pas dire avec certitude ce que couvre la signature.",
		"Es lässt sich nicht zweifelsfrei sagen, was die Signatur abdeckt.",
	}},
	ades.MultipleSignerDoc: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"The signature in the PDF has more than one signer, which is not allowed.",
		"De handtekening in de PDF heeft meer dan één ondertekenaar, wat niet mag.",
		"La signature dans le PDF a plus d'un signataire, ce qui n'est pas permis.",
		"Die Signatur im PDF hat mehr als einen Unterzeichner, was nicht erlaubt ist.",
	}},
	ades.UnsupportedPart: {FormatChecking, policy.Fail, true, indeterminate(SignedDataNotFound), [4]string{
		"The signature uses something that is not supported or refused for safety, so that it cannot be checked.",
		"De handtekening gebruikt iets dat niet ondersteund of om veiligheidsredenen geweigerd wordt, zodat ze niet gecontroleerd kan worden.",
		"La signature utilise un élément non pris en charge ou refusé par sécurité, de sorte qu'elle ne peut pas être vérifiée.",
		"Die Signatur verwendet etwas, das nicht unterstützt oder aus Sicherheitsgründen abgelehnt wird, und kann deshalb nicht geprüft werden.",
	}},
	ades.ManifestBroken: {FormatChecking, policy.Fail, true, failed(FormatFailure), [4]string{
		"The list of the signed files cannot be read.",
		"De lijst van de ondertekende bestanden kan niet gelezen worden.",
		"La liste des fichiers signés ne peut pas être lue.",
		"Die Liste der signierten Dateien kann nicht gelesen werden.",
	}},
	ades.ModifiedAfterwards: {FormatChecking, policy.Fail, false, failed(FormatFailure), [4]string{
		"The document was changed after this signature in a way that is not allowed.",
		"Het document werd na deze handtekening gewijzigd op een manier die niet toegelaten is.",
		"Le document a été modifié après cette signature d'une manière non autorisée.",
		"Das Dokument wurde nach dieser Signatur auf unzulässige Weise geändert.",
	}},
	ades.NotWholeRevision: {FormatChecking, policy.Fail, false, failed(FormatFailure), [4]string{
		"The signature leaves out a part of the document as it was when signed.",
		"De handtekening laat een deel weg van het document zoals het bij de ondertekening was.",
		"La signature laisse de côté une partie du document tel qu'il était lors de la signature.",
		"Die Signatur lässt einen Teil des Dokuments aus, wie es bei der Unterzeichnung war.",
	}},
	ades.OtherContent: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"Content was given, but the signature holds and covers another.",
		"Er werd inhoud meegegeven, maar de handtekening bevat en dekt een andere.",
		"Un contenu a été fourni, mais la signature en contient et en couvre un autre.",
		"Es wurde ein Inhalt angegeben, aber die Signatur enthält einen anderen und deckt diesen ab.",
	}},
	ades.HashIndexMismatch: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"The list of what the archive time stamp covers is missing, broken, or names what is not there.",
		"De lijst van wat de archieftijdstempel dekt ontbreekt, is beschadigd of noemt wat er niet is.",
		"La liste de ce que couvre l'horodatage d'archivage est absente, endommagée ou désigne ce qui n'est pas là.",
		"Die Liste dessen, was der Archivzeitstempel abdeckt, fehlt, ist beschädigt oder nennt, was nicht da ist.",
	}},
	ades.ContainerOddity: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"The container is not built quite as the standard says.",
		"De container is niet helemaal opgebouwd zoals de norm zegt.",
		"Le conteneur n'est pas construit tout à fait comme le dit la norme.",
		"Der Container ist nicht ganz so aufgebaut, wie die Norm es sagt.",
	}},
	ades.FileNotSigned: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"The container holds a file that this signature does not cover.",
		"De container bevat een bestand dat deze handtekening niet dekt.",
		"Le conteneur contient un fichier que cette signature ne couvre pas.",
		"Der Container enthält eine Datei, die diese Signatur nicht abdeckt.",
	}},
	ades.DataInSignature: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"A signature element in the document, which this signature does not cover, hides data that nobody signed.",
		"Een handtekeningelement in het document, dat deze handtekening niet dekt, verbergt gegevens die niemand ondertekend heeft.",
		"Un élément de signature du document, que cette signature ne couvre pas, cache des données que personne n'a signées.",
		"Ein Signaturelement im Dokument, das diese Signatur nicht abdeckt, verbirgt Daten, die niemand signiert hat.",
	}},
	ades.EncodingOddity: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"The signature is not encoded quite as the standard says.",
		"De handtekening is niet helemaal gecodeerd zoals de norm zegt.",
		"La signature n'est pas codée tout à fait comme le dit la norme.",
		"Die Signatur ist nicht ganz so kodiert, wie die Norm es sagt.",
	}},
	ades.OddCertificate: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"A certificate that came with the signature departs from the standard.",
		"Een certificaat dat met de handtekening meekwam wijkt af van de norm.",
		"Un certificat joint à la signature s'écarte de la norme.",
		"Ein mitgeliefertes Zertifikat weicht von der Norm ab.",
	}},
	ades.BadCertificate: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"A certificate that came with the signature cannot be read.",
		"Een certificaat dat met de handtekening meekwam kan niet gelezen worden.",
		"Un certificat joint à la signature ne peut pas être lu.",
		"Ein mitgeliefertes Zertifikat kann nicht gelesen werden.",
	}},
	ades.BadRevocation: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"Revocation information that came with the signature cannot be read.",
		"Intrekkingsinformatie die met de handtekening meekwam kan niet gelezen worden.",
		"Une information de révocation jointe à la signature ne peut pas être lue.",
		"Mitgelieferte Sperrinformationen können nicht gelesen werden.",
	}},
	ades.BadTimestamp: {FormatChecking, policy.Warn, false, failed(FormatFailure), [4]string{
		"A time stamp that came with the signature cannot be read.",
		"Een tijdstempel die met de handtekening meekwam kan niet gelezen worden.",
		"Un horodatage joint à la signature ne peut pas être lu.",
		"Ein mitgelieferter Zeitstempel kann nicht gelesen werden.",
	}},
}
