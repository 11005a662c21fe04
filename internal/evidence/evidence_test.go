package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
)

func TestPut(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "evidence")
	s, err := Open(folder, []string{id.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	x := Exchange{Time: time.Date(2026, 3, 15, 11, 2, 3, 4e8, time.UTC), Service: "genins", Endpoint: "https://insurers.invalid/", Reference: "26031500000001",
		Request: []byte("<asked>50061599733</asked>"), Response: []byte("<answered/>")}
	for range 2 {
		if err := s.Put(x); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"110203.400-26031500000001.age", "110203.400-26031500000001+.age"} {
		path := filepath.Join(folder, "2026-03-15", name)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("50061599733")) || bytes.Contains(raw, []byte("asked")) {
			t.Error("it can be read without a key")
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		r, err := age.Decrypt(bytes.NewReader(raw), id)
		if err != nil {
			t.Fatal(err)
		}
		var got Exchange
		if err := json.NewDecoder(r).Decode(&got); err != nil || string(got.Request) != string(x.Request) || string(got.Response) != string(x.Response) || !got.Time.Equal(x.Time) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(folder, "2026-03-15")); err != nil || len(left) != 2 {
		t.Errorf("%d files, %v", len(left), err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{nil, {"age1"}, {"AGE-SECRET-KEY-1"}} {
		if _, err := Open(t.TempDir(), keys); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", keys, err)
		}
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.TempDir(), []string{id.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	for _, reference := range []string{"", "../../x", "a/b"} {
		if err := s.Put(Exchange{Reference: reference}); err == nil {
			t.Errorf("%q is a file name", reference)
		}
	}
}
