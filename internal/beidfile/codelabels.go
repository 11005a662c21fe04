package beidfile

// Label is the document's name for people in en, nl, fr or de (any other language gets English). A code not known here gives
// "Document type" in that language and the code.
func (t DocumentType) Label(lang string) string {
	names, ok := documentLabels[t.canonical()]
	if !ok {
		return Label("documentType", lang) + " " + string(t)
	}
	return names.in(lang)
}

// Label is the status's name for people in en, nl, fr or de (any other language gets English); the code itself when it is not known.
func (s SpecialStatus) Label(lang string) string {
	names, ok := statusLabels[s.canonical()]
	if !ok {
		return string(s)
	}
	return names.in(lang)
}

// Label is the letter printed on cards in en, nl, fr or de (any other language gets English); empty when unknown.
func (s Sex) Label(lang string) string { return sexLabels[s].in(lang) }

// CodeLabel says for people, in en, nl, fr or de (any other language gets English), what a code means in the field workPermit,
// brexitMention1, brexitMention2, cardAMention1, cardAMention2 or specialOrganisation; the code itself when it is not known.
func CodeLabel(field, code, lang string) string {
	names, ok := codeLabels[field][code]
	if !ok {
		return code
	}
	return names.in(lang)
}

var sexLabels = map[Sex]texts{Male: {"M", "M", "M", "M"}, Female: {"F", "V", "F", "W"}}

