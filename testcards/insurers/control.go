package insurers

import (
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// ControlPath is where running services are steered over HTTP: GET gives their State as JSON; POST of a Command as application/json
// changes it and gives the State after. What cannot be done is answered with 400 and a line of text.
const ControlPath = "/control"

// Command is as in Network.Set; no faults make the service right again.
type Command struct {
	Service Service `json:"service"`
	Faults  []Fault `json:"faults,omitempty"`
}

// State is what a network says of itself.
type State struct {
	Time     time.Time           `json:"time"`
	Requests map[Service]int     `json:"requests"`
	Faults   map[Service][]Fault `json:"faults"`
	// Known are the faults that can be set, beside "status:CODE".
	Known map[Service][]Fault `json:"known"`
}

func (n *Network) control(w http.ResponseWriter, r *http.Request) {
	// A page in a browser must not steer it: it cannot send this type without asking first, nor come under this name from elsewhere.
	host, _, err := net.SplitHostPort(r.Host)
	if ip := net.ParseIP(host); err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		http.Error(w, "this address is loopback only", http.StatusForbidden)
		return
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "the command has not the type application/json", http.StatusUnsupportedMediaType)
			return
		}
		var c Command
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := n.Set(c.Service, c.Faults...); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(n.State()) // to a client that may have gone
}

// State tells what is set and what was asked.
func (n *Network) State() State {
	out := State{Time: n.clock().UTC(), Requests: n.Requests(), Faults: map[Service][]Fault{}, Known: map[Service][]Fault{}}
	for _, s := range Services() {
		out.Faults[s] = append([]Fault{}, n.active(s)...)
		out.Known[s] = Faults(s)
	}
	return out
}
