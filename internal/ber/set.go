package ber

import (
	"bytes"
	"slices"
)

// sortSet returns the elements of body, which end at the offsets given, in ascending order (X.690 section 11.6).
func sortSet(body []byte, ends []int) []byte {
	if len(ends) < 2 {
		return body
	}
	parts := make([][]byte, len(ends))
	start := 0
	for i, end := range ends {
		parts[i] = body[start:end]
		start = end
	}
	slices.SortFunc(parts, bytes.Compare)
	return bytes.Join(parts, nil)
}

// AppendSetOf appends a SET OF in DER with the elements given, which are put
// in order as they are.
func AppendSetOf(b []byte, elements ...[]byte) []byte {
	sorted := slices.SortedStableFunc(slices.Values(elements), bytes.Compare)
	return Append(b, Universal, true, TagSet, sorted...)
}
