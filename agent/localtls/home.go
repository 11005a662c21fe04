//go:build !windows

package localtls

import "os"

// home is the user's home folder, or what stands for it.
func (o Options) home() string {
	if o.Home != "" {
		return o.Home
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}
