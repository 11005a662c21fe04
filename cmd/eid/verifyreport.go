package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/verify"
	verifyreport "github.com/eidkit/eidkit/verify/report"
)

// writeReports writes the report in the forms that the flags ask for.
func (a *app) writeReports(ctx context.Context, rep *verify.Report, name string, f verifyFlags) error {
	var b bytes.Buffer
	if f.html != "" {
		var pages []verifyreport.Page
		if name != "-" {
			var err error
			if pages, err = verifyreport.PDFPages(ctx, name, rep); err != nil {
				a.info("warning: the report has no pictures of pages: %v", err)
			}
		}
		if err := verifyreport.HTML(&b, rep, verifyreport.HTMLOptions{Language: a.lang, Pages: pages}); err != nil {
			return err
		}
		if err := a.writeFile(f.html, b.Bytes()); err != nil {
			return fmt.Errorf("writing the report: %w", err)
		}
	}
	if f.etsi == "" {
		return nil
	}
	b.Reset()
	if err := verifyreport.ETSI(&b, rep); errors.Is(err, verifyreport.ErrNothingToReport) {
		return fmt.Errorf("%w: there is no ETSI report about %s", err, name)
	} else if err != nil {
		return err
	}
	if err := a.writeFile(f.etsi, b.Bytes()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
