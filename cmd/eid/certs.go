package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/spf13/cobra"
)

// certificateNames are the names of the certificates on the command line and in JSON.
var certificateNames = map[beid.FileID]string{
	beid.FileAuthentication: "authentication", beid.FileSignature: "signature",
	beid.FileCA: "ca", beid.FileRoot: "root", beid.FileRRN: "rrn",
}

// certificateInfo is one certificate in the JSON of `eid certs` (docs/schema/certs.json).
type certificateInfo struct {
	Name         string `json:"name"`
	Subject      string `json:"subject,omitempty"`
	Issuer       string `json:"issuer,omitempty"`
	SerialNumber string `json:"serialNumber,omitempty"`
	NotBefore    string `json:"notBefore,omitempty"`
	NotAfter     string `json:"notAfter,omitempty"`
	Key          string `json:"key,omitempty"`
	DER          []byte `json:"der"`
	Error        string `json:"error,omitempty"`
}

type certificateList struct {
	Schema       int               `json:"schema"`
	Certificates []certificateInfo `json:"certificates"`
}

func (a *app) certsCommand() *cobra.Command {
	var asJSON, asPEM bool
	var dir string
	cmd := &cobra.Command{
		Use:       "certs [NAME]...",
		Short:     "Print or save the certificates on the card",
		Long:      "Print the certificates on the card: authentication, signature, ca, root and rrn (the\nnational register's), or those named.",
		ValidArgs: []string{"authentication", "signature", "ca", "root", "rrn"},
		Args:      cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, names []string) error {
			certs, err := a.readCertificates(cmd.Context(), names)
			if err != nil {
				return err
			}
			switch {
			case dir != "":
				return a.saveCertificates(dir, certs)
			case asPEM:
				return a.printPEM(certs)
			case asJSON:
				list := certificateList{Schema: 1, Certificates: []certificateInfo{}}
				for _, c := range certs {
					list.Certificates = append(list.Certificates, describeCertificate(c))
				}
				return writeJSON(a.out, list)
			}
			a.printCertificates(certs)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&asPEM, "pem", false, "print PEM")
	cmd.Flags().StringVar(&dir, "out", "", "write NAME.pem files into this folder")
	return cmd
}

func (a *app) readCertificates(ctx context.Context, names []string) ([]beid.Certificate, error) {
	s, err := a.openCard(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	certs, err := s.Certificates(ctx)
	if err != nil || len(names) == 0 {
		return certs, err
	}
	var chosen []beid.Certificate
	for _, name := range names {
		n := len(chosen)
		for _, c := range certs {
			if certificateNames[c.File] == name {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == n {
			return nil, fmt.Errorf("%s: %w", name, beid.ErrNoCertificate)
		}
	}
	return chosen, nil
}

func (a *app) printPEM(certs []beid.Certificate) error {
	for _, c := range certs {
		if err := pem.Encode(a.out, &pem.Block{Type: "CERTIFICATE", Bytes: c.DER}); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) saveCertificates(dir string, certs []beid.Certificate) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range certs {
		path := filepath.Join(dir, certificateNames[c.File]+".pem")
		b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER})
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
		a.info("wrote %s", path)
	}
	return nil
}

func (a *app) printCertificates(certs []beid.Certificate) {
	for i, c := range certs {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		d := describeCertificate(c)
		fmt.Fprintf(a.out, "%s\n", d.Name)
		if d.Error != "" {
			fmt.Fprintf(a.out, "  not readable  %s\n", d.Error)
			continue
		}
		for _, row := range [][2]string{{"subject", d.Subject}, {"issuer", d.Issuer}, {"serial number", d.SerialNumber},
			{"valid", d.NotBefore + " to " + d.NotAfter}, {"key", d.Key}} {
			fmt.Fprintf(a.out, "  %-13s  %s\n", row[0], termview.Clean(row[1]))
		}
	}
}

func describeCertificate(c beid.Certificate) certificateInfo {
	d := certificateInfo{Name: certificateNames[c.File], DER: c.DER}
	if c.X509 == nil {
		d.Error = c.Err.Error()
		return d
	}
	d.Subject, d.Issuer = c.X509.Subject.String(), c.X509.Issuer.String()
	d.SerialNumber = fmt.Sprintf("%X", c.X509.SerialNumber)
	d.NotBefore, d.NotAfter = c.X509.NotBefore.UTC().Format(time.RFC3339), c.X509.NotAfter.UTC().Format(time.RFC3339)
	switch k := c.X509.PublicKey.(type) {
	case *rsa.PublicKey:
		d.Key = fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		d.Key = "EC " + k.Params().Name
	}
	return d
}
