//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	p11 "github.com/miekg/pkcs11"
)

// load loads the library at path. It stays loaded as long as the process runs: modules that are unloaded while a thread of theirs
// is alive take the process with them.
func load(path string) (cryptoki, error) {
	ctx := p11.New(path)
	if ctx == nil {
		return nil, fmt.Errorf("%w: %s cannot be loaded: it is no PKCS #11 module, is for another processor, or lacks a library that it needs", ErrNoModule, path)
	}
	return &binding{ctx: ctx}, nil
}

// binding is a module through github.com/miekg/pkcs11.
type binding struct {
	ctx *p11.Ctx
	mu  sync.Mutex
	// oneAtATime: the module has no locks (CKR_CANT_LOCK), so its functions are called one after the other.
	oneAtATime bool
}

// enter takes the lock if the module needs it.
func (b *binding) enter() (leave func()) {
	if !b.oneAtATime {
		return func() {}
	}
	b.mu.Lock()
	return b.mu.Unlock
}

// answer makes an *Error of what the binding returns.
func answer(call string, err error) error {
	if err == nil {
		return nil
	}
	var code p11.Error
	if errors.As(err, &code) {
		return &Error{Call: call, Code: uint(code)}
	}
	return fmt.Errorf("%s: %w", call, err)
}

// initialize calls C_Initialize with CKF_OS_LOCKING_OK, and without it if the module has no locks.
func (b *binding) initialize() error {
	b.oneAtATime = false
	err := answer("C_Initialize", b.ctx.Initialize())
	if is(err, p11.CKR_CANT_LOCK) || is(err, p11.CKR_NEED_TO_CREATE_THREADS) {
		b.oneAtATime = true
		err = answer("C_Initialize", b.ctx.Initialize(p11.InitializeWithFlags(0)))
	}
	return err
}

func (b *binding) finalize() error {
	defer b.enter()()
	return answer("C_Finalize", b.ctx.Finalize())
}

func (b *binding) info() (Info, error) {
	defer b.enter()()
	i, err := b.ctx.GetInfo()
	return Info{
		Manufacturer: text(i.ManufacturerID),
		Description:  text(i.LibraryDescription),
		Version:      fmt.Sprintf("%d.%d", i.LibraryVersion.Major, i.LibraryVersion.Minor),
		Cryptoki:     fmt.Sprintf("%d.%d", i.CryptokiVersion.Major, i.CryptokiVersion.Minor),
	}, answer("C_GetInfo", err)
}

func (b *binding) slots() ([]uint, error) {
	defer b.enter()()
	s, err := b.ctx.GetSlotList(false)
	return s, answer("C_GetSlotList", err)
}

func (b *binding) slotInfo(slot uint) (slotInfo, error) {
	defer b.enter()()
	i, err := b.ctx.GetSlotInfo(slot)
	return slotInfo{text(i.SlotDescription), text(i.ManufacturerID), i.Flags}, answer("C_GetSlotInfo", err)
}

func (b *binding) tokenInfo(slot uint) (tokenInfo, error) {
	defer b.enter()()
	i, err := b.ctx.GetTokenInfo(slot)
	return tokenInfo{
		label: text(i.Label), manufacturer: text(i.ManufacturerID), model: text(i.Model), serial: text(i.SerialNumber),
		flags: i.Flags, maxSessions: i.MaxSessionCount, minPIN: i.MinPinLen, maxPIN: i.MaxPinLen,
	}, answer("C_GetTokenInfo", err)
}

func (b *binding) mechanisms(slot uint) ([]uint, error) {
	defer b.enter()()
	list, err := b.ctx.GetMechanismList(slot)
	if err != nil {
		return nil, answer("C_GetMechanismList", err)
	}
	ids := make([]uint, len(list))
	for i, m := range list {
		ids[i] = m.Mechanism
	}
	return ids, nil
}

