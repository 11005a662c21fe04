package container

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/asic"
)

// box is a container as it will be: files of an older one, new ones, and what is made here.
type box struct {
	base  *asic.Container // nil: a new container
	at    time.Time       // of new entries; zero: that of the newest in base
	parts []*part
}

// part is a file of a box. Of entry, file and raw the last that is set holds.
type part struct {
	name, mime string
	entry      *asic.Entry // of the older container
	file       *ades.File
	crc        uint32 // of file
	sums       map[crypto.Hash][]byte
	raw        []byte
}

// role tells what a part is for, by its name.
func (p *part) role() asic.Role { return (&asic.Entry{Name: p.name}).Role() }

func (p *part) open() io.Reader {
	return io.NewSectionReader(p.file.Data, 0, p.file.Size)
}

// measure goes through a new file once, for its checksum and a digest (0: none).
func (p *part) measure(ctx context.Context, h crypto.Hash) error {
	crc := crc32.NewIEEE()
	sums := []io.Writer{crc}
	var sum hash.Hash
	if h != 0 {
		if !h.Available() {
			return fmt.Errorf("hashing %q: no %v", p.name, h)
		}
		sum = h.New()
		sums = append(sums, sum)
	}
	n, err := io.CopyBuffer(io.MultiWriter(sums...), bounded{ctx, p.open()}, make([]byte, 256<<10))
	switch {
	case err != nil:
		return fmt.Errorf("reading %q: %w", p.name, err)
	case n != p.file.Size:
		return fmt.Errorf("reading %q: %w after %d of %d bytes", p.name, io.ErrUnexpectedEOF, n, p.file.Size)
	}
	if p.crc = crc.Sum32(); sum != nil {
		p.sums[h] = sum.Sum(nil)
	}
	return nil
}

// bounded stops reading when its context ends.
type bounded struct {
	ctx context.Context
	r   io.Reader
}

func (r bounded) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// digest is that of the content.
func (p *part) digest(ctx context.Context, h crypto.Hash) ([]byte, error) {
	switch {
	case !h.Available():
		return nil, fmt.Errorf("hashing %q: no %v", p.name, h)
	case p.raw != nil:
		sum := h.New()
		sum.Write(p.raw)
		return sum.Sum(nil), nil
	case p.file == nil:
		return p.entry.Digest(ctx, h)
	}
	if p.sums[h] == nil {
		if err := p.measure(ctx, h); err != nil {
			return nil, err
		}
	}
	return p.sums[h], nil
}

// content is the part as the makers of signatures want it.
func (p *part) content() ades.Content {
	if p.file != nil {
		return ades.Content{File: ades.File{Name: p.name, Data: p.file.Data, Size: p.file.Size}}
	}
	return content(p.entry)
}

// boxOf is a box of what is in a container.
func boxOf(c *asic.Container) *box {
	b := &box{base: c}
	for _, e := range c.Entries {
		b.parts = append(b.parts, &part{name: e.Name, entry: e})
	}
	return b
}

func (b *box) lookup(name string) *part {
	for _, p := range b.parts {
		if p.name == name {
			return p
		}
	}
	return nil
}

// put gives the part of that name, which is new if there is none, other content.
func (b *box) put(name, mime string, raw []byte) {
	p := b.lookup(name)
	if p == nil {
		p = &part{name: name}
		b.parts = append(b.parts, p)
	}
	p.mime, p.raw = mime, raw
}

// free is the first name of a pattern like "META-INF/signature%03d.p7s", its number counted from 1, for which the names of all patterns are
// free, whatever their case.
func (b *box) free(patterns ...string) int {
	taken := map[string]bool{}
	for _, p := range b.parts {
		taken[strings.ToLower(p.name)] = true
	}
	for n := 1; ; n++ {
		used := false
		for _, pattern := range patterns {
			used = used || taken[strings.ToLower(fmt.Sprintf(pattern, n))]
		}
		if !used {
			return n
		}
	}
}

// data are the files outside META-INF.
func (b *box) data() []*part {
	var list []*part
	for _, p := range b.parts {
		if p.role() == asic.Data {
			list = append(list, p)
		}
	}
	return list
}

// changed tells whether anything would be written otherwise than it stands.
func (b *box) changed() bool {
	for _, p := range b.parts {
		if p.entry == nil || p.raw != nil || p.name != p.entry.Name {
			return true
		}
	}
	return false
}

// writer puts it all together.
func (b *box) writer() *asic.Writer {
	w := asic.NewWriter(b.base, b.at)
	for _, p := range b.parts { // first of all, since another part may get the old name
		if p.entry != nil && p.name != p.entry.Name {
			w.Rename(p.entry.Name, p.name)
		}
	}
	for _, p := range b.parts {
		switch {
		case p.raw != nil && p.entry != nil:
			w.Replace(asic.Bytes(p.name, p.raw))
		case p.raw != nil:
			w.Add(asic.Bytes(p.name, p.raw))
		case p.file != nil:
			w.Add(asic.Source{Name: p.name, Data: p.file.Data, Size: p.file.Size, CRC: p.crc})
		}
	}
	return w
}

// check tells whether there can be such a container, as ades.ErrUnsuitable with the reason.
func (b *box) check() error {
	if err := b.writer().Check(); err != nil {
		return unsuitable("%w", err)
	}
	return nil
}

func unsuitable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ades.ErrUnsuitable, fmt.Errorf(format, args...))
}

// notSuitable turns what the container's reader refuses into ades.ErrUnsuitable.
func notSuitable(err error) error {
	if errors.Is(err, ades.ErrRefused) || errors.Is(err, asic.ErrUnsafe) || errors.Is(err, asic.ErrFormat) {
		return unsuitable("%w", err)
	}
	return err
}
