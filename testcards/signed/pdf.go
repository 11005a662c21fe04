package signed

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Numbers of the first objects of every PDF made here; page n (from 1) is
// object FirstPage+2(n-1), its content the one after.
const (
	Catalog   = 1
	PageTree  = 2
	Font      = 3
	FirstPage = 4
)

// PDF is a document in the making: each change is appended to what is there
// (incremental update, ISO 32000-1 section 7.5.6).
type PDF struct {
	data    []byte
	objects int // highest number
	xref    int // where the last cross-reference section begins
	pages   []*page
	fields  []int // signature fields and whatever Form added
	perms   int   // signature dictionary of the certification, 0: none
	dss     *dss
	streams bool
	id      string
}

type page struct {
	text   string
	annots []int
}

// PDFOptions describe a document without signatures.
type PDFOptions struct {
	// Pages are the texts, one line a page; none: one page.
	Pages []string
	// Padding adds that many bytes that nothing refers to, to make it large.
	Padding int
	// XRefStreams writes cross-reference streams (PDF 1.5) instead of tables.
	XRefStreams bool
}

// NewPDF makes a document.
func NewPDF(o PDFOptions) *PDF {
	if len(o.Pages) == 0 {
		o.Pages = []string{"Proef: this document was made by a test."}
	}
	p := &PDF{streams: o.XRefStreams, data: []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")}
	sum := sha256.Sum256([]byte(fmt.Sprint(o)))
	p.id = fmt.Sprintf("%X", sum[:16])
	objects := map[int]string{Font: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"}
	for i, text := range o.Pages {
		p.pages = append(p.pages, &page{text: text})
		objects[FirstPage+2*i+1] = stream("", fmt.Sprintf("BT /F1 12 Tf 72 720 Td (%s) Tj ET", escape(text)))
	}
	p.objects = FirstPage + 2*len(o.Pages) - 1
	if o.Padding > 0 {
		p.objects++
		objects[p.objects] = stream("", strings.Repeat("0123456789abcde\n", o.Padding/16+1)[:o.Padding])
	}
	objects[Catalog], objects[PageTree] = p.catalog(), p.tree()
	for i := range p.pages {
		objects[FirstPage+2*i] = p.page(i)
	}
	p.Append(objects)
	return p
}

// Bytes are the document as it stands.
func (p *PDF) Bytes() []byte { return slices.Clone(p.data) }

// Append adds a revision with the objects given (the text between obj and
// endobj), new ones or others in place of those that are there: so a test
// makes the changes that it wants, lawful or not.
func (p *PDF) Append(objects map[int]string) {
	numbers := slices.Sorted(maps.Keys(objects))
	p.objects = max(p.objects, numbers[len(numbers)-1])
	offsets := map[int]int{}
	for _, n := range numbers {
		offsets[n] = len(p.data)
		p.data = fmt.Appendf(p.data, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	if p.streams {
		p.xrefStream(offsets)
	} else {
		p.xrefTable(offsets)
	}
}

// New reserves the number of an object to be appended.
func (p *PDF) New() int {
	p.objects++
	return p.objects
}

// trailer are the entries that tables and streams share.
func (p *PDF) trailer(size int) string {
	s := fmt.Sprintf("/Size %d /Root %d 0 R /ID [<%s> <%s>]", size, Catalog, p.id, p.id)
	if p.xref > 0 {
		s += fmt.Sprintf(" /Prev %d", p.xref)
	}
	return s
}

// runs are the sections of consecutive numbers, each as first number and
// count.
func runs(offsets map[int]int) (out [][2]int) {
	for _, n := range slices.Sorted(maps.Keys(offsets)) {
		if last := len(out) - 1; last >= 0 && out[last][0]+out[last][1] == n {
			out[last][1]++
			continue
		}
		out = append(out, [2]int{n, 1})
	}
	return out
}

func (p *PDF) xrefTable(offsets map[int]int) {
	start := len(p.data)
	var b bytes.Buffer
	b.WriteString("xref\n")
	if p.xref == 0 {
		b.WriteString("0 1\n0000000000 65535 f \n")
	}
	for _, run := range runs(offsets) {
		fmt.Fprintf(&b, "%d %d\n", run[0], run[1])
		for n := run[0]; n < run[0]+run[1]; n++ {
			fmt.Fprintf(&b, "%010d 00000 n \n", offsets[n])
		}
	}
	fmt.Fprintf(&b, "trailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n", p.trailer(p.objects+1), start)
	p.data = append(p.data, b.Bytes()...)
	p.xref = start
}

func (p *PDF) xrefStream(offsets map[int]int) {
	start := len(p.data)
	number := p.New()
	offsets[number] = start
	var rows []byte
	var index []string
	if p.xref == 0 {
		rows, index = append(rows, 0, 0, 0, 0, 0, 0xff), append(index, "0 1")
	}
	for _, run := range runs(offsets) {
		index = append(index, fmt.Sprintf("%d %d", run[0], run[1]))
		for n := run[0]; n < run[0]+run[1]; n++ {
			rows = append(binary.BigEndian.AppendUint32(append(rows, 1), uint32(offsets[n])), 0)
		}
	}
	dict := fmt.Sprintf("/Type /XRef /W [1 4 1] /Index [%s] %s ", strings.Join(index, " "), p.trailer(number+1))
	p.data = fmt.Appendf(p.data, "%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", number, stream(dict, string(rows)), start)
	p.xref = start
}

func stream(dict, content string) string {
	return fmt.Sprintf("<< %s/Length %d >>\nstream\n%s\nendstream", dict, len(content), content)
}

// escape makes a literal string of Latin text.
func escape(s string) string { return strings.NewReplacer(`\`, `\\`, `(`, `\(`, `)`, `\)`).Replace(s) }

// references lists objects for an array.
func references(numbers []int) string {
	var out []string
	for _, n := range numbers {
		out = append(out, fmt.Sprintf("%d 0 R", n))
	}
	return strings.Join(out, " ")
}

// catalog is the text of the document catalog.
func (p *PDF) catalog() string {
	s := fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R", PageTree)
	if len(p.fields) > 0 {
		s += fmt.Sprintf(" /AcroForm << /Fields [%s] /SigFlags 3 >>", references(p.fields))
	}
	if p.perms > 0 {
		s += fmt.Sprintf(" /Perms << /DocMDP %d 0 R >>", p.perms)
	}
	if p.dss != nil {
		s += fmt.Sprintf(" /DSS %d 0 R", p.dss.number)
	}
	return s + " >>"
}

func (p *PDF) tree() string {
	var kids []int
	for i := range p.pages {
		kids = append(kids, FirstPage+2*i)
	}
	return fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 595 842] /Resources << /Font << /F1 %d 0 R >> >> >>",
		references(kids), len(kids), Font)
}

// page is the text of a page, counted from 0.
func (p *PDF) page(i int) string {
	s := fmt.Sprintf("<< /Type /Page /Parent %d 0 R /Contents %d 0 R", PageTree, FirstPage+2*i+1)
	if len(p.pages[i].annots) > 0 {
		s += fmt.Sprintf(" /Annots [%s]", references(p.pages[i].annots))
	}
	return s + " >>"
}
