package pinentry

import (
	"fmt"
	"strings"
)

// Texts are the words of the dialogs in one language.
type Texts struct {
	Title string

	// What is asked, by purpose.
	Verify, Authenticate, Sign, Change, New, Unblock string

	// Before the field in which it is typed.
	PromptPIN, PromptNew, PromptRepeat, PromptPUK string

	OK, Cancel, Again string // labels of buttons

	WrongPIN, WrongPUK   string
	TriesLeft            string // with %d, 2 or more
	LastTry, LastPUK     string
	TryAgain             string
	Blocked              string
	FormatPIN, FormatPUK string // what was typed is none; no try was spent
	Differ               string
	Pinpad, PinpadChange string // what to type on the reader's own keys
	PinpadPUK            string
}

var texts = map[string]Texts{
	"en": {
		Title:        "eID card",
		Verify:       "Enter the PIN of your eID card.",
		Authenticate: "Enter the PIN of your eID card to log in.",
		Sign:         "Enter the PIN of your eID card to sign.\nThis signature binds you like one on paper.",
		Change:       "Enter the present PIN of your eID card, to change it.",
		New:          "Choose the new PIN of your eID card: 4 to 12 digits.",
		Unblock:      "Enter the unblocking code (PUK) of your eID card: 12 digits.",
		PromptPIN:    "PIN:",
		PromptNew:    "New PIN:",
		PromptRepeat: "New PIN again:",
		PromptPUK:    "PUK:",
		OK:           "OK",
		Cancel:       "Cancel",
		Again:        "Try again",
		WrongPIN:     "Wrong PIN.",
		WrongPUK:     "Wrong unblocking code.",
		TriesLeft:    "%d tries left.",
		LastTry:      "Last try: a wrong PIN will block the card.",
		LastPUK:      "Last try: a wrong code will make unblocking impossible.",
		TryAgain:     "Try again?",
		Blocked:      "The PIN is blocked.",
		FormatPIN:    "A PIN has 4 to 12 digits and nothing else. No try was used.",
		FormatPUK:    "The unblocking code has 12 digits and nothing else. No try was used.",
		Differ:       "The two entries of the new PIN differ.",
		Pinpad:       "Enter the PIN on the keypad of the card reader.",
		PinpadChange: "On the keypad of the card reader, enter the present PIN, then the new PIN twice.",
		PinpadPUK:    "Enter the unblocking code (PUK) on the keypad of the card reader.",
	},
	"nl": {
		Title:        "eID-kaart",
		Verify:       "Voer de pincode van uw eID-kaart in.",
		Authenticate: "Voer de pincode van uw eID-kaart in om u aan te melden.",
		Sign:         "Voer de pincode van uw eID-kaart in om te ondertekenen.\nDeze handtekening bindt u zoals een op papier.",
		Change:       "Voer de huidige pincode van uw eID-kaart in om ze te wijzigen.",
		New:          "Kies de nieuwe pincode van uw eID-kaart: 4 tot 12 cijfers.",
		Unblock:      "Voer de deblokkeercode (puk) van uw eID-kaart in: 12 cijfers.",
		PromptPIN:    "Pincode:",
		PromptNew:    "Nieuwe pincode:",
		PromptRepeat: "Nogmaals de nieuwe pincode:",
		PromptPUK:    "Pukcode:",
		OK:           "OK",
		Cancel:       "Annuleren",
		Again:        "Opnieuw proberen",
		WrongPIN:     "Verkeerde pincode.",
		WrongPUK:     "Verkeerde deblokkeercode.",
		TriesLeft:    "Nog %d pogingen.",
		LastTry:      "Laatste poging: een verkeerde pincode blokkeert de kaart.",
		LastPUK:      "Laatste poging: na een verkeerde code is deblokkeren niet meer mogelijk.",
		TryAgain:     "Opnieuw proberen?",
		Blocked:      "De pincode is geblokkeerd.",
		FormatPIN:    "Een pincode bestaat uit 4 tot 12 cijfers en niets anders. Er is geen poging verbruikt.",
		FormatPUK:    "De deblokkeercode bestaat uit 12 cijfers en niets anders. Er is geen poging verbruikt.",
		Differ:       "De nieuwe pincode is niet tweemaal dezelfde.",
		Pinpad:       "Voer de pincode in op de toetsen van de kaartlezer.",
		PinpadChange: "Voer op de toetsen van de kaartlezer de huidige pincode in, daarna tweemaal de nieuwe.",
		PinpadPUK:    "Voer de deblokkeercode (puk) in op de toetsen van de kaartlezer.",
	},
	"fr": {
		Title:        "Carte eID",
		Verify:       "Saisissez le code PIN de votre carte eID.",
		Authenticate: "Saisissez le code PIN de votre carte eID pour vous connecter.",
		Sign:         "Saisissez le code PIN de votre carte eID pour signer.\nCette signature vous engage comme une signature sur papier.",
		Change:       "Saisissez le code PIN actuel de votre carte eID pour le modifier.",
		New:          "Choisissez le nouveau code PIN de votre carte eID : 4 à 12 chiffres.",
		Unblock:      "Saisissez le code de déblocage (PUK) de votre carte eID : 12 chiffres.",
		PromptPIN:    "Code PIN :",
		PromptNew:    "Nouveau code PIN :",
		PromptRepeat: "Nouveau code PIN, encore une fois :",
		PromptPUK:    "Code PUK :",
		OK:           "OK",
		Cancel:       "Annuler",
		Again:        "Réessayer",
		WrongPIN:     "Code PIN erroné.",
		WrongPUK:     "Code de déblocage erroné.",
		TriesLeft:    "Il reste %d essais.",
		LastTry:      "Dernier essai : un code PIN erroné bloquera la carte.",
		LastPUK:      "Dernier essai : après un code erroné, le déblocage ne sera plus possible.",
		TryAgain:     "Réessayer ?",
		Blocked:      "Le code PIN est bloqué.",
		FormatPIN:    "Un code PIN comporte 4 à 12 chiffres et rien d'autre. Aucun essai n'a été utilisé.",
		FormatPUK:    "Le code de déblocage comporte 12 chiffres et rien d'autre. Aucun essai n'a été utilisé.",
		Differ:       "Les deux saisies du nouveau code PIN diffèrent.",
		Pinpad:       "Saisissez le code PIN sur le clavier du lecteur de carte.",
		PinpadChange: "Sur le clavier du lecteur de carte, saisissez le code PIN actuel, puis deux fois le nouveau.",
		PinpadPUK:    "Saisissez le code de déblocage (PUK) sur le clavier du lecteur de carte.",
	},
	"de": {
		Title:        "eID-Karte",
		Verify:       "Geben Sie die PIN Ihrer eID-Karte ein.",
		Authenticate: "Geben Sie die PIN Ihrer eID-Karte ein, um sich anzumelden.",
		Sign:         "Geben Sie die PIN Ihrer eID-Karte ein, um zu unterschreiben.\nDiese Unterschrift bindet Sie wie eine auf Papier.",
		Change:       "Geben Sie die jetzige PIN Ihrer eID-Karte ein, um sie zu ändern.",
		New:          "Wählen Sie die neue PIN Ihrer eID-Karte: 4 bis 12 Ziffern.",
		Unblock:      "Geben Sie den Entsperrcode (PUK) Ihrer eID-Karte ein: 12 Ziffern.",
		PromptPIN:    "PIN:",
		PromptNew:    "Neue PIN:",
		PromptRepeat: "Neue PIN noch einmal:",
		PromptPUK:    "PUK:",
		OK:           "OK",
		Cancel:       "Abbrechen",
		Again:        "Noch einmal",
		WrongPIN:     "Falsche PIN.",
		WrongPUK:     "Falscher Entsperrcode.",
		TriesLeft:    "Noch %d Versuche.",
		LastTry:      "Letzter Versuch: Eine falsche PIN sperrt die Karte.",
		LastPUK:      "Letzter Versuch: Nach einem falschen Code ist kein Entsperren mehr möglich.",
		TryAgain:     "Noch einmal versuchen?",
		Blocked:      "Die PIN ist gesperrt.",
		FormatPIN:    "Eine PIN hat 4 bis 12 Ziffern und sonst nichts. Es wurde kein Versuch verbraucht.",
		FormatPUK:    "Der Entsperrcode hat 12 Ziffern und sonst nichts. Es wurde kein Versuch verbraucht.",
		Differ:       "Die beiden Eingaben der neuen PIN sind verschieden.",
		Pinpad:       "Geben Sie die PIN auf der Tastatur des Kartenlesers ein.",
		PinpadChange: "Geben Sie auf der Tastatur des Kartenlesers die jetzige PIN ein, dann zweimal die neue.",
		PinpadPUK:    "Geben Sie den Entsperrcode (PUK) auf der Tastatur des Kartenlesers ein.",
	},
}

