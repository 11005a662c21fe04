package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Code is what went wrong, in a symbol that stays.
type Code string

// The codes; Faults has their texts.
const (
	NoReader           Code = "NO_READER"
	NoCard             Code = "NO_CARD"
	CardUnsupported    Code = "CARD_UNSUPPORTED"
	CardRemoved        Code = "CARD_REMOVED"
	CardBusy           Code = "CARD_BUSY" // Error.Holder says who has it
	ReaderError        Code = "READER_ERROR"
	PINWrong           Code = "PIN_WRONG" // Error.TriesLeft
	PINBlocked         Code = "PIN_BLOCKED"
	PINCancelled       Code = "PIN_CANCELLED"
	PINTimeout         Code = "PIN_TIMEOUT"
	ConsentDenied      Code = "CONSENT_DENIED"
	NotAuthorised      Code = "NOT_AUTHORISED"
	OriginRefused      Code = "ORIGIN_REFUSED"
	Busy               Code = "BUSY"
	TooLarge           Code = "TOO_LARGE"
	RateLimited        Code = "RATE_LIMITED"
	NetworkUnavailable Code = "NETWORK_UNAVAILABLE"
	ServiceFault       Code = "SERVICE_FAULT" // Error.Service has the service's own code
	CertificateMissing Code = "CERTIFICATE_MISSING"
	CertificateRevoked Code = "CERTIFICATE_REVOKED"
	CertificateExpired Code = "CERTIFICATE_EXPIRED"
	InvalidArgument    Code = "INVALID_ARGUMENT"
	Internal           Code = "INTERNAL"
)

// Fault is a row of the table of errors.
type Fault struct {
	Code   Code
	Number int    // JSON-RPC's error code
	WebEID string // the code that Web eID has for it
	Retry  bool   // the same request may do better, without anybody changing a setting
	// Text is for the person who waits, in en, nl, fr and de.
	Text map[string]string
}

// Error is a failed request as the client hears of it. It holds nothing of a
// card and no PIN.
type Error struct {
	Code      Code
	Detail    string // English, for developers; empty: none
	TriesLeft int    // of the PIN, with PIN_WRONG
	Service   string // the code of a service, with SERVICE_FAULT
	Holder    string // who has the card, with CARD_BUSY
}

// Errorf is an Error with a detail.
func Errorf(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Detail: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Detail
}

// Is makes errors.Is(err, &Error{Code: c}) true for every Error of that code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code && *other == (Error{Code: other.Code})
}

// MarshalJSON writes the error object of JSON-RPC: code, message, and data with
// the code, the texts and what belongs to them.
func (e *Error) MarshalJSON() ([]byte, error) {
	f := FaultOf(e.Code)
	message := f.Text["en"]
	if e.Detail != "" {
		message = e.Detail
	}
	data := struct {
		Code      Code              `json:"code"`
		Retry     bool              `json:"retry"`
		WebEID    string            `json:"webEid"`
		Text      map[string]string `json:"text"`
		TriesLeft *int              `json:"triesLeft,omitempty"`
		Service   string            `json:"service,omitempty"`
		Holder    string            `json:"holder,omitempty"`
	}{Code: f.Code, Retry: f.Retry, WebEID: f.WebEID, Text: f.Text, Service: e.Service, Holder: e.Holder}
	if e.Code == PINWrong {
		data.TriesLeft = &e.TriesLeft
	}
	return json.Marshal(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    any    `json:"data"`
	}{f.Number, message, data})
}

// FaultOf is the row of a code; that of INTERNAL for any other.
func FaultOf(c Code) Fault {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Code == c })
	if i < 0 {
		i = slices.IndexFunc(faults, func(f Fault) bool { return f.Code == Internal })
	}
	return faults[i]
}

// Faults is the table of errors.
func Faults() []Fault { return slices.Clone(faults) }

// CodeOf is the code of an error that is or wraps an *Error, and INTERNAL of any other.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
