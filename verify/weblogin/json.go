package weblogin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Bounds of a token, as the reference validator has them.
const (
	minToken     = 100    // characters
	maxToken     = 10_000 // characters
	maxJSONDepth = 8
)

// parseJSON reads one JSON object into maps, slices, strings, json.Numbers, bools
// and nil. Other than encoding/json alone it refuses names that stand twice,
// in any object, and text that is not UTF-8: two readers could see two tokens.
func parseJSON(raw []byte) (map[string]any, error) {
	if len(raw) > 4*maxToken || !utf8.Valid(raw) {
		return nil, errors.New("not text of the right size")
	}
	if n := utf8.RuneCount(raw); n < minToken || n > maxToken {
		return nil, fmt.Errorf("%d characters, not %d to %d", n, minToken, maxToken)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the object")
	}
	return object, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, errors.New("not JSON")
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == maxJSONDepth {
		return nil, errors.New("nested too deep")
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := parseValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	object := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("not JSON")
		}
		key, _ := name.(string)
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("the field %.40q stands twice", key)
		}
		if object[key], err = parseValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return object, err
}
