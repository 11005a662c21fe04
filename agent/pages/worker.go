package pages

import "net/http"

// retiring is a service worker that takes itself away.
const retiring = `addEventListener("install", () => skipWaiting());
addEventListener("activate", (e) => e.waitUntil(registration.unregister()));
`

// retire answers a browser that looks whether a service worker has changed
// (Service Workers, section "Update": header Service-Worker). These pages have
// none: whatever there is was left by another program that had the port once, and
// stands between the user and his pages. It tells whether that was what is asked.
func retire(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Service-Worker") != "script" || r.Method != http.MethodGet {
		return false
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write([]byte(retiring)) //nolint:errcheck // the browser went away
	return true
}
