package container_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/testcards/pki"
)

// FuzzRead: identifiers are there and unique, errors are those promised, and
// contents that are said to be there can be opened.
func FuzzRead(f *testing.F) {
	m := newMaker(f, pki.EC)
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	a := file{"a.txt", "content of a"}
	xml := m.xades("S1", object{name: a.name, body: a.body})
	man := file{"META-INF/ASiCManifest.xml", manifestOver("META-INF/signature.p7s", "", a)}
	sig := file{"META-INF/signature.p7s", m.cms(man.body)}
	archive := file{"META-INF/ASiCArchiveManifest.xml", manifestOver("META-INF/timestamp.tst", "", a, man, sig)}
	f.Add(pack(f, asicS, a, file{"META-INF/signatures.xml", xml}))
	f.Add(pack(f, asicE, a, man, sig, archive, file{"META-INF/timestamp.tst", m.stamp(archive.body, at)}))
	f.Add(pack(f, "application/vnd.oasis.opendocument.text", a, manifestXML(a.name), file{"META-INF/documentsignatures.xml", xml}))
	f.Add(pack(f, "", a, file{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`}, file{"_xmlsignatures/sig1.xml", xml},
		file{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin" Target="_xmlsignatures/origin.sigs"/></Relationships>`},
		file{"_xmlsignatures/origin.sigs", "x"},
		file{"_xmlsignatures/_rels/origin.sigs.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/signature" Target="sig1.xml"/></Relationships>`}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := container.Read(context.Background(), input(raw))
		if err != nil {
			if !errors.Is(err, ades.ErrNoSignature) && !errors.Is(err, ades.ErrRefused) {
				t.Fatal(err)
			}
			return
		}
		ids := map[string]bool{}
		for _, s := range list {
			if s.ID == "" || ids[s.ID] || s.Container == "" || s.File == "" {
				t.Fatalf("ID %q in %q of %q", s.ID, s.File, s.Container)
			}
			ids[s.ID] = true
			for _, r := range s.References {
				if r.Intact && !r.Found {
					t.Fatalf("%s is intact and not there", r.Name)
				}
				if !r.Found || r.Content == nil {
					continue
				}
				c, err := r.Content()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, c); err != nil && r.Intact {
					t.Fatalf("%s: %v", r.Name, err)
				}
				c.Close()
			}
		}
	})
}
