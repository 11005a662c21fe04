package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/sign"
	verifyreport "github.com/eidkit/eidkit/verify/report"
)

// preview draws the page that the signature would stand on. The key is asked for its certificate alone.
func (r *signRun) preview(ctx context.Context, picture string) error {
	if there, _ := exists(picture); there && !r.plan.force {
		return hinted{usagef("%s is there already", picture), "replace it with --force"}
	}
	t := r.plan.tasks[0]
	if isInput(picture, t.inputs) {
		return usagef("--preview would replace %s", termview.Clean(picture))
	}
	o := r.plan.optionsFor(t)
	o.Level = sign.B // of the later steps nothing is seen
	prepared, err := sign.Prepare(ctx, t.format, t.sources(), r.key.Certificate(), o)
	if err != nil {
		return err
	}
	defer prepared.Close()
	n, _ := prepared.Place()
	if n == 0 {
		return usagef("the signature would not be seen: the field %q has no place on a page", termview.Clean(o.PDF.Field))
	}
	file, err := os.CreateTemp("", "eid-preview-*.pdf") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		file.Close()
		os.Remove(file.Name())
	}()
	if err := prepared.Preview(file); err != nil {
		return err
	}
	drawn, err := verifyreport.PDFPage(ctx, file.Name(), n)
	if errors.Is(err, verifyreport.ErrNoRenderer) {
		return hinted{err, "install it (Debian: sudo apt install poppler-utils), or sign without --preview"}
	}
	if err != nil {
		return err
	}
	if err := r.writeFile(picture, drawn.PNG); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(picture), plainPathError(err))
	}
	r.info("page %d of %s as it would be; nothing was signed", n, t.name())
	return nil
}
