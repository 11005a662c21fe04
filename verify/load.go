package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds on what LoadAnchors reads. All anchors of the EU trusted lists
// together are about 5,000 certificates and 10 MB.
const (
	maxAnchorFile  = 16 << 20 // bytes in a file
	maxAnchorCount = 20000    // certificates in all
	maxAnchorFiles = 10000    // files in a folder
)

// anchorExtensions are the files that count in a folder; what else lies there
// (a README, a checksum) is passed over.
var anchorExtensions = []string{".pem", ".crt", ".cer", ".der"}

// LoadAnchors returns the pinned roots together with the certificates of the
// given files and folders. A file holds one certificate or several, as PEM or
// DER, at most 16 MiB; of a folder the files ending in .pem, .crt, .cer or
// .der count, without its subfolders. A path that is absent, holds no
// certificate or holds anything that is none (a key, a broken certificate) is
// an error: trust is never guessed. On error no set is returned.
func LoadAnchors(paths ...string) (*Anchors, error) {
	a := &Anchors{}
	for _, path := range paths {
		if err := a.loadPath(path); err != nil {
			return nil, fmt.Errorf("loading trust anchors: %w", err)
		}
	}
	return a, nil
}

func (a *Anchors) loadPath(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err // names the path itself
	}
	if !info.IsDir() {
		return a.loadFile(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	count := 0
	for _, e := range entries {
		if e.IsDir() || !slices.Contains(anchorExtensions, strings.ToLower(filepath.Ext(e.Name()))) {
			continue
		}
		if count++; count > maxAnchorFiles {
			return fmt.Errorf("%s: more than %d files", path, maxAnchorFiles)
		}
		if err := a.loadFile(filepath.Join(path, e.Name())); err != nil {
			return err
		}
	}
	if count == 0 {
		return fmt.Errorf("%s: no file there ends in %s", path, strings.Join(anchorExtensions, ", "))
	}
	return nil
}

func (a *Anchors) loadFile(path string) error {
	data, err := readBounded(path, maxAnchorFile)
	if err != nil {
		return err
	}
	certs, err := parseCertificates(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, c := range certs {
		a.Add(c)
	}
	if len(a.added) > maxAnchorCount {
		return fmt.Errorf("%s: more than %d certificates in all", path, maxAnchorCount)
	}
	return nil
}

// readBounded reads a regular file of at most limit bytes. Pipes and devices
// are refused before they are opened: opening one can block for ever.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, limit)
	}
	return data, nil
}

// parseCertificates reads PEM if there is a PEM block, else DER certificates
// one after the other.
func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return parsePEM(data)
	}
	if len(data) == 0 {
		return nil, errors.New("the file is empty")
	}
	certs, err := x509.ParseCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("neither PEM nor a DER certificate: %w", err)
	}
	return certs, nil
}

func parsePEM(data []byte) ([]*x509.Certificate, error) {
	begins := bytes.Count(data, []byte("-----BEGIN "))
	var certs []*x509.Certificate
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block %d is %q, not a certificate", len(certs)+1, block.Type)
		}
		if len(certs) >= maxAnchorCount {
			return nil, fmt.Errorf("more than %d certificates", maxAnchorCount)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(certs)+1, err)
		}
		certs = append(certs, cert)
	}
	// The decoder passes over what it cannot read; here that must not be
	// silent.
	if len(certs) != begins {
		return nil, fmt.Errorf("%d PEM blocks begin, but only %d can be read", begins, len(certs))
	}
	return certs, nil
}
