//go:build unix

package spool

// unlinkAtOnce: an open file needs no name.
const unlinkAtOnce = true
