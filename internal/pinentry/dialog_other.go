//go:build !windows

package pinentry

import "context"

// builtIn is the name of the system's own dialog: there is none.
const builtIn = ""

func openBuiltIn(context.Context) ui { return nil }
