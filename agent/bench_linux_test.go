package agent

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"

	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/spool"
)

// generous has limits that a benchmark does not meet.
func generous(o *Options) { o.Limits.Requests, o.Limits.PerClient = 1e9, 2048 }

// BenchmarkDocument moves 200 MB there and back; the budget is 100 MB/s.
func BenchmarkDocument(b *testing.B) {
	const size = 200_000_000
	content := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	r := newRig(b, generous)
	c := r.program(b)
	b.Run("up", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			d, err := c.Send(b.Context(), "a.pdf", "", size, bytes.NewReader(content))
			if err != nil {
				b.Fatal(err)
			}
			if err := c.Call(b.Context(), "document.close", map[string]any{"documentId": d.ID}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("down", func(b *testing.B) {
		d, err := c.Send(b.Context(), "a.pdf", "", size, bytes.NewReader(content))
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
		for b.Loop() {
			if err := c.Fetch(b.Context(), d.ID, io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRequest is one request after the other, alone and with 500 idle
// connections; the budget is 1 ms at the 99th percentile.
func BenchmarkRequest(b *testing.B) {
	for _, idle := range []int{0, 500} {
		b.Run(fmt.Sprintf("idle=%d", idle), func(b *testing.B) {
			r := newRig(b, generous)
			c := r.program(b)
			for range idle {
				r.web(b, site)
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if err := c.Call(b.Context(), "identity.read", nil, nil); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// serveAlone is an agent as a process, without cards; standard input ends it.
func serveAlone(dir string) error {
	authority, err := access.Open(access.Options{PolicyPath: filepath.Join(dir, "policy.toml"), StateDir: filepath.Join(dir, "access"), OwnerUID: os.Geteuid()})
	if err != nil {
		return err
	}
	store, err := spool.New(filepath.Join(dir, "spool"), 1<<30)
	if err != nil {
		return err
	}
	a, err := New(Options{Authority: authority, Spool: store, StateDir: dir, Log: slog.New(slog.DiscardHandler), Limits: Limits{PerClient: 1024}})
	if err != nil {
		return err
	}
	all, err := Listen(context.Background(), 0)
	if err != nil {
		return err
	}
	go func() {
		fmt.Println(all[0].Addr())
		_, _ = io.Copy(io.Discard, os.Stdin)
		a.Close()
	}()
	if err := a.Serve(context.Background(), all...); err != ErrClosed {
		return err
	}
	return nil
}

// process starts serveAlone and returns its number and address.
func process(b *testing.B, dir string) (pid int, address string, end func()) {
	b.Helper()
	cmd := exec.Command("/proc/self/exe", dir)
	cmd.Env = []string{role + "=serve"}
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(line, err)
	}
	return cmd.Process.Pid, strings.TrimSpace(line), func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkStart is from the start of the process till it answers; the budget is
// 50 ms.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		_, address, end := process(b, dir)
		answer, err := http.Get("http://" + address + "/healthz")
		if err != nil {
			b.Fatal(err)
		}
		answer.Body.Close()
		b.StopTimer()
		end()
		b.StartTimer()
	}
}

// BenchmarkResident reports the resident memory of a process that serves nobody,
// and with 500 idle connections; the budget is 25 MB.
func BenchmarkResident(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.toml"), []byte(policy), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		pid, address, end := process(b, dir)
		b.ReportMetric(resident(b, pid), "MB")
		r := &rig{address: address}
		var open []io.Closer
		for range 500 {
			ws, _, err := r.dialWeb(site)
			if err != nil {
				b.Fatal(err)
			}
			open = append(open, ws)
		}
		b.ReportMetric(resident(b, pid), "MB-500")
		for _, c := range open {
			c.Close()
		}
		end()
	}
}

// resident is a process's resident memory in MB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kB, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kB) * 1024 / 1e6
}

// BenchmarkConnect is a handshake with all its checks.
func BenchmarkConnect(b *testing.B) {
	r := newRig(b, generous)
	token := r.token()
	for b.Loop() {
		c, err := dial.Loopback(b.Context(), r.address, token)
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
