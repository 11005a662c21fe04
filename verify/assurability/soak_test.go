//go:build soak

package assurability

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/insurers"
)

// TestSoakFaults asks 10,000 questions of services that misbehave in all their ways: no insured patient is ever said not to be, nobody
// is given what is somebody else's, nothing is promised twice, and nothing is left behind.
func TestSoakFaults(t *testing.T) {
	const questions, workers = 10_000, 8
	x := newTill(t, "pharmacy", func(so *SessionOptions, o *Options) {
		so.Timeout, so.ConnectTimeout = 400*time.Millisecond, 400*time.Millisecond
	})
	var mu sync.Mutex
	references, promises, statuses, reasons := map[string]bool{}, map[string]bool{}, map[Status]int{}, map[string]int{}
	o := x.client.o
	o.Log = func(c Call) {
		mu.Lock()
		defer mu.Unlock()
		statuses[c.Status]++
		reasons[c.Reason]++
		if references[c.Input] || c.Approval != "" && promises[c.Approval] {
			t.Errorf("used twice: %+v", c)
		}
		references[c.Input] = true
		promises[c.Approval] = c.Approval != ""
	}
	all := insurers.Patients()
	names := []Service{GenIns, Pharmacist, MemberData}
	var next atomic.Int64
	var early uint64
	var everybody sync.WaitGroup
	for w := range workers {
		client, err := New(o) // each with its own pauses, or all would rush by while one tries a service again
		if err != nil {
			t.Fatal(err)
		}
		everybody.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 5))
			for n := next.Add(1); n <= questions; n = next.Add(1) {
				if n == questions/4 {
					early = heap()
				}
				s, p := names[r.IntN(3)], all[r.IntN(len(all))]
				misbehave(x, r, services[s], 4)
				if r.IntN(10) == 0 {
					misbehave(x, r, []insurers.Service{insurers.STS, insurers.TLS}[r.IntN(2)], 8)
				}
				x.clock.pass(7 * time.Second)
				q := questionAbout(p)
				q.Service, q.Recent = s, r.IntN(20) == 0
				a, err := client.Ask(t.Context(), q)
				if err != nil {
					t.Error(err)
					return
				}
				judgeSoak(t, p, services[s], a, q)
			}
		})
	}
	everybody.Wait()
	late := heap()
	t.Logf("%v; %v; heap %d KB after a quarter, %d KB at the end; asked: %v", statuses, reasons, early>>10, late>>10, x.network.Requests())
	if late > early+16<<20 {
		t.Errorf("the heap grew from %d to %d bytes", early, late)
	}
	if statuses[Insured] < questions/10 || statuses[Unavailable] < questions/10 {
		t.Errorf("this tests nothing: %v", statuses)
	}
	x.session.Close()
	x.network.Close()
	for patience := time.Now().Add(time.Minute); time.Now().Before(patience); runtime.Gosched() {
		if runtime.NumGoroutine() < 10 {
			return
		}
	}
	buf := make([]byte, 1<<16)
	t.Errorf("left running:\n%s", buf[:runtime.Stack(buf, true)])
}

// misbehave gives a service another fault, one time of so many; else none.
func misbehave(x *till, r *rand.Rand, s insurers.Service, of int) {
	var faults []insurers.Fault
	if list := insurers.Faults(s); r.IntN(of) == 0 {
		f := list[r.IntN(len(list))]
		if f == insurers.Slow || f == insurers.Silent { // half of them: they take all the time
			f = list[r.IntN(len(list))]
		}
		faults = []insurers.Fault{f}
	}
	x.set(s, faults...)
}

// judgeSoak holds an answer against what is right. Days may have turned between question and answer.
func judgeSoak(t *testing.T, p insurers.Patient, s insurers.Service, a *Answer, q Question) {
	cached := slices.Contains(a.Warnings, CachedAnswer)
	expected := Status(p.Expected[s].Status)
	switch {
	case a.Status == Unavailable:
		if a.Cause == nil {
			t.Errorf("%s: Unavailable without a cause", p.Name)
		}
	case p.Number == "" && a.Status == Unknown: // an answer about somebody else cannot be told from one that says nothing
	case a.Status != expected && !(p.Name == "deceased" || p.Name == "later" || p.Name == "transfer"):
		t.Errorf("%s of %s: %s, want %s", s, p.Name, a.Status, expected)
	case expected == Insured && a.Status == NotInsured:
		t.Errorf("%s of %s: not insured", s, p.Name)
	case a.Person.NISS != "" && a.Person.NISS != q.Patient.NISS:
		if q.Patient.NISS != "" {
			t.Errorf("%s of %s: about %s", s, p.Name, a.Person.Surname)
		}
	case cached && (a.Status != Insured || a.Approval != (Approval{})):
		t.Errorf("%s of %s: %+v out of the cache", s, p.Name, a)
	case a.Tariff != Tariff(p.Expected[s].Tariff):
		t.Errorf("%s of %s: tariff %s", s, p.Name, a.Tariff)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
