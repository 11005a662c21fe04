//go:build soak && !race

package server

// soakRequests is how many requests memory must stay flat over.
const soakRequests = 100_000
