//go:build soak && linux

package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSoakSampleCSharp: the sample in C# works against an agent.
func TestSoakSampleCSharp(t *testing.T) {
	compiler, mono := sampleTool(t, "mcs"), sampleTool(t, "mono")
	program := filepath.Join(t.TempDir(), "Client.exe")
	if out, err := exec.Command(compiler, "-r:System.Web.Extensions.dll", "-out:"+program, filepath.Join(sampleFolder, "Client.cs")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const card = "citizen-1.8#3"
	h := holderOf(t, card)
	address, token := sampleAgent(t, card)
	runSample(t, address, token, h, mono, program)
}
