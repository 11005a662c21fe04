package asic

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// decodeName gives a name as text. Names that are valid UTF-8 are taken as
// such, whether or not the flag says so, as many writers leave it out; others
// are code page 437 (APPNOTE appendix D), unless the Unicode path field of
// Info-ZIP (0x7075) says better. odd tells that it was not plain UTF-8.
func decodeName(h *header) (name string, odd bool, err error) {
	raw := h.rawName
	if len(raw) == 0 || len(raw) > maxName {
		return "", false, unsafe("a name of %d bytes", len(raw))
	}
	if utf8.Valid(raw) {
		return string(raw), false, nil
	}
	if h.flags&flagUTF8 != 0 {
		return "", false, unsafe("a name that is not the UTF-8 it says it is")
	}
	if f, ok := extraField(h.extra, 0x7075); ok && len(f) > 5 && f[0] == 1 &&
		binary.LittleEndian.Uint32(f[1:]) == crc32.ChecksumIEEE(raw) && utf8.Valid(f[5:]) && len(f)-5 <= maxName {
		return string(f[5:]), true, nil
	}
	decoded, err := charmap.CodePage437.NewDecoder().Bytes(raw)
	if err != nil {
		return "", false, unsafe("a name in an unknown encoding")
	}
	return string(decoded), true, nil
}

// checkName refuses names that could lead somewhere else than into the
// container, or be read differently on another system. A folder's name ends
// in a slash.
func checkName(name string) error {
	switch {
	case strings.HasPrefix(name, "/"):
		return unsafe("the name %q is absolute", name)
	case strings.ContainsAny(name, `\`):
		return unsafe("the name %q has a backslash", name)
	case len(name) >= 2 && name[1] == ':':
		return unsafe("the name %q begins with a drive", name)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return unsafe("the name %q has control characters", name)
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		if part == "" || part == "." || part == ".." {
			return unsafe("the name %q leads elsewhere", name)
		}
	}
	return nil
}

// checkNames refuses names that stand twice, that a file system could hold
// to be the same, or that are both a file and a folder.
func checkNames(all []*Entry) error {
	seen := make(map[string]*Entry, len(all)) // folded names without the slash of folders
	for _, e := range all {
		key := foldName(strings.TrimSuffix(e.Name, "/"))
		if other := seen[key]; other != nil {
			return unsafe("%q and %q are the same name", other.Name, e.Name)
		}
		seen[key] = e
	}
	for key, e := range seen {
		for i, r := range key {
			if r != '/' {
				continue
			}
			if above := seen[key[:i]]; above != nil && !above.folder {
				return unsafe("%q is a file, and %q lies in it", above.Name, e.Name)
			}
		}
	}
	return nil
}
