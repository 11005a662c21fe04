package server

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// pacedBody reads a body whose sender must keep going: each read has its own
// deadline, and all of it one that nobody can move.
type pacedBody struct {
	r       io.Reader
	control *http.ResponseController
	pause   time.Duration // allowed between two arrivals
	end     time.Time     // of all
}

func (b *pacedBody) Read(p []byte) (int, error) {
	deadline := time.Now().Add(b.pause)
	if deadline.After(b.end) {
		deadline = b.end
	}
	if err := b.control.SetReadDeadline(deadline); err != nil {
		return 0, fmt.Errorf("%w: %v", errBody, err)
	}
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %v", errBody, err)
	}
	return n, err
}
