package asic

import (
	"archive/zip"
	"bytes"
	"crypto"
	"io"
	"strings"
	"testing"
)

// FuzzOpen: whatever opens has safe, different names, and archive/zip, where it
// reads the container too, sees the same files with the same content.
func FuzzOpen(f *testing.F) {
	f.Add(makeZip(f, archive{comment: "mimetype=" + asicSType}, mimetype, file{name: "a/b", body: strings.Repeat("x", 100), deflate: true, flags: flagDescriptor}))
	f.Add(makeZip(f, archive{zip64: true, before: "#!", after: "x"}, file{name: "f/"}, file{name: "f/\x94", body: "y", behind: "gap"}))
	f.Add(makeZip(f, archive{}, file{name: "META-INF/manifest.xml", body: "<m/>"}, file{name: "a", extra: []byte{1, 0, 0, 0}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		c.Kind("")
		peer, peerErr := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		theirs := map[string]*zip.File{}
		if peerErr == nil {
			for _, f := range peer.File {
				theirs[f.Name] = f
			}
		}
		for _, e := range c.Entries {
			if strings.Contains(e.Name, "..") && checkName(e.Name) != nil {
				t.Fatalf("name %q", e.Name)
			}
			got, err := e.Bytes(1 << 20)
			if _, derr := e.Digest(t.Context(), crypto.SHA256); e.Size <= 1<<20 && (err == nil) != (derr == nil) {
				t.Fatalf("%q: %v, but %v", e.Name, err, derr)
			}
			p := theirs[e.Name]
			if err != nil || p == nil {
				continue
			}
			r, err := p.Open()
			if err != nil {
				continue
			}
			want, err := io.ReadAll(io.LimitReader(r, 1<<20+1))
			if err == nil && !bytes.Equal(got, want) {
				t.Fatalf("%q differs from what archive/zip reads", e.Name)
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(manifestOf2))
	f.Add([]byte(`<manifest xmlns="http://openoffice.org/2001/manifest"><file-entry full-path="/"/></manifest>`))
	f.Add([]byte(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="text/xml"/></Types>`))
	f.Add([]byte(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Type="a" Target="b"/></Relationships>`))
	f.Add([]byte(`<ASiCManifest xmlns="http://uri.etsi.org/02918/v1.2.1#"><SigReference URI="a"/><DataObjectReference URI="b"/></ASiCManifest>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := ParseManifest(raw); err == nil {
			for _, r := range m.References {
				if r.Hash != 0 && r.Algorithm == "" {
					t.Fatal("a digest out of nothing")
				}
			}
			if _, err := ParsePackageManifest(raw); err == nil {
				t.Fatal("both kinds of manifest")
			}
		}
		_, _ = ParsePackageManifest(raw)
		_, _ = ParseContentTypes(raw)
		_, _ = ParseRelationships(raw)
	})
}
