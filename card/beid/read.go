package beid

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/internal/beidfile"
)

// Identity reads the identity file (4031). The card needs no PIN for this, nor for any other file.
func (c *Card) Identity(ctx context.Context) (*Identity, error) {
	b, err := c.required(ctx, FileIdentity)
	if err != nil {
		return nil, err
	}
	return beidfile.ParseIdentity(b)
}

// Address reads the address file (4033).
func (c *Card) Address(ctx context.Context) (*Address, error) {
	b, err := c.required(ctx, FileAddress)
	if err != nil {
		return nil, err
	}
	return beidfile.ParseAddress(b)
}

// Photo reads the photo (4035): a grey JPEG, 140 x 200 pixels before 2021, 150 x 195 after.
func (c *Card) Photo(ctx context.Context) ([]byte, error) { return c.required(ctx, FilePhoto) }

// TokenInfo reads the PKCS#15 token information (5032).
func (c *Card) TokenInfo(ctx context.Context) (TokenInfo, error) {
	b, err := c.required(ctx, FileTokenInfo)
	if err != nil {
		return TokenInfo{}, err
	}
	return beidfile.ParseTokenInfo(b)
}

// Certificate is one certificate of the card.
type Certificate struct {
	File FileID
	DER  []byte            // as on the card, filler left out
	X509 *x509.Certificate // nil when crypto/x509 cannot read it
	Err  error             // why not
}

// Certificates reads the certificates that the card holds, in the order authentication, signature, CA, root, national register.
// Those it does not hold (kids, holders who opted out) are left out.
func (c *Card) Certificates(ctx context.Context) ([]Certificate, error) {
	var certs []Certificate
	for _, id := range []FileID{FileAuthentication, FileSignature, FileCA, FileRoot, FileRRN} {
		der, err := c.file(ctx, id)
		if err != nil {
			return certs, err
		}
		if len(der) == 0 {
			continue
		}
		cert := Certificate{File: id, DER: der}
		cert.X509, cert.Err = x509.ParseCertificate(der)
		certs = append(certs, cert)
	}
	return certs, nil
}

// required is file for a file that every card has.
func (c *Card) required(ctx context.Context, id FileID) ([]byte, error) {
	b, err := c.file(ctx, id)
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("the %s: %w", id, card.ErrNotFound)
	}
	return b, err
}

// Files reads the files named, each only if it was not read before, and returns all that has been read so far. After an error
// what was read stays read: calling again goes on from there.
func (c *Card) Files(ctx context.Context, ids ...FileID) (Files, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if _, err := c.fileLocked(ctx, id); err != nil {
			return c.filesLocked(), err
		}
	}
	return c.filesLocked(), nil
}

// ReadAll reads every file in the order of the FileID constants, calling progress (if not nil) after each; progress may stop the
// reading with an error, which ReadAll returns. skip names files to leave out.
func (c *Card) ReadAll(ctx context.Context, progress func(FileID, Files) error, skip ...FileID) (Files, error) {
	left := map[FileID]bool{FileBasicKey: !c.applet18()}
	for _, id := range skip {
		left[id] = true
	}
	var f Files
	for id := FileCardData; id < fileCount; id++ {
		if left[id] {
			continue
		}
		var err error
		if f, err = c.Files(ctx, id); err != nil {
			return f, err
		}
		if progress != nil {
			if err := progress(id, f); err != nil {
				return f, err
			}
		}
	}
	return f, nil
}

// ReadTails reads what may lie behind the files whose length was assumed, and reports whether there was anything: the signature
// over the address covers the signature file to its last zero, so a check that fails is worth repeating after ReadTails has
// found more. It costs up to three commands a file, and nothing the second time.
func (c *Card) ReadTails(ctx context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := false
	for id := FileCardData; id < fileCount; id++ {
		f := c.files[id]
		if f == nil || f.exact {
			continue
		}
		var data []byte
		err := c.card.Do(ctx, func(tx *card.Tx) error {
			if err := c.selectFile(tx, fileSpecs[id]); err != nil {
				return err
			}
			var err error
			data, err = readToEnd(tx, append([]byte(nil), f.data...))
			return err
		})
		if err != nil {
			return found, fmt.Errorf("reading on in the %s: %w", id, err)
		}
		found = found || len(data) > len(f.data)
		c.files[id] = &content{data: data, exact: true}
		c.cache.keepLength(c.data.Serial, id, c.files[id])
	}
	return found, nil
}

func (c *Card) filesLocked() Files {
	get := func(id FileID) []byte {
		if f := c.files[id]; f != nil {
			return f.data
		}
		return nil
	}
	return Files{
		ATR: c.card.ATR(), CardData: get(FileCardData), TokenInfo: get(FileTokenInfo),
		Identity: get(FileIdentity), IdentitySignature: get(FileIdentitySignature),
		Address: get(FileAddress), AddressSignature: get(FileAddressSignature), Photo: get(FilePhoto),
		Authentication: get(FileAuthentication), Signature: get(FileSignature),
		CA: get(FileCA), Root: get(FileRoot), RRN: get(FileRRN), BasicKey: get(FileBasicKey),
	}
}
