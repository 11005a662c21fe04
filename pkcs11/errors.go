package pkcs11

import (
	"errors"
	"fmt"

	p11 "github.com/miekg/pkcs11"
)

// What errors of this package mean. Errors that modules answer with are of type *Error and wrap one of these.
var (
	ErrNoCgo      = errors.New("this program is built without cgo, which PKCS #11 modules need: build it with CGO_ENABLED=1 and a C compiler")
	ErrNoModule   = errors.New("no such PKCS #11 module")
	ErrClosed     = errors.New("the PKCS #11 module is closed")
	ErrURI        = errors.New("not a PKCS #11 URI (RFC 7512)")
	ErrPINValue   = errors.New("a PIN in a PKCS #11 URI (pin-value) is refused: addresses end up in logs and lists of processes; leave it out, or use pin-source=file:/path")
	ErrPINSource  = errors.New("the PIN's file (pin-source) cannot be used")
	ErrNoToken    = errors.New("no token")
	ErrRemoved    = errors.New("the token was removed")
	ErrNoKey      = errors.New("no key with a certificate on the token")
	ErrSeveral    = errors.New("more than one key: name one, by token, object or id")
	ErrNoPIN      = errors.New("the token wants a PIN and there is nobody to ask")
	ErrPINWrong   = errors.New("the PIN is wrong")
	ErrPINBlocked = errors.New("the PIN is blocked")
	ErrPINFormat  = errors.New("the token takes no PIN of this length or with these characters; no try was spent")
	ErrPINExpired = errors.New("the PIN must be changed first")
	ErrPINUnset   = errors.New("the token's PIN has not been set")
	ErrCancelled  = errors.New("cancelled by the user")
	ErrMechanism  = errors.New("the token cannot sign in this way")
	ErrSignature  = errors.New("what the token returned is no signature by the key of the certificate")
	ErrBusy       = errors.New("the token is in use, or out of sessions or memory")
	ErrLogin      = errors.New("the token asks for the PIN first")
	ErrModule     = errors.New("the PKCS #11 module or its token reports a fault")
)

// Error is an answer of a module other than CKR_OK.
type Error struct {
	Call string // "C_Sign"
	Code uint   // CK_RV
}

func (e *Error) Error() string {
	m := codes[e.Code]
	if m.name == "" {
		m = meaning{fmt.Sprintf("CK_RV 0x%08X", e.Code), ErrModule}
	}
	return fmt.Sprintf("%v (%s: %s)", m.err, e.Call, m.name)
}

// Unwrap gives the meaning: one of the errors of this package.
func (e *Error) Unwrap() error {
	if m, ok := codes[e.Code]; ok {
		return m.err
	}
	return ErrModule
}

type meaning struct {
	name string
	err  error
}

