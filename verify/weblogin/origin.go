package weblogin

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// checkOrigin accepts exactly what a browser would write (RFC 6454 section 6.2
// and the URL standard): anything else would never fit a token, or fit one of
// another site.
func checkOrigin(origin string, loopbackHTTP bool) error {
	bad := func(why string) error { return fmt.Errorf("%w: origin %q: %s", ErrOptions, origin, why) }
	scheme, rest, ok := strings.Cut(origin, "://")
	if !ok || len(origin) > 300 {
		return bad("not scheme://host[:port]")
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host != rest {
		return bad("more than scheme, host and port")
	}
	host, port := u.Hostname(), u.Port()
	if err := checkHost(host, strings.HasPrefix(rest, "[")); err != nil {
		return bad(err.Error())
	}
	loopback := host == "localhost" || host == "127.0.0.1" || host == "::1"
	standard := "443"
	switch {
	case scheme == "http" && loopbackHTTP && loopback:
		standard = "80"
	case scheme != "https":
		return bad("the scheme has to be https")
	}
	if strings.HasSuffix(rest, ":") {
		return bad("a colon without a port")
	}
	if port == "" {
		return nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port || port == standard {
		return bad("the port is wrong, or not needed")
	}
	return nil
}

// checkHost accepts host names in lower-case ASCII and IP addresses in the one
// form that browsers write.
func checkHost(host string, brackets bool) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.String() != host || addr.Zone() != "" || addr.Is4In6() || addr.Is6() != brackets {
			return fmt.Errorf("the address is %s", addr)
		}
		return nil
	}
	if brackets || len(host) > 253 {
		return fmt.Errorf("no host name")
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return fmt.Errorf("no host name")
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return fmt.Errorf("the host has to be in lower-case ASCII, international names in Punycode")
			}
		}
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("a host name does not end in a number")
	}
	return nil
}
