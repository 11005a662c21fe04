// Package sysfile tells whether root alone, or an administrator of Windows, can
// change a file, which is what makes it safe to take rules from or to give a PIN
// to.
//
// Start with Open for a file that is to be read, and File for a program that is
// to be run. Folder, on Unix, is for one in which a socket is looked for.
//
// A path is followed from its root, links included: whoever can write to a folder
// on the way can put another file at its end. A folder that everybody may write
// to, but where nobody can rename what is not his (the sticky bit, as /tmp has it),
// does no harm above a file of root's.
//
// Out of scope: rights that are no file's (capabilities, mounts, the system's own
// policies).
//
// References: stat(2), symlink(7), sticky bit in chmod(2); access lists of Windows,
// [MS-DTYP] 2.4.
package sysfile

import (
	"errors"
	"os"
)

// ErrOthers is in the error of what others than root can change. The text before
// it says what, and how.
var ErrOthers = errors.New("others than root can change it")

// Open opens the file at path for reading. owner is a user who may own it, and the
// folders above, beside root, for tests; 0: nobody. Errors: ErrOthers, those of the
// file system.
func Open(path string, owner int) (*os.File, error) {
	real, err := File(path, owner)
	if err != nil {
		return nil, err
	}
	f, err := OpenPlain(real)
	if err != nil {
		return nil, err
	}
	if err := opened(f, owner); err != nil { // it may not be the one that was looked at
		f.Close()
		return nil, err
	}
	return f, nil
}
