package crl

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// The list of the budget: a million entries, 40 MB.
const million = 1_000_000

func millionFile(b *testing.B) (path string, a authority) {
	b.Helper()
	a = newAuthority(b, "Large CA", rsaKey())
	der := a.large(b, million)
	path = filepath.Join(b.TempDir(), "large.crl")
	if err := os.WriteFile(path, der, 0o600); err != nil {
		b.Fatal(err)
	}
	return path, a
}

// packFile reads, checks and packs a list from one file to another.
func packFile(b *testing.B, path, to string, a authority) {
	in, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	if _, err := Pack(in, out, func(l *List) (Digest, error) {
		return sha256.Sum256(a.cert.RawSubjectPublicKeyInfo), l.CheckSigner(a.cert)
	}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMillion is the budget of design.md: reading, checking and indexing a million entries, in time and in the most memory held.
func BenchmarkMillion(b *testing.B) {
	path, a := millionFile(b)
	index := filepath.Join(b.TempDir(), "large.idx")
	packFile(b, path, index, a)
	b.Run("pack", func(b *testing.B) {
		for b.Loop() {
			packFile(b, path, index, a)
		}
		b.ReportMetric(peakMemory(func() { packFile(b, path, index, a) })/1e6, "MB-peak")
	})
	b.Run("reopen", func(b *testing.B) {
		for b.Loop() {
			if _, err := OpenIndex(index); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("lookup", func(b *testing.B) {
		x, err := OpenIndex(index)
		if err != nil {
			b.Fatal(err)
		}
		serials := make([]*big.Int, 4096)
		for i := range serials {
			serials[i] = new(big.Int).SetBytes(largeSerial(i * 488)) // every other one of the last is not listed
		}
		i := 0
		for b.Loop() {
			if _, err := x.Lookup(serials[i%len(serials)], a.cert.RawSubject); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("fetch-and-keep", func(b *testing.B) { // from a server on loopback to files that are synced
		web := newService(b)
		var err error
		if web.body, err = os.ReadFile(path); err != nil {
			b.Fatal(err)
		}
		web.noETag = true
		client := newClient(b)
		for i := 0; b.Loop(); i++ {
			store, err := OpenStore(filepath.Join(b.TempDir(), fmt.Sprint(i)), StoreOptions{Fetch: client, Now: func() time.Time { return noon }})
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := store.Update(b.Context(), web.URL, a.cert, 0, func(l *List) (Digest, error) { return Digest{}, l.CheckSigner(a.cert) }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sha256-alone", func(b *testing.B) {
		for b.Loop() {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(sha256.New(), f); err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
	b.Run("peer-crypto-x509", func(b *testing.B) {
		parse := func() {
			der, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			l, err := x509.ParseRevocationList(der)
			if err != nil {
				b.Fatal(err)
			}
			if err := l.CheckSignatureFrom(a.cert); err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			parse()
		}
		b.ReportMetric(peakMemory(parse)/1e6, "MB-peak")
	})
	b.Run("peer-openssl", func(b *testing.B) {
		if _, err := exec.LookPath("openssl"); err != nil {
			b.Skip("openssl is not installed")
		}
		rss := int64(0)
		for b.Loop() {
			cmd := exec.Command("openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-crlnumber")
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			rss = max(rss, maxRSS(cmd))
		}
		b.ReportMetric(float64(rss)/1e6, "MB-peak")
	})
}

// peakMemory is the most memory in use while f runs, beside what was before, looked at every millisecond.
func peakMemory(f func()) float64 {
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	base, most := inUse(), uint64(0)
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				most = max(most, inUse())
			}
		}
	}()
	f()
	most = max(most, inUse())
	close(done)
	<-watched
	return float64(most - min(base, most))
}

// BenchmarkBelgian is the size of list that Belgian cards meet, in memory as when it comes with a signature.
func BenchmarkBelgian(b *testing.B) {
	a := newAuthority(b, "Citizen CA", rsaKey())
	der := a.large(b, 9257)
	b.Run("pack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			x, err := PackBytes(der)
			if err != nil {
				b.Fatal(err)
			}
			if err := x.List().CheckSigner(a.cert); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(bytes.NewReader(der), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("peer-crypto-x509", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l, err := x509.ParseRevocationList(der)
			if err != nil {
				b.Fatal(err)
			}
			if err := l.CheckSignatureFrom(a.cert); err != nil {
				b.Fatal(err)
			}
		}
	})
}
