// Package soap makes SOAP 1.1 messages with WS-Security and reads the answers.
//
// Build puts a body into an envelope, with a Timestamp, a token and a signature
// over Body and Timestamp: the token is an X.509 certificate, or a SAML 1.1
// assertion that names the signer's key (holder-of-key). Open reads an answer:
// its body, or its Fault.
//
// Out of scope: sending (package fetch), encryption, attachments, SOAP 1.2,
// signatures in answers, which come over TLS.
//
// References: SOAP 1.1; WSS SOAP Message Security 1.1.1, X.509 Token Profile
// 1.1.1, SAML Token Profile 1.1.1; facts sheet "assurability" c.2 to c.5.
package soap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/internal/xmldsig"
)

// Namespaces.
const (
	nsEnvelope = "http://schemas.xmlsoap.org/soap/envelope/"
	nsWSSE     = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	nsWSU      = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	nsErrors   = "urn:be:fgov:ehealth:errors:soa:v1"
)

// maxAnswer bounds an answer in bytes.
const maxAnswer = 8 << 20

// ErrMalformed: what came is no SOAP 1.1 message.
var ErrMalformed = errors.New("not a SOAP message")

// Fault is a SOAP fault. It is an error.
type Fault struct {
	Code, String string // faultcode without its prefix, faultstring
	// SOA is the code of the eHealth platform ("SOA-02002"), Message what it says of it, and Retry whether it says to try again; empty
	// if the fault has no such detail.
	SOA, Message string
	Retry        bool
}

// Error names the codes. Messages of services may name persons: they are not in it.
func (f *Fault) Error() string {
	if f.SOA != "" {
		return fmt.Sprintf("the service answers with the fault %.48s", f.SOA)
	}
	return fmt.Sprintf("the service answers with the fault %.40q", f.Code)
}

// Open reads a message and returns the one element in its body, as a document of its own. A fault is a *Fault. Errors: ErrMalformed.
func Open(ctx context.Context, raw []byte) ([]byte, error) { return open(ctx, raw, exclusive) }

// OpenSigned is Open for content that holds a signature of its own, or prefixes in its values: every namespace that the envelope
// declares comes along, used or not.
func OpenSigned(ctx context.Context, raw []byte) ([]byte, error) {
	return open(ctx, raw, xmldsig.Method{Comments: true})
}

func open(ctx context.Context, raw []byte, method xmldsig.Method) ([]byte, error) {
	d, err := xmldsig.Parse(raw, xmldsig.Limits{Bytes: maxAnswer, Depth: 128, Nodes: 200_000})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	root := d.Root()
	body := root.Child(nsEnvelope, "Body")
	if !root.Is(nsEnvelope, "Envelope") || body == nil {
		return nil, fmt.Errorf("%w: no envelope with a body", ErrMalformed)
	}
	for n := range root.Elements() {
		if n.Is(nsEnvelope, "Body") && n != body {
			return nil, fmt.Errorf("%w: several bodies", ErrMalformed)
		}
	}
	var content *xmldsig.Node
	for n := range body.Elements() {
		if content != nil {
			return nil, fmt.Errorf("%w: several elements in the body", ErrMalformed)
		}
		content = n
	}
	if content == nil {
		return nil, fmt.Errorf("%w: an empty body", ErrMalformed)
	}
	if content.Is(nsEnvelope, "Fault") {
		return nil, readFault(content)
	}
	var b bytes.Buffer
	if err := d.Canonicalize(ctx, &b, content, method); err != nil { // brings the namespaces of the envelope along
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b.Bytes(), nil
}

// exclusive is the canonicalisation that everything here uses.
var exclusive = xmldsig.Method{Exclusive: true}

// readFault reads a fault with the detail of the eHealth platform, if it has one (facts sheet c.5).
func readFault(n *xmldsig.Node) *Fault {
	f := &Fault{Code: local(childText(n, "faultcode")), String: childText(n, "faultstring")}
	detail := n.Child("", "detail")
	for _, name := range []string{"SystemError", "BusinessError"} {
		e := detail.Child(nsErrors, name)
		if e == nil {
			continue
		}
		f.SOA, f.Message = childText(e, "Code"), childText(e, "Message")
		retry := childText(e, "Retry")
		f.Retry = retry == "true" || retry == "1"
	}
	return f
}

func local(qname string) string { return qname[strings.LastIndexByte(qname, ':')+1:] }

// childText is the text of the first child of that local name.
func childText(n *xmldsig.Node, name string) string {
	for c := range n.Elements() {
		if c.Local() == name {
			return strings.TrimSpace(c.Text())
		}
	}
	return ""
}
