//go:build !soak

package cades_test

// flips is how many bytes of each signed region are changed; the soak test changes all.
const flips = 3

// stride: of files that are cut or changed at every place, every seventh is tried; the soak test tries all.
const stride = 7
