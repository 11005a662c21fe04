package access

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestBrowserPolicies(t *testing.T) {
	t.Parallel()
	files := BrowserPolicies([]Origin{origin(t, "https://portal.example"), origin(t, "https://portal.example"), origin(t, "https://münchen.example:8443"), origin(t, "https://[2001:db8::1]")})
	if len(files) != 6 {
		t.Fatalf("%d files", len(files))
	}
	patterns := []string{"https://[2001:db8::1]:443", "https://portal.example:443", "https://xn--mnchen-3ya.example:8443"}
	hosts := []string{"2001:db8::1", "portal.example", "xn--mnchen-3ya.example"}
	names := map[string]bool{}
	for _, f := range files {
		if names[f.Name] || f.Place == "" {
			t.Errorf("%+v", f)
		}
		names[f.Name] = true
		want, list := patterns, loopbackPolicy
		if f.Browser == "firefox" {
			want, list = hosts, "SkipDomains"
		}
		if f.Format == "json" {
			var v any
			if err := json.Unmarshal(f.Content, &v); err != nil {
				t.Fatal(err)
			}
			if f.Browser == "firefox" {
				v = v.(map[string]any)["policies"].(map[string]any)["LocalNetworkAccess"]
			}
			got := v.(map[string]any)[list].([]any)
			for i := range want {
				if len(got) != len(want) || got[i] != want[i] {
					t.Errorf("%s: %v", f.Name, got)
				}
			}
			continue
		}
		var units []uint16
		for i := 0; i+1 < len(f.Content); i += 2 {
			units = append(units, uint16(f.Content[i])|uint16(f.Content[i+1])<<8)
		}
		text := string(utf16.Decode(units))
		if !strings.HasPrefix(text, "\ufeffWindows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\") || !strings.Contains(text, `\`+list+"]\r\n") {
			t.Errorf("%q", text)
		}
		for i, w := range want {
			if !strings.Contains(text, "\""+string(rune('1'+i))+"\"=\""+w+"\"\r\n") {
				t.Errorf("%s: no %s in %q", f.Name, w, text)
			}
		}
	}
}
