//go:build !windows

package pinpad

// getFeatureRequest is CM_IOCTL_GET_FEATURE_REQUEST: SCARD_CTL_CODE(3400) of pcsc-lite (reader.h) and macOS.
const getFeatureRequest = 0x42000000 + 3400
