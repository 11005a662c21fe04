package xades

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"io"
	"net/url"
	"path"
	"reflect"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// Detached is the Resolver over files given beside the document: those whose
// name the reference has; where none has it, all of them.
func Detached(contents []ades.Content) Resolver {
	return func(uri string) []ades.Content {
		name := uri
		if decoded, err := url.PathUnescape(uri); err == nil {
			name = decoded
		}
		for _, same := range []func(string) bool{
			func(s string) bool { return s == uri },
			func(s string) bool { return s == name },
			func(s string) bool { return path.Base(s) == path.Base(strings.ReplaceAll(name, `\`, "/")) },
		} {
			for _, c := range contents {
				if uri != "" && c.Name != "" && same(c.Name) {
					return []ades.Content{c}
				}
			}
		}
		return contents
	}
}

// outside finds the data of references that lead out of the document, hashing
// each file once for each digest.
type outside struct {
	ctx     context.Context
	resolve Resolver
	digests map[fileHash][]byte
	tries   int
}

type fileHash struct {
	data   io.ReaderAt
	size   int64
	digest crypto.Hash
}

func newOutside(ctx context.Context, resolve Resolver) *outside {
	return &outside{ctx: ctx, resolve: resolve, digests: map[fileHash][]byte{}}
}

// maxTries bounds the files that are transformed and hashed in the hope that one fits.
const maxTries = 256

// match is the file that a reference names, if one was found.
type match struct {
	content *ades.Content
	digest  []byte
}

// find picks the candidate that fits reference ref. Without one that fits it
// is the only candidate, or none.
func (o *outside) find(p *xmldsig.Processor, ref *xmldsig.Reference, hash crypto.Hash) (match, error) {
	candidates := o.resolve(ref.URI)
	var first error
	for i := range candidates {
		if len(candidates) > 1 && len(ref.Transforms) > 0 {
			if o.tries++; o.tries > maxTries {
				break
			}
		}
		digest, err := o.digest(p, ref, &candidates[i], hash)
		if err != nil && o.ctx.Err() != nil {
			return match{}, o.ctx.Err()
		}
		if err == nil && (bytes.Equal(digest, ref.Digest) || len(candidates) == 1) {
			return match{&candidates[i], digest}, nil
		}
		if err != nil && first == nil {
			first = err
		}
	}
	if first == nil || len(candidates) > 1 {
		first = fmt.Errorf("%.200q: %w", ref.URI, xmldsig.ErrNotFound)
	}
	return match{}, first
}

func (o *outside) digest(p *xmldsig.Processor, ref *xmldsig.Reference, c *ades.Content, hash crypto.Hash) ([]byte, error) {
	s := source(c)
	if s.Open == nil || len(ref.Transforms) > 0 {
		return p.Digest(o.ctx, ref, s, hash)
	}
	if !reflect.ValueOf(c.Data).Comparable() {
		return p.Digest(o.ctx, ref, s, hash)
	}
	key := fileHash{c.Data, c.Size, hash}
	if digest, ok := o.digests[key]; ok {
		return digest, nil
	}
	digest, err := p.Digest(o.ctx, ref, s, hash)
	if err == nil {
		o.digests[key] = digest
	}
	return digest, err
}

// source is a file as package xmldsig wants it.
func source(c *ades.Content) *xmldsig.Source {
	s := &xmldsig.Source{Name: c.Name, Digests: c.Digests}
	if c.Data != nil {
		s.Open = func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(c.Data, 0, c.Size)), nil }
	}
	return s
}
