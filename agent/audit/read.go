package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Filter chooses lines. The zero value is the newest 1,000.
type Filter struct {
	Before       uint64    // numbers below this one; 0: all
	Limit        int       // the newest so many; 0: 1,000; below 0: all
	Client       string    // of this client; empty: of any
	Operation    string    // of this operation; empty: of any
	Since, Until time.Time // from the one, up to but not with the other; zero: no limit
}

const defaultLimit = 1000

func (f *Filter) takes(l *Line) bool {
	return (f.Before == 0 || l.Seq < f.Before) && (f.Client == "" || l.Client == f.Client) && (f.Operation == "" || l.Operation == f.Operation) &&
		(f.Since.IsZero() || !l.Time.Before(f.Since)) && (f.Until.IsZero() || l.Time.Before(f.Until))
}

// Read gives lines, oldest first, while the log may be written. It judges nothing:
// lines that cannot be read are left out, and Verify says so. Errors: ErrNone,
// those of the file system.
func Read(dir string, f Filter) ([]Line, error) {
	if f.Limit == 0 {
		f.Limit = defaultLimit
	}
	numbers, err := fileNumbers(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(numbers) == 0 {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	var newest [][]Line // by file, the newest file first
	count := 0
	for _, n := range slices.Backward(numbers) {
		of, err := readFile(filepath.Join(dir, fileName(n)), &f)
		if err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		if f.Limit > 0 && count+len(of) > f.Limit {
			of = of[count+len(of)-f.Limit:]
		}
		newest = append(newest, of)
		if count += len(of); count == f.Limit {
			break
		}
	}
	slices.Reverse(newest)
	return slices.Concat(newest...), nil
}

func readFile(path string, f *Filter) (all []Line, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for r := newLines(file); ; {
		b, err := r.next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil && !errors.Is(err, errLong) {
			return nil, err
		}
		var l Line
		if err == nil && json.Unmarshal(b, &l) == nil && l.Seq > 0 && f.takes(&l) {
			all = append(all, l)
		}
	}
}
