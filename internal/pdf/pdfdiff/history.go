package pdfdiff

import (
	"slices"

	"github.com/eidkit/eidkit/internal/pdf"
)

// History are the changes that the revisions of a file made, each compared with
// the one before once, whoever asks.
type History struct {
	file  *pdf.File
	first int // oldest revision that was compared with its successor
	steps map[int][]Change
	done  bool
}

// NewHistory prepares to compare revisions of the file from the given one on.
func NewHistory(f *pdf.File, first int) *History {
	return &History{file: f, first: max(0, first), steps: map[int][]Change{}}
}

// After lists what the revisions after rev did, oldest first. The first call
// compares all revisions from the history's first one on.
func (h *History) After(rev int) []Change {
	if !h.done {
		h.run()
		h.done = true
	}
	var all []Change
	for r := max(rev, h.first); r+1 < len(h.file.Revisions()); r++ {
		all = append(all, h.steps[r+1]...)
	}
	return all
}

// stepCost is what a page, field or annotation costs in one step, in the units
// of pdf.File.Spend.
const stepCost = 128

func (h *History) run() {
	last := len(h.file.Revisions()) - 1
	if h.first >= last {
		return
	}
	changed := map[uint32]bool{}
	perStep := map[int]map[uint32]bool{}
	for r := h.first + 1; r <= last; r++ {
		perStep[r] = map[uint32]bool{}
		for _, num := range h.file.At(r).Changed() {
			changed[num], perStep[r][num] = true, true
		}
	}
	before := loadModel(h.file.At(h.first))
	dirty := h.reaching(changed, before)
	for r := h.first + 1; r <= last; r++ {
		after := before.next(h.file.At(r), perStep[r])
		s := newStep(before, after, dirty)
		if h.file.Spend(stepCost * int64(len(after.pages.Pages)+len(after.form.Fields)+len(after.annots)+1)) {
			s.run()
		} else {
			s.report(Never, NotComparable, "revision", "the file costs more work than it may")
		}
		h.steps[r] = s.changes
		before = after
	}
}

// reaching returns the objects from which one that changed can be reached, in
// any of the revisions, pages and catalog aside: nobody looks into those from
// elsewhere.
// All others are equal with all they lead to.
func (h *History) reaching(changed map[uint32]bool, m *model) map[uint32]bool {
	last := h.file.Last()
	parents := map[uint32][]uint32{}
	edges := func(num uint32, o pdf.Object) {
		pdf.Children(o, func(key pdf.Name, r pdf.Ref) {
			if key == "Parent" || m.apart(r.Num) {
				return
			}
			parents[r.Num] = append(parents[r.Num], num)
		})
	}
	for _, num := range last.Numbers() {
		if changed[num] {
			continue
		}
		if in := last.Indirect(num); in != nil {
			edges(num, in.Value)
		}
	}
	for r := h.first; r < len(h.file.Revisions()); r++ {
		v := h.file.At(r)
		var nums []uint32
		if r == h.first {
			for num := range changed {
				nums = append(nums, num)
			}
		} else {
			nums = v.Changed()
		}
		for _, num := range nums {
			if in := v.Indirect(num); in != nil {
				edges(num, in.Value)
			}
		}
	}
	dirty := map[uint32]bool{}
	var queue []uint32
	for num := range changed {
		dirty[num] = true
		queue = append(queue, num)
	}
	slices.Sort(queue)
	for len(queue) > 0 {
		num := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, p := range parents[num] {
			if !dirty[p] {
				dirty[p] = true
				queue = append(queue, p)
			}
		}
	}
	return dirty
}
