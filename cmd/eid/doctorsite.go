package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/peer"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/internal/termview"
)

// diagnoseSite looks at a site's way to the agent, from the address in the browser to the dialog. Nothing is asked of the user.
func (a *app) diagnoseSite(ctx context.Context, address string, port uint16) diagnosis {
	d := diagnosis{Schema: 1, OK: true}
	add := func(name string, c check) {
		c.Name = name
		d.OK = d.OK && c.Status != checkFailed
		d.Checks = append(d.Checks, c)
	}
	origin, c := siteOrigin(address)
	add("origin", c)
	if c.Status == checkFailed {
		return d
	}
	add("page", a.checkPage(ctx, address, port))
	add("port", checkPort(port))
	authority, err := openAuthority(strings.HasPrefix(origin.String(), "http:"))
	if err != nil {
		add("policy", check{Status: checkFailed, Detail: err.Error()})
		return d
	}
	add("policy", checkPolicy(authority))
	add("grants", checkGrants(authority, origin))
	add("rights", checkRights(authority, origin))
	add("handshake", checkHandshake(ctx, origin, port))
	add("browsers", checkBrowsers(origin, "/"))
	add("dialog", a.checkPinentry())
	return d
}

// siteOrigin is the origin of the address in the browser.
func siteOrigin(address string) (access.Origin, check) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return access.Origin{}, check{Status: checkFailed, Detail: "this is no address of a site", Hint: "eid doctor --site https://HOST"}
	}
	text := u.Scheme + "://" + u.Host
	origin, err := access.ParseOrigin(text)
	if err == nil {
		return origin, check{Status: checkOK, Detail: "the browser calls the site " + origin.String()}
	}
	if origin, err = access.ParseOriginDev(text); err == nil {
		return origin, check{Status: checkWarning, Detail: origin.String() + " is a site for developers only", Hint: "eid agent --developer"}
	}
	c := check{Status: checkFailed, Detail: err.Error()}
	if u.Scheme == "http" {
		c.Detail = "the page comes without TLS: browsers refuse it the way to this machine without a word, and so does the agent"
		c.Hint = "have the site served by https"
	}
	return access.Origin{}, c
}

// checkPage asks the site for its page, as a browser does, and looks whether its own content policy lets it connect.
func (a *app) checkPage(ctx context.Context, address string, port uint16) check {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return check{Status: checkFailed, Detail: err.Error()}
	}
	o, err := a.config.Network.options()
	if err != nil {
		return check{Status: checkFailed, Detail: err.Error()}
	}
	through := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: o.CABundle}}
	if o.Proxy != "" {
		proxy, err := url.Parse(o.Proxy)
		if err != nil {
			return check{Status: checkFailed, Detail: "configuration: network.proxy is no address"}
		}
		through.Proxy = http.ProxyURL(proxy)
	}
	defer through.CloseIdleConnections()
	resp, err := (&http.Client{Transport: through}).Do(req)
	if err != nil {
		return check{Status: checkWarning, Detail: "the page could not be looked at: " + termview.Clean(err.Error())}
	}
	defer resp.Body.Close()
	for _, policy := range resp.Header.Values("Content-Security-Policy") {
		if !connects(policy, port) {
			return check{Status: checkFailed, Detail: "the page's own Content-Security-Policy does not let it connect to the agent",
				Hint: fmt.Sprintf("the site should add to it: connect-src ws://127.0.0.1:%d", port)}
		}
	}
	if strings.Contains(strings.ReplaceAll(resp.Header.Get("Permissions-Policy"), " ", ""), "loopback-network=()") {
		return check{Status: checkFailed, Detail: "the page's Permissions-Policy forbids it the way to this machine", Hint: "the site should send: loopback-network=(self)"}
	}
	return check{Status: checkOK, Detail: "its headers let it connect"}
}

