package content

// Languages are those that Text knows.
var Languages = []string{"en", "nl", "fr", "de"}

// Text says what was found, to the signer, in a language of Languages; in English for others.
func Text(a Active, language string) string {
	words, known := texts[a]
	if !known {
		words = texts[Unchecked]
	}
	for i, l := range Languages {
		if l == language {
			return words[i]
		}
	}
	return words[0]
}

var texts = map[Active][4]string{
	Script: {"contains program code (script)", "bevat programmacode (script)",
		"contient du code de programme (script)", "enthält Programmcode (Skript)"},
	Launch: {"can start programs or open other files", "kan programma’s starten of andere bestanden openen",
		"peut lancer des programmes ou ouvrir d’autres fichiers", "kann Programme starten oder andere Dateien öffnen"},
	Embedded: {"contains further files, which are signed too", "bevat nog andere bestanden, die mee ondertekend worden",
		"contient d’autres fichiers, qui sont signés aussi", "enthält weitere Dateien, die mitunterschrieben werden"},
	Submit: {"can send data or open another page", "kan gegevens versturen of een andere pagina openen",
		"peut envoyer des données ou ouvrir une autre page", "kann Daten senden oder eine andere Seite öffnen"},
	Media: {"contains films, sound or models", "bevat film, geluid of modellen",
		"contient des films, du son ou des modèles", "enthält Filme, Ton oder Modelle"},
	DynamicUI: {"builds its pages itself (XFA form)", "bouwt zijn pagina’s zelf op (XFA-formulier)",
		"construit ses pages lui-même (formulaire XFA)", "baut seine Seiten selbst auf (XFA-Formular)"},
	Layers: {"has layers that can be hidden or shown", "heeft lagen die verborgen of getoond kunnen worden",
		"a des calques qui peuvent être masqués ou affichés", "hat Ebenen, die ein- und ausgeblendet werden können"},
	Frames: {"contains frames or foreign content", "bevat kaders of vreemde inhoud",
		"contient des cadres ou du contenu étranger", "enthält Rahmen oder fremde Inhalte"},
	External: {"shows content from elsewhere, which can change", "toont inhoud van elders, die kan veranderen",
		"affiche du contenu d’ailleurs, qui peut changer", "zeigt Inhalte von anderswo, die sich ändern können"},
	Animation: {"changes while it is looked at", "verandert terwijl het bekeken wordt",
		"change pendant qu’on le regarde", "ändert sich beim Ansehen"},
	Entities: {"uses abbreviations of its own, behind which text can be hidden", "gebruikt eigen afkortingen, waarachter tekst verborgen kan zijn",
		"utilise ses propres abréviations, qui peuvent cacher du texte", "verwendet eigene Abkürzungen, hinter denen Text versteckt sein kann"},
	Stylesheet: {"is shown as a style sheet says, which is not part of the content", "wordt getoond volgens een stijlblad, dat niet tot de inhoud hoort",
		"s’affiche selon une feuille de style, qui ne fait pas partie du contenu", "wird nach einem Stylesheet angezeigt, das nicht zum Inhalt gehört"},
	Macros: {"contains macros", "bevat macro’s", "contient des macros", "enthält Makros"},
	Unchecked: {"could not be checked whole", "kon niet helemaal nagekeken worden",
		"n’a pas pu être contrôlé entièrement", "konnte nicht ganz geprüft werden"},
}
