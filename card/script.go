package card

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Script is a reader whose card answers from a recording: each command must be the next one of the script, byte for byte, or it
// fails with an error that says which line was expected. It is a text, one item a line:
//
//	# remarks and empty lines are skipped
//	reader ACS ACR38U 00 00           the reader's name
//	atr 3B9813400AA503010101AD1311    a session begins: one Connect
//	protocol T=0                      T=0 or T=1; left out: the first one the ATR offers
//	> 00A4080C023F00                  a command; spaces are allowed, ** stands for any byte
//	< 9000                            its answer
//	control 42000D48 0102             a control call, its code and data; an answer follows too, maybe an empty one
//	! reset                           the next call finds the card reset, and so do all others until Reconnect
//	! removed                         the next call and all others find the card removed
//	! fault                           the next call finds a fault of the reader
//
// The first Connect plays the first session, and so on; after the last it begins again with the first. A control call that is not
// the next item gives ErrUnsupported, as that of a reader without the feature does. [Record] writes such a text.
type Script struct {
	name     string
	sessions []*scriptSession

	mu   sync.Mutex
	next int // session of the next Connect
	open []*scriptTransport
}

type scriptSession struct {
	line     int
	atr      []byte
	protocol Protocol
	steps    []scriptStep
}

// scriptStep is a command or control call with its answer, or an event (err is set).
type scriptStep struct {
	line    int
	control bool
	code    uint32
	want    []int16 // -1 is any byte
	answer  []byte
	err     error
}

// maxScript bounds the size of a script, maxScriptLine that of a line: an extended command is 131,090 digits long.
const (
	maxScript     = 64 << 20
	maxScriptLine = 512 << 10
)

var scriptEvents = map[string]error{"reset": ErrReset, "removed": ErrRemoved, "fault": ErrReader}

// ParseScript reads a script to its end. Errors name the line.
func ParseScript(r io.Reader) (*Script, error) {
	p := scriptParser{script: &Script{name: "script"}}
	lines := bufio.NewScanner(io.LimitReader(r, maxScript))
	lines.Buffer(nil, maxScriptLine)
	for lines.Scan() {
		p.line++
		if err := p.item(strings.TrimSpace(lines.Text())); err != nil {
			return nil, fmt.Errorf("script, line %d: %w", p.line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading a script: %w", err)
	}
	switch {
	case p.unanswered:
		return nil, errors.New("script ends before an answer")
	case len(p.script.sessions) == 0:
		return nil, errors.New("script without an atr line")
	}
	return p.script, nil
}

type scriptParser struct {
	script     *Script
	line       int
	unanswered bool // the last step waits for its answer
}

func (p *scriptParser) item(text string) error {
	if text == "" || text[0] == '#' {
		return nil
	}
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	if p.unanswered != (word == "<") {
		return errors.New("an answer (<) follows each command or control call, and nothing else")
	}
	switch word {
	case "reader":
		p.script.name = rest
		return nil
	case "atr":
		return p.session(rest)
	}
	if len(p.script.sessions) == 0 {
		return errors.New("no atr line yet")
	}
	s := p.script.sessions[len(p.script.sessions)-1]
	switch word {
	case "protocol":
		return s.setProtocol(rest)
	case ">", "control":
		step, err := newStep(p.line, word, rest)
		s.steps = append(s.steps, step)
		p.unanswered = true
		return err
	case "<":
		answer, err := parseHex(rest)
		s.steps[len(s.steps)-1].answer = answer
		p.unanswered = false
		return err
	case "!":
		event, ok := scriptEvents[rest]
		if !ok {
			return fmt.Errorf("unknown event %q", rest)
		}
		s.steps = append(s.steps, scriptStep{line: p.line, err: event})
		return nil
	}
	return fmt.Errorf("unknown item %q", word)
}

// session begins one with the given ATR.
func (p *scriptParser) session(text string) error {
	atr, err := parseHex(text)
	if err != nil {
		return err
	}
	s := &scriptSession{line: p.line, atr: atr, protocol: ProtocolT0}
	if a, err := ParseATR(atr); err == nil && a.Offers[0] == 1 {
		s.protocol = ProtocolT1
	}
	p.script.sessions = append(p.script.sessions, s)
	return nil
}

func (s *scriptSession) setProtocol(text string) error {
	switch text {
	case "T=0":
		s.protocol = ProtocolT0
	case "T=1":
		s.protocol = ProtocolT1
	default:
		return fmt.Errorf("unknown protocol %q", text)
	}
	return nil
}

func newStep(line int, word, rest string) (scriptStep, error) {
	step := scriptStep{line: line, control: word == "control"}
	if step.control {
		code, data, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(code, 16, 32)
		if err != nil {
			return step, fmt.Errorf("control code %q is not hexadecimal", code)
		}
		step.code, rest = uint32(n), data
	}
	rest = strings.ReplaceAll(rest, " ", "")
	for i := 0; i < len(rest); i += 2 {
		switch pair := rest[i:min(i+2, len(rest))]; pair {
		case "**":
			step.want = append(step.want, -1)
		default:
			n, err := parseHex(pair)
			if err != nil {
				return step, err
			}
			step.want = append(step.want, int16(n[0]))
		}
	}
	return step, nil
}

func parseHex(text string) ([]byte, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		return nil, errors.New("not pairs of hexadecimal digits")
	}
	return b, nil
}

// Name is what the reader line says, "script" without one.
func (s *Script) Name() string { return s.name }

// Connect begins the next session of the script.
func (s *Script) Connect(ctx context.Context, _ Mode) (Transport, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &scriptTransport{session: s.sessions[s.next]}
	s.next = (s.next + 1) % len(s.sessions)
	s.open = append(s.open, t)
	return t, nil
}

// Done is nil when each session begun was played to its end; else it names the first line that was not reached.
func (s *Script) Done() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.open {
		if line := t.pending(); line != 0 {
			return fmt.Errorf("script, line %d: not reached", line)
		}
	}
	if len(s.open) < len(s.sessions) {
		return fmt.Errorf("script, line %d: session not begun", s.sessions[len(s.open)].line)
	}
	return nil
}
