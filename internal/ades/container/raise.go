package container

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/asic"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/ocsp"
)

// Raise writes the container in, ASiC or OpenDocument, to w with its signatures raised to r.Level. Signed files and what time stamps of the container are over
// keep every byte; of an ASiC-E with CAdES, ASiCArchiveManifest.xml gets a number when a newer one takes its name (EN 319 162-1 annex A.7). If
// nothing is missing the file is copied as it is. Errors: ades.ErrUnsuitable (another kind of file, or what would have to be changed is covered by a
// time stamp), ades.ErrNoSignature (also for an ID that is not there), ades.ErrBroken, those of r's functions, of the file, of w and of ctx.
func Raise(ctx context.Context, in ades.File, r ades.Raising, w io.Writer) error {
	b, err := raise(ctx, in, r)
	switch {
	case err != nil:
		return fmt.Errorf("raising the signatures of a container: %w", err)
	case !b.changed():
		_, err = io.Copy(w, bounded{ctx, io.NewSectionReader(in.Data, 0, in.Size)})
	default:
		_, err = b.writer().Write(ctx, w)
	}
	return err
}

func raise(ctx context.Context, in ades.File, r ades.Raising) (*box, error) {
	rd, err := readFile(ctx, in)
	switch {
	case err != nil:
		return nil, notSuitable(err)
	case rd.kind != asic.ASiCS && rd.kind != asic.ASiCE && rd.kind != asic.ODF:
		return nil, unsuitable("signatures in such a container are not raised: it is neither ASiC nor OpenDocument")
	case len(rd.list) == 0:
		return nil, ades.ErrNoSignature
	}
	for _, e := range rd.c.Entries {
		if e.Role() == asic.Evidence {
			return nil, unsuitable("the container has an evidence record, which may cover what would have to be changed")
		}
	}
	chosen := func(s *ades.Signature) bool { return len(r.IDs) == 0 || slices.Contains(r.IDs, s.ID) }
	for _, id := range r.IDs {
		if !slices.ContainsFunc(rd.list, func(s *ades.Signature) bool { return s.ID == id }) {
			return nil, fmt.Errorf("%w: %q", ades.ErrNoSignature, id)
		}
	}
	b := boxOf(rd.c)
	b.findTypes()
	work := &raiser{reading: rd, box: b, raising: r, chosen: chosen, covered: rd.coveredFiles()}
	for _, e := range rd.c.Entries {
		if err := work.file(e); err != nil {
			return nil, err
		}
	}
	if work.files == 0 {
		return nil, unsuitable("the container has time stamps alone")
	}
	if work.archive {
		a := &archiving{box: b, earlier: rd, raising: r, leave: map[string]bool{}}
		a.leaveOthers(chosen)
		if err := a.add(ctx); err != nil {
			return nil, err
		}
	}
	return b, b.check()
}

// raiser raises the signatures of one container.
type raiser struct {
	*reading
	box     *box
	raising ades.Raising
	chosen  func(*ades.Signature) bool
	covered map[*asic.Entry]bool
	files   int  // with signatures to raise
	archive bool // the container gets an archive time stamp
}

// coveredFiles are the files that keep their bytes since something else than the signatures in them is over them: time stamps of the container,
// by their manifests, and signatures over files of META-INF.
func (r *reading) coveredFiles() map[*asic.Entry]bool {
	covered := map[*asic.Entry]bool{}
	add := func(refs []ades.Reference) {
		for _, ref := range refs {
			if ref.Intact && ref.URI != "" {
				covered[r.c.Resolve(ref.URI)] = true
			}
		}
	}
	for _, s := range r.stamps {
		if s.ts.Intact {
			add(s.refs)
		}
	}
	for _, s := range r.list {
		add(s.References)
	}
	return covered
}

