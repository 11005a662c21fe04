package fetch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// special are the ranges that are not on the public internet, or stand for something else (RFC 6890 and the IANA registries it began).
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // a cloud's own host, at a public address
	"::/96",            // unspecified, loopback, IPv4-compatible
	"64:ff9b:1::/48",   // NAT64 of one network
	"100::/64",         // discarded
	"2001::/23",        // Teredo and other protocol assignments
	"2001:db8::/32",    // documentation
	"3fff::/20",        // documentation
	"5f00::/16",        // segment routing
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // the IPv4 address is in the last 4 bytes (RFC 6052)
	sixTo4 = netip.MustParsePrefix("2002::/16")    // the IPv4 address follows (RFC 3056)
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, t := range texts {
		list = append(list, netip.MustParsePrefix(t))
	}
	return list
}

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// checkAddress returns ErrForbiddenAddress if a is not public and not allowed.
func (c *Client) checkAddress(a netip.Addr) error {
	addr := a.Unmap().WithZone("") // a prefix contains no address with a zone
	switch b := addr.As16(); {
	case within(c.opts.Allow, addr):
		return nil
	case within(special, addr):
		return fmt.Errorf("%w: %s is not a public address", ErrForbiddenAddress, a)
	case nat64.Contains(addr):
		return c.checkAddress(netip.AddrFrom4([4]byte(b[12:16])))
	case sixTo4.Contains(addr):
		return c.checkAddress(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return nil
}

// dial connects. Every address that the name gave is checked before a packet leaves; the proxy's is the administrator's choice.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: c.opts.ConnectTimeout}
	if c.proxy == nil || address != hostPort(c.proxy) {
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %q", ErrForbiddenAddress, address)
			}
			return c.checkAddress(to.Addr())
		}
	}
	return d.DialContext(ctx, network, address)
}

// checkURL refuses what can be refused before connecting.
func (c *Client) checkURL(u *url.URL) error {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: scheme %q is not http or https", ErrForbiddenURL, u.Scheme)
	case u.User != nil:
		return fmt.Errorf("%w: it holds credentials", ErrForbiddenURL)
	case host == "" || u.Opaque != "":
		return fmt.Errorf("%w: it names no host", ErrForbiddenURL)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return c.checkAddress(a)
	}
	// "127.1", "0x7f000001" and the like are names to Go, addresses to some resolvers and proxies.
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || strings.HasPrefix(last, "0x") || strings.Trim(last, "0123456789") == "" {
		return fmt.Errorf("%w: %q is neither a name nor a dotted address", ErrForbiddenAddress, host)
	}
	return nil
}

// checkBehindProxy resolves the host of u, as far as this machine can, since the proxy will connect and not we.
func (c *Client) checkBehindProxy(ctx context.Context, u *url.URL) error {
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || c.proxy == nil {
		return nil // checkURL has seen it, or dial will
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.StepTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil // behind a proxy, names of the outside often do not resolve inside
	}
	for _, a := range found {
		if err := c.checkAddress(a); err != nil {
			return fmt.Errorf("%s: %w", host, err)
		}
	}
	return nil
}

// checkRedirect is asked before each redirect is followed.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	before := via[len(via)-1]
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("%w: more than %d", ErrRedirect, maxRedirects)
	case before.URL.Scheme == "https" && req.URL.Scheme == "http":
		return fmt.Errorf("%w: from https to http", ErrRedirect)
	case req.Method != before.Method:
		return fmt.Errorf("%w: it turns a %s into a %s", ErrRedirect, before.Method, req.Method)
	case c.opts.SameHost && !strings.EqualFold(req.URL.Host, via[0].URL.Host):
		return fmt.Errorf("%w: to another host", ErrRedirect)
	case len(req.URL.String()) > maxURL:
		return fmt.Errorf("%w: address of more than %d bytes", ErrRedirect, maxURL)
	}
	req.Header.Del("Referer")
	err := c.checkURL(req.URL)
	if err == nil {
		err = c.checkBehindProxy(req.Context(), req.URL)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRedirect, err)
	}
	return nil
}
