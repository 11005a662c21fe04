package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/eidkit/eidkit/verify"
)

// ErrNoRenderer: the program that draws PDF pages is not installed.
var ErrNoRenderer = errors.New("pdftoppm is not installed (Debian package poppler-utils)")

// Bounds of drawing: a hostile file must not hold up a report.
const (
	maxPages    = 16               // drawn at most
	drawingTime = 20 * time.Second // for all of them
	resolution  = 96               // dots per inch
	maxPixels   = 2400             // of the longer side
)

// PDFPages draws the pages of the PDF at path that the signatures of rep stand
// on, at most 16, with pdftoppm in a process of its own. It returns those
// drawn, and an error for the first that could not be: ErrNoRenderer where the
// program is missing. A report without its pictures is still a report.
func PDFPages(ctx context.Context, path string, rep *verify.Report) ([]Page, error) {
	var wanted []int
	for _, s := range rep.Signatures {
		if s.PDF != nil && s.PDF.Page > 0 && s.PDF.Rect != [4]float64{} && !slices.Contains(wanted, s.PDF.Page) {
			wanted = append(wanted, s.PDF.Page)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	slices.Sort(wanted)
	ctx, cancel := context.WithTimeout(ctx, drawingTime)
	defer cancel()
	var pages []Page
	for _, n := range wanted[:min(len(wanted), maxPages)] {
		p, err := PDFPage(ctx, path, n)
		if err != nil {
			return pages, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

// PDFPage draws page n, from 1, of the PDF at path, as PDFPages does.
func PDFPage(ctx context.Context, path string, n int) (Page, error) {
	program, err := exec.LookPath("pdftoppm")
	if err != nil {
		return Page{}, fmt.Errorf("drawing pages: %w", ErrNoRenderer)
	}
	ctx, cancel := context.WithTimeout(ctx, drawingTime)
	defer cancel()
	number := strconv.Itoa(n)
	args := []string{"-png", "-cropbox", "-f", number, "-l", number, "-singlefile"}
	var picture bytes.Buffer
	run := func(more ...string) error {
		picture.Reset()
		cmd := exec.CommandContext(ctx, program, append(slices.Clone(args), append(more, "--", path)...)...)
		cmd.Stdout = &picture
		return cmd.Run()
	}
	if err := run("-r", strconv.Itoa(resolution)); err != nil {
		return Page{}, fmt.Errorf("drawing page %d: %w", n, err)
	}
	size, err := png.DecodeConfig(bytes.NewReader(picture.Bytes()))
	if err != nil {
		return Page{}, fmt.Errorf("drawing page %d: %w", n, err)
	}
	p := Page{Number: n, Width: float64(size.Width) * 72 / resolution, Height: float64(size.Height) * 72 / resolution}
	if max(size.Width, size.Height) > maxPixels {
		if err := run("-scale-to", strconv.Itoa(maxPixels)); err != nil {
			return Page{}, fmt.Errorf("drawing page %d: %w", n, err)
		}
	}
	p.PNG = bytes.Clone(picture.Bytes())
	return p, nil
}
