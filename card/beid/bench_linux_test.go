package beid_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// BenchmarkPCSC reads a whole card through pcscd and vpcd, from connecting to closing: as read, and verified. The peer is OpenSC's
// eidenv, which reads identity and address and checks nothing; its time is that of a process.
func BenchmarkPCSC(b *testing.B) {
	for _, profile := range benchProfiles {
		b.Run(profile, func(b *testing.B) {
			daemon := pcscdtest.Start(b)
			sim := insert(b, daemon, profile)
			a := &verify.Anchors{}
			a.Add(sim.Root())
			for name, check := range map[string]bool{"read": false, "verified": true} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						readThroughPCSC(b, check, a)
					}
				})
			}
			b.Run("peer-eidenv", func(b *testing.B) {
				cmd, err := exec.LookPath("eidenv")
				if err != nil {
					b.Skip("eidenv is not here")
				}
				for b.Loop() {
					c := exec.Command(cmd)
					c.Env = append(os.Environ(), "HOME="+b.TempDir(), "XDG_CACHE_HOME="+b.TempDir())
					_ = c.Run() // its exit code is 1 for every Belgian card
				}
			})
		})
	}
}

func readThroughPCSC(b *testing.B, check bool, a *verify.Anchors) {
	c, err := beid.Open(context.Background(), pcsc.Named(pcscdtest.Readers[0]))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	f, err := c.ReadAll(context.Background(), nil)
	if err != nil {
		b.Fatal(err)
	}
	if check && !carddata.Verify(f, carddata.Options{Anchors: a}).Trusted() {
		b.Fatal("not trusted")
	}
}
