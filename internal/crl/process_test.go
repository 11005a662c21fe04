package crl

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
	"github.com/eidkit/eidkit/internal/fetch"
)

// childVariable names the folder and address for a process that does nothing but update a store.
const childVariable = "EIDKIT_CRL_STORE_CHILD"

func TestMain(m *testing.M) {
	if task := os.Getenv(childVariable); task != "" {
		if err := child(task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child updates a store, as often as it is told (0: until it is killed), and writes a line after each time.
func child(task string) error {
	var dir, url, certPath string
	var times int
	if _, err := fmt.Sscanf(task, "%d %s %s %s", &times, &dir, &url, &certPath); err != nil {
		return err
	}
	der, err := os.ReadFile(certPath)
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	client, err := fetch.New(fetch.Options{Allow: loopback})
	if err != nil {
		return err
	}
	store, err := OpenStore(dir, StoreOptions{Fetch: client, Retry: 1})
	if err != nil {
		return err
	}
	for i := 0; times == 0 || i < times; i++ {
		x, _, err := store.Update(context.Background(), url, cert, 1, func(l *List) (Digest, error) {
			return sha256.Sum256(cert.RawSubjectPublicKeyInfo), l.CheckSigner(cert)
		})
		if err != nil {
			return err
		}
		if err := consistent(x, cert); err != nil {
			return err
		}
		fmt.Println(x.List().Number)
	}
	return nil
}

// Each list of the publisher revokes exactly one serial number near its own number, and so many others that writing it takes a while.
const others = 3000

func consistent(x *Index, cert *x509.Certificate) error {
	n := x.List().Number
	for d := int64(-2); d <= 2; d++ {
		f, err := x.Lookup(new(big.Int).Add(n, big.NewInt(d)), cert.RawSubject)
		if err != nil || (f != nil) != (d == 0) {
			return fmt.Errorf("list number %v: serial number %+d: %+v, %w", n, d, f, err)
		}
	}
	if x.List().Entries != others+1 {
		return fmt.Errorf("list number %v has %d entries", n, x.List().Entries)
	}
	_, err := x.Raw()
	return err
}

// publisher gives a new list to each who asks. half, if set, is called when half of it is out.
type publisher struct {
	*httptest.Server
	a      authority
	number atomic.Int64
	half   atomic.Pointer[func()]
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{a: newAuthority(t, "Test CA", ecKey())}
	begin := time.Now().Add(-time.Hour)
	p.number.Store(1 << 40)
	var fill []byte
	for i := range others {
		fill = append(fill, rawEntry(largeSerial(i), utc(noon), nil)...)
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := p.number.Add(10)
		serial := big.NewInt(n).Bytes()
		der := p.a.raw(t, raw{
			version: []byte{2, 1, 1}, this: utc(begin.Add(time.Duration(n-1<<40) * time.Second)), next: utc(begin.AddDate(0, 0, 7)),
			entries: append(rawEntry(serial, utc(noon), nil), fill...), extensions: seq(ext(oidNumber, false, wrap(tagInteger, serial))),
		})
		w.Write(der[:len(der)/2])
		w.(http.Flusher).Flush()
		if half := p.half.Load(); half != nil {
			(*half)()
		}
		w.Write(der[len(der)/2:])
	}))
	t.Cleanup(p.Close)
	return p
}

// start runs a child.
func (p *publisher) start(t *testing.T, dir string, times int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	certPath := filepath.Join(t.TempDir(), "ca.cer")
	if err := os.WriteFile(certPath, p.a.cert.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+fmt.Sprintf("%d %s %s %s", times, dir, p.URL, certPath))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// TestKilled kills a process that updates a store, at any moment: what is kept afterwards is whole, and never older than what was there.
func TestKilled(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	dir := t.TempDir()
	client := newClient(t)
	newest := int64(0)
	for i := range 40 {
		var cmd *exec.Cmd
		killing := make(chan struct{})
		var lines *bufio.Scanner
		started := make(chan struct{})
		if i%4 == 0 { // in the middle of a download
			countdown := int32(1 + i%3)
			half := func() {
				<-started
				if atomic.AddInt32(&countdown, -1) == 0 {
					cmd.Process.Kill()
					close(killing)
				}
			}
			p.half.Store(&half)
		} else {
			p.half.Store(nil)
		}
		cmd, lines = p.start(t, dir, 0)
		close(started)
		if i%4 != 0 { // at some moment between the first update and the third
			for range 1 + i%2 {
				lines.Scan()
			}
			for range rand.IntN(3000) {
				runtime.Gosched()
			}
			cmd.Process.Kill()
			close(killing)
		}
		for lines.Scan() {
		}
		<-killing
		cmd.Wait()
		store, err := OpenStore(dir, StoreOptions{Fetch: client})
		if err != nil {
			t.Fatal(err)
		}
		x, _, err := store.Kept(p.URL, p.a.cert)
		if err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		if x == nil {
			if newest != 0 {
				t.Fatalf("kill %d: the list is gone", i)
			}
			continue
		}
		if err := consistent(x, p.a.cert); err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		if n := x.List().Number.Int64(); n < newest {
			t.Fatalf("kill %d: number %d, %d was there before", i, n, newest)
		} else {
			newest = n
		}
	}
	p.half.Store(nil)
	p.mend(t, dir, client)
}

// mend sees that the next update takes away what the dead left.
func (p *publisher) mend(t *testing.T, dir string, client *fetch.Client) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), atomicfile.TempPrefix) {
			if err := os.Chtimes(filepath.Join(dir, e.Name()), time.Time{}, time.Now().Add(-2*leftoverAfter)); err != nil {
				t.Fatal(err)
			}
		}
	}
	store, err := OpenStore(dir, StoreOptions{Fetch: client})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Update(t.Context(), p.URL, p.a.cert, 1, func(l *List) (Digest, error) { return Digest{}, l.CheckSigner(p.a.cert) }); err != nil {
		t.Fatal(err)
	}
	if entries, err = os.ReadDir(dir); err != nil || len(entries) != 4 {
		t.Errorf("%d files, %v: %v", len(entries), err, entries)
	}
}

// TestTwoProcesses has two processes and this one update the same list, each seeing whole lists that never become older.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	dir := t.TempDir()
	first, firstLines := p.start(t, dir, 25)
	second, secondLines := p.start(t, dir, 25)
	store, err := OpenStore(dir, StoreOptions{Fetch: newClient(t), Retry: 1})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	reads := 0
	go func() {
		defer close(done)
		for _, lines := range []*bufio.Scanner{firstLines, secondLines} {
			for lines.Scan() {
			}
		}
	}()
	last := int64(0)
	for running := true; running; reads++ {
		select {
		case <-done:
			running = false
		default:
		}
		x, _, err := store.Kept(p.URL, p.a.cert)
		if err != nil {
			t.Fatal(err)
		}
		if x == nil {
			if last != 0 {
				t.Fatal("the list is gone")
			}
			continue
		}
		if err := consistent(x, p.a.cert); err != nil && !os.IsNotExist(err) { // the list itself may just have been replaced
			t.Fatal(err)
		}
		if n := x.List().Number.Int64(); n < last {
			t.Fatalf("number %d, %d was there before", n, last)
		} else {
			last = n
		}
	}
	for _, cmd := range []*exec.Cmd{first, second} {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if last == 0 || reads < 2 {
		t.Errorf("last list %d after %d reads", last, reads)
	}
}
