package report

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/verify"
)

//go:embed page.html
var pageSource string

// Page is a picture of a page of a PDF, to draw signature fields on.
type Page struct {
	Number int     // from 1
	PNG    []byte  // the picture
	Width  float64 // of the page as shown, in points of 1/72 inch
	Height float64
}

// HTMLOptions are the choices of HTML. The zero value is a page in English
// without pictures.
type HTMLOptions struct {
	Language string // en, nl, fr, de; anything else is en
	Pages    []Page // of the PDF that the report is about
}

// HTML writes the report as one page that needs nothing beside it. Errors are
// those of w.
func HTML(w io.Writer, rep *verify.Report, o HTMLOptions) error {
	lang := language(o.Language)
	t, err := template.New("page").Funcs(functions(lang)).Parse(pageSource)
	if err != nil {
		return fmt.Errorf("writing report page: %w", err)
	}
	if err := t.Execute(w, view(rep, o.Pages, lang)); err != nil {
		return fmt.Errorf("writing report page: %w", err)
	}
	return nil
}

// pageView is what the template shows.
type pageView struct {
	Lang       string
	Report     *verify.Report
	Title      string // label of the verdict
	Class      string // its colour
	Sentence   string // the reason for a negative verdict on the whole file
	Signatures []signatureView
	Pages      []pictureView
}

// signatureView is one signature, or counter-signature.
type signatureView struct {
	verify.Signature
	Title    string // label of the verdict
	Class    string
	Heading  string // label: signature or counter
	Number   string
	Chain    []linkView
	Trusted  bool
	Counters []signatureView
}

// linkView is one certificate of the drawing, the anchor first.
type linkView struct {
	verify.Certificate
	Name   string
	Class  string
	Status []verify.Revocation
	Last   bool
}

// pictureView is a page with the places of signature fields, in per cent.
type pictureView struct {
	Number int
	Source template.URL
	Fields []fieldView
}

type fieldView struct {
	Left, Bottom, Width, Height string
	Class, Name                 string
}

func view(rep *verify.Report, pages []Page, lang string) pageView {
	v := pageView{Lang: lang, Report: rep}
	switch {
	case rep.Error == "NO_SIGNATURE_FOUND":
		v.Title, v.Class = "none", "bad"
	case rep.Error != "":
		v.Title, v.Class = "refused", "bad"
	default:
		v.Title, v.Class = verdictLabel(rep.Indication)
	}
	for i, s := range rep.Signatures {
		v.Signatures = append(v.Signatures, viewSignature(s, "signature", fmt.Sprint(i+1)))
	}
	for _, p := range pages {
		v.Pages = append(v.Pages, viewPicture(p, v.Signatures))
	}
	return v
}

func viewSignature(s verify.Signature, heading, number string) signatureView {
	v := signatureView{Signature: s, Heading: heading, Number: number}
	v.Title, v.Class = verdictLabel(s.Indication)
	for i, c := range slices.Backward(s.Chain) {
		link := linkView{Certificate: c, Name: commonName(c.Subject), Last: i == 0, Class: "plain"}
		if c.Anchor {
			link.Class, v.Trusted = "good", true
		}
		for _, r := range s.Revocation {
			if r.Certificate != c.SHA256 {
				continue
			}
			link.Status = append(link.Status, r)
			if r.Status == "revoked" || r.Status == "onHold" {
				link.Class = "bad"
			}
		}
		v.Chain = append(v.Chain, link)
	}
	for i, c := range s.CounterSignatures {
		v.Counters = append(v.Counters, viewSignature(c, "counter", fmt.Sprintf("%s.%d", number, i+1)))
	}
	return v
}

// viewPicture places the fields of the signatures on their page.
func viewPicture(p Page, signatures []signatureView) pictureView {
	v := pictureView{Number: p.Number, Source: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(p.PNG))}
	for _, s := range signatures {
		if s.PDF == nil || s.PDF.Page != p.Number {
			continue
		}
		r, width, height := s.PDF.Rect, p.Width, p.Height
		if s.PDF.PageSize[0] > 0 && s.PDF.PageSize[1] > 0 {
			width, height = s.PDF.PageSize[0], s.PDF.PageSize[1]
		}
		if width <= 0 || height <= 0 {
			continue
		}
		v.Fields = append(v.Fields, fieldView{
			Left: share(r[0], width), Bottom: share(r[1], height),
			Width: share(r[2]-r[0], width), Height: share(r[3]-r[1], height),
			Class: s.Class, Name: s.Number,
		})
	}
	return v
}

// share writes a part of the whole as per cent, between 0 and 100.
func share(part, whole float64) string {
	return fmt.Sprintf("%.2f%%", 100*min(max(part/whole, 0), 1))
}

// commonName takes the CN out of a name of RFC 4514, or returns it whole.
func commonName(name string) string {
	_, rest, ok := strings.Cut(","+name, ",CN=")
	if !ok {
		return name
	}
	var cn strings.Builder
	escaped := false
	for _, r := range rest {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && (r == ',' || r == '+'):
			return cn.String()
		}
		escaped = false
		cn.WriteRune(r)
	}
	return cn.String()
}

func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t": func(name string) string {
			if l, ok := labels[name]; ok {
				return l.in(lang)
			}
			return name
		},
		"change": func(code string) string {
			if l, ok := changeLabels[code]; ok {
				return l.in(lang)
			}
			return clean(code)
		},
		"clean": clean,
		"when":  func(t time.Time) string { return stamp(t) },
		"day":   func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"verdict": func(i verify.Indication) string {
			name, _ := verdictLabel(i)
			return labels[name].in(lang)
		},
		"class": func(i verify.Indication) string {
			_, class := verdictLabel(i)
			return class
		},
		"sentence": func(m verify.Message) string {
			if s := m.Text[lang]; s != "" {
				return s
			}
			if s := m.Text["en"]; s != "" {
				return s
			}
			return m.Code
		},
	}
}
