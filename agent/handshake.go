package agent

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/peer"
	"github.com/eidkit/eidkit/agent/protocol"
)

// refusal is the answer to a request that goes no further.
type refusal struct {
	status int
	reason string // a fixed word, for log and metrics
	why    string // for the log
}

// link is what is known of the connection that a request came by.
type link struct {
	unix   bool
	port   string
	peer   peer.Peer
	refuse error // of the peer
	pool   *pending
}

type linkKey struct{}

func linkOf(r *http.Request) *link { return r.Context().Value(linkKey{}).(*link) }

// checkHost keeps pages out that reach us under a name of theirs (DNS
// rebinding): a comparison of Origin and Host would not. A target with a host of
// its own is for a proxy: Host is not looked at then (RFC 9112, section 3.2.2).
func checkHost(r *http.Request) *refusal {
	l := linkOf(r)
	switch {
	case r.URL.Host != "":
		return &refusal{http.StatusMisdirectedRequest, "host", "a request for a proxy: " + r.RequestURI}
	case l.unix || slices.Contains(ownHosts(l.port), r.Host):
		return nil
	}
	return &refusal{http.StatusMisdirectedRequest, "host", r.Host}
}

// ownHosts are the values of Host by which a request is for us.
func ownHosts(port string) []string {
	return []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
}

// checkPeer keeps other users of the machine out: loopback is everybody's.
func checkPeer(r *http.Request) *refusal {
	if l := linkOf(r); l.refuse != nil {
		return &refusal{http.StatusForbidden, "user", l.refuse.Error()}
	}
	return nil
}

// candidate is a client whose handshake is being looked at.
type candidate struct {
	client access.Client
	anyone bool // a program on the socket without a token: it may ask for one, and little else
	known  bool // by policy, grants or a pairing, or of this program
	muted  bool
}

// check makes a client of a handshake, in the order of design.md section 5, each
// check with its own answer. Host and peer come before it.
func (a *Agent) check(r *http.Request) (candidate, *refusal) {
	c, refused := a.identify(r)
	if refused == nil {
		refused = a.checkKnown(&c)
	}
	switch {
	case refused != nil:
	case !slices.Contains(websocket.Subprotocols(r), protocol.Subprotocol):
		refused = &refusal{http.StatusBadRequest, "subprotocol", "the client does not speak " + protocol.Subprotocol}
	case r.URL.Path != protocol.Path:
		refused = &refusal{http.StatusNotFound, "path", r.URL.Path}
	case r.Method != http.MethodGet:
		refused = &refusal{http.StatusMethodNotAllowed, "method", r.Method}
	case !websocket.IsWebSocketUpgrade(r):
		refused = &refusal{http.StatusUpgradeRequired, "upgrade", "not a WebSocket handshake"}
	case c.muted:
		refused = &refusal{http.StatusTooManyRequests, "muted", "the user has said no"}
	}
	return c, refused
}

// identify reads Origin and Authorization. A browser sets Origin, and no page
// can change it. A program of the same user can send what it likes: nothing tells
// it from a browser (docs/security.md, "What cannot be stopped").
func (a *Agent) identify(r *http.Request) (candidate, *refusal) {
	l := linkOf(r)
	c := access.Client{Executable: l.peer.Executable, User: l.peer.User, Session: newID()}
	origins := r.Header.Values("Origin")
	switch {
	case len(origins) > 1:
		return candidate{}, &refusal{http.StatusForbidden, "origin", "more than one Origin"}
	case len(origins) == 1:
		return a.withOrigin(c, r, origins[0])
	}
	token, given := bearer(r.Header.Values("Authorization"))
	if !given && l.unix {
		c.Kind = access.Program
		return candidate{client: c, anyone: true}, nil
	}
	p, ok := a.o.Authority.Paired(token)
	if !given || !ok {
		why := "no token"
		if given {
			why = "a token that nobody has"
		}
		return candidate{}, &refusal{http.StatusUnauthorized, "token", why}
	}
	c.Kind, c.Name, c.PairingID = access.Program, p.Name, p.ID
	return candidate{client: c}, nil
}

