//go:build !windows

package audit

import (
	"fmt"
	"log/syslog"
)

// SystemSink is a sink to the system's log, which journald or syslog keep where
// this user cannot write. Messages that do not get there are lost: the log on the
// disk is what counts. Errors: there is no such log.
func SystemSink() (func(head string), error) {
	w, err := syslog.New(syslog.LOG_NOTICE|syslog.LOG_AUTHPRIV, "eidkit-audit")
	if err != nil {
		return nil, fmt.Errorf("the system's log: %w", err)
	}
	return func(head string) { _ = w.Notice(head) }, nil
}
