package container_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestShared: what the mathematics says of the containers of EU DSS.
func TestShared(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "signatures")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the test data beside the project (../shared/data/signatures) are absent")
	}
	for name, want := range map[string][]string{ // of each signature: what is wrong, then the codes
		"asic-cades/brokenReference.asice":                   {"manifestEntry test.text: found true, intact false", ""},
		"asic-cades/brokenReferenceAndAlteredManifest.asice": {"finding {MANIFEST_BROKEN", "MANIFEST_BROKEN META-INF/ASiCManifest.xml, FILE_NOT_SIGNED test.text, FILE_NOT_SIGNED test2.text"},
		"asic-cades/removed-doc.asics":                       {"messageDigest package.zip: found true, intact false", ""},
		"asic-cades/removedReference.asice":                  {"manifestEntry test.text: found false, intact false", ""},
		"asic-xades/Signature-A-EE_AS-19.asice":              {"", ""},
		"asic-xades/container-signed.adoc":                   {"", "FILE_NOT_SIGNED metadata/unsignableMetadata0.xml"},
		"asic-xades/container-with-counter-signature.asice":  {"", "FILE_NOT_SIGNED service-body.json"},
		"asic-xades/libreoffice.odt":                         {"finding {PROPERTIES_NOT_DECLARED", "PROPERTIES_NOT_DECLARED idSignedProperties"},
		"asic-xades/multifiles-wrong-file.asics":             {"content cef-portal-esig.png: found true, intact false", "", "content cef-portal-esig.png: found true, intact false", ""},
		"asic-xades/no-signed-file.asice":                    {"finding {NO_SIGNED_FILE", "NO_SIGNED_FILE", "finding {NO_SIGNED_FILE", "NO_SIGNED_FILE"},
		"asic-xades/onefile-no-mimetype.asice":               {"finding {BAD_TIMESTAMP", "BAD_TIMESTAMP EncapsulatedTimeStamp"},
		"asic-xades/onefile-wrong-file.asice":                {"finding {BAD_TIMESTAMP", "BAD_TIMESTAMP EncapsulatedTimeStamp"},
		"asic-xades/xades_no-signedpropref.asice_.zip":       {"finding {PROPERTIES_NOT_SIGNED", "PROPERTIES_NOT_SIGNED S0-SignedProperties"},
	} {
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
			continue
		}
		list := read(t, raw)
		if len(list) != len(want)/2 {
			t.Errorf("%s: %d signatures", name, len(list))
			continue
		}
		for i, s := range list {
			if w := wrong(s); w != want[2*i] && (want[2*i] == "" || !strings.HasPrefix(w, want[2*i])) || codes(s) != want[2*i+1] {
				t.Errorf("%s: %s; %s", name, w, codes(s))
			}
		}
		if name == "asic-xades/onefile-wrong-file.asice" {
			if ref := list[0].References[0]; !ref.Found || ref.Intact {
				t.Errorf("%s: %+v", name, ref)
			}
		}
		if name == "asic-xades/container-with-counter-signature.asice" && (len(list[0].CounterSignatures) != 1 || list[0].CounterSignatures[0].File == "") {
			t.Errorf("%s: %d counter-signatures", name, len(list[0].CounterSignatures))
		}
	}
}
