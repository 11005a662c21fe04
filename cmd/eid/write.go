package main

import (
	"errors"
	"os"
	"path/filepath"
)

// writeFile writes personal data: for the user's eyes alone, whole or not at all, whatever was there before.
func (a *app) writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".eid-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	a.info("wrote %s", path)
	return nil
}
