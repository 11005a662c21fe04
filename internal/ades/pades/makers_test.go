package pades

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

// tool finds a program of an independent maker or judge.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed: poppler-utils has pdfsig, libnss3-tools certutil, libreoffice-writer-nogui soffice", name)
	}
	return path
}

func run(t testing.TB, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// database is a key store of NSS with one key, "jan".
func database(t testing.TB) string {
	t.Helper()
	certutil := tool(t, "certutil")
	dir := t.TempDir()
	noise := filepath.Join(dir, "noise")
	must(t, os.WriteFile(noise, bytes.Repeat([]byte("not a secret"), 20), 0o600))
	db := "sql:" + dir
	run(t, certutil, "-N", "-d", db, "--empty-password")
	run(t, certutil, "-S", "-d", db, "-n", "jan", "-s", "CN=Jan Proef,C=BE", "-x", "-t", "CT,C,C", "-m", "7", "-z", noise, "-Z", "SHA256", "--keyUsage", "digitalSignature,nonRepudiation,certSigning")
	return db
}

// TestPdfsig has poppler sign documents of several makers, twice, and judge
// our own test signatures.
func TestPdfsig(t *testing.T) {
	t.Parallel()
	pdfsig, qpdf := tool(t, "pdfsig"), tool(t, "qpdf")
	db := database(t)
	dir := t.TempDir()
	bases := map[string]string{"contract": filepath.Join(dir, "contract.pdf")}
	must(t, os.WriteFile(bases["contract"], pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes(), 0o600))
	for name, args := range map[string][]string{
		"linearized": {"--linearize"}, "packed": {"--object-streams=generate"}, "qdf": {"--qdf"},
		"encrypted": {"--encrypt", "", "owner", "256", "--"},
	} {
		bases[name] = filepath.Join(dir, name+".pdf")
		run(t, qpdf, append(args, bases["contract"], bases[name])...)
	}
	if soffice, err := exec.LookPath("soffice"); err != nil {
		t.Log("without LibreOffice: ", err)
		if os.Getenv("CI") == "true" {
			t.Error(err)
		}
	} else {
		text := filepath.Join(dir, "lease.txt")
		must(t, os.WriteFile(text, []byte("The tenant pays a rent of 850 euro.\n"), 0o600))
		run(t, soffice, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", "pdf", "--outdir", dir, text)
		bases["libreoffice"] = filepath.Join(dir, "lease.pdf")
	}
	for name, base := range bases {
		once, twice := filepath.Join(dir, name+"-1.pdf"), filepath.Join(dir, name+"-2.pdf")
		// pdfsig sometimes ends with a complaint about its own database.
		exec.Command(pdfsig, "-nssdir", db, "-nick", "jan", "-add-signature", "-reason", "test", base, once).Run()
		exec.Command(pdfsig, "-nssdir", db, "-nick", "jan", "-add-signature", once, twice).Run()
		for i, path := range []string{once, twice} {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("%s: pdfsig did not sign: %v", name, err)
				continue
			}
			list, err := read(t, b)
			if err != nil || len(list) != i+1 {
				t.Errorf("%s: %d signatures, %v", path, len(list), err)
				continue
			}
			for _, s := range list {
				if bad := complaints(s); len(bad) > 0 {
					t.Errorf("%s, %s: %s", path, s.ID, strings.Join(bad, "\n"))
				}
			}
			if !list[i].CoversWholeFile {
				t.Errorf("%s: the last signature does not cover the file", path)
			}
		}
	}
}

// TestPdfsigAgrees has poppler judge what this package's tests are made of:
// whether the cryptography of each file holds.
func TestPdfsigAgrees(t *testing.T) {
	t.Parallel()
	pdfsig := tool(t, "pdfsig")
	for name, file := range map[string][]byte{
		"contract": contract(t).Bytes(), "two": secondSignature(t, contract(t)), "certified": certified(t, 2).Bytes(),
		"content replaced": attacks[0].change(t, contract(t)),
	} {
		path := filepath.Join(t.TempDir(), "file.pdf")
		must(t, os.WriteFile(path, file, 0o600))
		out, _ := exec.Command(pdfsig, "-nocert", path).CombinedOutput()
		list, err := Read(context.Background(), ades.Input{File: ades.File{Data: bytes.NewReader(file), Size: int64(len(file))}})
		must(t, err)
		if n := strings.Count(string(out), "Signature is Valid."); n != len(list) {
			t.Errorf("%s: pdfsig finds %d signatures of %d valid\n%s", name, n, len(list), out)
		}
	}
}