// connects tells whether a content policy lets a page open the agent's WebSocket (CSP Level 3, sections 6.1.2 and 6.7.2.8).
func connects(policy string, port uint16) bool {
	sources := map[string][]string{}
	for part := range strings.SplitSeq(policy, ";") {
		if words := strings.Fields(strings.ToLower(part)); len(words) > 0 && sources[words[0]] == nil {
			sources[words[0]] = words
		}
	}
	list := sources["connect-src"]
	if list == nil {
		list = sources["default-src"]
	}
	if list == nil {
		return true
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		for _, scheme := range []string{"ws", "http"} { // http: stands for ws: too
			for _, p := range []string{strconv.Itoa(int(port)), "*"} {
				if slices.Contains(list, scheme+"://"+host+":"+p) {
					return true
				}
			}
		}
	}
	return slices.Contains(list, "ws:") || slices.Contains(list, "*")
}

func checkPort(port uint16) check {
	who, err := peer.Listener(int(port))
	switch {
	case errors.Is(err, peer.ErrNobody):
		return check{Status: checkFailed, Detail: fmt.Sprintf("nobody listens on port %d", port), Hint: "eid agent, or at each log-in: eid agent autostart install"}
	case err != nil:
		return check{Status: checkWarning, Detail: "it cannot be told who listens: " + err.Error()}
	}
	self, err := peer.Self()
	if err == nil && who.User != "" && !who.Same(self) {
		return check{Status: checkWarning, Detail: fmt.Sprintf("port %d belongs to %s, not to you", port, termview.Clean(who.String())),
			Hint: "on a machine with several users the administrator sets up the broker: docs/terminal-servers.md"}
	}
	return check{Status: checkOK, Detail: fmt.Sprintf("port %d belongs to %s", port, termview.Clean(who.String()))}
}

func checkPolicy(authority *access.Authority) check {
	if err := authority.PolicyError(); err != nil {
		return check{Status: checkFailed, Detail: err.Error(), Hint: "the administrator mends " + access.PolicyPath()}
	}
	if _, err := os.Stat(access.PolicyPath()); errors.Is(err, os.ErrNotExist) {
		return check{Status: checkOK, Detail: "there is no " + access.PolicyPath() + ": users decide"}
	}
	return check{Status: checkOK, Detail: access.PolicyPath() + " is in order"}
}

func checkGrants(authority *access.Authority, origin access.Origin) check {
	if err := authority.GrantsError(); err != nil {
		return check{Status: checkFailed, Detail: err.Error(), Hint: "eid grants reset"}
	}
	n := 0
	for _, g := range authority.Grants() {
		if g.Client == origin.String() {
			n++
		}
	}
	return check{Status: checkOK, Detail: fmt.Sprintf("allowed to this site for good, by you: %d (eid grants)", n)}
}

// checkRights says what the site may do, by policy and grants.
func checkRights(authority *access.Authority, origin access.Origin) check {
	client := access.Client{Kind: access.Site, Origin: origin}
	if d := authority.Connect(client); d.Verdict == access.Refuse {
		return check{Status: checkFailed, Detail: "the site may not connect: " + d.Why, Hint: "the administrator can name it in " + access.PolicyPath()}
	}
	said := map[access.Verdict][]string{}
	for _, op := range []access.Operation{access.OpReaders, access.OpIdentity, access.OpInsurability, access.OpLogin, access.OpCertificate, access.OpSignHash, access.OpSignDocument} {
		v := authority.Decide(access.Request{Client: client, Operation: op}).Verdict
		said[v] = append(said[v], string(op))
	}
	var parts []string
	for _, v := range []access.Verdict{access.Allow, access.Ask, access.Refuse} {
		if len(said[v]) > 0 {
			parts = append(parts, v.String()+": "+strings.Join(said[v], ", "))
		}
	}
	c := check{Status: checkOK, Detail: strings.Join(parts, "; ")}
	if len(said[access.Refuse]) > 0 {
		c.Status = checkWarning
	}
	return c
}