// TextsIn returns the texts in a language ("nl") or for a locale ("nl_BE.UTF-8", "nl-BE"); English for those there are none in.
func TextsIn(language string) Texts {
	if len(language) > 2 && strings.ContainsRune("_-.@", rune(language[2])) {
		language = language[:2]
	}
	if t, ok := texts[strings.ToLower(language)]; ok {
		return t
	}
	return texts["en"]
}

// Tries is the line on n tries left; empty if n is not known (0 or less).
func (t Texts) Tries(n int) string {
	switch {
	case n <= 0:
		return ""
	case n == 1:
		return t.LastTry
	}
	return fmt.Sprintf(t.TriesLeft, n)
}

// OnPinpad is what the user is told to do on the reader's own keys.
func (t Texts) OnPinpad(p Purpose) string {
	switch p {
	case Change, NewPIN:
		return t.PinpadChange
	case Unblock:
		return t.PinpadPUK
	}
	return t.Pinpad
}

// ask is the line that says what is asked, and what stands before the field.
func (t Texts) ask(p Purpose) (text, prompt string) {
	switch p {
	case Authenticate:
		return t.Authenticate, t.PromptPIN
	case Sign:
		return t.Sign, t.PromptPIN
	case Change:
		return t.Change, t.PromptPIN
	case NewPIN:
		return t.New, t.PromptNew
	case Unblock:
		return t.Unblock, t.PromptPUK
	}
	return t.Verify, t.PromptPIN
}

func (t Texts) wrong(p Purpose) string {
	if p == Unblock {
		return t.WrongPUK
	}
	return t.WrongPIN
}

func (t Texts) format(p Purpose) string {
	if p == Unblock {
		return t.FormatPUK
	}
	return t.FormatPIN
}

// form is the dialog for r. The tries left stand in the text, which stays when the problem is another one.
func (t Texts) form(r Request) form {
	text, prompt := t.ask(r.Purpose)
	if r.From != "" {
		text = r.From + "\n" + text
	}
	f := form{title: t.Title, prompt: prompt, ok: t.OK, cancel: t.Cancel}
	switch {
	case r.Purpose == NewPIN:
		f.repeat, f.differ = t.PromptRepeat, t.Differ
	case r.TriesLeft == 1 && r.Purpose == Unblock:
		text += "\n" + t.LastPUK
	case r.TriesLeft == 1 || r.TriesLeft > 1 && r.Wrong:
		text += "\n" + t.Tries(r.TriesLeft)
	}
	if r.Wrong {
		f.problem = t.wrong(r.Purpose)
	}
	f.text = withOutside(text, r.About)
	return f
}
