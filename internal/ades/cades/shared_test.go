package cades_test

import (
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
)

// Signatures of other makers, with what EU DSS says of them.
func TestSharedSignatures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ file, content, want string }{
		{"cades-lta-duplicated-atst.p7m", "", "signer-1 CAdES attached B-LTA RSA with SHA-256; messageDigest true true; signature true true; archiveATSv3 true true; archiveATSv3 true true"},
		{"cades-t-duplicated-sigtst.p7m", "", "signer-1 CAdES attached B-T RSA with SHA-256; messageDigest true true; signature true true; signature true true"},
		{"dss-1419/CAdES-BpB-att-SHA3_224-SHA256withRSA.p7m", "", "signer-1 CAdES attached B-B RSA with SHA-256; messageDigest true true; does not verify; ALGORITHM_MISMATCH"},
		{"dss-1419/CAdES-BpB-att-SHA3_512-SHA3_512withRSA.p7m", "", "signer-1 CAdES attached B-B RSA with SHA3-512; messageDigest true true"},
		{"dss-1188/Test.bin.sig", "dss-1188/Test.bin", "signer-1 CMS detached  RSA with SHA-1; messageDigest true true"},
		{"dss-1892/detached_with_counter_sig.p7m", "dss-1892/signed_content.bin", "signer-1 CAdES detached B-T RSA with SHA-256; messageDigest true true; signature true true; " +
			"(signer-1-counter-1 CAdES counter-signature B-T RSA with SHA-256; counterSigned true true; signature true true)"},
		{"dss-2011/cades-content-tst.pkcs7", "", "signer-1 CAdES detached B-B RSA with SHA-256; messageDigest false false; does not verify; content false false; content false false"},
		{"dss-2011/cades-detached.pkcs7", "", "signer-1 CAdES detached B-B RSA with SHA-256; messageDigest false false; does not verify"},
		{"dss-2011/cades-lta-detached.pkcs7", "", "signer-1 CAdES detached B-LTA RSA with SHA-256; messageDigest false false; does not verify; signature true true; archiveATSv3 false false"},
	} {
		var content [][]byte
		if test.content != "" {
			content = append(content, shared(t, test.content))
		}
		check(t, test.file, read(t, shared(t, test.file), content...), test.want)
	}
}

// What the archive time stamp of another maker covers: everything in the message, itself apart.
func TestSharedCovers(t *testing.T) {
	t.Parallel()
	s := read(t, shared(t, "cades-lta-duplicated-atst.p7m"))[0]
	if len(s.CRLs) != 1 || len(s.OCSPs) != 1 || len(s.Certificates) != 5 {
		t.Fatalf("%d CRLs, %d OCSP answers, %d certificates", len(s.CRLs), len(s.OCSPs), len(s.Certificates))
	}
	want := [][]byte{s.Value, s.CRLs[0], s.OCSPs[0], s.Timestamps[0].Raw}
	for _, c := range s.Certificates {
		want = append(want, c.Raw)
	}
	for _, ts := range s.Timestamps[1:] {
		covers := map[ades.Digest]bool{}
		for _, d := range ts.Covers {
			covers[d] = true
		}
		for i, raw := range want {
			if !covers[ades.ObjectDigest(raw)] {
				t.Errorf("%s does not cover object %d", ts.ID, i)
			}
		}
		if covers[ades.ObjectDigest(ts.Raw)] {
			t.Errorf("%s covers itself", ts.ID)
		}
	}
}

// With content that is not what was signed, nothing is intact.
func TestSharedOtherContent(t *testing.T) {
	t.Parallel()
	check(t, "other content", read(t, shared(t, "dss-2011/cades-lta-detached.pkcs7"), []byte("another")),
		"signer-1 CAdES detached B-LTA RSA with SHA-256; messageDigest true false; does not verify; signature true true; archiveATSv3 true false")
}
