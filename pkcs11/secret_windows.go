package pkcs11

import "io/fs"

// checkPermissions leaves it to the folder's access list: Go's file mode tells nothing of one.
func checkPermissions(string, fs.FileInfo) error { return nil }
