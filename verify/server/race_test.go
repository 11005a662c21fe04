//go:build soak && race

package server

// soakRequests is fewer where the race detector makes each of them dear.
const soakRequests = 20_000
