package saved

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// FuzzRead: whatever can be read can be written as JSON that fits the schema and reads back the same, and a file written in one of
// the other forms does not change any more once it was read and written again.
func FuzzRead(f *testing.F) {
	for _, person := range []fields{citizen(nil), foreigner(nil)} {
		c := newCard(f, person)
		f.Add(tlvOf(c, false))
		f.Add(tlvOf(c, true))
		f.Add(writeCSV(f, c))
		f.Add(writeXML(f, c))
		f.Add(xml35Of(c))
		f.Add(xml35Of(&Card{Identity: c.Identity, Address: c.Address}))
		f.Add(quickKeyOf(c))
		f.Add(encode(f, c, Options{}))
		f.Add(encode(f, c, Options{OmitFiles: true}))
	}
	f.Add([]byte(javaCSV))
	schema := schemas(f)["read"]
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Read(b)
		if err != nil {
			return
		}
		written := encode(t, c, Options{})
		if err := schema.Validate(parseJSON(t, written)); err != nil {
			t.Errorf("schema: %v", err)
		}
		if got := readAgain(t, written); got != nil {
			want := *c
			identity := *c.Identity
			want.Identity = &identity
			if got.Files.Identity == nil {
				identity.SpecialStatus = statusOrNone(identity.SpecialStatus)
			}
			if err := errors.Join(sameFiles(got.Files, c.Files), sameCard(got, &want)); err != nil {
				t.Error(err)
			}
		}
		unchanging(t, c, (*Card).WriteCSV)
		unchanging(t, c, (*Card).WriteXML)
	})
}

// readAgain reads what was written. Cleaning can make a text longer than a card file may be, and white space out of a name that was
// nothing else; nil then.
func readAgain(t *testing.T, b []byte) *Card {
	t.Helper()
	c, err := Read(b)
	if errors.Is(err, beidfile.ErrTooLarge) || errors.Is(err, beidfile.ErrMissing) || errors.Is(err, ErrTooLarge) {
		return nil
	}
	if err != nil {
		t.Errorf("%v, reading %q", err, b)
	}
	return c
}

func unchanging(t *testing.T, c *Card, write func(*Card, io.Writer) error) {
	t.Helper()
	var written []string
	for range 3 {
		var b bytes.Buffer
		if err := write(c, &b); err != nil {
			if !errors.Is(err, ErrIncomplete) || b.Len() > 0 {
				t.Errorf("%v after %d bytes", err, b.Len())
			}
			return
		}
		written = append(written, b.String())
		if c = readAgain(t, b.Bytes()); c == nil {
			return
		}
	}
	if written[1] != written[2] { // the first writing may leave something out
		t.Errorf("%q became %q", written[1], written[2])
	}
}
