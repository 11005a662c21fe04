package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// Files of the folder.
const (
	headName = "head"
	keyName  = "audit.key"
	lockName = "audit.lock"
	keyBytes = 32
)

// fileName is that of the file with that number, from 1.
func fileName(n int) string { return fmt.Sprintf("audit-%08d.jsonl", n) }

var fileNames = regexp.MustCompile(`^audit-([0-9]{8})\.jsonl$`)

// fileNumbers are those of the files that are there, in order.
func fileNumbers(dir string) (all []int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if m := fileNames.FindStringSubmatch(e.Name()); m != nil {
			n, _ := strconv.Atoi(m[1])
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// head says which line is the last, and where it is.
type head struct {
	Schema int    `json:"schema"`
	Seq    uint64 `json:"seq"`
	Hash   string `json:"hash"`
	File   int    `json:"file"`
	Start  int64  `json:"start"` // of the line in its file
	End    int64  `json:"end"`   // behind its line feed
	MAC    string `json:"mac"`
}

func (h *head) mac(key []byte) string {
	return hex.EncodeToString(sum(derive(key, "head"), fmt.Appendf(nil, "%d %s %d %d %d", h.Seq, h.Hash, h.File, h.Start, h.End)))
}

// The head is kept twice, and the older one is written over: when that is
// interrupted the other is still there. A slot is a sector, which disks write whole.
const (
	slots    = 2
	slotSize = 512
)

// slot is the head as it stands in the file.
func (h *head) slot(key []byte) []byte {
	b := h.line(key)
	return append(append(b, bytes.Repeat([]byte(" "), slotSize-len(b)-1)...), '\n')
}

// line is the head for the sink.
func (h *head) line(key []byte) []byte {
	h.Schema, h.MAC = 1, h.mac(key)
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // numbers and hexadecimal
	}
	return b
}

func parseHead(b, key []byte) *head {
	var h head
	if json.Unmarshal(b, &h) != nil || h.Schema != 1 || !hmac.Equal([]byte(h.MAC), []byte(h.mac(key))) {
		return nil
	}
	return &h
}

// heads is what the file of the head says.
type heads struct {
	last    *head // nil: there is none that is right
	slot    int   // where last stands
	damaged bool  // one slot is not what was written there
	missing bool  // there is no file
}

// readHeads reads the head. It may be in the middle of being written.
func readHeads(dir string, key []byte) (heads, error) {
	const attempts = 5
	var h heads
	for range attempts {
		b, err := readSmall(filepath.Join(dir, headName), slots*slotSize)
		if errors.Is(err, fs.ErrNotExist) {
			return heads{missing: true}, nil
		}
		if err != nil {
			return heads{}, fmt.Errorf("reading the head: %w", err)
		}
		h = heads{}
		if len(b) != slots*slotSize { // no crash makes it shorter or longer
			return heads{damaged: true}, nil
		}
		for i := range slots {
			at := parseHead(b[i*slotSize:(i+1)*slotSize], key)
			if at == nil {
				h.damaged = true
			} else if h.last == nil || at.Seq > h.last.Seq {
				h.last, h.slot = at, i
			}
		}
		if !h.damaged {
			break
		}
	}
	return h, nil
}

// readSmall reads a file of at most that many bytes, and one more of a larger one.
func readSmall(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}

// readKey is the key of the installation; nil when there is none.
func readKey(dir string) ([]byte, error) {
	b, err := readSmall(filepath.Join(dir, keyName), keyBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && len(b) != keyBytes {
		err = fmt.Errorf("%w: %s has not %d bytes", ErrKey, keyName, keyBytes)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// makeKey reads the key, or makes it.
func makeKey(dir string) ([]byte, error) {
	if k, err := readKey(dir); k != nil || err != nil {
		return k, err
	}
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails (crypto/rand)
	if err := atomicfile.Write(filepath.Join(dir, keyName), key); err != nil {
		return nil, fmt.Errorf("writing the key: %w", err)
	}
	return key, nil
}
