package pinentry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/eidkit/eidkit/card"
)

// Limits of the protocol and of our patience.
const (
	maxLine  = 1000 // bytes of an Assuan line, without its end
	maxLines = 1000 // of one answer
	maxTyped = 255  // bytes of what the user typed
)

var errProtocol = errors.New("the pinentry program does not keep to its protocol")

// Codes of libgpg-error, in the low 16 bits of an ERR line; what stands above says which program it is from.
const (
	codeTimeout        = 62
	codeCanceled       = 99
	codeNotConfirmed   = 114
	codeFullyCanceled  = 198
	codeUnknownCommand = 275
)

// replyError is an ERR line.
type replyError struct {
	code uint32
	text string // from the program, made harmless; empty in answer to GETPIN
}

func (e *replyError) Error() string {
	if meaning := e.Unwrap(); meaning != nil {
		return meaning.Error()
	}
	if e.text == "" {
		return fmt.Sprintf("pinentry answered with error %d", e.code&0xFFFF)
	}
	return fmt.Sprintf("pinentry answered with error %d: %s", e.code&0xFFFF, e.text)
}

// Unwrap gives the meanings that callers act upon.
func (e *replyError) Unwrap() error {
	switch e.code & 0xFFFF {
	case codeCanceled, codeFullyCanceled, codeNotConfirmed:
		return card.ErrPINCancelled
	case codeTimeout:
		return card.ErrPINTimeout
	}
	return nil
}

// assuan is the client's end of an Assuan connection. What the user types goes through it: it wipes what it has read.
type assuan struct {
	w   io.Writer
	r   io.Reader
	buf [maxLine + 2]byte // with the line's end, which may be \r\n
	end int               // bytes in buf
	cut int               // of them belong to the line handed out last
}

// next is the next line, without its end. It is valid until the next call, which wipes it.
func (a *assuan) next() ([]byte, error) {
	a.drop()
	for {
		if i := bytes.IndexByte(a.buf[:a.end], '\n'); i >= 0 {
			a.cut = i + 1
			return bytes.TrimSuffix(a.buf[:i], []byte{'\r'}), nil
		}
		if a.end == len(a.buf) {
			return nil, fmt.Errorf("%w: line of more than %d bytes", errProtocol, maxLine)
		}
		n, err := a.r.Read(a.buf[a.end:])
		a.end += n
		if n == 0 && err != nil {
			if err == io.EOF {
				return nil, errors.New("the pinentry program has ended")
			}
			return nil, err
		}
	}
}

// drop wipes the line handed out last.
func (a *assuan) drop() {
	n := copy(a.buf[:], a.buf[a.cut:a.end])
	clear(a.buf[n:a.end])
	a.end, a.cut = n, 0
}

// wipe forgets everything read.
func (a *assuan) wipe() { clear(a.buf[:]); a.end, a.cut = 0, 0 }

// line is an Assuan line taken apart.
type line struct {
	kind byte   // one of the kinds below
	code uint32 // of an ERR line
	rest []byte // what follows the keyword: a view
}

const (
	lineOK      = 'O'
	lineERR     = 'E'
	lineData    = 'D'
	lineStatus  = 'S'
	lineInquire = 'I'
	lineComment = '#'
)

// parseLine takes a server's line apart (Assuan manual, "Server responses").
func parseLine(b []byte) (line, error) {
	if len(b) > maxLine {
		return line{}, fmt.Errorf("%w: line of %d bytes", errProtocol, len(b))
	}
	if len(b) > 0 && b[0] == '#' {
		return line{kind: lineComment}, nil
	}
	word, rest, _ := bytes.Cut(b, []byte{' '})
	switch string(word) {
	case "OK":
		return line{kind: lineOK, rest: rest}, nil
	case "ERR":
		number, text, _ := bytes.Cut(rest, []byte{' '})
		code, err := strconv.ParseUint(string(number), 10, 32)
		if err != nil || code == 0 {
			return line{}, fmt.Errorf("%w: ERR without a number", errProtocol)
		}
		return line{kind: lineERR, code: uint32(code), rest: text}, nil
	case "D":
		return line{kind: lineData, rest: rest}, nil
	case "S":
		return line{kind: lineStatus, rest: rest}, nil
	case "INQUIRE":
		return line{kind: lineInquire, rest: rest}, nil
	}
	return line{}, fmt.Errorf("%w: unknown line", errProtocol)
}

// unescape undoes %XX, in b itself. What is no escape stays.
func unescape(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) {
			hi, lo := unhex(b[i+1]), unhex(b[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// escape writes the bytes that would end or change a line as %XX.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '%' || c == 0x7F {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// answer is what came before the OK to a command.
type answer struct {
	typed    []byte // data, for the caller to wipe; nil if none was wanted
	tooLong  bool   // more than maxTyped bytes came: typed is empty
	repeated bool   // the program had it typed twice, alike
}

// command sends one command, its argument escaped, and reads the answer. wantData says that data are expected: they are kept, and
// nothing that the program says is put into an error.
func (a *assuan) command(name, argument string, wantData bool) (ans answer, err error) {
	text := name
	if argument != "" {
		text += " " + escape(argument)
	}
	if err := a.send(text); err != nil {
		return ans, err
	}
	ans, err = a.answer(wantData)
	if err != nil {
		clear(ans.typed)
		return answer{}, err
	}
	return ans, nil
}

// send writes one line.
func (a *assuan) send(text string) error {
	if len(text) > maxLine {
		return fmt.Errorf("pinentry command of %d bytes", len(text))
	}
	if _, err := io.WriteString(a.w, text+"\n"); err != nil {
		return fmt.Errorf("writing to the pinentry program: %w", err)
	}
	return nil
}

func (a *assuan) answer(wantData bool) (ans answer, err error) {
	defer a.drop()
	if wantData {
		ans.typed = make([]byte, 0, maxTyped)
	}
	for range maxLines {
		b, err := a.next()
		if err != nil {
			return ans, err
		}
		l, err := parseLine(b)
		if err != nil {
			return ans, err
		}
		switch l.kind {
		case lineOK:
			return ans, nil
		case lineERR:
			e := &replyError{code: l.code}
			if !wantData {
				e.text = Clean(string(l.rest), 100)
			}
			return ans, e
		case lineData:
			ans.add(unescape(l.rest))
		case lineStatus:
			ans.repeated = ans.repeated || string(l.rest) == "PIN_REPEATED"
		case lineInquire: // about the quality of a passphrase, or so: not ours
			if err := a.send("CAN"); err != nil {
				return ans, err
			}
		}
	}
	return ans, fmt.Errorf("%w: an answer of more than %d lines", errProtocol, maxLines)
}

// add keeps data that are wanted and not too long.
func (ans *answer) add(b []byte) {
	if ans.typed == nil || ans.tooLong {
		return
	}
	if len(ans.typed)+len(b) > maxTyped {
		clear(ans.typed)
		ans.typed, ans.tooLong = ans.typed[:0], true
		return
	}
	ans.typed = append(ans.typed, b...)
}