// codes is the one table from CK_RV (PKCS #11 v2.40 section 5.1) to what it means to a caller who signs. Codes that are not in it mean
// ErrModule.
var codes = map[uint]meaning{
	p11.CKR_CANCEL:                       {"CKR_CANCEL", ErrCancelled},
	p11.CKR_HOST_MEMORY:                  {"CKR_HOST_MEMORY", ErrBusy},
	p11.CKR_SLOT_ID_INVALID:              {"CKR_SLOT_ID_INVALID", ErrNoToken},
	p11.CKR_GENERAL_ERROR:                {"CKR_GENERAL_ERROR", ErrModule},
	p11.CKR_FUNCTION_FAILED:              {"CKR_FUNCTION_FAILED", ErrModule},
	p11.CKR_ARGUMENTS_BAD:                {"CKR_ARGUMENTS_BAD", ErrModule},
	p11.CKR_NO_EVENT:                     {"CKR_NO_EVENT", ErrModule},
	p11.CKR_NEED_TO_CREATE_THREADS:       {"CKR_NEED_TO_CREATE_THREADS", ErrModule},
	p11.CKR_CANT_LOCK:                    {"CKR_CANT_LOCK", ErrModule},
	p11.CKR_ATTRIBUTE_SENSITIVE:          {"CKR_ATTRIBUTE_SENSITIVE", ErrModule},
	p11.CKR_ATTRIBUTE_TYPE_INVALID:       {"CKR_ATTRIBUTE_TYPE_INVALID", ErrModule},
	p11.CKR_ATTRIBUTE_VALUE_INVALID:      {"CKR_ATTRIBUTE_VALUE_INVALID", ErrModule},
	p11.CKR_ACTION_PROHIBITED:            {"CKR_ACTION_PROHIBITED", ErrMechanism},
	p11.CKR_DATA_INVALID:                 {"CKR_DATA_INVALID", ErrMechanism},
	p11.CKR_DATA_LEN_RANGE:               {"CKR_DATA_LEN_RANGE", ErrMechanism},
	p11.CKR_DEVICE_ERROR:                 {"CKR_DEVICE_ERROR", ErrModule},
	p11.CKR_DEVICE_MEMORY:                {"CKR_DEVICE_MEMORY", ErrBusy},
	p11.CKR_DEVICE_REMOVED:               {"CKR_DEVICE_REMOVED", ErrRemoved},
	p11.CKR_FUNCTION_CANCELED:            {"CKR_FUNCTION_CANCELED", ErrCancelled},
	p11.CKR_FUNCTION_NOT_SUPPORTED:       {"CKR_FUNCTION_NOT_SUPPORTED", ErrMechanism},
	p11.CKR_FUNCTION_REJECTED:            {"CKR_FUNCTION_REJECTED", ErrCancelled},
	p11.CKR_KEY_HANDLE_INVALID:           {"CKR_KEY_HANDLE_INVALID", ErrNoKey},
	p11.CKR_KEY_SIZE_RANGE:               {"CKR_KEY_SIZE_RANGE", ErrMechanism},
	p11.CKR_KEY_TYPE_INCONSISTENT:        {"CKR_KEY_TYPE_INCONSISTENT", ErrMechanism},
	p11.CKR_KEY_FUNCTION_NOT_PERMITTED:   {"CKR_KEY_FUNCTION_NOT_PERMITTED", ErrMechanism},
	p11.CKR_MECHANISM_INVALID:            {"CKR_MECHANISM_INVALID", ErrMechanism},
	p11.CKR_MECHANISM_PARAM_INVALID:      {"CKR_MECHANISM_PARAM_INVALID", ErrMechanism},
	p11.CKR_CURVE_NOT_SUPPORTED:          {"CKR_CURVE_NOT_SUPPORTED", ErrMechanism},
	p11.CKR_OBJECT_HANDLE_INVALID:        {"CKR_OBJECT_HANDLE_INVALID", ErrNoKey},
	p11.CKR_OPERATION_ACTIVE:             {"CKR_OPERATION_ACTIVE", ErrModule},
	p11.CKR_OPERATION_NOT_INITIALIZED:    {"CKR_OPERATION_NOT_INITIALIZED", ErrModule},
	p11.CKR_PIN_INCORRECT:                {"CKR_PIN_INCORRECT", ErrPINWrong},
	p11.CKR_PIN_INVALID:                  {"CKR_PIN_INVALID", ErrPINFormat},
	p11.CKR_PIN_LEN_RANGE:                {"CKR_PIN_LEN_RANGE", ErrPINFormat},
	p11.CKR_PIN_EXPIRED:                  {"CKR_PIN_EXPIRED", ErrPINExpired},
	p11.CKR_PIN_LOCKED:                   {"CKR_PIN_LOCKED", ErrPINBlocked},
	p11.CKR_PIN_TOO_WEAK:                 {"CKR_PIN_TOO_WEAK", ErrPINFormat},
	p11.CKR_SESSION_CLOSED:               {"CKR_SESSION_CLOSED", ErrRemoved},
	p11.CKR_SESSION_COUNT:                {"CKR_SESSION_COUNT", ErrBusy},
	p11.CKR_SESSION_HANDLE_INVALID:       {"CKR_SESSION_HANDLE_INVALID", ErrRemoved},
	p11.CKR_SESSION_READ_WRITE_SO_EXISTS: {"CKR_SESSION_READ_WRITE_SO_EXISTS", ErrBusy},
	p11.CKR_TOKEN_NOT_PRESENT:            {"CKR_TOKEN_NOT_PRESENT", ErrRemoved},
	p11.CKR_TOKEN_NOT_RECOGNIZED:         {"CKR_TOKEN_NOT_RECOGNIZED", ErrNoToken},
	p11.CKR_USER_ALREADY_LOGGED_IN:       {"CKR_USER_ALREADY_LOGGED_IN", ErrModule},
	p11.CKR_USER_NOT_LOGGED_IN:           {"CKR_USER_NOT_LOGGED_IN", ErrLogin},
	p11.CKR_USER_PIN_NOT_INITIALIZED:     {"CKR_USER_PIN_NOT_INITIALIZED", ErrPINUnset},
	p11.CKR_USER_TYPE_INVALID:            {"CKR_USER_TYPE_INVALID", ErrModule},
	p11.CKR_USER_ANOTHER_ALREADY_LOGGED_IN: {"CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
		ErrBusy},
	p11.CKR_USER_TOO_MANY_TYPES:          {"CKR_USER_TOO_MANY_TYPES", ErrBusy},
	p11.CKR_BUFFER_TOO_SMALL:             {"CKR_BUFFER_TOO_SMALL", ErrModule},
	p11.CKR_CRYPTOKI_NOT_INITIALIZED:     {"CKR_CRYPTOKI_NOT_INITIALIZED", ErrClosed},
	p11.CKR_CRYPTOKI_ALREADY_INITIALIZED: {"CKR_CRYPTOKI_ALREADY_INITIALIZED", ErrModule},
}

// is tells whether err is the answer code of a module.
func is(err error, code uint) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// PINError says that the token refused the PIN, and how it stands with its tries now. It wraps the module's answer.
type PINError struct {
	Tries Tries
	Err   error
}

func (e *PINError) Error() string {
	switch {
	case e.Tries.Blocked && !errors.Is(e.Err, ErrPINBlocked):
		return e.Err.Error() + "; it is blocked now"
	case e.Tries.Final:
		return e.Err.Error() + "; one try is left"
	case e.Tries.Low:
		return e.Err.Error() + "; few tries are left"
	}
	return e.Err.Error()
}

// Unwrap gives the module's answer, and ErrPINBlocked if the PIN is blocked now.
func (e *PINError) Unwrap() []error {
	if e.Tries.Blocked {
		return []error{e.Err, ErrPINBlocked}
	}
	return []error{e.Err}
}

// Tries is what a token tells of the tries left for its PIN: not their number.
type Tries struct {
	Low     bool // a wrong PIN was given since the last right one (CKF_USER_PIN_COUNT_LOW)
	Final   bool // one try is left (CKF_USER_PIN_FINAL_TRY)
	Blocked bool // none is left (CKF_USER_PIN_LOCKED)
}

func triesOf(flags uint) Tries {
	return Tries{
		Low:     flags&p11.CKF_USER_PIN_COUNT_LOW != 0,
		Final:   flags&p11.CKF_USER_PIN_FINAL_TRY != 0,
		Blocked: flags&p11.CKF_USER_PIN_LOCKED != 0,
	}
}
