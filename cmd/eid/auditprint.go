package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/internal/termview"
)

// auditWords are what `eid audit` prints, in English, Dutch, French and German.
var auditWords = map[string][4]string{
	"intact":      {"Nothing is wrong: %d lines in %d files.", "Alles in orde: %d regels in %d bestanden.", "Rien à signaler : %d lignes dans %d fichiers.", "Alles in Ordnung: %d Zeilen in %d Dateien."},
	"fault":       {"THE LOG WAS TAMPERED WITH", "HET LOGBOEK IS VERVALST", "LE JOURNAL A ÉTÉ FALSIFIÉ", "DAS PROTOKOLL WURDE VERFÄLSCHT"},
	"changed":     {"line %d was changed", "regel %d is gewijzigd", "la ligne %d a été modifiée", "Zeile %d wurde geändert"},
	"removed":     {"line %d was removed", "regel %d is verwijderd", "la ligne %d a été supprimée", "Zeile %d wurde entfernt"},
	"reordered":   {"line %d stands in the wrong place", "regel %d staat op de verkeerde plaats", "la ligne %d n'est pas à sa place", "Zeile %d steht an falscher Stelle"},
	"cut off":     {"the end was cut off from line %d on", "het einde is afgesneden vanaf regel %d", "la fin a été coupée à partir de la ligne %d", "das Ende wurde ab Zeile %d abgeschnitten"},
	"head":        {"the record of the last line is missing or was changed", "de vermelding van de laatste regel ontbreekt of is gewijzigd", "la mention de la dernière ligne manque ou a été modifiée", "der Vermerk der letzten Zeile fehlt oder wurde geändert"},
	"where":       {"%s, line %d of the file", "%s, regel %d van het bestand", "%s, ligne %d du fichier", "%s, Zeile %d der Datei"},
	"unchecked":   {"Without the key nobody can tell whether lines are missing at the end.", "Zonder de sleutel is niet te zien of er op het einde regels ontbreken.", "Sans la clé, on ne peut pas voir si des lignes manquent à la fin.", "Ohne den Schlüssel ist nicht zu erkennen, ob am Ende Zeilen fehlen."},
	"unconfirmed": {"%d lines at the end are being written, or a crash left them.", "%d regels op het einde worden net geschreven of bleven na een crash achter.", "%d lignes à la fin sont en cours d'écriture ou restent d'une panne.", "%d Zeilen am Ende werden gerade geschrieben oder blieben von einem Absturz."},
	"torn":        {"The last line is not whole: it is being written, or a crash tore it.", "De laatste regel is niet volledig: hij wordt net geschreven of een crash brak hem af.", "La dernière ligne est incomplète : elle est en cours d'écriture ou une panne l'a interrompue.", "Die letzte Zeile ist nicht ganz: Sie wird gerade geschrieben oder ein Absturz hat sie abgebrochen."},
	"mended":      {"Mended after a crash: %d times.", "Hersteld na een crash: %d keer.", "Réparé après une panne : %d fois.", "Nach einem Absturz geflickt: %d-mal."},

	"done":      {"done", "uitgevoerd", "fait", "erledigt"},
	"open":      {"no result: it was interrupted, or is still going on", "geen resultaat: onderbroken of nog bezig", "pas de résultat : interrompu ou encore en cours", "kein Ergebnis: unterbrochen oder noch im Gang"},
	"cancelled": {"cancelled", "geannuleerd", "annulé", "abgebrochen"},
	"many":      {"%d fields", "%d velden", "%d champs", "%d Felder"},
	"purpose":   {"purpose", "doel", "finalité", "Zweck"},
	"began":     {"the log begins", "het logboek begint", "le journal commence", "das Protokoll beginnt"},
	"crash":     {"mended after a crash", "hersteld na een crash", "réparé après une panne", "nach einem Absturz geflickt"},

	"policy":  {"by the administrator's policy", "volgens het beleid van de beheerder", "selon la politique de l'administrateur", "nach der Richtlinie des Administrators"},
	"grant":   {"allowed for good", "voorgoed toegestaan", "autorisé durablement", "dauerhaft erlaubt"},
	"consent": {"the user was asked", "aan de gebruiker gevraagd", "demandé à l'utilisateur", "der Benutzer wurde gefragt"},
	"launch":  {"by the user, in eidkit", "door de gebruiker, in eidkit", "par l'utilisateur, dans eidkit", "vom Benutzer, in eidkit"},
	"pairing": {"paired program", "gekoppeld programma", "programme associé", "gekoppeltes Programm"},

	"readers":          {"list of readers", "lijst van kaartlezers", "liste des lecteurs", "Liste der Kartenleser"},
	"identity":         {"identity data", "identiteitsgegevens", "données d'identité", "Identitätsdaten"},
	"insurability":     {"insurability", "verzekerbaarheid", "assurabilité", "Versicherbarkeit"},
	"login":            {"log-in", "aanmelding", "connexion", "Anmeldung"},
	"sign.certificate": {"signing certificate", "handtekeningcertificaat", "certificat de signature", "Signaturzertifikat"},
	"sign.hash":        {"signature on a digest", "handtekening op een hash", "signature sur une empreinte", "Signatur über einen Hash"},
	"sign.document":    {"signature on a document", "handtekening op een document", "signature sur un document", "Signatur über ein Dokument"},
	"verify":           {"verification of a document", "controle van een document", "vérification d'un document", "Prüfung eines Dokuments"},
	"pin.status":       {"PIN tries left", "resterende pincodepogingen", "essais restants du code PIN", "verbleibende PIN-Versuche"},
	"pin.change":       {"change of the PIN", "wijziging van de pincode", "changement du code PIN", "Änderung der PIN"},
	"pair":             {"pairing of a program", "koppeling van een programma", "association d'un programme", "Kopplung eines Programms"},
	"own":              {"eidkit's own pages", "eigen pagina's van eidkit", "pages propres d'eidkit", "eigene Seiten von eidkit"},
}

