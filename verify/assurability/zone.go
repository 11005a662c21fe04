package assurability

import (
	"sync"
	"time"
	_ "time/tzdata" // Windows has no time zones of its own
)

// brussels is the time zone in which the services count days.
var brussels = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		panic(err) // it is in the program
	}
	return zone
})
