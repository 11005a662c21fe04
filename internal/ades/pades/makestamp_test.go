package pades_test

import (
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/testcards/pki"
)

// dots are the pixels to the inch that pages are looked at with, point the
// points of one.
const (
	dots  = 36
	point = 72.0 / dots
)

// page renders a page, annotations included.
func page(t testing.TB, b []byte, number int) *image.RGBA {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page")
	n := fmt.Sprint(number)
	if text, err := exec.Command(tool(t, "pdftoppm"), "-cropbox", "-r", fmt.Sprint(dots), "-f", n, "-l", n, "-singlefile", "-png", save(t, b), out).CombinedOutput(); err != nil {
		t.Fatal(err, string(text))
	}
	f, err := os.Open(out + ".png")
	must(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	must(t, err)
	whole := image.NewRGBA(img.Bounds())
	draw.Draw(whole, whole.Bounds(), img, image.Point{}, draw.Src)
	return whole
}

// blue is the box in points around the bar at the left of a stamp, from the bottom left of the page.
func blue(img *image.RGBA) [4]float64 {
	box := image.Rectangle{}
	for i := 0; i < len(img.Pix); i += 4 {
		if r, g, b := int(img.Pix[i]), int(img.Pix[i+1]), int(img.Pix[i+2]); b > r+50 && b > g+20 {
			x, y := i%img.Stride/4, img.Bounds().Dy()-1-i/img.Stride
			box = box.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return [4]float64{point * float64(box.Min.X), point * float64(box.Min.Y), point * float64(box.Max.X), point * float64(box.Max.Y)}
}

// TestUpright looks at the page as it is shown: the stamp stands where Place
// says, with its bar at the left, however the page is turned and cropped.
func TestUpright(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	for turn := 0; turn < 360; turn += 90 {
		for crop, rect := range map[string][4]float64{"": {}, "/CropBox [20 30 560 800]": {100, 200, 320, 260}} {
			t.Run(fmt.Sprint(turn, crop, rect), func(t *testing.T) {
				t.Parallel()
				in := changed(map[int]string{pdftest.Pages: with(pdftest.Pages, fmt.Sprintf("/Rotate %d %s", turn, crop))})
				d, err := pades.Prepare(context.Background(), file(in), p.making(noon), pades.MakeOptions{Visible: &pades.Visible{Page: 2, Rect: rect}})
				must(t, err)
				number, place := d.Place()
				if number != 2 || rect != [4]float64{} && place != rect {
					t.Fatalf("page %d, %v", number, place)
				}
				var out strings.Builder
				must(t, d.Preview(&out))
				bar := blue(page(t, []byte(out.String()), 2))
				for i, want := range [4]float64{place[0], place[1], place[0] + 2, place[3]} {
					if math.Abs(bar[i]-want) > 2.5 {
						t.Errorf("the bar is at %v, the stamp at %v", bar, place)
					}
				}
			})
		}
	}
}

// TestPlaces: stamps that are told no place do not stand on one another, nor on
// fields and text.
func TestPlaces(t *testing.T) {
	t.Parallel()
	p, b := somebody(t, pki.RSA), changed(map[int]string{pdftest.Content1: pdftest.Stream("", "BT /F1 12 Tf 50 60 Td (A line of text where a stamp would stand otherwise.) Tj ET")})
	taken := [][4]float64{{72, 500, 200, 520}, {72, 460, 92, 480}, {50, 60, 320, 72}}
	for range 4 {
		d, err := pades.Prepare(context.Background(), file(b), p.making(noon), pades.MakeOptions{Visible: &pades.Visible{}})
		must(t, err)
		_, r := d.Place()
		for _, other := range taken {
			if r[0] < other[2] && other[0] < r[2] && r[1] < other[3] && other[1] < r[3] {
				t.Errorf("%v over %v", r, other)
			}
		}
		taken = append(taken, r)
		b = p.sign(t, b, noon, pades.MakeOptions{Visible: &pades.Visible{}})
	}
	if taken[3][1] > 200 {
		t.Errorf("the first is at %v", taken[3])
	}
}

// TestWords finds in the page what a stamp says, in each language.
func TestWords(t *testing.T) {
	t.Parallel()
	p, program := somebody(t, pki.RSA), tool(t, "pdftotext")
	for language, want := range map[string]string{
		"": "Digitally signed by", "nl-BE": "Digitaal ondertekend door", "fr": "Motif : Pour accord", "de": "Ort: Liège", "xx": "Date: 2025-06-01 12:00:00 UTC",
	} {
		out := p.sign(t, lease(), noon, pades.MakeOptions{Name: "Şükrü Őry Христо Ελένη", Reason: "Pour accord", Location: "Liège", Visible: &pades.Visible{Language: language, Rect: [4]float64{100, 100, 500, 200}}})
		text, err := exec.Command(program, "-layout", save(t, out), "-").Output()
		must(t, err)
		for _, line := range []string{want, "Şükrü Őry Христо Ελένη"} {
			if !strings.Contains(string(text), line) {
				t.Errorf("%q: no %q in %s", language, line, text)
			}
		}
	}
	m := p.making(noon)
	m.Place = ades.Place{City: "Gent", PostalCode: "9000", Country: "BE"}
	d, err := pades.Prepare(context.Background(), file(lease()), m, pades.MakeOptions{Visible: &pades.Visible{Text: []string{"eigen tekst"}}})
	must(t, err)
	var out strings.Builder
	must(t, d.Preview(&out))
	if !strings.Contains(out.String(), "/Location (9000 Gent, BE)") {
		t.Error("the place is lost")
	}
}