func (a *Agent) withOrigin(c access.Client, r *http.Request, origin string) (candidate, *refusal) {
	l := linkOf(r)
	if !l.unix && slices.Contains(ownOrigins(r), origin) {
		if !a.o.Authority.Settings().Launch {
			return candidate{}, &refusal{http.StatusForbidden, "origin", "the policy keeps the agent's own pages closed"}
		}
		c.Kind = access.Page
		return candidate{client: c}, nil
	}
	parse := access.ParseOrigin
	if a.o.Developer {
		parse = access.ParseOriginDev
	}
	o, err := parse(origin)
	if err != nil || o.String() != origin { // browsers send the serialised form
		return candidate{}, &refusal{http.StatusForbidden, "origin", "no origin of a site: " + origin}
	}
	c.Kind, c.Origin = access.Site, o
	if l.unix { // what a page's origin is, the Web eID extension knows; eid-webeid passes it on
		c.Kind = access.Extension
	}
	return candidate{client: c}, nil
}

// ownOrigins are those of the agent's pages.
func ownOrigins(r *http.Request) []string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	own := ownHosts(linkOf(r).port)
	for i, host := range own {
		own[i] = scheme + host
	}
	return own
}

// checkKnown asks the authority. A muted client is refused too, but later.
func (a *Agent) checkKnown(c *candidate) *refusal {
	if c.known = c.anyone || c.client.Kind == access.Page; c.known {
		return nil // one gets next to nothing, the other nothing before its code
	}
	d := a.o.Authority.Connect(c.client)
	c.known = d.Verdict == access.Allow
	c.muted = d.Reason == access.ReasonMuted || a.o.Authority.Muted(c.client)
	if d.Verdict == access.Refuse && d.Reason != access.ReasonMuted {
		return &refusal{http.StatusForbidden, "client", c.client.String() + ": " + d.Why}
	}
	return nil
}

// bearer reads Authorization: one token (RFC 6750, section 2.1).
func bearer(headers []string) (token string, given bool) {
	const scheme = "Bearer "
	if len(headers) != 1 || len(headers[0]) <= len(scheme) || headers[0][:len(scheme)] != scheme {
		return "", len(headers) > 0
	}
	return headers[0][len(scheme):], true
}

// refuse answers, and notes it.
func (a *Agent) refuse(w http.ResponseWriter, r *http.Request, f *refusal) {
	switch f.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="eidkit"`)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "GET")
	case http.StatusUpgradeRequired:
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Sec-WebSocket-Version", "13")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "60")
	}
	w.Header().Set("Connection", "close")
	hardHeaders(w.Header())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(f.status)
	w.Write([]byte("eidkit: " + http.StatusText(f.status) + " (" + f.reason + ")\n"))
	a.note(r, f)
}

// note counts and logs a refusal.
func (a *Agent) note(r *http.Request, f *refusal) {
	a.meters.refused(f.reason)
	a.log.refused("connection refused", "status", f.status, "reason", f.reason, "why", clip(f.why),
		"origin", clip(r.Header.Get("Origin")), "user", linkOf(r).peer.User)
}

// hardHeaders are for answers that are no pages.
func hardHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	// A page may learn that the agent is there, by a fetch without CORS that
	// resolves; it reads nothing of the answer.
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// limit takes a place for the client, or says why there is none.
func (a *Agent) limit(c candidate) *refusal {
	switch a.clients.enter(c.key(), c.known) {
	case fullOfIts:
		return &refusal{http.StatusTooManyRequests, "limit", strconv.Itoa(a.limits.PerClient) + " connections of one client"}
	case fullOfAll:
		return &refusal{http.StatusServiceUnavailable, "full", strconv.Itoa(a.limits.Connections) + " connections"}
	}
	return nil
}

// key is what a client's connections and requests are counted under.
func (c candidate) key() string {
	if c.client.Kind == access.Program {
		return "program " + c.client.PairingID
	}
	return c.client.String()
}

// newLink looks a connection up, once for all its requests.
func (a *Agent) newLink(c net.Conn) *link {
	l := &link{pool: a.pending[0]}
	_, l.unix = c.LocalAddr().(*net.UnixAddr)
	if t, ok := c.LocalAddr().(*net.TCPAddr); ok {
		l.port = strconv.Itoa(t.Port)
	}
	if l.peer, l.refuse = a.o.PeerCheck(c); l.refuse != nil {
		l.pool = a.pending[1]
	}
	l.pool.add(c)
	return l
}

// errGone is the cause of what is cancelled because its connection is over.
var errGone = errors.New("the connection is over")
