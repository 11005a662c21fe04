package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/beid/saved"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/spf13/cobra"
)

// certificateFiles are the names of the certificates on the command line and in JSON, and where they are on the card.
var certificateFiles = []struct {
	name string
	file beid.FileID
}{
	{"authentication", beid.FileAuthentication}, {"signature", beid.FileSignature},
	{"ca", beid.FileCA}, {"root", beid.FileRoot}, {"rrn", beid.FileRRN},
}

// certificateList is the JSON of `eid certs` (docs/schema/certs.json).
type certificateList struct {
	Schema       int                     `json:"schema"`
	Reader       string                  `json:"reader"`
	Certificates *saved.CertificatesPart `json:"certificates"`
}

// namedCertificate is a certificate as printed.
type namedCertificate struct {
	name string
	*saved.CertificatePart
}

func (a *app) certsCommand() *cobra.Command {
	var asJSON, asPEM bool
	var dir string
	cmd := &cobra.Command{
		Use:   "certs [NAME]...",
		Short: "Print or save the certificates on the card",
		Long: `Print the certificates on the card: authentication, signature, ca, root and rrn (the
national register's), or those named.`,
		ValidArgs: []string{"authentication", "signature", "ca", "root", "rrn"},
		Args:      cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, names []string) error {
			list, err := a.readCertificates(cmd.Context(), names)
			if err != nil {
				return err
			}
			certs, err := list.named(names)
			switch {
			case err != nil:
				return err
			case dir != "":
				return a.saveCertificates(dir, certs)
			case asPEM:
				return a.printPEM(certs)
			case asJSON:
				return writeJSON(a.out, list)
			}
			a.printCertificates(certs)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON (docs/schema/certs.json)")
	cmd.Flags().BoolVar(&asPEM, "pem", false, "print PEM")
	cmd.Flags().StringVar(&dir, "out", "", "write NAME.pem files into this folder")
	cmd.MarkFlagsMutuallyExclusive("json", "pem", "out")
	return cmd
}

// readCertificates reads the certificates named, all if none are: no other file of the card.
func (a *app) readCertificates(ctx context.Context, names []string) (certificateList, error) {
	s, err := a.openCard(ctx)
	if err != nil {
		return certificateList{}, err
	}
	defer s.Close()
	var files []beid.FileID
	for _, c := range certificateFiles {
		if len(names) == 0 || slices.Contains(names, c.name) {
			files = append(files, c.file)
		}
	}
	f, err := s.Files(ctx, files...)
	if err != nil {
		return certificateList{}, err
	}
	list := certificateList{Schema: saved.Schema, Reader: s.ReaderName(), Certificates: saved.NewCertificates(f)}
	if list.Certificates == nil {
		list.Certificates = &saved.CertificatesPart{}
	}
	return list, nil
}

// named lists the certificates there are. One that was asked for by name and is not there is an error.
func (l certificateList) named(asked []string) ([]namedCertificate, error) {
	c := l.Certificates
	var certs []namedCertificate
	for i, part := range []*saved.CertificatePart{c.Authentication, c.Signature, c.CA, c.Root, c.RRN} {
		name := certificateFiles[i].name
		switch {
		case part != nil:
			certs = append(certs, namedCertificate{name, part})
		case slices.Contains(asked, name):
			return nil, fmt.Errorf("%s: %w", name, beid.ErrNoCertificate)
		}
	}
	return certs, nil
}

func (c namedCertificate) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER})
}

func (a *app) printPEM(certs []namedCertificate) error {
	for _, c := range certs {
		if _, err := a.out.Write(c.pem()); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) saveCertificates(dir string, certs []namedCertificate) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, c := range certs {
		if err := a.writeFile(filepath.Join(dir, c.name+".pem"), c.pem()); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printCertificates(certs []namedCertificate) {
	for i, c := range certs {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprintln(a.out, c.name)
		if c.Subject == "" {
			fmt.Fprintln(a.out, "  this program cannot read it; save it with --out")
			continue
		}
		for _, row := range [][2]string{{"subject", c.Subject}, {"issuer", c.Issuer}, {"serial number", c.SerialNumber},
			{"valid", c.NotBefore + " to " + c.NotAfter}, {"key", c.PublicKey}, {"signed with", c.SignatureAlgorithm}} {
			fmt.Fprintf(a.out, "  %-13s  %s\n", row[0], termview.Clean(row[1]))
		}
	}
}
