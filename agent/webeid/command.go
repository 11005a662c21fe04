package webeid

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
)

// command is a message of the browser whose arguments hold.
type command struct {
	name    string
	text    map[string]string // the arguments: all of them are strings
	refused error             // why they do not hold
}

// quits tells that the browser is done.
func (c command) quits() bool { return c.name == "quit" && c.refused == nil }

// arguments are the names that each command must have; lang may be there too.
var arguments = map[string][]string{
	"authenticate":            {"challengeNonce", "origin"},
	"get-signing-certificate": {"origin"},
	"sign":                    {"hash", "hashFunction", "certificate", "origin"},
	"quit":                    {},
}

// hashSizes are the hash functions of Web eID with the bytes that they give.
var hashSizes = map[string]int{
	"SHA-224": 28, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64,
	"SHA3-224": 28, "SHA3-256": 32, "SHA3-384": 48, "SHA3-512": 64,
}

// Lengths of a nonce, in characters: it is used as text. The longest origin and
// language.
const (
	minNonce, maxNonce = 44, 128
	maxOrigin          = 255
	maxLanguage        = 16
)

func invalid(format string, args ...any) error {
	return protocol.Errorf(protocol.InvalidArgument, format, args...)
}

// parse reads a message: a command, and exactly the arguments that it has. With
// an error, the command has what could be read of it.
func parse(b []byte) (command, error) {
	c := command{text: map[string]string{}}
	members, err := object(b)
	if err != nil {
		return c, invalid("the message: %v", err)
	}
	if err := json.Unmarshal(members["command"], &c.name); err != nil || len(members) != 2 || members["arguments"] == nil {
		return c, invalid("a message has a command and arguments, and nothing else")
	}
	required, known := arguments[c.name]
	if !known {
		c.name = ""
		return c, invalid("unknown command")
	}
	given, err := object(members["arguments"])
	if err != nil {
		return c, invalid("arguments: %v", err)
	}
	for name, value := range given {
		if !slices.Contains(required, name) && (name != "lang" || len(required) == 0) {
			return c, invalid("unknown argument %.40q", name)
		}
		var text *string
		if err := json.Unmarshal(value, &text); err != nil || text == nil {
			return c, invalid("%s must be a string", name)
		}
		c.text[name] = *text
	}
	for _, name := range required {
		if c.text[name] == "" {
			return c, invalid("%s is missing", name)
		}
	}
	return c, c.check()
}

// check looks at the values of the arguments.
func (c command) check() error {
	if lang := c.text["lang"]; len(lang) > maxLanguage || strings.ContainsFunc(lang, func(r rune) bool { return r < '-' || r > 'z' }) {
		return invalid("lang is no language")
	}
	if given, ok := c.text["origin"]; ok {
		if len(given) > maxOrigin {
			return invalid("origin has more than %d characters", maxOrigin)
		}
		origin, err := access.ParseOrigin(given)
		if err != nil {
			return invalid("origin: %v", err)
		}
		c.text["origin"] = origin.String()
	}
	if nonce, ok := c.text["challengeNonce"]; ok && (len(nonce) < minNonce || len(nonce) > maxNonce) {
		return invalid("challengeNonce has %d characters and must have %d to %d", len(nonce), minNonce, maxNonce)
	}
	if c.name != "sign" {
		return nil
	}
	size, known := hashSizes[c.text["hashFunction"]]
	if !known {
		return invalid("unknown hashFunction")
	}
	if hash, err := base64.StdEncoding.Strict().DecodeString(c.text["hash"]); err != nil || len(hash) != size {
		return invalid("hash must be %d bytes in base64 for %s", size, c.text["hashFunction"])
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(c.text["certificate"]); err != nil {
		return invalid("certificate must be base64")
	}
	return nil
}

// object reads one JSON object into its members, whose names count letter by
// letter; one that occurs twice is an error.
func object(b []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("member %.40q twice", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		members[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return members, nil
}

// errAway says that there is no connection to the agent.
var errAway = errors.New("the agent cannot be reached")

// away is the text of it.
var away = map[string]string{
	"en": "eidkit is not running. Start it and try again.",
	"nl": "eidkit draait niet. Start het en probeer opnieuw.",
	"fr": "eidkit ne tourne pas. Démarrez-le et réessayez.",
	"de": "eidkit läuft nicht. Starten Sie es und versuchen Sie es erneut.",
}

// failure is the error object of Web eID for an error, with the text for the
// user in his language, and for developers the agent's code.
func failure(err error, language string) any {
	language = strings.ToLower(language[:min(2, len(language))])
	fault := protocol.FaultOf(protocol.CodeOf(err))
	code, text, detail := fault.WebEID, fault.Text, string(fault.Code)
	if errors.Is(err, errAway) {
		code, text, detail = "ERR_WEBEID_NATIVE_UNAVAILABLE", away, "AGENT_ABSENT"
	}
	var e *protocol.Error
	if errors.As(err, &e) && e.Code == protocol.InvalidArgument && e.Detail != "" {
		detail += ": " + e.Detail
	}
	message, ok := text[language]
	if !ok {
		message = text["en"]
	}
	type object struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	return map[string]object{"error": {code, message + " (" + detail + ")"}}
}
