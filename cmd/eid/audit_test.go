package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/audit"
)

// auditLog writes a log into a folder.
func auditLog(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "audit")
	l, err := audit.Open(audit.Options{Dir: dir, Host: "counter-3", User: "an"})
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"", "CARD_REMOVED", "CANCELLED", "SOMETHING_NEW"} {
		e, err := l.Intent(audit.Event{Client: "https://clinic.example", Operation: "identity", Fields: []string{"surname"}, Purpose: "Visit\x1b[31m", By: "grant"})
		if err == nil {
			err = e.Result(audit.Outcome{Code: code, NISS: "85073003328", CardKind: "eid", Mode: "chip"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Intent(audit.Event{Client: "Kassa", Operation: "login", By: "policy"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAuditCommand(t *testing.T) {
	t.Parallel()
	dir := auditLog(t)
	code, stdout, stderr := eid(t, "audit", "verify", "--dir", dir)
	wantCode(t, exitOK, code, stdout, stderr)
	if !strings.Contains(stdout, "10 lines in 1 files") {
		t.Error(stdout)
	}
	code, stdout, stderr = eid(t, "audit", "verify", "--dir", dir, "--json")
	wantCode(t, exitOK, code, stdout, stderr)
	validate(t, "audit-report.json", stdout)
	code, stdout, stderr = eid(t, "audit", "show", "--dir", dir, "--json")
	wantCode(t, exitOK, code, stdout, stderr)
	if strings.Count(stdout, "\n") != 10 || strings.Contains(stdout, "85073003328") {
		t.Error(stdout)
	}
	for line := range strings.Lines(stdout) {
		validate(t, "audit.json", line)
	}
	for lang, want := range map[string][]string{
		"en": {"identity data (surname): done [allowed for good]", "purpose: Visit", "too early. (CARD_REMOVED)", ": cancelled", "SOMETHING_NEW", "Kassa  log-in: no result"},
		"nl": {"identiteitsgegevens (surname): uitgevoerd", "doel: Visit", "Kassa  aanmelding: geen resultaat"},
		"fr": {"données d'identité (surname): fait", "finalité: Visit"},
		"de": {"Identitätsdaten (surname): erledigt", "Zweck: Visit"},
	} {
		code, stdout, stderr = eid(t, "audit", "show", "--dir", dir, "--lang", lang)
		wantCode(t, exitOK, code, stdout, stderr)
		for _, w := range want {
			if !strings.Contains(stdout, w) {
				t.Errorf("%s: no %q in\n%s", lang, w, stdout)
			}
		}
		if strings.Contains(stdout, "\x1b") {
			t.Errorf("%s: control characters", lang)
		}
	}
	code, stdout, stderr = eid(t, "audit", "show", "--dir", dir, "--limit", "1", "--client", "https://clinic.example")
	wantCode(t, exitOK, code, stdout, stderr)
	if !strings.Contains(stdout, "identity data: SOMETHING_NEW") || strings.Count(stdout, "\n") != 1 {
		t.Error(stdout)
	}

	path := filepath.Join(dir, "audit-00000001.jsonl")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(raw), "CARD_REMOVED", "CARD_BUSY", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr = eid(t, "audit", "verify", "--dir", dir)
	wantCode(t, exitInvalid, code, stdout, stderr)
	if !strings.Contains(stdout, "line 5 was changed (audit-00000001.jsonl, line 5 of the file)") {
		t.Error(stdout)
	}
	code, stdout, stderr = eid(t, "audit", "verify", "--dir", dir, "--json")
	wantCode(t, exitInvalid, code, stdout, stderr)
	validate(t, "audit-report.json", stdout)
	code, stdout, stderr = eid(t, "audit", "verify", "--dir", dir, "--lang", "de")
	wantCode(t, exitInvalid, code, stdout, stderr)
	if !strings.Contains(stdout, "Zeile 5 wurde geändert") {
		t.Error(stdout)
	}
}

func TestAuditWithoutKeyOrLog(t *testing.T) {
	t.Parallel()
	dir := auditLog(t)
	key := filepath.Join(t.TempDir(), "audit.key")
	if err := os.Rename(filepath.Join(dir, "audit.key"), key); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := eid(t, "audit", "verify", "--dir", dir)
	wantCode(t, exitIndeterminate, code, stdout, stderr)
	code, stdout, stderr = eid(t, "audit", "verify", "--dir", dir, "--key", key)
	wantCode(t, exitOK, code, stdout, stderr)
	for _, what := range []string{"verify", "show"} {
		code, stdout, stderr = eid(t, "audit", what, "--dir", filepath.Join(t.TempDir(), "none"))
		wantCode(t, exitFailure, code, stdout, stderr)
		if !strings.Contains(stderr, "eid: hint: ") {
			t.Error(stderr)
		}
	}
}

// TestAuditWords: four languages, each of its own.
func TestAuditWords(t *testing.T) {
	t.Parallel()
	for key, row := range auditWords {
		for i, lang := range []string{"en", "nl", "fr", "de"} {
			if row[i] == "" || i > 0 && row[i] == row[0] {
				t.Errorf("%s in %s: %q", key, lang, row[i])
			}
			if strings.Count(row[i], "%d") != strings.Count(row[0], "%d") || strings.Count(row[i], "%s") != strings.Count(row[0], "%s") {
				t.Errorf("%s in %s has other places for values", key, lang)
			}
		}
	}
}
