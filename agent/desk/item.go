package desk

import (
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/content"
	"github.com/eidkit/eidkit/internal/pinentry"
)

// Words are a text in en, nl, fr and de.
type Words map[string]string

// The kinds of items.
const (
	KindConsent = "consent"
	KindChoice  = "choice"
)

// Item is an open question as the consent page gets it. Text from outside is made harmless; a page still puts it in as text only.
type Item struct {
	serial uint64

	ID          string           `json:"id"`
	Kind        string           `json:"kind"` // KindConsent or KindChoice
	Client      ItemClient       `json:"client"`
	Operation   access.Operation `json:"operation"`
	Says        Words            `json:"says"` // what is wanted, after who wants it
	Fields      []ItemField      `json:"fields,omitempty"`
	Purpose     string           `json:"purpose,omitempty"` // the client's own words
	Reader      string           `json:"reader,omitempty"`
	Card        string           `json:"card,omitempty"`
	Documents   []ItemDocument   `json:"documents,omitempty"`
	Statements  []ItemStatement  `json:"statements,omitempty"`
	HashOnly    bool             `json:"hashOnly,omitempty"`
	TriesLeft   int              `json:"triesLeft,omitempty"`
	MayRemember bool             `json:"mayRemember,omitempty"`
	Options     []Option         `json:"options,omitempty"` // of a choice
	Expires     time.Time        `json:"expires"`
}

// ItemClient is who asks.
type ItemClient struct {
	Kind       string `json:"kind"`             // site, extension, program, page
	Origin     string `json:"origin,omitempty"` // whole, as A-labels
	Name       string `json:"name,omitempty"`   // of a program, in its own words
	Executable string `json:"executable,omitempty"`
	User       string `json:"user,omitempty"`
}

// ItemField is what would be given, in words; several fields may share them.
type ItemField struct {
	Name string `json:"name"`
	Says Words  `json:"says"`
}

// ItemDocument is one that would be signed.
type ItemDocument struct {
	Name      string       `json:"name"`
	Size      int64        `json:"size"`
	SHA256    string       `json:"sha256,omitempty"`
	MediaType string       `json:"mediaType,omitempty"`
	Active    []ItemActive `json:"active,omitempty"`
	Preview   bool         `json:"preview"` // it can be looked at
	Place     *Place       `json:"place,omitempty"`
}

// ItemStatement is what would be signed beside the documents.
type ItemStatement struct {
	Kind string `json:"kind"`
	Says Words  `json:"says"` // what it is, before the text
	Text string `json:"text"` // the client's words; empty: Says is all
}

// ItemActive is content that acts by itself, in words that follow "The document".
type ItemActive struct {
	Code string `json:"code"`
	Says Words  `json:"says"`
}

func inAll(say func(language string) string) Words {
	w := Words{}
	for _, l := range languages {
		w[l] = say(l)
	}
	return w
}

func itemClient(c access.Client) ItemClient {
	i := ItemClient{Kind: c.Kind.String(), Executable: pinentry.Clean(c.Executable, maxPurpose), User: pinentry.Clean(c.User, maxName)}
	switch c.Kind {
	case access.Site, access.Extension:
		i.Origin = c.Origin.String()
	case access.Program:
		i.Name = pinentry.Clean(c.Name, maxName)
	}
	return i
}

func consentItem(c Consent) Item {
	i := Item{Kind: KindConsent, Client: itemClient(c.Client), Operation: c.Operation, Purpose: pinentry.Clean(c.Purpose, maxPurpose),
		Says:   inAll(func(l string) string { return wanted(c, l) }),
		Reader: pinentry.Clean(c.Reader, maxName), Card: pinentry.Clean(c.Card, maxName),
		HashOnly: c.HashOnly, TriesLeft: max(c.TriesLeft, 0), MayRemember: c.MayRemember}
	for _, f := range c.Fields {
		i.Fields = append(i.Fields, ItemField{Name: pinentry.Clean(f, maxName), Says: inAll(func(l string) string { return givenWords(c.Operation, []string{f}, l)[0] })})
	}
	for _, d := range c.Documents {
		item := ItemDocument{Name: pinentry.Clean(d.Name, maxPurpose), Size: d.Size, SHA256: pinentry.Clean(d.SHA256, 64),
			MediaType: pinentry.Clean(d.MediaType, maxName), Preview: d.Preview != nil, Place: d.Place}
		for _, a := range d.Active {
			item.Active = append(item.Active, ItemActive{Code: pinentry.Clean(a, maxName),
				Says: inAll(func(l string) string { return content.Text(content.Active(a), l) })})
		}
		i.Documents = append(i.Documents, item)
	}
	for _, s := range c.Statements {
		i.Statements = append(i.Statements, ItemStatement{Kind: pinentry.Clean(s.Kind, maxName), Says: inAll(func(l string) string { return statementWords(s, l) }),
			Text: claimed(s)})
	}
	return i
}

func choiceItem(c Choice) Item {
	i := Item{Kind: KindChoice, Client: itemClient(c.Client), Operation: c.Operation,
		Says: inAll(func(l string) string { return operation(c.Operation, l) })}
	for _, o := range c.Options {
		i.Options = append(i.Options, Option{Reader: pinentry.Clean(o.Reader, maxName), Role: pinentry.Clean(o.Role, maxName), Card: pinentry.Clean(o.Card, maxName)})
	}
	return i
}
