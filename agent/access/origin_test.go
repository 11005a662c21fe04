package access

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestParseOrigin(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://portal.example":           "https://portal.example",
		"https://portal.example:443":       "https://portal.example",
		"https://portal.example:8443":      "https://portal.example:8443",
		"https://portal.example:80":        "https://portal.example:80",
		"HTTPS://Portal.EXAMPLE":           "https://portal.example",
		"https://münchen.example":          "https://xn--mnchen-3ya.example",
		"https://MÜNCHEN.example":          "https://xn--mnchen-3ya.example",
		"https://xn--mnchen-3ya.example":   "https://xn--mnchen-3ya.example",
		"https://XN--MNCHEN-3YA.example":   "https://xn--mnchen-3ya.example",
		"https://pоrtal.example":           "https://xn--prtal-jye.example", // Cyrillic о: another site
		"https://faß.example":              "https://xn--fa-hia.example",
		"https://a_b.example":              "https://a_b.example",
		"https://r3---sn-a.example":        "https://r3---sn-a.example",
		"https://192.0.2.7:8443":           "https://192.0.2.7:8443",
		"https://[2001:DB8:0:0::1]:443":    "https://[2001:db8::1]",
		"https://[::1]:24340":              "https://[::1]:24340",
		"https://localhost":                "https://localhost",
		"https://127.evil.example":         "https://127.evil.example", // a name, and not this machine
		"https://portal.example.evil.test": "https://portal.example.evil.test",
	} {
		o, err := ParseOrigin(in)
		if err != nil || o.String() != want {
			t.Errorf("%q: %q, %v; want %q", in, o, err, want)
			continue
		}
		if again, err := ParseOrigin(o.String()); err != nil || again != o {
			t.Errorf("%q is not what it says itself to be: %v", o, err)
		}
	}
}

func TestParseOriginRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "null", "https", "https:", "https://", "https:///", "portal.example", "//portal.example",
		"http://portal.example", "ws://portal.example", "wss://portal.example", "file://", "javascript://portal.example", "chrome-extension://abcdef",
		"https://portal.example/", "https://portal.example/x", "https://portal.example?x", "https://portal.example#x", `https://portal.example\@evil.example`,
		"https://user@portal.example", "https://portal.example@evil.example", "https://portal.example:443@evil.example", "https://a:b@portal.example",
		"https://portal.example:", "https://portal.example:0", "https://portal.example:00443", "https://portal.example:65536", "https://portal.example:+443",
		"https://portal.example:443:443", "https://portal.example:https", "https://portal.example:-1", "https://portal.example: 443",
		"https://portal.example.", "https://portal.example.:443", "https://portal.example。", "https://.", "https://..", "https://a..example", "https://.example",
		" https://portal.example", "https://portal.example ", "https://portal.example\n", "https://portal.example\x00", "https://por\ttal.example",
		"https://portal%2eexample", "https://%70ortal.example", "https://*.example", "https://[*.]example", "https://portal.example, https://evil.example",
		"https://portal.example https://evil.example",
		"https://127.1", "https://0x7f.1", "https://0x7f000001", "https://2130706433", "https://0177.0.0.1", "https://127.0.0.01", "https://１２７.0.0.1",
		"https://256.1.1.1", "https://1.2.3", "https://1.2.3.4.5", "https://portal.0x10",
		"https://::1", "https://[::1", "https://::1]", "https://[::ffff:127.0.0.1]", "https://[fe80::1%25eth0]", "https://[fe80::1%eth0]", "https://[127.0.0.1]", "https://[]", "https://[::1]x", "https://[::1]:", "https://[::1]]",
		"https://xn--a.example", "https://xn--.example", "https://xn--mnchen.example", "https://a\u200db.example", "https://\u202eexample.test",
		"https://" + strings.Repeat("a", 64) + ".example", "https://" + strings.Repeat("a.", 200) + "example",
		"http://localhost", "http://127.0.0.1:8080",
	} {
		if o, err := ParseOrigin(in); !errors.Is(err, ErrOrigin) || !o.IsZero() || o.String() != "" {
			t.Errorf("%q is taken: %q, %v", in, o, err)
		}
	}
}

func TestParseOriginDev(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"http://localhost": "http://localhost", "http://localhost:80": "http://localhost", "http://localhost:8080": "http://localhost:8080",
		"http://127.0.0.1:1": "http://127.0.0.1:1", "http://[::1]:3": "http://[::1]:3", "http://[0:0::1]:3": "http://[::1]:3",
		"http://localhost:443": "http://localhost:443", "https://portal.example": "https://portal.example",
	} {
		if o, err := ParseOriginDev(in); err != nil || o.String() != want {
			t.Errorf("%q: %q, %v; want %q", in, o, err, want)
		}
	}
	for _, in := range []string{"http://portal.example", "http://localhost.example", "http://127.0.0.2", "http://127.0.0.1.example", "http://localhost.", "http://[::2]", "http://0.0.0.0", "http://evil.localhost", "null"} {
		if _, err := ParseOriginDev(in); !errors.Is(err, ErrOrigin) {
			t.Errorf("%q is taken: %v", in, err)
		}
	}
}

func FuzzParseOrigin(f *testing.F) {
	for _, s := range []string{"https://portal.example:8443", "http://[::1]:80", "https://münchen.example", "https://1.2.3.4", "null", "https://xn--a", "https://a@b", "https://0x7f.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseOriginDev(s)
		if err != nil {
			if !o.IsZero() {
				t.Fatalf("%q is refused and there", s)
			}
			return
		}
		if again, err := ParseOriginDev(o.String()); err != nil || again != o {
			t.Fatalf("%q becomes %q, which becomes %q, %v", s, o, again, err)
		}
		u, err := url.Parse(o.String())
		if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
			t.Fatalf("%q becomes %q, which is more than an origin", s, o)
		}
		if u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
			t.Fatalf("%q: http to %q", s, u.Host)
		}
	})
}