// checkHandshake connects as the site's page would.
func checkHandshake(ctx context.Context, origin access.Origin, port uint16) check {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	host := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+protocol.Path, nil)
	if err != nil {
		return check{Status: checkFailed, Detail: err.Error()}
	}
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "ZWlka2l0IGRvY3RvciAgIA==", "Sec-WebSocket-Protocol": protocol.Subprotocol, "Origin": origin.String()} {
		req.Header.Set(name, value)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return check{Status: checkFailed, Detail: "the agent does not answer", Hint: "eid agent"}
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // reading then ends by itself
	}
	if err := req.Write(conn); err != nil {
		return check{Status: checkFailed, Detail: "the agent does not answer: " + err.Error(), Hint: "eid agent status"}
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return check{Status: checkFailed, Detail: "what listens there is no agent: " + err.Error(), Hint: "eid agent status"}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return check{Status: checkFailed, Detail: "the agent refuses the site's connection: " + resp.Status, Hint: "its log says why: where eid agent runs, or journalctl --user -u eidkit-agent"}
	}
	return check{Status: checkOK, Detail: "the agent takes the site's connection"}
}

// managed are the files by which an administrator tells browsers what sites may do, below the root of the file system.
var managed = map[string]string{
	"Chrome": "etc/opt/chrome/policies/managed", "Chromium": "etc/chromium/policies/managed", "Edge": "etc/opt/edge/policies/managed",
}

// managedFirefox is Firefox's, in which host names stand.
const managedFirefox = "etc/firefox/policies/policies.json"

// checkBrowsers looks for policies of browsers about the site (facts sheet "local agents" 3.2).
func checkBrowsers(origin access.Origin, root string) check {
	hint := "eid agent policies --site " + origin.String()
	if runtime.GOOS != "linux" {
		return check{Status: checkOK, Detail: "where no policy of a browser names the site, the browser asks once whether it may reach this machine; " +
			"policies are not looked at on this system", Hint: "to spare users that: " + hint}
	}
	var allowed, blocked []string
	for _, browser := range slices.Sorted(maps.Keys(managed)) {
		files, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(managed[browser]), "*.json")) // the pattern is ours
		for _, file := range files {
			var p struct {
				Allowed []string `json:"LoopbackNetworkAllowedForUrls"`
				Older   []string `json:"LocalNetworkAccessAllowedForUrls"`
				Blocked []string `json:"LoopbackNetworkBlockedForUrls"`
			}
			if !readsJSON(file, &p) {
				continue
			}
			if names(p.Blocked, origin) {
				blocked = append(blocked, browser)
			} else if names(p.Allowed, origin) || names(p.Older, origin) {
				allowed = append(allowed, browser)
			}
		}
	}
	var firefox struct {
		Policies struct {
			LocalNetworkAccess struct{ SkipDomains []string }
		} `json:"policies"`
	}
	host, err := url.Parse(origin.String())
	if err == nil && readsJSON(filepath.Join(root, filepath.FromSlash(managedFirefox)), &firefox) &&
		slices.Contains(firefox.Policies.LocalNetworkAccess.SkipDomains, host.Hostname()) {
		allowed = append(allowed, "Firefox")
	}
	switch {
	case blocked != nil:
		return check{Status: checkFailed, Detail: "a policy forbids the site the way to this machine in " + strings.Join(blocked, ", "), Hint: hint}
	case allowed != nil:
		return check{Status: checkOK, Detail: "allowed by policy in " + strings.Join(slices.Compact(allowed), ", ") + "; other browsers ask once"}
	}
	return check{Status: checkOK, Detail: "no policy of a browser names the site: the browser itself asks once whether it may reach this machine", Hint: "to spare users that: " + hint}
}

// readsJSON reads a file into v, and says whether there is one that can be read.
func readsJSON(file string, v any) bool {
	b, err := os.ReadFile(file)
	return err == nil && json.Unmarshal(b, v) == nil
}

// names tells whether a list of a browser's policy has the site, with its port or without the usual one.
func names(list []string, origin access.Origin) bool {
	return slices.ContainsFunc(list, func(s string) bool {
		s = strings.TrimSuffix(strings.ToLower(s), "/")
		return s == origin.String() || strings.TrimSuffix(s, ":443") == origin.String() || s == "*"
	})
}
