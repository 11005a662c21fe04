package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/eidkit/eidkit/internal/atomicfile"
	"github.com/eidkit/eidkit/sign"
)

// inputFile is a file that is opened when it is first read, so that a batch may have more files than may be open.
type inputFile struct {
	path, dir string
	info      fs.FileInfo

	mu   sync.Mutex
	file *os.File
}

func (in *inputFile) ReadAt(b []byte, off int64) (int, error) {
	f, err := in.open()
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", in.path, plainPathError(err))
	}
	return f.ReadAt(b, off)
}

func (in *inputFile) open() (*os.File, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.file == nil {
		f, err := os.Open(in.path)
		if err != nil {
			return nil, err
		}
		in.file = f
	}
	return in.file, nil
}

func (in *inputFile) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.file != nil {
		in.file.Close()
		in.file = nil
	}
}

// unchanged fails when the file is no longer the one that was looked at: what was signed would not be what is written.
func (in *inputFile) unchanged() error {
	info, err := os.Stat(in.path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", in.path, plainPathError(err))
	}
	if info.Size() != in.info.Size() || !info.ModTime().Equal(in.info.ModTime()) {
		return fmt.Errorf("%s was changed meanwhile: nothing is written", in.path)
	}
	return nil
}

func (in *inputFile) source() sign.Source {
	return sign.Source{Name: filepath.Base(in.path), Data: in, Size: in.info.Size(), MIMEType: mimeType(in.path)}
}

// mimeTypes are the same on every machine, unlike those of the system.
var mimeTypes = map[string]string{".txt": "text/plain", ".csv": "text/csv", ".html": "text/html", ".htm": "text/html", ".xml": "text/xml",
	".json": "application/json", ".pdf": "application/pdf", ".zip": "application/zip", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
	".tif": "image/tiff", ".tiff": "image/tiff", ".svg": "image/svg+xml", ".doc": "application/msword",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".odt": "application/vnd.oasis.opendocument.text",
	".ods": "application/vnd.oasis.opendocument.spreadsheet", ".eml": "message/rfc822"}

func mimeType(path string) string {
	if t, ok := mimeTypes[strings.ToLower(filepath.Ext(path))]; ok {
		return t
	}
	return "application/octet-stream"
}

// kind tells by its content of what form the signatures in a file are.
func (p pickedFile) kind() (sign.Format, error) {
	f, err := os.Open(p.path)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", p.path, plainPathError(err))
	}
	defer f.Close()
	head := make([]byte, 1024)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading %s: %w", p.path, plainPathError(err))
	}
	head = head[:n]
	switch text := bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n"); {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return sign.FormatASiCE, nil
	case bytes.Contains(head, []byte("%PDF-")) && !bytes.HasPrefix(head, []byte{0x30}):
		return sign.FormatPAdES, nil
	case bytes.HasPrefix(text, []byte("<")) || bytes.HasPrefix(head, []byte("\xff\xfe<\x00")) || bytes.HasPrefix(head, []byte("\xfe\xff\x00<")):
		return sign.FormatXAdES, nil
	}
	return sign.FormatCAdES, nil
}

// signOutput is what a task writes: under a name of its own until all is well.
type signOutput struct {
	file  *atomicfile.File
	task  *signTask
	force bool
	made  []string // folders that were missing, from the deepest up
}

// create begins to write what a task makes.
func (t *signTask) create(force bool) (*signOutput, error) {
	dir := filepath.Dir(t.out)
	o := &signOutput{task: t, force: force}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Lstat(d); !errors.Is(err, fs.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		o.made = append(o.made, d)
	}
	err := os.MkdirAll(dir, 0o777)
	if err == nil {
		o.file, err = atomicfile.Create(dir)
	}
	if err != nil {
		o.removeFolders()
		return nil, writeError(t.out, err)
	}
	return o, nil
}

// removeFolders takes away the folders that were made, as far as nothing is in them.
func (o *signOutput) removeFolders() {
	for _, dir := range o.made {
		if os.Remove(dir) != nil {
			return
		}
	}
}

func (o *signOutput) Write(b []byte) (int, error) {
	n, err := o.file.Write(b)
	return n, writeError(o.task.out, err)
}

// Commit gives the file its name. It may be read by whom every input may be read: what is in one of them is in it too.
func (o *signOutput) Commit() error {
	defer o.Abort()
	mode := fs.FileMode(0o666)
	for _, in := range o.task.inputs {
		if err := in.unchanged(); err != nil {
			return err
		}
		mode &= in.info.Mode().Perm()
	}
	if err := o.file.Chmod(mode); err != nil {
		return writeError(o.task.out, err)
	}
	if o.force {
		return writeError(o.task.out, o.file.Commit(o.task.out))
	}
	return writeError(o.task.out, o.file.CommitNew(o.task.out))
}

// Abort leaves nothing behind. After Commit it does nothing.
func (o *signOutput) Abort() {
	o.file.Abort()
	o.removeFolders()
}

// writeError says which file could not be written, and not the name that it had meanwhile.
func writeError(path string, err error) error {
	if err == nil {
		return nil
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		err = link.Err
	}
	return fmt.Errorf("writing %s: %w", path, plainPathError(err))
}
