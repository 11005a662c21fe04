package pkcs11

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// URI names a module, a token in it and an object on that token (RFC 7512). What is nil or empty is not asked for and matches
// anything; a text that is there is compared exactly, so that an empty one matches a token without a label.
type URI struct {
	// The token.
	Token, Manufacturer, Model, Serial *string

	// The slot it is in.
	SlotDescription, SlotManufacturer *string
	SlotID                            *uint

	// The module.
	LibraryDescription, LibraryManufacturer *string
	LibraryVersion                          string // "2" or "2.6"

	// The object: its label, its CKA_ID, and its kind: "private", "cert", "public", "secret-key" or "data".
	Object *string
	ID     []byte
	Type   string

	// Where the module is: a file or folder, and a name such as "opensc-pkcs11".
	ModulePath, ModuleName string

	// PINSource is where the PIN is: "file:/path".
	PINSource string
}

// Bounds of what ParseURI takes: nothing near them is of use.
const (
	maxURI        = 16 << 10
	maxAttributes = 100
)

var errHex = errors.New("%XX is not two hexadecimal digits")

// The kinds of objects, RFC 7512 section 2.3.
var objectTypes = []string{"public", "private", "cert", "secret-key", "data"}

// texts are the attributes of u that are plain texts of the path, by name, in the order of String.
func (u *URI) texts() []textAttribute {
	return []textAttribute{
		{"token", &u.Token}, {"manufacturer", &u.Manufacturer}, {"model", &u.Model}, {"serial", &u.Serial},
		{"slot-description", &u.SlotDescription}, {"slot-manufacturer", &u.SlotManufacturer},
		{"library-description", &u.LibraryDescription}, {"library-manufacturer", &u.LibraryManufacturer},
		{"object", &u.Object},
	}
}

type textAttribute struct {
	name  string
	value **string
}

// ParseURI parses "pkcs11:..." as RFC 7512 section 2.3 has it: every attribute at most once, every character one of those allowed or
// percent-encoded. Vendor's attributes, which are all others, must be well formed and are ignored. Errors wrap ErrURI, and
// ErrPINValue for a pin-value; they never quote a value of the query, which could be a PIN.
func ParseURI(s string) (URI, error) {
	var u URI
	if len(s) > maxURI {
		return URI{}, fmt.Errorf("%w: longer than %d bytes", ErrURI, maxURI)
	}
	scheme, rest, found := strings.Cut(s, ":")
	if !found || !strings.EqualFold(scheme, "pkcs11") { // RFC 3986 section 3.1: case does not matter
		return URI{}, fmt.Errorf("%w: its scheme is not pkcs11", ErrURI)
	}
	path, query, asked := strings.Cut(rest, "?")
	if err := eachAttribute(path, ";", pathChar, u.setPath); err != nil {
		return URI{}, err
	}
	if asked {
		if err := eachAttribute(query, "&", queryChar, u.setQuery); err != nil {
			return URI{}, err
		}
	}
	return u, nil
}

// eachAttribute takes the attributes of a path or query apart and hands each to set, with its value decoded.
func eachAttribute(list, separator string, allowed func(byte) bool, set func(name, value string) error) error {
	if list == "" {
		return nil
	}
	parts := strings.Split(list, separator)
	if len(parts) > maxAttributes {
		return fmt.Errorf("%w: more than %d attributes", ErrURI, maxAttributes)
	}
	seen := map[string]bool{}
	for _, part := range parts {
		name, coded, found := strings.Cut(part, "=")
		if !found || name == "" || !onlyBytes(name, nameChar) {
			return fmt.Errorf("%w: an attribute is not name=value", ErrURI)
		}
		if known[name] && seen[name] {
			return fmt.Errorf("%w: %s twice", ErrURI, name)
		}
		seen[name] = true
		value, err := decode(coded, allowed)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrURI, name, err)
		}
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// known are the attributes that RFC 7512 defines: those may stand once only.
var known = func() map[string]bool {
	m := map[string]bool{"id": true, "type": true, "slot-id": true, "library-version": true,
		"pin-source": true, "pin-value": true, "module-name": true, "module-path": true}
	for _, a := range new(URI).texts() {
		m[a.name] = true
	}
	return m
}()

