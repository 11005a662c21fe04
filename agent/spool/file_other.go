//go:build !unix

package spool

// unlinkAtOnce: an open file cannot be removed; it is when it is closed.
const unlinkAtOnce = false
