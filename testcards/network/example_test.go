package network_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

// A network of one's own, with a clock that stands still: revoke a certificate,
// fetch the list that says so, then have the service fail.
func Example() {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	n, err := network.Start(context.Background(), network.Options{Now: func() time.Time { return now }})
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close()
	leaf, err := n.PKI.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn"}})
	if err != nil {
		log.Fatal(err)
	}
	if err := n.Revoke(leaf.Certificate, now.Add(-time.Hour), pki.KeyCompromise); err != nil {
		log.Fatal(err)
	}
	fetch := func() (string, []byte) {
		answer, err := http.Get(leaf.Certificate.CRLDistributionPoints[0])
		if err != nil {
			log.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			log.Fatal(err)
		}
		return answer.Status, body
	}
	_, raw := fetch()
	list, err := x509.ParseRevocationList(raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(list.RevokedCertificateEntries), "revoked, reason", list.RevokedCertificateEntries[0].ReasonCode)
	if err := n.Set(network.CRL, network.Status(http.StatusServiceUnavailable)); err != nil {
		log.Fatal(err)
	}
	status, _ := fetch()
	fmt.Println(status, "after", n.Requests()[network.CRL], "requests")
	// Output:
	// 1 revoked, reason 1
	// 503 Service Unavailable after 2 requests
}
