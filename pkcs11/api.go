package pkcs11

// cryptoki is the part of a module's functions that is used here, with Go's types. Each call returns *Error when the module answers
// other than CKR_OK. Sessions, objects and slots are the module's numbers. It may be called from several goroutines.
type cryptoki interface {
	initialize() error
	finalize() error
	info() (Info, error)
	slots() ([]uint, error)
	slotInfo(slot uint) (slotInfo, error)
	tokenInfo(slot uint) (tokenInfo, error)
	mechanisms(slot uint) ([]uint, error)
	mechanismInfo(slot, mechanism uint) (mechanismInfo, error)
	openSession(slot uint) (uint, error)
	closeSession(session uint) error
	sessionState(session uint) (uint, error)
	login(session, user uint, pin []byte) error // nil: by the protected authentication path
	find(session uint, template []attribute, most int) ([]uint, error)
	attribute(session, object, kind uint) ([]byte, error)
	signInit(session uint, m mechanism, key uint) error
	sign(session uint, data []byte) ([]byte, error)
	// waitSlotEvent blocks until something happens to a slot, if the module can, else returns at once. It cannot be cancelled.
	waitSlotEvent()
}

// Info is what a module says of itself (CK_INFO).
type Info struct {
	Manufacturer string
	Description  string
	Version      string // of the library, "2.6"
	Cryptoki     string // version of the standard, "2.40"
}

type slotInfo struct {
	description, manufacturer string
	flags                     uint
}

type tokenInfo struct {
	label, manufacturer, model, serial string
	flags                              uint
	maxSessions                        uint
	minPIN, maxPIN                     uint
}

type mechanismInfo struct{ minKey, maxKey, flags uint }

// attribute is one of a template: value is a uint, []byte or bool.
type attribute struct {
	kind  uint
	value any
}

// mechanism is what SignInit is given.
type mechanism struct {
	id  uint
	pss *pssParams
}

// pssParams are CK_RSA_PKCS_PSS_PARAMS.
type pssParams struct{ hash, mgf, salt uint }
