package pages

import (
	"net/http"
	"strconv"
	"strings"
)

// policy is the Content-Security-Policy of an address. In a directive the word
// AGENT stands for this agent's WebSocket.
type policy []string

// strict is the policy of every page and file, and of refusals.
var strict = policy{
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data: blob:",
	"connect-src AGENT",
	"frame-src 'self'",
	"frame-ancestors 'none'",
	"base-uri 'none'",
	"form-action 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
}

// special holds the pages with another policy, each with the reason beside it.
var special = map[string]policy{
	"/preview.html": preview, // a sandbox; see there
}

func policyOf(address string) policy {
	if p, ok := special[address]; ok {
		return p
	}
	return strict
}

// set writes the headers that keep a page to itself: what it may load and
// connect to, that nobody frames, opens or embeds it, and that no copy is kept
// without asking again. host is the request's, already found to be loopback;
// empty: no connections at all.
func (p policy) set(h http.Header, host string, encrypted bool) {
	agent := "'none'"
	if host != "" {
		agent = "ws://" + host
		if encrypted {
			agent = "wss://" + host
		}
	}
	h.Set("Content-Security-Policy", strings.ReplaceAll(strings.Join(p, "; "), "AGENT", agent))
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-cache, private")
}

// loopback says whether a Host header is this machine by name or address: what
// stands in the policy comes from it, so that nothing else may pass.
func loopback(host string) bool {
	for _, name := range []string{"localhost", "127.0.0.1", "[::1]"} {
		rest, found := strings.CutPrefix(host, name)
		if !found {
			continue
		}
		port, given := strings.CutPrefix(rest, ":")
		if !given {
			return rest == ""
		}
		n, err := strconv.ParseUint(port, 10, 16)
		return err == nil && n > 0 && strconv.FormatUint(n, 10) == port
	}
	return false
}
