package pades

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdffont"
)

// addStore adds a revision with values in the document security store; what the
// store had stays. No values: no revision. EN 319 142-1, section 5.4.2.
func (t *target) addStore(d *document, list []*ades.Signature, values ades.Values) error {
	if len(values.Certificates)+len(values.CRLs)+len(values.OCSPs) == 0 {
		return nil
	}
	u, err := d.pdf.NewUpdate()
	if err != nil {
		return unsuitable(err)
	}
	catalog, root := u.Dict(u.Root())
	dss, at := u.Dict(catalog["DSS"])
	if dss == nil {
		dss, at = pdf.Dict{"Type": pdf.Name("DSS")}, pdf.Ref{}
	}
	vri, vriAt := u.Dict(dss["VRI"])
	if vri == nil {
		vri, vriAt = pdf.Dict{}, pdf.Ref{}
	}
	keys := d.storeKeys(list)
	entries := make([]pdf.Dict, len(keys))
	for i, key := range keys {
		if entries[i], _ = u.Dict(vri[key]); entries[i] == nil {
			entries[i] = pdf.Dict{"Type": pdf.Name("VRI")}
		}
	}
	for _, part := range []struct {
		all, own pdf.Name
		values   [][]byte
	}{{"Certs", "Cert", values.Certificates}, {"CRLs", "CRL", values.CRLs}, {"OCSPs", "OCSP", values.OCSPs}} {
		var refs pdf.Array
		for _, raw := range part.values {
			refs = append(refs, u.Add(&pdf.NewStream{Dict: pdf.Dict{"Filter": pdf.Name("FlateDecode")}, Data: pdffont.Deflate(raw)}))
		}
		if refs == nil {
			continue
		}
		extend(u, dss, part.all, refs)
		for _, entry := range entries {
			extend(u, entry, part.own, refs)
		}
	}
	for i, key := range keys {
		vri[key] = entries[i]
	}
	if vriAt.Num != 0 {
		u.Set(vriAt, vri)
	} else {
		dss["VRI"] = vri
	}
	if at.Num != 0 {
		u.Set(at, dss)
	} else {
		catalog["DSS"] = u.Add(dss)
	}
	d.extension(u, catalog)
	u.Set(root, catalog)
	first := len(d.pdf.Revisions())
	if _, err := t.add(u, nil, nil); err != nil {
		return err
	}
	return t.checkAdded(d, first)
}

// extend appends to an array of a dictionary.
func extend(u *pdf.Update, d pdf.Dict, key pdf.Name, refs pdf.Array) {
	old, _ := u.Array(d[key])
	d[key] = append(old, refs...)
}

// storeKeys are the names of the entries for signatures and their time stamps:
// SHA-1 over the value of Contents as it stands, zeros at its end included.
// ISO 32000-2, table 261.
func (d *document) storeKeys(list []*ades.Signature) (keys []pdf.Name) {
	wanted := map[string]bool{}
	for _, s := range list {
		wanted[s.PDF.Field] = true
		for _, ts := range s.Timestamps {
			if ts.Kind == ades.DocumentTS {
				wanted[ts.ID] = true
			}
		}
	}
	for _, s := range d.signatures {
		if !wanted[strings.Join(s.names, ", ")] && !wanted[s.names[0]] {
			continue
		}
		sum := sha1.Sum(s.message)
		keys = append(keys, pdf.Name(strings.ToUpper(hex.EncodeToString(sum[:]))))
	}
	return keys
}

// extension declares the store for readers of PDF 1.7. EN 319 142-1, section 5.4.2.1.
func (d *document) extension(u *pdf.Update, catalog pdf.Dict) {
	extensions, at := u.Dict(catalog["Extensions"])
	if extensions["ESIC"] != nil || d.pdf.Version >= "2.0" || at.Num != 0 {
		return
	}
	if extensions == nil {
		extensions = pdf.Dict{}
	}
	extensions["ESIC"] = pdf.Dict{"BaseVersion": pdf.Name("1.7"), "ExtensionLevel": int64(5)}
	catalog["Extensions"] = extensions
}
