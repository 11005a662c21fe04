package crl

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// stored is one file of the folder.
type stored struct {
	name string
	size int64
	time time.Time
}

// sweep removes the files that the list at key had before, what writers that died left, and, when the folder is too large, the lists
// confirmed longest ago. Whoever reads one of them goes on doing so, or finds it gone and fetches it again. What cannot be removed now
// is removed the next time.
func (s *Store) sweep(key, name string) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	lists := map[string][]stored{} // by key
	total := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		f := stored{e.Name(), info.Size(), info.ModTime()}
		old := s.o.Now().Sub(f.time) > leftoverAfter
		base, suffix, _ := strings.Cut(f.name, ".")
		of, _, _ := strings.Cut(base, "-")
		switch {
		case strings.HasPrefix(f.name, atomicfile.TempPrefix):
			if old {
				s.remove(f.name)
			}
		case "."+suffix == refSuffix:
			lists[base] = append(lists[base], f)
			total += f.size
		case "."+suffix == idxSuffix, "."+suffix == crlSuffix:
			if of == key && base != name { // the lock of this key is ours: nobody is about to refer to it
				s.remove(f.name)
				continue
			}
			lists[of] = append(lists[of], f)
			total += f.size
		}
	}
	s.shrink(key, total, lists)
}

// shrink removes lists until the folder is small enough, and files without a reference.
func (s *Store) shrink(key string, total int64, lists map[string][]stored) {
	type aged struct {
		files []stored
		time  time.Time // of the reference
	}
	var all []aged
	for k, files := range lists {
		i := slices.IndexFunc(files, func(f stored) bool { return strings.HasSuffix(f.name, refSuffix) })
		switch {
		case k == key:
		case i >= 0:
			files[0], files[i] = files[i], files[0] // the reference goes first: without it the others are not looked for
			all = append(all, aged{files, files[0].time})
		case !slices.ContainsFunc(files, func(f stored) bool { return s.o.Now().Sub(f.time) <= leftoverAfter }):
			for _, f := range files {
				s.remove(f.name)
			}
		}
	}
	slices.SortFunc(all, func(a, b aged) int { return cmp.Compare(a.time.UnixNano(), b.time.UnixNano()) })
	for _, a := range all {
		if total <= s.o.MaxBytes {
			return
		}
		for _, f := range a.files {
			s.remove(f.name)
			total -= f.size
		}
	}
}

func (s *Store) remove(name string) { os.Remove(filepath.Join(s.dir, name)) }