func (u *URI) setPath(name, value string) error {
	for _, a := range u.texts() {
		if a.name == name {
			*a.value = &value
			return nil
		}
	}
	switch name {
	case "id":
		u.ID = []byte(value)
	case "type":
		if !slices.Contains(objectTypes, value) {
			return fmt.Errorf("%w: type is none of %s", ErrURI, strings.Join(objectTypes, ", "))
		}
		u.Type = value
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, strconv.IntSize)
		if err != nil || !onlyBytes(value, digit) {
			return fmt.Errorf("%w: slot-id is no number", ErrURI)
		}
		id := uint(n)
		u.SlotID = &id
	case "library-version":
		if !versionOK(value) {
			return fmt.Errorf("%w: library-version is not a number, or two with a dot between", ErrURI)
		}
		u.LibraryVersion = value
	}
	return nil
}

// versionOK tells whether v is "2" or "2.6", each number one of a byte, as in CK_VERSION.
func versionOK(v string) bool {
	parts := strings.Split(v, ".")
	for _, part := range parts {
		if _, err := strconv.ParseUint(part, 10, 8); err != nil || !onlyBytes(part, digit) {
			return false
		}
	}
	return len(parts) <= 2
}

func (u *URI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		u.ModulePath = value
	case "module-name":
		u.ModuleName = value
	case "pin-source":
		u.PINSource = value
	case "pin-value":
		return fmt.Errorf("%w: %w", ErrURI, ErrPINValue)
	}
	return nil
}

// String writes the URI so that ParseURI gives it back.
func (u URI) String() string {
	var path, query []string
	for _, a := range u.texts() {
		if *a.value != nil {
			path = append(path, a.name+"="+encode(**a.value, pathChar))
		}
	}
	if u.LibraryVersion != "" {
		path = append(path, "library-version="+u.LibraryVersion)
	}
	if u.SlotID != nil {
		path = append(path, "slot-id="+strconv.FormatUint(uint64(*u.SlotID), 10))
	}
	if u.ID != nil { // all of it encoded, as RFC 7512 section 2.3 recommends
		path = append(path, "id="+encode(string(u.ID), func(byte) bool { return false }))
	}
	if u.Type != "" {
		path = append(path, "type="+u.Type)
	}
	for _, a := range [][2]string{{"module-path", u.ModulePath}, {"module-name", u.ModuleName}, {"pin-source", u.PINSource}} {
		if a[1] != "" {
			query = append(query, a[0]+"="+encode(a[1], queryChar))
		}
	}
	s := "pkcs11:" + strings.Join(path, ";")
	if len(query) > 0 {
		s += "?" + strings.Join(query, "&")
	}
	return s
}

// decode undoes percent-encoding; each other byte must be an allowed one.
func decode(s string, allowed func(byte) bool) (string, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%':
			if i+2 >= len(s) {
				return "", errHex
			}
			b, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", errHex
			}
			out = append(out, byte(b))
			i += 2
		case !allowed(s[i]):
			return "", fmt.Errorf("a character at byte %d of the value must be percent-encoded", i)
		default:
			out = append(out, s[i])
		}
	}
	return string(out), nil
}

func encode(s string, allowed func(byte) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if allowed(s[i]) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

func onlyBytes(s string, allowed func(byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func letterOrDigit(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// nameChar is pk11-v-attr-nm-char, RFC 7512 section 2.3.
func nameChar(c byte) bool { return letterOrDigit(c) || c == '-' || c == '_' }

// pathChar is pk11-pchar without pct-encoded, and queryChar pk11-qchar.
func pathChar(c byte) bool {
	return letterOrDigit(c) || strings.IndexByte("-._~:[]@!$'()*+,=&", c) >= 0
}

func queryChar(c byte) bool {
	return letterOrDigit(c) || strings.IndexByte("-._~:[]@!$'()*+,=/?|", c) >= 0
}
