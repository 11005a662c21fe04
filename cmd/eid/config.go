package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// config is the user's configuration file, $XDG_CONFIG_HOME/eidkit/config.toml. It may be absent.
type config struct {
	Readers struct {
		// Ignore names readers, or parts of their names, that eid passes over.
		Ignore []string `toml:"ignore"`
	} `toml:"readers"`
	Pinentry string        `toml:"pinentry"` // path of the PIN dialog program
	Network  networkConfig `toml:"network"`
	Sign     signConfig    `toml:"sign"`

	Insurance insuranceConfig `toml:"insurance"`
}

func configPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "eidkit", "config.toml"), nil
}

// loadConfig reads the configuration; unknown keys are refused with their line, so that a typing mistake does not pass unseen.
func loadConfig() (config, error) {
	var c config
	path, err := configPath()
	if err != nil { // no home directory: no configuration
		return c, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("reading the configuration: %w", err)
	}
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return c, fmt.Errorf("configuration %s: unknown setting: %s", path, strict.String())
		}
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, col := at.Position()
			return c, fmt.Errorf("configuration %s, line %d, column %d: %v", path, row, col, at)
		}
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}
