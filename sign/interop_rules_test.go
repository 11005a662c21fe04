package sign_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	_ "crypto/sha256" // digests in manifests
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/sign"
)

// digested is a reference of a manifest or of an XML signature.
type digested struct {
	URI    string `xml:"URI,attr"`
	Method struct {
		Algorithm string `xml:"Algorithm,attr"`
	} `xml:"DigestMethod"`
	Value string `xml:"DigestValue"`
	MIME  string `xml:"MimeType,attr"`
}

// manifest is an ASiCManifest or ASiCArchiveManifest (EN 319 162-1, annex A.4).
type manifest struct {
	XMLName      xml.Name
	name         string // of the entry
	SigReference struct {
		URI  string `xml:"URI,attr"`
		MIME string `xml:"MimeType,attr"`
	}
	References []digested `xml:"DataObjectReference"`
}

// manifests are those of a container signed by CAdES.
func (m *made) manifests(t testing.TB) (out []manifest) {
	t.Helper()
	for _, name := range m.names {
		if !strings.Contains(name, "Manifest") || !strings.HasPrefix(name, "META-INF/ASiC") {
			continue
		}
		one := manifest{name: name}
		if err := xml.Unmarshal(m.entries[name], &one); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, one)
	}
	return out
}

// signatures is a META-INF/signatures*.xml.
type signatures struct {
	XMLName    xml.Name
	Signatures []struct {
		References []digested `xml:"SignedInfo>Reference"`
	} `xml:"http://www.w3.org/2000/09/xmldsig# Signature"`
}

// holds recomputes the digest of a reference to an entry.
func (d digested) holds(entries map[string][]byte) error {
	name, err := url.PathUnescape(d.URI)
	if err != nil {
		return err
	}
	data, ok := entries[name]
	if !ok {
		return fmt.Errorf("%s is referred to and not there", name)
	}
	h, ok := map[string]crypto.Hash{
		"http://www.w3.org/2001/04/xmlenc#sha256": crypto.SHA256, "http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384, "http://www.w3.org/2001/04/xmlenc#sha512": crypto.SHA512,
	}[d.Method.Algorithm]
	if !ok {
		return fmt.Errorf("digest method %s", d.Method.Algorithm)
	}
	sum := h.New()
	sum.Write(data)
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != strings.Join(strings.Fields(d.Value), "") {
		return fmt.Errorf("%s has digest %s, and %s is written", name, got, d.Value)
	}
	return nil
}

const asiceMIME = "application/vnd.etsi.asic-e+zip"

var (
	xadesName = regexp.MustCompile(`^META-INF/[^/]*signatures[^/]*\.xml$`)
	cadesName = regexp.MustCompile(`^META-INF/[^/]*signature[^/]*\.p7s$`)
	stampName = regexp.MustCompile(`^META-INF/[^/]*timestamp[^/]*\.tst$`)
	listName  = regexp.MustCompile(`^META-INF/ASiC(Archive)?Manifest[^/]*\.xml$`)
)

// byRules are the rules of EN 319 162-1 for ASiC-E: sections 4.4 and 6, annex A.
func byRules(t testing.TB, m *made) error {
	want := slices.Concat([]byte("PK\x03\x04"), m.data[4:30], []byte("mimetype"+asiceMIME))
	if !bytes.HasPrefix(m.data, want) || m.data[8] != 0 || m.data[9] != 0 || m.data[28] != 0 || m.data[29] != 0 || m.data[6]&8 != 0 {
		return fmt.Errorf("begins with %q", m.data[:min(len(m.data), 80)])
	}
	z, err := zip.NewReader(bytes.NewReader(m.data), int64(len(m.data)))
	if err != nil {
		return err
	}
	for i, f := range z.File {
		if (f.Name == "mimetype") != (i == 0) || strings.HasPrefix(f.Name, "/") || path.Clean(f.Name) != f.Name || len(f.Name) != len([]rune(f.Name)) && f.NonUTF8 {
			return fmt.Errorf("entry %d: %q", i, f.Name)
		}
	}
	var files []string
	for _, name := range m.names {
		switch {
		case name == "mimetype" || name == "META-INF/manifest.xml":
		case !strings.HasPrefix(name, "META-INF/"):
			files = append(files, name)
		case m.kind.cms && !cadesName.MatchString(name) && !stampName.MatchString(name) && !listName.MatchString(name), m.kind.xml && !xadesName.MatchString(name):
			return fmt.Errorf("entry %s", name)
		}
	}
	if len(files) != 2 {
		return fmt.Errorf("files %v", files)
	}
	if m.kind.xml {
		return m.xadesRules(t, files)
	}
	return m.cadesRules(t, files)
}

func (m *made) xadesRules(t testing.TB, files []string) error {
	var s signatures
	doc := m.document(t)
	if err := xml.Unmarshal(doc, &s); err != nil {
		return err
	}
	if (s.XMLName != xml.Name{Space: "http://uri.etsi.org/02918/v1.2.1#", Local: "XAdESSignatures"}) || len(s.Signatures) != 1 {
		return fmt.Errorf("%v with %d signatures", s.XMLName, len(s.Signatures))
	}
	seen := map[string]bool{}
	for _, r := range s.Signatures[0].References {
		if strings.HasPrefix(r.URI, "#") {
			continue
		}
		if err := r.holds(m.entries); err != nil {
			return err
		}
		name, _ := url.PathUnescape(r.URI)
		seen[name] = true
	}
	for _, name := range files {
		if !seen[name] {
			return fmt.Errorf("%s is not signed", name)
		}
	}
	return nil
}

func (m *made) cadesRules(t testing.TB, files []string) error {
	var signed, archived bool
	all := m.manifests(t)
	for _, list := range all {
		if list.XMLName.Space != "http://uri.etsi.org/02918/v1.2.1#" || list.XMLName.Local != "ASiCManifest" {
			return fmt.Errorf("%s is a %v", list.name, list.XMLName)
		}
		want := files
		if strings.HasSuffix(list.SigReference.URI, ".tst") {
			archived = true
			// It covers the signature and its manifest as well.
			want = append(slices.Clone(files), m.named(t, "META-INF/", ".p7s"), "META-INF/ASiCManifest")
		} else {
			signed = true
		}
		if m.entries[list.SigReference.URI] == nil {
			return fmt.Errorf("%s names %s, which is not there", list.name, list.SigReference.URI)
		}
		covered := ""
		for _, r := range list.References {
			if err := r.holds(m.entries); err != nil {
				return fmt.Errorf("%s: %w", list.name, err)
			}
			name, _ := url.PathUnescape(r.URI)
			covered += "|" + name
		}
		for _, name := range want {
			if !strings.Contains(covered, "|"+name) {
				return fmt.Errorf("%s: %s is not covered", list.name, name)
			}
		}
	}
	if !signed || archived != (m.level == sign.LTA) {
		return errors.New("manifests are missing, or there are too many")
	}
	return nil
}
