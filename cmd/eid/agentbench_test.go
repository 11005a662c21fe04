//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/dial"
)

// built is the program as it is shipped: this test program has more in it. Its pages come from the disk at the next start, not from
// what writing it left in memory, which the system may count as resident all at once.
func built(b *testing.B) string { // before homes, which hides the build cache
	b.Helper()
	path := filepath.Join(b.TempDir(), "eid")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", path, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		b.Fatal(err)
	}
	return path
}

// agentOf is `eid agent` of a program.
func agentOf(program string, args ...string) *exec.Cmd {
	return exec.Command(program, append([]string{"agent", "--no-broker", "--browser", "none", "--port", "0"}, args...)...)
}

// BenchmarkAgentStart is from the start of the process till it says that it listens; the budget is 50 ms.
func BenchmarkAgentStart(b *testing.B) {
	program := built(b)
	homes(b, false)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		p, err := launch(agentOf(program))
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
		b.StopTimer()
		p.kill()
		b.StartTimer()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[0].Microseconds())/1000, "least-ms")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}

// memory is a value of /proc/PID/status in MB: VmRSS, or VmHWM, the most that there was.
func memory(b *testing.B, pid int, name string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), name+":")
	kB, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kB) * 1024 / 1e6
}

// benchPolicy knows a site that reads, and many that wait.
func benchPolicy(b *testing.B) (policy string) {
	var text strings.Builder
	for i := range 17 {
		fmt.Fprintf(&text, "[[site]]\norigin = %q\noperations = [\"readers\", \"verify\"]\n", siteOf(i))
	}
	return policyFile(b, text.String())
}

func siteOf(i int) string { return fmt.Sprintf("https://desk-%d.example", i) }

const idleConnections = 500

// connectIdle opens connections of several sites.
func connectIdle(b *testing.B, address string) (closeAll func()) {
	b.Helper()
	var all []*dial.Conn
	for i := range idleConnections {
		c, err := dial.Loopback(b.Context(), address, "", dial.ForOrigin(siteOf(1+i%16)))
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, c)
	}
	return func() {
		for _, c := range all {
			c.Close()
		}
	}
}

// BenchmarkAgentResident is what `eid agent` has resident when it waits for clients, with 500 that do nothing, and when these are
// gone; the budget is 25 MB for the first.
func BenchmarkAgentResident(b *testing.B) {
	program, policy := built(b), benchPolicy(b)
	homes(b, false)
	for b.Loop() {
		p, err := launch(agentOf(program, "--developer", "--policy", policy))
		if err != nil {
			b.Fatal(err)
		}
		<-time.After(2 * time.Second) // it gives back what starting took
		b.ReportMetric(memory(b, p.Process.Pid, "VmRSS"), "MB-idle")
		closeAll := connectIdle(b, p.address)
		b.ReportMetric(memory(b, p.Process.Pid, "VmRSS"), "MB-500")
		closeAll()
		p.kill()
	}
}

// BenchmarkAgentRequest is one request after the other to a whole agent, alone and with 500 idle connections: one that touches
// nothing, and one that has two lines in the log before it is answered. The budget is 1 ms at the 99th percentile, the log apart.
func BenchmarkAgentRequest(b *testing.B) {
	program := built(b)
	homes(b, false)
	p, err := launch(agentOf(program, "--developer", "--policy", benchPolicy(b)))
	if err != nil {
		b.Fatal(err)
	}
	defer p.kill()
	for _, idle := range []bool{false, true} {
		if idle {
			defer connectIdle(b, p.address)()
		}
		for _, method := range []string{"agent.info", "readers.list"} {
			b.Run(fmt.Sprintf("%s/idle=%v", method, idle), func(b *testing.B) {
				c, err := dial.Loopback(b.Context(), p.address, "", dial.ForOrigin(siteOf(0)))
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				pace := time.NewTicker(25 * time.Millisecond) // below the 50 a second that one client has
				defer pace.Stop()
				var took []time.Duration
				for b.Loop() {
					<-pace.C
					began := time.Now()
					if err := c.Call(b.Context(), method, nil, nil); err != nil {
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
}

// BenchmarkAgentDocument moves 200 MB to a whole agent and back; the budget is 100 MB/s, with bounded memory.
func BenchmarkAgentDocument(b *testing.B) {
	const size = 200_000_000
	program := built(b)
	runtime := homes(b, false)
	p, err := launch(agentOf(program))
	if err != nil {
		b.Fatal(err)
	}
	defer p.kill()
	content := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	authority, err := access.Open(access.Options{StateDir: filepath.Join(os.Getenv("XDG_STATE_HOME"), "eidkit"), PolicyPath: filepath.Join(runtime, "none")})
	if err != nil {
		b.Fatal(err)
	}
	token, _, err := authority.Pair("Archive", "", []access.Operation{access.OpReaders})
	if err != nil {
		b.Fatal(err)
	}
	c, err := dial.Loopback(b.Context(), p.address, token)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	var up, down time.Duration
	for b.Loop() {
		began := time.Now()
		d, err := c.Send(context.Background(), "a.pdf", "", size, bytes.NewReader(content))
		if err != nil {
			b.Fatal(err)
		}
		up += time.Since(began)
		began = time.Now()
		if err := c.Fetch(context.Background(), d.ID, io.Discard); err != nil {
			b.Fatal(err)
		}
		down += time.Since(began)
		if err := c.Call(context.Background(), "document.close", map[string]any{"documentId": d.ID}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(size*float64(b.N)/1e6/up.Seconds(), "MB/s-up")
	b.ReportMetric(size*float64(b.N)/1e6/down.Seconds(), "MB/s-down")
	b.ReportMetric(memory(b, p.Process.Pid, "VmHWM"), "MB-most")
}
