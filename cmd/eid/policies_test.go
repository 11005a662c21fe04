package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPoliciesCommand(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := eid(t, "agent", "policies", "--site", "https://Portal.example", "--site", "https://desk.example:8443", "--browser", "chrome")
	wantCode(t, exitOK, code, stdout, stderr)
	var chrome map[string][]string
	if err := json.Unmarshal([]byte(stdout), &chrome); err != nil || strings.Join(chrome["LoopbackNetworkAllowedForUrls"], " ") != "https://desk.example:8443 https://portal.example:443" {
		t.Errorf("%v, %v", chrome, err)
	}
	if !strings.Contains(stderr, "/etc/opt/chrome/policies/managed/") {
		t.Error(stderr)
	}
	code, stdout, stderr = eid(t, "agent", "policies", "--site", "https://portal.example", "--browser", "edge", "--format", "reg")
	wantCode(t, exitOK, code, stdout, stderr)
	if !strings.HasPrefix(stdout, "\xff\xfeW\x00i\x00") {
		t.Errorf("%q", stdout)
	}
	out := filepath.Join(t.TempDir(), "policies")
	for range 2 { // again, over what is there
		code, stdout, stderr = eid(t, "agent", "policies", "--site", "https://portal.example", "--out", out)
		wantCode(t, exitOK, code, stdout, stderr)
	}
	files, err := os.ReadDir(out)
	if err != nil || len(files) != 6 || stdout != "" {
		t.Errorf("%v, %v, %q", files, err, stdout)
	}
	for _, args := range [][]string{
		{}, {"--site", "http://portal.example"}, {"--site", "null"}, {"--site", "https://portal.example/"}, {"--site", "https://*.example"},
		{"--site", "https://portal.example", "--browser", "safari"}, {"--site", "https://portal.example", "--format", "xml"},
		{"--site", "https://portal.example"}, {"--site", "https://portal.example", "--format", "reg"},
	} {
		code, stdout, stderr = eid(t, append([]string{"agent", "policies"}, args...)...)
		wantCode(t, exitUsage, code, stdout, stderr)
	}
}
