package access

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// BrowserFile is one file for one browser.
type BrowserFile struct {
	Browser string // "chrome", "edge" or "firefox"
	Format  string // "json" for Linux, "reg" for Windows
	Name    string // to save it under
	Place   string // where it belongs on the machine: a path, or a key of the registry
	Content []byte
}

// chromium lists where Chromium's relatives look.
var chromium = []struct{ browser, name, place, key string }{
	{"chrome", "eidkit-chrome", "/etc/opt/chrome/policies/managed/eidkit.json (Google Chrome), /etc/chromium/policies/managed/eidkit.json (Chromium)", `SOFTWARE\Policies\Google\Chrome`},
	{"edge", "eidkit-edge", "/etc/opt/edge/policies/managed/eidkit.json", `SOFTWARE\Policies\Microsoft\Edge`},
}

const (
	loopbackPolicy = "LoopbackNetworkAllowedForUrls" // Chrome and Edge 146 and newer
	firefoxKey     = `SOFTWARE\Policies\Mozilla\Firefox`
)

// BrowserPolicies are the files that let pages of these sites reach programs on
// the user's own machine without the browser's question (Local Network Access).
// Chrome and Edge take origins with their port; Firefox takes host names, so that
// every port of a host counts there. The agent's own rules hold all the same.
func BrowserPolicies(sites []Origin) []BrowserFile {
	var patterns, names []string
	for _, o := range sites {
		patterns = append(patterns, fmt.Sprintf("%s://%s:%d", o.scheme, o.host, o.port))
		names = append(names, strings.Trim(o.host, "[]"))
	}
	patterns = slices.Compact(slices.Sorted(slices.Values(patterns)))
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var files []BrowserFile
	for _, b := range chromium {
		files = append(files,
			BrowserFile{b.browser, "json", b.name + ".json", b.place, indented(map[string]any{loopbackPolicy: patterns})},
			BrowserFile{b.browser, "reg", b.name + ".reg", `HKEY_LOCAL_MACHINE\` + b.key, registry(b.key+`\`+loopbackPolicy, patterns)})
	}
	return append(files,
		BrowserFile{"firefox", "json", "policies.json", "/etc/firefox/policies/policies.json, put together with what is there",
			indented(map[string]any{"policies": map[string]any{"LocalNetworkAccess": map[string]any{"SkipDomains": names}}})},
		BrowserFile{"firefox", "reg", "eidkit-firefox.reg", `HKEY_LOCAL_MACHINE\` + firefoxKey, registry(firefoxKey+`\LocalNetworkAccess\SkipDomains`, names)})
}

func indented(v any) []byte {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // strings alone
	}
	return append(b, '\n')
}

// registry is a file for regedit: UTF-16 with its byte order mark, lines that end
// in CR LF. Values are numbered from 1, as these policies want their lists.
func registry(key string, values []string) []byte {
	var text strings.Builder
	text.WriteString("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\" + key + "]\r\n")
	for i, v := range values {
		text.WriteString(strconv.Quote(strconv.Itoa(i+1)) + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + "\"\r\n")
	}
	var out bytes.Buffer
	binary.Write(&out, binary.LittleEndian, utf16.Encode([]rune("\ufeff"+text.String()))) // a buffer takes everything
	return out.Bytes()
}