var documentLabels = map[DocumentType]texts{
	"1": {"Belgian identity card", "Belgische identiteitskaart", "Carte d'identité belge", "Belgischer Personalausweis"},
	"2": {"EU citizen card (2004 draft)", "Kaart EU-burger (ontwerp 2004)", "Carte citoyen UE (projet 2004)", "Karte EU-Bürger (Entwurf 2004)"},
	"3": {"Non-EU citizen card (2004 draft)", "Kaart niet-EU-burger (ontwerp 2004)", "Carte citoyen hors UE (projet 2004)", "Karte Nicht-EU-Bürger (Entwurf 2004)"},
	"6": {"Identity card for children under 12", "Identiteitsdocument voor kinderen onder de 12 jaar", "Document d'identité pour enfants de moins de 12 ans", "Ausweis für Kinder unter 12 Jahren"},
	"7": {"Bootstrap card", "Bootstrapkaart", "Carte bootstrap", "Bootstrap-Karte"},
	"8": {"Habilitation card", "Machtigingskaart", "Carte d'habilitation", "Ermächtigungskarte"},

	"11": {"A: limited stay", "A: beperkt verblijf", "A : séjour limité", "A: befristeter Aufenthalt"},
	"12": {"B: unlimited stay", "B: onbeperkt verblijf", "B : séjour illimité", "B: unbefristeter Aufenthalt"},
	"13": {"C: identity card for foreigners", "C: identiteitskaart voor vreemdelingen", "C : carte d'identité d'étranger", "C: Personalausweis für Ausländer"},
	"14": {"D: long-term resident, EU", "D: langdurig ingezetene, EU", "D : résident de longue durée, UE", "D: langfristig Aufenthaltsberechtigter, EU"},
	"15": {"E: registration of an EU citizen", "E: inschrijving van een EU-burger", "E : enregistrement d'un citoyen UE", "E: Anmeldung eines EU-Bürgers"},
	"16": {"E+: permanent stay of an EU citizen", "E+: duurzaam verblijf van een EU-burger", "E+ : séjour permanent d'un citoyen UE", "E+: Daueraufenthalt eines EU-Bürgers"},
	"17": {"F: family member of an EU citizen", "F: familielid van een EU-burger", "F : membre de la famille d'un citoyen UE", "F: Familienangehöriger eines EU-Bürgers"},
	"18": {"F+: permanent stay of a family member", "F+: duurzaam verblijf van een familielid", "F+ : séjour permanent d'un membre de la famille", "F+: Daueraufenthalt eines Familienangehörigen"},
	"19": {"H: European blue card", "H: Europese blauwe kaart", "H : carte bleue européenne", "H: Blaue Karte EU"},
	"20": {"I: intra-corporate transferee (ICT)", "I: binnen een onderneming overgeplaatste persoon (ICT)", "I : personne en détachement intragroupe (ICT)", "I: unternehmensintern transferierter Arbeitnehmer (ICT)"},
	"21": {"J: mobile ICT", "J: mobiele ICT", "J : ICT mobile", "J: mobiler ICT"},
	"22": {"M: withdrawal agreement (Brexit)", "M: terugtrekkingsakkoord (brexit)", "M : accord de retrait (Brexit)", "M: Austrittsabkommen (Brexit)"},
	"23": {"N: frontier worker (Brexit)", "N: grensarbeider (brexit)", "N : travailleur frontalier (Brexit)", "N: Grenzgänger (Brexit)"},
	"27": {"K: establishment", "K: vestiging", "K : établissement", "K: Niederlassung"},
	"28": {"L: long-term resident, EU", "L: langdurig ingezetene, EU", "L : résident de longue durée, UE", "L: langfristig Aufenthaltsberechtigter, EU"},

	"31": {"EU: registration of an EU citizen", "EU: inschrijving van een EU-burger", "EU : enregistrement d'un citoyen UE", "EU: Anmeldung eines EU-Bürgers"},
	"32": {"EU+: permanent stay of an EU citizen", "EU+: duurzaam verblijf van een EU-burger", "EU+ : séjour permanent d'un citoyen UE", "EU+: Daueraufenthalt eines EU-Bürgers"},
	"33": {"A: limited stay (uniform EU model)", "A: beperkt verblijf (uniform EU-model)", "A : séjour limité (modèle uniforme UE)", "A: befristeter Aufenthalt (einheitliches EU-Muster)"},
	"34": {"B: unlimited stay (uniform EU model)", "B: onbeperkt verblijf (uniform EU-model)", "B : séjour illimité (modèle uniforme UE)", "B: unbefristeter Aufenthalt (einheitliches EU-Muster)"},
	"35": {"F: family member of an EU citizen (uniform EU model)", "F: familielid van een EU-burger (uniform EU-model)", "F : membre de la famille d'un citoyen UE (modèle uniforme UE)", "F: Familienangehöriger eines EU-Bürgers (einheitliches EU-Muster)"},
	"36": {"F+: permanent stay of a family member (uniform EU model)", "F+: duurzaam verblijf van een familielid (uniform EU-model)", "F+ : séjour permanent d'un membre de la famille (modèle uniforme UE)", "F+: Daueraufenthalt eines Familienangehörigen (einheitliches EU-Muster)"},

	"61": {"Child, EU: registration", "Kind, EU: inschrijving", "Enfant, EU : enregistrement", "Kind, EU: Anmeldung"},
	"62": {"Child, EU+: permanent stay", "Kind, EU+: duurzaam verblijf", "Enfant, EU+ : séjour permanent", "Kind, EU+: Daueraufenthalt"},
	"63": {"Child, A: limited stay", "Kind, A: beperkt verblijf", "Enfant, A : séjour limité", "Kind, A: befristeter Aufenthalt"},
	"64": {"Child, B: unlimited stay", "Kind, B: onbeperkt verblijf", "Enfant, B : séjour illimité", "Kind, B: unbefristeter Aufenthalt"},
	"65": {"Child, K: establishment", "Kind, K: vestiging", "Enfant, K : établissement", "Kind, K: Niederlassung"},
	"66": {"Child, L: long-term resident, EU", "Kind, L: langdurig ingezetene, EU", "Enfant, L : résident de longue durée, UE", "Kind, L: langfristig Aufenthaltsberechtigter, EU"},
	"67": {"Child, F: family member of an EU citizen", "Kind, F: familielid van een EU-burger", "Enfant, F : membre de la famille d'un citoyen UE", "Kind, F: Familienangehöriger eines EU-Bürgers"},
	"68": {"Child, F+: permanent stay of a family member", "Kind, F+: duurzaam verblijf van een familielid", "Enfant, F+ : séjour permanent d'un membre de la famille", "Kind, F+: Daueraufenthalt eines Familienangehörigen"},
	"69": {"Child, M: withdrawal agreement (Brexit)", "Kind, M: terugtrekkingsakkoord (brexit)", "Enfant, M : accord de retrait (Brexit)", "Kind, M: Austrittsabkommen (Brexit)"},
}

