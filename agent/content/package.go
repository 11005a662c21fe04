package content

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"
)

// parts are the names that files have in office packages which are more than
// text and pictures; directories have them in clear.
var parts = map[string]Active{"vbaproject.bin": Macros, "basic/script-lc.xml": Macros, "basic/standard/": Macros, "scripts/python/": Macros,
	"scripts/javascript/": Macros, "scripts/beanshell/": Macros, "/macrosheets/": Macros, "/activex/": Macros, "/embeddings/": Embedded,
	"objectreplacements/": Embedded, "/externallinks/": External}

// relations are what the files that say what the others are have in them, which
// may have any name (ECMA-376 part 2, sections 7.2 and 6.5).
var relations = map[string]Active{"vbaproject": Macros, "macroenabled": Macros, "macrosheet": Macros, "activex": Macros,
	"/oleobject": Embedded, "/package\"": Embedded, "/afchunk": Embedded}

const (
	maxDirectory = 4 << 20 // bytes of a package's directory
	maxRelations = 256     // files that say what others are
	maxRelation  = 1 << 20 // bytes of one
)

// lookPackage looks through a package for such names, wherever they stand, and
// into those files that say what the others are.
func lookPackage(r io.ReaderAt, size int64, found map[Active]bool) error {
	const longest = 32
	var tail []byte
	err := scan(r, size, maxScan, func(piece []byte, _ bool) {
		text := append(tail, bytes.ToLower(piece)...)
		for name, a := range parts {
			if bytes.Contains(text, []byte(name)) {
				found[a] = true
			}
		}
		tail = bytes.Clone(text[max(0, len(text)-longest):])
	}, found)
	if err != nil {
		return err
	}
	end, err := endOf(r, size)
	if err != nil {
		return err
	}
	if !plainDirectory(end, size) || !lookRelations(r, size, found) {
		found[Unchecked] = true
	}
	return nil
}

// plainDirectory tells whether a package has one directory, of moderate size, right before its end.
func plainDirectory(end []byte, size int64) bool {
	i := bytes.LastIndex(end, endRecord)
	if i < 0 || len(end)-i < 22 {
		return false
	}
	entries, length, offset := binary.LittleEndian.Uint16(end[i+10:]), binary.LittleEndian.Uint32(end[i+12:]), binary.LittleEndian.Uint32(end[i+16:])
	return entries < math.MaxUint16 && length <= maxDirectory && int64(offset)+int64(length) == size-int64(len(end))+int64(i)
}

// lookRelations is false when not all could be read.
func lookRelations(r io.ReaderAt, size int64, found map[Active]bool) bool {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return false
	}
	files := 0
	for _, f := range z.File {
		if name := strings.ToLower(f.Name); name != "[content_types].xml" && !strings.HasSuffix(name, ".rels") {
			continue
		}
		if files++; files > maxRelations {
			return false
		}
		in, err := f.Open()
		if err != nil {
			return false
		}
		b, err := io.ReadAll(io.LimitReader(in, maxRelation+1))
		in.Close()
		if err != nil || len(b) > maxRelation {
			return false
		}
		lookRelation(fold(b), found)
	}
	return true
}

// lookRelation looks through one such file. What is elsewhere is shown, unless it is a link that somebody clicks on.
func lookRelation(text []byte, found map[Active]bool) {
	for what, a := range relations {
		if bytes.Contains(text, []byte(what)) {
			found[a] = true
		}
	}
	for _, element := range bytes.Split(text, []byte("<")) {
		element = bytes.ReplaceAll(squeeze(element), []byte("'"), []byte(`"`))
		if bytes.Contains(element, []byte(`targetmode="external"`)) && !bytes.Contains(element, []byte(`/hyperlink"`)) {
			found[External] = true
		}
	}
}

// directorySize is how far from its end a ZIP archive has the record of its
// directory at most (PKWARE APPNOTE section 4.3.16).
const directorySize = 22 + 1<<16

var endRecord = []byte("PK\x05\x06")

// endOf is the end of a file, in which an archive would have that record.
func endOf(r io.ReaderAt, size int64) ([]byte, error) {
	end := make([]byte, min(size, directorySize))
	if n, err := r.ReadAt(end, size-int64(len(end))); err != nil && !(err == io.EOF && n == len(end)) {
		return nil, err
	}
	return end, nil
}

// lookBehind looks whether a file is, to other readers, a PDF or an archive too:
// PDF may begin a little behind the beginning, and archives are read from their end.
func lookBehind(r io.ReaderAt, size int64, head []byte, mediaType string, found map[Active]bool) error {
	if mediaType != "application/pdf" && bytes.Contains(head, []byte("%PDF-")) {
		found[Embedded] = true
	}
	if mediaType == "application/zip" {
		return nil
	}
	end, err := endOf(r, size)
	if bytes.Contains(end, endRecord) {
		found[Embedded] = true
	}
	return err
}
