package pinentry

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"github.com/eidkit/eidkit/card"
)

// builtIn is the name of the system's own dialog.
const builtIn = "the Windows credential dialog"

func openBuiltIn(ctx context.Context) ui { return windows{ctx} }

// windows shows the dialogs of credui.dll and user32.dll. They cannot be closed from outside: when the context ends, the call
// returns, and what is still typed is wiped when the user closes the dialog.
type windows struct{ ctx context.Context }

func (windows) close() {}

// Of wincred.h, winerror.h and winuser.h.
const (
	credDoNotPersist        = 0x00002
	credExcludeCertificates = 0x00008
	credAlwaysShowUI        = 0x00080
	credGenericCredentials  = 0x40000
	credKeepUsername        = 0x100000

	maxUserName = 514 // CREDUI_MAX_USERNAME_LENGTH, with its end
	maxPassword = 257 // CREDUI_MAX_PASSWORD_LENGTH, with its end
	maxCaption  = 127 // CREDUI_MAX_CAPTION_LENGTH, without

	errorCancelled = 1223

	mbOKCancel, mbQuestion, mbInformation = 0x1, 0x20, 0x40
	mbSecondIsDefault, mbForeground       = 0x100, 0x10000
	mbYesNoCancel, mbThirdIsDefault       = 0x3, 0x200
	idOK, idYes, idNo                     = 1, 6, 7
)

// credUIInfo is CREDUI_INFOW.
type credUIInfo struct {
	size    uint32
	parent  uintptr
	message *uint16
	caption *uint16
	banner  uintptr
}

// procedure finds a function in a library of the system's folder, by its full path: a library of the same name that lies beside
// the program must not see the PIN.
func procedure(library, name string) (*syscall.LazyProc, error) {
	var buf [syscall.MAX_PATH + 1]uint16
	n, _, err := syscall.NewLazyDLL("kernel32.dll").NewProc("GetSystemDirectoryW").Call(uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)))
	if n == 0 || int(n) >= len(buf) {
		return nil, fmt.Errorf("finding the system folder: %w", err)
	}
	p := syscall.NewLazyDLL(syscall.UTF16ToString(buf[:n]) + `\` + library).NewProc(name)
	if err := p.Find(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoProgram, err)
	}
	return p, nil
}

// utf16 is s as Windows wants it. No text of ours holds a zero; from outside Clean keeps it out.
func utf16(s string) *uint16 {
	p, err := syscall.UTF16PtrFromString(s)
	if err != nil {
		return new(uint16)
	}
	return p
}

// wait runs a dialog and returns when it does, or when the context ends; late is then given its result.
func wait[T any](ctx context.Context, dialog func() (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result)
	go func() {
		value, err := dialog()
		select {
		case done <- result{value, err}:
		case <-ctx.Done():
			late(value)
		}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (w windows) pin(f form) ([]byte, bool, error) {
	typed, err := wait(w.ctx, func() ([]byte, error) { return promptForPIN(f) }, func(b []byte) { clear(b) })
	return typed, false, err
}

// promptForPIN is CredUIPromptForCredentials with a user name that cannot be changed.
func promptForPIN(f form) ([]byte, error) {
	prompt, err := procedure("credui.dll", "CredUIPromptForCredentialsW")
	if err != nil {
		return nil, err
	}
	text := f.text + "\n\n" + f.prompt
	if f.problem != "" {
		text = f.problem + "\n\n" + text
	}
	info := credUIInfo{message: utf16(text), caption: utf16(shorten(f.title, maxCaption))}
	info.size = uint32(unsafe.Sizeof(info))
	var user [maxUserName]uint16 // the title stands where a user name would
	if title, err := syscall.UTF16FromString(f.title); err == nil {
		copy(user[:maxUserName-1], title)
	}
	var password [maxPassword]uint16
	defer clear(password[:])
	var save int32
	code, _, _ := prompt.Call(uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(utf16("eidkit"))), 0, 0,
		uintptr(unsafe.Pointer(&user[0])), maxUserName, uintptr(unsafe.Pointer(&password[0])), maxPassword,
		uintptr(unsafe.Pointer(&save)),
		credGenericCredentials|credAlwaysShowUI|credDoNotPersist|credExcludeCertificates|credKeepUsername)
	switch code {
	case 0:
		return narrow(password[:]), nil
	case errorCancelled:
		return nil, card.ErrPINCancelled
	}
	return nil, fmt.Errorf("credential dialog: %w", syscall.Errno(code))
}

// narrow are the characters up to the first zero as bytes; one that is no ASCII becomes a byte that is no digit.
func narrow(wide []uint16) []byte {
	b := make([]byte, 0, maxTyped)
	for _, c := range wide {
		if c == 0 || len(b) == cap(b) {
			break
		}
		if c > 0x7F {
			c = '?'
		}
		b = append(b, byte(c))
	}
	return b
}

func (w windows) confirm(f form) (bool, error) {
	return wait(w.ctx, func() (bool, error) { return messageBox(f, mbOKCancel|mbQuestion|mbSecondIsDefault) }, func(bool) {})
}

func (w windows) message(f form) error {
	_, err := wait(w.ctx, func() (bool, error) { return messageBox(f, mbInformation) }, func(bool) {})
	return err
}

// three is a box with the system's own Yes, No and Cancel, of which Cancel is what Enter, Escape and closing mean; the text says
// what they stand for.
func (w windows) three(f form) (pressed, error) {
	legend := fmt.Sprintf("\n\n%s\t= %s\n%s\t= %s", "Yes / Ja / Oui", f.other, "No / Nee / Non / Nein", f.no)
	f.text += legend
	return wait(w.ctx, func() (pressed, error) {
		code, err := box(f, mbYesNoCancel|mbQuestion|mbThirdIsDefault)
		switch code {
		case idYes:
			return pressedOther, err
		case idNo:
			return pressedOK, err
		}
		return pressedNone, err
	}, func(pressed) {})
}

func messageBox(f form, style uintptr) (bool, error) {
	code, err := box(f, style)
	return code == idOK, err
}

// box shows a message box and returns the button.
func box(f form, style uintptr) (uintptr, error) {
	show, err := procedure("user32.dll", "MessageBoxW")
	if err != nil {
		return 0, err
	}
	code, _, err := show.Call(0, uintptr(unsafe.Pointer(utf16(f.text))), uintptr(unsafe.Pointer(utf16(f.title))), style|mbForeground)
	if code == 0 {
		return 0, errors.Join(errors.New("message box"), err)
	}
	return code, nil
}
