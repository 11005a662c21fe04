package protocol

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// maxDepth is how deep parameters are nested at most; no method has half as much.
const maxDepth = 16

// Params reads the parameters of a request into the struct that into points
// to. Names of members are taken to the letter, case included: what the struct
// does not have, and what occurs twice, is refused, at every depth, so that no
// two readers of a message can see two different things in it. The error is an
// *Error, INVALID_ARGUMENT.
func Params(params json.RawMessage, into any) error {
	if params == nil {
		params = json.RawMessage("{}")
	}
	d := json.NewDecoder(bytes.NewReader(params))
	d.UseNumber()
	err := exact(d, reflect.TypeOf(into), maxDepth)
	if err == nil {
		if _, end := d.Token(); end != io.EOF {
			err = errors.New("something follows the object")
		}
	}
	if err == nil && params[firstByte(params)] != '{' {
		err = errors.New("not an object")
	}
	if err == nil {
		err = json.Unmarshal(params, into)
	}
	if err != nil {
		return Errorf(InvalidArgument, "params: %v", err)
	}
	return nil
}

// firstByte is where a value that was read begins.
func firstByte(b []byte) int { return len(b) - len(bytes.TrimLeft(b, " \t\r\n")) }

// exact reads one value and holds the names of its members against the fields of
// t; nil: any names will do, once each.
func exact(d *json.Decoder, t reflect.Type, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if depth == 0 {
		return fmt.Errorf("nested more than %d deep", maxDepth)
	}
	switch token {
	case json.Delim('{'):
		return exactObject(d, plainType(t), depth)
	case json.Delim('['):
		t = plainType(t)
		if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
			t = t.Elem()
		} else {
			t = nil
		}
		for d.More() {
			if err := exact(d, t, depth-1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func exactObject(d *json.Decoder, t reflect.Type, depth int) error {
	var fields map[string]reflect.Type
	if t != nil && t.Kind() == reflect.Struct {
		fields = map[string]reflect.Type{}
		fieldsOf(t, fields)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		of, known := fields[name]
		switch {
		case seen[name]:
			return fmt.Errorf("member %.40q twice", name)
		case fields != nil && !known:
			return fmt.Errorf("unknown member %.40q", name)
		case fields == nil && t != nil && t.Kind() == reflect.Map:
			of = t.Elem()
		}
		seen[name] = true
		if err := exact(d, of, depth-1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// fieldsOf collects the members that encoding/json reads into a struct, those of
// embedded structs with them.
func fieldsOf(t reflect.Type, into map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch inner := plainType(f.Type); {
		case name == "-":
		case f.Anonymous && name == "" && inner != nil && inner.Kind() == reflect.Struct:
			fieldsOf(inner, into)
		case !f.IsExported():
		case name == "":
			into[f.Name] = f.Type
		default:
			into[name] = f.Type
		}
	}
}

var (
	readsJSON = reflect.TypeFor[json.Unmarshaler]()
	readsText = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// plainType is t without pointers; nil for one that reads itself.
func plainType(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || reflect.PointerTo(t).Implements(readsJSON) || reflect.PointerTo(t).Implements(readsText) {
		return nil
	}
	return t
}
