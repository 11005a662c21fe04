package pinpad

// getFeatureRequest is CM_IOCTL_GET_FEATURE_REQUEST: SCARD_CTL_CODE(3400), which is device type 31 (hexadecimal), function 3400.
const getFeatureRequest = 0x31<<16 | 3400<<2
