package insurers

import (
	"net/http"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/steer"
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
	steer.Serve(w, r, maxRequest, func(c Command) error { return n.Set(c.Service, c.Faults...) }, n.State)
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
