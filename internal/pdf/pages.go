package pdf

// Limits of trees.
const (
	maxTreeDepth = 64
	maxPages     = 1 << 18
	maxFields    = 1 << 16
	maxName      = 512 // bytes of a fully qualified field name
)

// Page is a leaf of the page tree with what it inherits.
type Page struct {
	Ref  Ref
	Dict Dict
	// Resources, MediaBox, CropBox and Rotate are the page's own or inherited,
	// not yet resolved; nil when absent. ISO 32000-1, section 7.7.3.4.
	Resources, MediaBox, CropBox, Rotate Object
}

// PageTree is the list of pages with the nodes that lead to them.
type PageTree struct {
	Pages []Page
	Nodes []Ref // intermediate nodes, root first
	// Broken: nodes are missing, form a loop, or there are too many.
	Broken bool
}

// Pages walks the page tree.
func (v *View) Pages() PageTree {
	t := pageWalk{v: v, seen: map[uint32]bool{}}
	catalog := v.Catalog()
	if catalog == nil {
		return PageTree{Broken: true}
	}
	t.node(catalog["Pages"], Page{}, 0)
	return t.PageTree
}

type pageWalk struct {
	PageTree
	v    *View
	seen map[uint32]bool
}

func (t *pageWalk) node(o Object, inherited Page, depth int) {
	r, isRef := o.(Ref)
	if isRef {
		if t.seen[r.Num] {
			t.Broken = true
			return
		}
		t.seen[r.Num] = true
	}
	d := t.v.Dict(o)
	if d == nil || depth > maxTreeDepth || len(t.Pages) >= maxPages {
		t.Broken = true
		return
	}
	for key, field := range map[Name]*Object{
		"Resources": &inherited.Resources, "MediaBox": &inherited.MediaBox,
		"CropBox": &inherited.CropBox, "Rotate": &inherited.Rotate,
	} {
		if own, ok := d[key]; ok {
			*field = own
		}
	}
	kids, hasKids := d["Kids"]
	if t.v.Name(d["Type"]) == "Page" || !hasKids {
		inherited.Ref, inherited.Dict = r, d
		t.Pages = append(t.Pages, inherited)
		return
	}
	t.Nodes = append(t.Nodes, r)
	for _, kid := range t.v.Array(kids) {
		t.node(kid, inherited, depth+1)
	}
}

// Rect resolves a rectangle to left, bottom, right, top; false if it is none.
func (v *View) Rect(o Object) (r [4]float64, ok bool) {
	a := v.Array(o)
	if len(a) != 4 {
		return r, false
	}
	for i := range r {
		if r[i], ok = Number(v.Resolve(a[i])); !ok {
			return r, false
		}
	}
	if r[0] > r[2] {
		r[0], r[2] = r[2], r[0]
	}
	if r[1] > r[3] {
		r[1], r[3] = r[3], r[1]
	}
	return r, true
}

// Turn is by how much a page is shown turned: 0, 90, 180 or 270 degrees clockwise.
func (v *View) Turn(p Page) int {
	turn := int(Int(v.Resolve(p.Rotate), 0) % 360)
	if turn < 0 {
		turn += 360
	}
	return turn
}

// shownBox is the part of a page's user space that is shown.
func (v *View) shownBox(p Page) [4]float64 {
	box, ok := v.Rect(p.CropBox)
	if !ok {
		if box, ok = v.Rect(p.MediaBox); !ok {
			box = [4]float64{0, 0, 612, 792}
		}
	}
	return box
}

// Shown turns a rectangle of the page's user space into one of the page as
// shown, cropped and rotated, and returns the size of that.
func (v *View) Shown(p Page, r [4]float64) (shown [4]float64, size [2]float64) {
	box := v.shownBox(p)
	w, h := box[2]-box[0], box[3]-box[1]
	r = [4]float64{r[0] - box[0], r[1] - box[1], r[2] - box[0], r[3] - box[1]}
	switch v.Turn(p) { // clockwise
	case 90:
		return [4]float64{r[1], w - r[2], r[3], w - r[0]}, [2]float64{h, w}
	case 180:
		return [4]float64{w - r[2], h - r[3], w - r[0], h - r[1]}, [2]float64{w, h}
	case 270:
		return [4]float64{h - r[3], r[0], h - r[1], r[2]}, [2]float64{h, w}
	}
	return r, [2]float64{w, h}
}

// Placed is the reverse of Shown: it turns a rectangle on the page as shown
// into one of the page's user space.
func (v *View) Placed(p Page, s [4]float64) [4]float64 {
	box := v.shownBox(p)
	w, h := box[2]-box[0], box[3]-box[1]
	r := s
	switch v.Turn(p) {
	case 90:
		r = [4]float64{w - s[3], s[0], w - s[1], s[2]}
	case 180:
		r = [4]float64{w - s[2], h - s[3], w - s[0], h - s[1]}
	case 270:
		r = [4]float64{s[1], h - s[2], s[3], h - s[0]}
	}
	return [4]float64{r[0] + box[0], r[1] + box[1], r[2] + box[0], r[3] + box[1]}
}