var statusLabels = map[SpecialStatus]texts{
	"0": {"None", "Geen", "Aucun", "Keiner"},
	"1": {"White cane (blind)", "Witte stok (blind)", "Canne blanche (aveugle)", "Weißer Stock (blind)"},
	"2": {"Extended minority", "Verlengde minderjarigheid", "Minorité prolongée", "Verlängerte Minderjährigkeit"},
	"3": {"White cane and extended minority", "Witte stok en verlengde minderjarigheid", "Canne blanche et minorité prolongée", "Weißer Stock und verlängerte Minderjährigkeit"},
	"4": {"Yellow cane (partially sighted)", "Gele stok (slechtziend)", "Canne jaune (malvoyant)", "Gelber Stock (sehbehindert)"},
	"5": {"Yellow cane and extended minority", "Gele stok en verlengde minderjarigheid", "Canne jaune et minorité prolongée", "Gelber Stock und verlängerte Minderjährigkeit"},
}

var codeLabels = map[string]map[string]texts{
	"workPermit": {
		"7": {"unlimited", "onbeperkt", "illimité", "unbegrenzt"},
		"8": {"limited", "beperkt", "limité", "begrenzt"},
		"9": {"none", "geen", "aucun", "keine"},
		"A": {"seasonal worker", "seizoenarbeider", "travailleur saisonnier", "Saisonarbeiter"},
	},
	"brexitMention1": {
		"B": {"Article 18(1) of the withdrawal agreement", "Artikel 18, lid 1, van het terugtrekkingsakkoord", "Article 18, paragraphe 1, de l'accord de retrait", "Artikel 18 Absatz 1 des Austrittsabkommens"},
	},
	"brexitMention2": {"C": {"permanent stay", "duurzaam verblijf", "séjour permanent", "Daueraufenthalt"}},
	"cardAMention1": {
		"A": {"seasonal worker", "seizoenarbeider", "travailleur saisonnier", "Saisonarbeiter"},
		"D": {"student", "hogeschool- of universiteitsstudent", "étudiant", "Studierender"},
		"E": {"pupil", "scholier", "élève", "Schüler"},
		"F": {"trainee", "stagiair", "stagiaire", "Praktikant"},
		"G": {"volunteer", "vrijwilliger", "volontaire", "Freiwilliger"},
		"H": {"au pair", "au pair", "au pair", "Au-pair"},
		"I": {"researcher", "onderzoeker", "chercheur", "Forscher"},
		"J": {"job search", "zoekjaar", "recherche d'emploi", "Arbeitsuche"},
	},
	"cardAMention2": {"K": {"mobility programme", "mobiliteitsprogramma", "programme de mobilité", "Mobilitätsprogramm"}},
	"specialOrganisation": {
		"1": {"SHAPE", "SHAPE", "SHAPE", "SHAPE"},
		"2": {"NATO", "NAVO", "OTAN", "NATO"},
		"4": {"former blue card holder", "voormalig houder van een blauwe kaart", "ancien titulaire d'une carte bleue", "ehemaliger Inhaber einer Blauen Karte"},
		"5": {"researcher", "onderzoeker", "chercheur", "Forscher"},
	},
}
