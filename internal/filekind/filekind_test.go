package filekind

import (
	"errors"
	"strings"
	"testing"
)

func TestHead(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]Kind{
		"":                   Empty,
		"PK\x03\x04rest":     ZIP,
		"PK\x05\x06":         ZIP,
		"%PDF-1.7":           PDF,
		"junk\n%PDF-1.4":     PDF,
		"<a/>":               XML,
		"\xef\xbb\xbf <a/>":  XML,
		"\xff\xfe<\x00a\x00": XML,
		"\x00<\x00a":         XML,
		"0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02": CMS,
		"0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01": Encoded,
		"-----BEGIN CMS-----":                               Encoded,
		"MIME-Version: 1.0\r\n":                             CMS,
		"zomaar tekst":                                      Unknown,
		"<!-- %PDF- in XML -->":                             XML,
		"\x89PNG\r\n\x1a\n\x00\x00":                         Unknown,
	} {
		if got := Head([]byte(head)); got != want {
			t.Errorf("%q: %v, want %v", head, got, want)
		}
		if got, err := Of(strings.NewReader(head), int64(len(head))); got != want || err != nil {
			t.Errorf("%q: %v %v, want %v", head, got, err, want)
		}
	}
}

type broken struct{}

var errDisk = errors.New("disk")

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

func TestUnreadable(t *testing.T) {
	t.Parallel()
	if _, err := Of(broken{}, 10); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
}
