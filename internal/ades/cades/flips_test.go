//go:build !soak

package cades_test

// flips is how many bytes of each signed region are changed; the soak test changes all.
const flips = 3
