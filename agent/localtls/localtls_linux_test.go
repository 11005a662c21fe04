package localtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func options(t *testing.T) Options {
	return Options{Dir: filepath.Join(t.TempDir(), "state"), Home: t.TempDir()}
}

func TestInstall(t *testing.T) {
	t.Parallel()
	o := options(t)
	profile := filepath.Join(o.Home, ".mozilla", "firefox", "abc.default-release")
	if err := os.MkdirAll(profile, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "certutil", "-N", "-d", "sql:"+profile, "--empty-password")
	if _, err := Status(t.Context(), o); !errors.Is(err, ErrNotInstalled) {
		t.Fatalf("before: %v", err)
	}
	r, err := Install(t.Context(), o)
	if err != nil || !r.Made || len(r.Stores) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	c := r.Certificate
	if c.IsCA || !c.BasicConstraintsValid || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth || c.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("the certificate could be used for more than this server: %+v", c)
	}
	if len(c.DNSNames) != 1 || c.DNSNames[0] != "localhost" || len(c.IPAddresses) != 2 || !c.IPAddresses[0].IsLoopback() || !c.IPAddresses[1].IsLoopback() {
		t.Errorf("names %v %v", c.DNSNames, c.IPAddresses)
	}
	if d := c.NotAfter.Sub(c.NotBefore); d > 398*24*time.Hour {
		t.Errorf("lives for %v", d)
	}
	for _, s := range r.Stores {
		list := run(t, "certutil", "-L", "-d", "sql:"+s.Path)
		if s.Err != nil || !s.Trusted || !strings.Contains(list, nickname(c)) || !strings.Contains(list, "P,,") {
			t.Errorf("%+v: %s", s, list)
		}
		if keys := run(t, "sh", "-c", "certutil -K -d sql:'"+s.Path+"' 2>&1 || true"); !strings.Contains(keys, "no keys found") {
			t.Errorf("a key is in the store: %s", keys)
		}
	}
	info, err := os.Stat(filepath.Join(o.Dir, fileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	again, err := Install(t.Context(), o)
	if err != nil || again.Made || again.SHA256 != r.SHA256 {
		t.Errorf("made another: %+v %v", again, err)
	}
	o.Now = func() time.Time { return time.Now().Add(life - renew) }
	renewed, err := Install(t.Context(), o)
	if err != nil || !renewed.Made || renewed.SHA256 == r.SHA256 {
		t.Fatalf("not renewed: %+v %v", renewed, err)
	}
	for _, s := range renewed.Stores {
		if list := run(t, "certutil", "-L", "-d", "sql:"+s.Path); strings.Contains(list, nickname(c)) {
			t.Errorf("the old one stays in %s: %s", s.Path, list)
		}
	}
	if r, err := Remove(t.Context(), o); err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, s := range renewed.Stores {
		if list := run(t, "certutil", "-L", "-d", "sql:"+s.Path); strings.Contains(list, "eidkit") {
			t.Errorf("something stays in %s: %s", s.Path, list)
		}
	}
	if _, err := Load(o.Dir); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("after removing: %v", err)
	}
}

// TestHalfRemoved: after a Remove that could not change every store, whose
// certificate has lost its key, Install makes another and Remove can finish.
func TestHalfRemoved(t *testing.T) {
	t.Parallel()
	o := options(t)
	first, err := Install(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(o.Home, ".pki", "nssdb", "cert9.db")
	good, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(db, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := Remove(t.Context(), o); err != nil || r.Stores[0].Err == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := Load(o.Dir); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("the key is still there: %v", err)
	}
	if err := os.WriteFile(db, good, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Install(t.Context(), o)
	if err != nil || !again.Made || again.SHA256 == first.SHA256 {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := Load(o.Dir); err != nil {
		t.Errorf("installed, and nothing serves with it: %v", err)
	}
	if list := run(t, "certutil", "-L", "-d", "sql:"+filepath.Dir(db)); strings.Contains(list, nickname(first.Certificate)) {
		t.Errorf("the old one stays: %s", list)
	}
}

// TestServes: the certificate serves on loopback, and each installation has another key.
func TestServes(t *testing.T) {
	t.Parallel()
	o := options(t)
	leaf, err := create(o)
	if err != nil {
		t.Fatal(err)
	}
	other, err := create(options(t))
	if err != nil {
		t.Fatal(err)
	}
	if string(leaf.RawSubjectPublicKeyInfo) == string(other.RawSubjectPublicKeyInfo) {
		t.Fatal("two installations have one key")
	}
	c, err := Load(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*c}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = conn.(*tls.Conn).Handshake(); conn.Close() }()
		}
	}()
	trusted := x509.NewCertPool()
	trusted.AddCert(leaf)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: trusted, ServerName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		conn.Close()
	}
	if conn, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: trusted, ServerName: "bank.example"}); err == nil {
		conn.Close()
		t.Error("served for another name")
	}
}

func TestBadFile(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		o := options(t)
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(o.Dir, fileName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(o.Dir); err == nil || errors.Is(err, ErrNotInstalled) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s (make test installs it)", name, err, out)
	}
	return string(out)
}
