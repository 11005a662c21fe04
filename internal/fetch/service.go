package fetch

import "strings"

// ServiceError is what went wrong with a service on the network.
type ServiceError struct {
	Service string // "OCSP", "CRL" or "TSA"
	URL     string // empty: the answer was embedded or in the cache
	Err     error
}

// Error names the service, its address once, and the reason.
func (e *ServiceError) Error() string {
	text := strings.TrimPrefix(strings.TrimPrefix(e.Err.Error(), "getting "+e.URL+": "), e.URL+" ")
	if e.URL == "" {
		return e.Service + ": " + text
	}
	return e.Service + " service " + e.URL + ": " + text
}

// Unwrap returns the reason.
func (e *ServiceError) Unwrap() error { return e.Err }

// Join is errors.Join on one line.
func Join(list ...error) error { return joined(list) }

type joined []error

func (j joined) Error() string {
	var texts []string
	for _, err := range j {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func (j joined) Unwrap() []error { return j }
