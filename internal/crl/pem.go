package crl

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
)

// maxPEM bounds a list in PEM, which is decoded whole: servers that answer so are rare, and small.
const maxPEM = 32 << 20

// DER returns a reader of the DER in r: r itself, or what its PEM block "X509 CRL" holds. RFC 5280 section 4.2.1.13 asks for DER; some
// servers and people give PEM. Errors: ErrMalformed, those of r.
func DER(r io.Reader) (io.Reader, error) {
	const begin = "-----BEGIN"
	first := make([]byte, len(begin))
	n, err := io.ReadFull(r, first)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	all := io.MultiReader(bytes.NewReader(first[:n]), r)
	if string(first[:n]) != begin {
		return all, nil
	}
	text, err := io.ReadAll(io.LimitReader(all, maxPEM+1))
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(text)
	if len(text) > maxPEM || block == nil || block.Type != "X509 CRL" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: not one PEM block X509 CRL", ErrMalformed)
	}
	return bytes.NewReader(block.Bytes), nil
}
