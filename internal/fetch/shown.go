package fetch

import "net/url"

// Shown is an address as it may be printed: without user name, password and fragment, and of the query only that there is one ("?..."),
// since services are given keys there. What is no address at all is not shown.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "(unreadable address)"
	}
	query := ""
	if u.RawQuery != "" || u.ForceQuery {
		query = "?..."
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String() + query
}
