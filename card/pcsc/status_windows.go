package pcsc

import (
	"runtime"
	"time"
	"unsafe"

	"github.com/ebfe/scard"
	"golang.org/x/sys/windows"
)

var getStatusChange = windows.NewLazySystemDLL("winscard.dll").NewProc("SCardGetStatusChangeW")

// readerStateW is SCARD_READERSTATEW of winscard.h.
type readerStateW struct {
	reader       *uint16
	userData     unsafe.Pointer
	currentState uint32
	eventState   uint32
	atrLength    uint32
	atr          [36]byte
}

// scard's Context is its handle and nothing else: this does not compile otherwise.
var _ [unsafe.Sizeof(uintptr(0))]byte = [unsafe.Sizeof(scard.Context{})]byte{}

// statusChange is SCardGetStatusChange, called without scard because that does not keep the names in memory during the call.
func statusChange(context *scard.Context, states []scard.ReaderState, timeout time.Duration) error {
	raw := make([]readerStateW, len(states))
	for i, s := range states {
		name, err := windows.UTF16PtrFromString(s.Reader)
		if err != nil {
			return scard.ErrUnknownReader
		}
		raw[i].reader, raw[i].currentState = name, uint32(s.CurrentState)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	for i := range raw {
		pin.Pin(raw[i].reader)
	}
	handle := *(*uintptr)(unsafe.Pointer(context))
	result, _, _ := getStatusChange.Call(handle, uintptr(timeout.Milliseconds()), uintptr(unsafe.Pointer(unsafe.SliceData(raw))), uintptr(len(raw)))
	runtime.KeepAlive(raw)
	if result != 0 {
		return scard.Error(result)
	}
	for i, r := range raw {
		states[i].EventState = scard.StateFlag(r.eventState)
		states[i].Atr = append([]byte(nil), r.atr[:min(int(r.atrLength), len(r.atr))]...)
	}
	return nil
}