// auditWord is one of auditWords in the language of the command; what is not there stands for itself.
func (a *app) auditWord(key string) string {
	if row, ok := auditWords[key]; ok {
		return a.inLanguage(row)
	}
	return termview.Clean(key)
}

func (a *app) printAuditReport(r *audit.Report) error {
	var b bytes.Buffer
	line := func(key string, args ...any) { fmt.Fprintf(&b, a.auditWord(key)+"\n", args...) }
	if f := r.Fault; f != nil {
		text := a.auditWord(f.Kind)
		if strings.Contains(text, "%d") {
			text = fmt.Sprintf(text, f.Seq)
		}
		fmt.Fprintf(&b, "%s: %s", a.auditWord("fault"), text)
		if f.File != "" {
			fmt.Fprintf(&b, " ("+a.auditWord("where")+")", f.File, f.Line)
		}
		fmt.Fprintln(&b)
	} else {
		line("intact", r.Lines, r.Files)
	}
	if !r.HeadChecked {
		line("unchecked")
	}
	if r.Unconfirmed > 0 {
		line("unconfirmed", r.Unconfirmed)
	}
	if r.Torn > 0 {
		line("torn")
	}
	if r.Mended > 0 {
		line("mended", r.Mended)
	}
	_, err := a.out.Write(b.Bytes())
	return err
}

// printAudit prints one line for each operation, its result beside it.
func (a *app) printAudit(lines []audit.Line) error {
	results := map[uint64]*audit.Line{}
	intents := map[uint64]bool{}
	for i, l := range lines {
		switch l.Event {
		case audit.EventResult:
			results[l.Intent] = &lines[i]
		case audit.EventIntent:
			intents[l.Seq] = true
		}
	}
	var b bytes.Buffer
	for i := range lines {
		l := &lines[i]
		at := l.Time.Local().Format(time.DateTime)
		switch {
		case l.Event == audit.EventIntent:
			a.auditOperation(&b, at, l, results[l.Seq])
		case l.Event == audit.EventResult && !intents[l.Intent]: // the intent is older than what is shown
			fmt.Fprintf(&b, "%s  %s  %s: %s\n", at, termview.Clean(l.Client), a.auditWord(l.Operation), a.auditResult(l))
		case l.Event == audit.EventBegin:
			fmt.Fprintf(&b, "%s  %s\n", at, a.auditWord("began"))
		case l.Event == audit.EventMended:
			fmt.Fprintf(&b, "%s  %s\n", at, a.auditWord("crash"))
		case l.Event == audit.EventFault:
			fmt.Fprintf(&b, "%s  %s\n", at, a.auditWord("fault"))
		}
	}
	_, err := a.out.Write(b.Bytes())
	return err
}

func (a *app) auditOperation(b *bytes.Buffer, at string, intent, result *audit.Line) {
	fmt.Fprintf(b, "%s  %s  %s", at, termview.Clean(intent.Client), a.auditWord(intent.Operation))
	if len(intent.Fields) > 0 {
		fmt.Fprintf(b, " (%s)", termview.Clean(a.auditFields(intent.Fields)))
	}
	fmt.Fprintf(b, ": %s", a.auditResult(result))
	if intent.By != "" {
		fmt.Fprintf(b, " [%s]", a.auditWord(intent.By))
	}
	fmt.Fprintln(b)
	if intent.Purpose != "" {
		fmt.Fprintf(b, "%*s  %s: %s\n", len(at), "", a.auditWord("purpose"), termview.Clean(intent.Purpose))
	}
}

// auditFields names the fields of an operation. Of many it says how many, and whether address and photo are among them; --json has all.
func (a *app) auditFields(all []string) string {
	const most = 8
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	short := []string{fmt.Sprintf(a.auditWord("many"), len(all))}
	for _, f := range all {
		if f == "address" || f == "photo" {
			short = append(short, f)
		}
	}
	return strings.Join(short, ", ")
}

// auditResult is what came of an operation; nil: nothing that is known.
func (a *app) auditResult(l *audit.Line) string {
	switch {
	case l == nil:
		return a.auditWord("open")
	case l.Result == "done":
		return a.auditWord("done")
	case l.Result == "CANCELLED":
		return a.auditWord("cancelled")
	}
	if f := protocol.FaultOf(protocol.Code(l.Result)); string(f.Code) == l.Result {
		return fmt.Sprintf("%s (%s)", f.Text[a.lang], l.Result)
	}
	return termview.Clean(l.Result)
}
