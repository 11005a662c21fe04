package pdfdiff

import "github.com/eidkit/eidkit/internal/pdf"

// Texts are the places in a page's user space where its contents show text, as
// far as can be told: estimates, one for each piece of text. Who puts something
// on a page keeps clear of them.
func Texts(v *pdf.View, page pdf.Page) [][4]float64 { return paintPage(v, page).texts }
