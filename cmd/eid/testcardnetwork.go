package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/eidkit/eidkit/testcards/insurers"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/spf13/cobra"
)

// defaultNetworkPort is where the certificates of simulated cards point: the port of pki.DefaultBaseURL.
const defaultNetworkPort = 24380

// running is what `eid testcard network` says of itself (docs/schema/network.json).
type running struct {
	Schema  int                 `json:"schema"`
	URL     string              `json:"url"`
	CRL     string              `json:"crl"`
	OCSP    string              `json:"ocsp"`
	Issuer  string              `json:"issuer"`
	TSA     string              `json:"tsa"`
	Control string              `json:"control"`
	Roots   string              `json:"roots"`
	Faults  map[string][]string `json:"faults"`
	// Insurers are the services of the insurers' network.
	Insurers insurersInfo `json:"insurers"`
}

func (a *app) testcardNetworkCommand() *cobra.Command {
	var port, insurersPort uint16
	var seed uint64
	var rootsFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "network",
		Short: "Run the services behind the simulated cards: revocation, time stamps, insurers",
		Long: `Run the services behind the simulated cards on this machine's loopback until interrupted: CRLs,
OCSP, CA certificates and time stamps (RFC 3161), for all test authorities. On the default port they
are where the certificates of ` + "`eid testcard serve`" + ` say. The test roots are written to a file, for --trust.

Beside them are the services of the insurers' network, over TLS (the same file is for --ca): the one for
tokens, and the three that say whether a patient is insured. The patients are those of the simulated SIS
cards and of the profiles patient-NAME (eid testcard list).

While it runs, an HTTP POST of JSON to its control address revokes certificates and makes services fail;
an HTTP GET tells what is set and how often each service was asked.`,
		Example: `  eid testcard network
  curl http://127.0.0.1:24380/control
  curl -H 'Content-Type: application/json' -d '{"service": "ocsp", "faults": ["tryLater"]}' http://127.0.0.1:24380/control
  curl -H 'Content-Type: application/json' -d '{"do": "revoke", "serial": "10AB...", "reason": 1}' http://127.0.0.1:24380/control`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("insurers-port") && port != 0 {
				insurersPort = port + 1
			}
			return a.runNetwork(cmd.Context(), port, insurersPort, seed, rootsFile, asJSON)
		},
	}
	cmd.Flags().Uint16Var(&port, "port", defaultNetworkPort, "port on 127.0.0.1; 0 takes a free one, to which no card's certificates point")
	cmd.Flags().Uint16Var(&insurersPort, "insurers-port", 0, "port of the insurers' services on 127.0.0.1; 0 takes a free one (default: the one after --port)")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "another seed gives authorities with other keys")
	cmd.Flags().StringVar(&rootsFile, "root", "", "where to write the test roots (default: the user's cache folder)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one line")
	return cmd
}

func (a *app) runNetwork(ctx context.Context, port, insurersPort uint16, seed uint64, rootsFile string, asJSON bool) error {
	n, err := network.Start(ctx, network.Options{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))), PKI: pki.Options{Seed: seed}})
	if err != nil {
		return portTaken(err)
	}
	defer n.Close()
	i, err := insurers.Start(ctx, insurers.Options{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(int(insurersPort))), PKI: n.PKI})
	if err != nil {
		return portTaken(err)
	}
	defer i.Close()
	roots, err := writeRoots(n, seed, rootsFile)
	if err != nil {
		return fmt.Errorf("writing the test roots: %w", err)
	}
	info := running{Schema: 1, URL: n.URL(), CRL: n.PKI.CRLURL(n.PKI.CitizenCA), OCSP: n.PKI.OCSPURL(), Issuer: n.PKI.CertificateURL(n.PKI.CitizenCA),
		TSA: n.PKI.TSAURL(), Control: n.URL() + network.ControlPath, Roots: roots, Faults: map[string][]string{}, Insurers: aboutInsurers(i)}
	for _, s := range network.Services() {
		for _, f := range network.Faults(s) {
			info.Faults[string(s)] = append(info.Faults[string(s)], string(f))
		}
	}
	if asJSON {
		err = json.NewEncoder(a.out).Encode(info)
	} else {
		err = a.describeNetwork(info)
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// describeNetwork prints where everything is and what can be done with it.
func (a *app) describeNetwork(r running) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "TEST NETWORK  %s\n", r.URL)
	fmt.Fprintf(&out, "CRL           %s  and so on for each CA\n", r.CRL)
	fmt.Fprintf(&out, "OCSP          %s\n", r.OCSP)
	fmt.Fprintf(&out, "CA            %s  and so on\n", r.Issuer)
	fmt.Fprintf(&out, "time stamps   %s  also tsa-rsa, tsa-rsa1024\n", r.TSA)
	fmt.Fprintf(&out, "control       %s\n", r.Control)
	fmt.Fprintf(&out, "test roots    %s\n", r.Roots)
	fmt.Fprintf(&out, "insurers      %s  %s\n", r.Insurers.URL, "tokens, GenIns, pharmacists', MemberData, control:")
	for _, address := range []string{r.Insurers.STS, r.Insurers.GenIns, r.Insurers.Pharmacist, r.Insurers.MemberData, r.Insurers.Control} {
		fmt.Fprintf(&out, "              %s\n", address)
	}
	fmt.Fprintf(&out, "\nfaults, beside status:CODE:\n")
	for _, s := range network.Services() {
		fmt.Fprint(&out, wrap(string(s), r.Faults[string(s)]))
	}
	fmt.Fprintf(&out, "\nfaults of the insurers' services:\n")
	for _, s := range insurers.Services() {
		fmt.Fprint(&out, wrap(string(s), r.Insurers.Faults[string(s)]))
	}
	_, err := out.WriteTo(a.out)
	return err
}

// portTaken says what can be done about a port that is in use.
func portTaken(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return hinted{err, "another one may be running; a free port is taken with: eid testcard network --port 0"}
	}
	return err
}

// wrap lists words behind a label in lines of at most 100 characters.
func wrap(label string, words []string) string {
	const width, margin = 100, 6
	var out strings.Builder
	line := fmt.Sprintf("  %-*s", margin-2, label)
	for _, w := range words {
		if len(line)+1+len(w) > width {
			out.WriteString(line + "\n")
			line = strings.Repeat(" ", margin)
		}
		line += " " + w
	}
	return out.String() + line + "\n"
}

// writeRoots writes the roots of all algorithms into one PEM file for --trust.
func writeRoots(n *network.Network, seed uint64, path string) (string, error) {
	if path == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(cache, "eidkit", "testcards", fmt.Sprintf("network-%d-roots.pem", seed))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	var out bytes.Buffer
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA, pki.RSA1024} {
		block := &pem.Block{Type: "CERTIFICATE", Bytes: n.Of(alg).Root.Certificate.Raw}
		if err := pem.Encode(&out, block); err != nil {
			return "", err
		}
	}
	return path, os.WriteFile(path, out.Bytes(), 0o644)
}
