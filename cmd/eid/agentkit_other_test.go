//go:build !linux

package main

// envSimulation and simulation are for the agent's tests, which run on Linux alone.
const envSimulation = "EIDKIT_TEST_SIMULATION"

func simulation(string) int { return exitFailure }