// file raises what was chosen of the signatures in one file.
func (r *raiser) file(e *asic.Entry) error {
	xml := e.Role() == asic.SignatureXML
	if !xml && e.Role() != asic.SignatureCMS {
		return nil
	}
	list := r.byFile[e.Name]
	inside := r.raising
	inside.IDs = nil
	enough := true
	for i, s := range list {
		if !r.chosen(s) {
			continue
		}
		if err := holds(s); err != nil {
			return err
		}
		id := r.own[s]
		if !xml {
			id = fmt.Sprintf("signer-%d", i+1) // as cades names them in a file of its own
		}
		inside.IDs = append(inside.IDs, id)
		enough = enough && atLeast(s, min(r.raising.Level, ades.LevelLT)) && (r.raising.Level < ades.LevelLT || proven(s))
	}
	if len(inside.IDs) == 0 {
		return nil
	}
	if len(inside.IDs) == len(list) {
		inside.IDs = nil
	}
	r.files++
	if !xml && r.kind == asic.ASiCE {
		r.archive = r.archive || r.raising.Level >= ades.LevelLTA
		inside.Level = min(r.raising.Level, ades.LevelLT)
	}
	if r.covered[e] {
		if enough && inside.Level < ades.LevelLTA {
			return nil
		}
		return unsuitable("%q is covered by a time stamp or another signature, so that nothing can be put into it", e.Name)
	}
	raw, err := e.Bytes(maxSignatureFile)
	if err != nil {
		return err
	}
	var raised []byte
	if xml {
		raised, err = xades.Raise(r.ctx, raw, r.resolve, inside)
	} else {
		raised, err = cades.RaiseCMS(r.ctx, raw, r.body(list[0]), inside)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", e.Name, err)
	}
	if !bytes.Equal(raw, raised) {
		r.box.put(e.Name, r.box.lookup(e.Name).mime, raised)
	}
	return nil
}

// levels are what the readers say of level B-T and above, in order. Those of CAdES and XAdES before the baseline rank with what they prove.
var levels = map[string]ades.Level{"B-T": ades.LevelT, "C": ades.LevelT, "X": ades.LevelT, "B-LT": ades.LevelLT, "XL": ades.LevelLT, "B-LTA": ades.LevelLTA, "A": ades.LevelLTA}

func atLeast(s *ades.Signature, l ades.Level) bool { return levels[s.Level] >= l }

// proven tells whether a signature comes with a list or an answer about its signer: the names of elements and attributes, by which levels
// are told, say nothing of what is in them. Whether these are good is for who judges.
func proven(s *ades.Signature) bool {
	if s.Signer == nil {
		return false
	}
	crls, ocsps := slices.Clone(s.CRLs), slices.Clone(s.OCSPs)
	for i := range s.Timestamps {
		if token := s.Timestamps[i].Token; token != nil { // under an archive time stamp of CMS evidence comes to stand in it
			crls, ocsps = append(crls, token.CRLs...), append(ocsps, token.OCSPs...)
		}
	}
	return slices.ContainsFunc(crls, func(der []byte) bool {
		list, err := x509.ParseRevocationList(der)
		return err == nil && certs.EqualName(list.RawIssuer, s.Signer.RawIssuer)
	}) || slices.ContainsFunc(ocsps, func(der []byte) bool {
		answer, err := ocsp.Parse(der)
		return err == nil && slices.ContainsFunc(answer.Singles, func(one ocsp.Single) bool { return one.ID.Serial.Cmp(s.Signer.SerialNumber) == 0 })
	})
}

// body is what a CMS file of the container is over: the one file of an ASiC-S, the manifest of an ASiC-E.
func (r *raiser) body(s *ades.Signature) cades.Body {
	e := r.onlyFile()
	if r.kind == asic.ASiCE {
		for _, ref := range s.References {
			if ref.Kind == ades.RefManifest {
				e = r.c.Resolve(ref.URI)
			}
		}
	}
	if e == nil {
		return cades.Body{}
	}
	return cades.Body{Open: e.Open, Size: e.Size}
}