func (b *binding) mechanismInfo(slot, id uint) (mechanismInfo, error) {
	defer b.enter()()
	i, err := b.ctx.GetMechanismInfo(slot, []*p11.Mechanism{p11.NewMechanism(id, nil)})
	return mechanismInfo{i.MinKeySize, i.MaxKeySize, i.Flags}, answer("C_GetMechanismInfo", err)
}

func (b *binding) openSession(slot uint) (uint, error) {
	defer b.enter()()
	s, err := b.ctx.OpenSession(slot, p11.CKF_SERIAL_SESSION)
	return uint(s), answer("C_OpenSession", err)
}

func (b *binding) closeSession(session uint) error {
	defer b.enter()()
	return answer("C_CloseSession", b.ctx.CloseSession(p11.SessionHandle(session)))
}

func (b *binding) sessionState(session uint) (uint, error) {
	defer b.enter()()
	i, err := b.ctx.GetSessionInfo(p11.SessionHandle(session))
	return i.State, answer("C_GetSessionInfo", err)
}

// login hands the bytes of pin to the binding without making a Go string of them that nobody could wipe. The binding copies them for
// C and frees the copy.
func (b *binding) login(session, user uint, pin []byte) error {
	defer b.enter()()
	return answer("C_Login", b.ctx.Login(p11.SessionHandle(session), user, unsafe.String(unsafe.SliceData(pin), len(pin))))
}

func (b *binding) find(session uint, template []attribute, most int) (found []uint, err error) {
	defer b.enter()()
	list := make([]*p11.Attribute, len(template))
	for i, a := range template {
		list[i] = p11.NewAttribute(a.kind, a.value)
	}
	sh := p11.SessionHandle(session)
	if err := b.ctx.FindObjectsInit(sh, list); err != nil {
		return nil, answer("C_FindObjectsInit", err)
	}
	defer func() {
		if end := b.ctx.FindObjectsFinal(sh); err == nil {
			err = answer("C_FindObjectsFinal", end)
		}
	}()
	for len(found) < most {
		some, _, err := b.ctx.FindObjects(sh, most-len(found))
		if err != nil {
			return nil, answer("C_FindObjects", err)
		}
		if len(some) == 0 {
			break
		}
		for _, o := range some {
			found = append(found, uint(o))
		}
	}
	return found, nil
}

// attribute is nil, without an error, when the object has none of this kind or does not tell it.
func (b *binding) attribute(session, object, kind uint) ([]byte, error) {
	defer b.enter()()
	list, err := b.ctx.GetAttributeValue(p11.SessionHandle(session), p11.ObjectHandle(object), []*p11.Attribute{p11.NewAttribute(kind, nil)})
	err = answer("C_GetAttributeValue", err)
	if is(err, p11.CKR_ATTRIBUTE_TYPE_INVALID) || is(err, p11.CKR_ATTRIBUTE_SENSITIVE) {
		return nil, nil
	}
	if err != nil || len(list) != 1 {
		return nil, err
	}
	return list[0].Value, nil
}

func (b *binding) signInit(session uint, m mechanism, key uint) error {
	defer b.enter()()
	var params any
	if m.pss != nil {
		params = p11.NewPSSParams(m.pss.hash, m.pss.mgf, m.pss.salt)
	}
	return answer("C_SignInit", b.ctx.SignInit(p11.SessionHandle(session), []*p11.Mechanism{p11.NewMechanism(m.id, params)}, p11.ObjectHandle(key)))
}

func (b *binding) sign(session uint, data []byte) ([]byte, error) {
	defer b.enter()()
	sig, err := b.ctx.Sign(p11.SessionHandle(session), data)
	return sig, answer("C_Sign", err)
}

// waitSlotEvent takes no lock: it would keep everything else out. The binding hides what C_WaitForSlotEvent answers.
func (b *binding) waitSlotEvent() { <-b.ctx.WaitForSlotEvent(0) }
