package main

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/verify"
)

// verifier is set up by configuration and flags.
func (a *app) verifier(f verifyFlags) (*verify.Verifier, error) {
	v := &verify.Verifier{CacheDir: f.cache}
	if v.CacheDir == "" {
		v.CacheDir = defaultCache()
	}
	o, err := a.config.Network.options()
	if err != nil {
		return nil, err
	}
	v.Proxy, v.CABundle, v.Allow = o.Proxy, o.CABundle, o.Allow
	if f.allowPrivate {
		v.Allow = append(v.Allow, netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))
	}
	return v, nil
}

// defaultCache is the folder for revocation lists when none is asked for; empty, which
// is memory, where the user has none or may not write.
func defaultCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "eidkit", "revocation")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return dir
}

// networkConfig is the [network] part of the configuration: for every call
// that leaves the machine.
type networkConfig struct {
	Proxy    string   `toml:"proxy"`     // http or https URL
	CABundle string   `toml:"ca_bundle"` // PEM file of the organisation's roots for TLS
	Allow    []string `toml:"allow"`     // private ranges that services may be in: 10.0.0.0/8
}

// options is the configuration in the form of package fetch.
func (n networkConfig) options() (o fetch.Options, err error) {
	o.Proxy = n.Proxy
	for _, s := range n.Allow {
		p, err := netip.ParsePrefix(strings.TrimSpace(s))
		if err != nil {
			return o, fmt.Errorf("configuration: network.allow: %w", err)
		}
		o.Allow = append(o.Allow, p)
	}
	if n.CABundle == "" {
		return o, nil
	}
	pem, err := os.ReadFile(n.CABundle)
	if err != nil {
		return o, fmt.Errorf("configuration: network.ca_bundle: %w", err)
	}
	o.CABundle = x509.NewCertPool()
	if !o.CABundle.AppendCertsFromPEM(pem) {
		return o, fmt.Errorf("configuration: network.ca_bundle: no certificate in %s", n.CABundle)
	}
	return o, nil
}

// checkNetwork shows how services are reached, without names of users. It
// reaches none.
func (a *app) checkNetwork() check {
	n := a.config.Network
	o, err := n.options()
	if err == nil {
		var client *fetch.Client
		if client, err = fetch.New(o); err == nil {
			client.Close()
		}
	}
	if err != nil {
		return check{Name: "network", Status: checkFailed, Detail: err.Error(), Hint: "mend the part [network] of the configuration file"}
	}
	detail := "services are reached directly"
	if u, err := url.Parse(n.Proxy); n.Proxy != "" && err == nil {
		detail = "services are reached through " + u.Host
	}
	if n.CABundle != "" {
		detail += ", TLS roots are those of " + filepath.Base(n.CABundle)
	}
	if len(n.Allow) > 0 {
		detail += ", also at private addresses in " + strings.Join(n.Allow, ", ")
	}
	return check{Name: "network", Status: checkOK, Detail: termview.Clean(detail)}
}
