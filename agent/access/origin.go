package access

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Origin is scheme, host and port of a page. Two are the same when == says so.
// The zero value is no origin.
type Origin struct {
	scheme, host string // lower case; an international name as A-labels, IPv6 in brackets
	port         uint16
}

const (
	maxOrigin = 300 // bytes: a host name has at most 253 (RFC 1035, section 2.3.4)
	httpsPort = 443
)

// hosts maps names as browsers do (WHATWG URL, "domain to ASCII", with the checks
// of lengths and labels): underscores and hyphens stand where DNS has them.
var hosts = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.VerifyDNSLength(true),
	idna.BidiRule(), idna.CheckHyphens(false), idna.CheckJoiners(true))

// ParseOrigin reads an origin of the web: https://HOST or https://HOST:PORT and
// nothing else. Upper case and international names become what a browser sends.
// "null", http, user names, paths, a dot at the end, and the spellings of an IPv4
// address that only some programs understand are refused. Errors: ErrOrigin.
func ParseOrigin(s string) (Origin, error) { return parseOrigin(s, false) }

// ParseOriginDev is ParseOrigin that takes http on this machine too:
// http://localhost, http://127.0.0.1 and http://[::1] with any port.
func ParseOriginDev(s string) (Origin, error) { return parseOrigin(s, true) }

func parseOrigin(s string, developer bool) (Origin, error) {
	refuse := func(why string) (Origin, error) {
		return Origin{}, fmt.Errorf("%w: %.80q: %s", ErrOrigin, s, why)
	}
	if s == "null" {
		return refuse("a page without an origin, such as a sandboxed frame")
	}
	if len(s) > maxOrigin || !utf8.ValidString(s) {
		return refuse("too long, or no text")
	}
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = asciiLower(scheme)
	if !ok || scheme != "https" && scheme != "http" {
		return refuse("it begins with https://")
	}
	if i := strings.IndexFunc(rest, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\?#@%`, r) }); i >= 0 {
		return refuse(fmt.Sprintf("it ends after host and port: %q is not wanted", rest[i:i+1]))
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return refuse(err.Error())
	}
	o := Origin{scheme: scheme, port: port}
	if o.host, err = canonicalHost(host); err != nil {
		return refuse(err.Error())
	}
	if o.scheme == "http" {
		if !developer {
			return refuse("https is wanted: browsers let no other page reach this machine")
		}
		if !o.loopback() {
			return refuse("http is for pages of this machine only: localhost, 127.0.0.1 or [::1]")
		}
	}
	if o.port == 0 {
		o.port = o.defaultPort()
	}
	return o, nil
}

// splitPort takes the port off; 0 when there is none.
func splitPort(s string) (host string, port uint16, err error) {
	colon := strings.LastIndexByte(s, ':')
	if colon < strings.LastIndexByte(s, ']') {
		colon = -1
	}
	if colon < 0 {
		return s, 0, nil
	}
	host, digits := s[:colon], s[colon+1:]
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 || digits[0] == '0' || digits[0] == '+' {
		return "", 0, errors.New("the port is a number from 1 to 65535")
	}
	return host, uint16(n), nil
}

// canonicalHost is the host as a browser writes it in an Origin header.
func canonicalHost(h string) (string, error) {
	if strings.HasPrefix(h, "[") {
		inside, ok := strings.CutSuffix(h[1:], "]")
		addr, err := netip.ParseAddr(inside)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" || addr.Is4In6() {
			return "", errors.New("in brackets stands an IPv6 address without a zone, and not one that stands for IPv4")
		}
		return "[" + addr.String() + "]", nil
	}
	switch {
	case h == "":
		return "", errors.New("there is no host")
	case strings.HasSuffix(h, "."):
		return "", errors.New("a dot at the end makes another origin of it")
	}
	name, err := hosts.ToASCII(h)
	again, bad := hosts.ToASCII(name) // what is mapped has to stand for itself
	if err != nil || bad != nil || again != name || strings.HasSuffix(name, ".") || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return "", errors.New("the host is no name that can be looked up")
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if looksNumeric(last) { // WHATWG URL, "ends in a number checker"
		addr, err := netip.ParseAddr(name)
		if err != nil || !addr.Is4() || name != h {
			return "", errors.New("an IPv4 address is four decimal numbers")
		}
	}
	return name, nil
}

// looksNumeric tells whether a browser takes a name with this last label for an
// IPv4 address.
func looksNumeric(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func (o Origin) loopback() bool {
	return o.host == "localhost" || o.host == "127.0.0.1" || o.host == "[::1]"
}

func (o Origin) defaultPort() uint16 {
	if o.scheme == "http" {
		return 80
	}
	return httpsPort
}

// String is the ASCII serialisation of RFC 6454, section 6.2, which is what an
// Origin header holds; "" for the zero value.
func (o Origin) String() string {
	switch {
	case o.IsZero():
		return ""
	case o.port == o.defaultPort():
		return o.scheme + "://" + o.host
	}
	return o.scheme + "://" + o.host + ":" + strconv.Itoa(int(o.port))
}

// IsZero tells that there is no origin.
func (o Origin) IsZero() bool { return o == Origin{} }

// Host is the host without its port, an IPv6 address in brackets.
func (o Origin) Host() string { return o.host }

// MarshalText is String.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }
