package pages

import (
	"net/http"
	"strings"
)

// preview is the policy of the frame that shows documents before they are signed.
// The sandbox gives it an origin of its own that nothing else has: no session, no
// storage, no way to the page above but messages. It loads scripts of ours and
// pictures that it made itself, and connects to nothing, so that what is in a
// document has nowhere to go. The worker is made out of a blob, as a frame without
// an origin can make no other.
var preview = policy{
	"sandbox allow-scripts",
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src blob:",
	"worker-src blob:",
	"frame-ancestors 'self'",
	"base-uri 'none'",
	"form-action 'none'",
}

// forFrame changes the headers of what the frame loads: the frame itself may be
// framed by our pages, and its scripts and styles are given to a document without
// an origin. They are the same for everybody and hold no data.
func forFrame(h http.Header, address string) {
	switch {
	case address == "/preview.html":
		h.Set("X-Frame-Options", "SAMEORIGIN")
	case strings.HasPrefix(address, "/preview"), strings.HasPrefix(address, "/pdfjs/"):
		h.Set("Access-Control-Allow-Origin", "null")
	}
}
