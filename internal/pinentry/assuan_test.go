package pinentry

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// talk is a connection on which the server says what is given.
func talk(server io.Reader) (*assuan, *bytes.Buffer) {
	var sent bytes.Buffer
	return &assuan{w: &sent, r: server}, &sent
}

func TestParseLine(t *testing.T) {
	tests := []struct {
		in   string
		kind byte
		code uint32
		rest string
	}{
		{"OK", lineOK, 0, ""},
		{"OK Pleased to meet you", lineOK, 0, "Pleased to meet you"},
		{"ERR 83886179 Operation cancelled <Pinentry>", lineERR, 83886179, "Operation cancelled <Pinentry>"},
		{"ERR 99", lineERR, 99, ""},
		{"ERR 4294967295 x", lineERR, 4294967295, "x"},
		{"D 1234", lineData, 0, "1234"},
		{"D  12", lineData, 0, " 12"},
		{"D", lineData, 0, ""},
		{"S PIN_REPEATED", lineStatus, 0, "PIN_REPEATED"},
		{"INQUIRE QUALITY 1234", lineInquire, 0, "QUALITY 1234"},
		{"# a remark", lineComment, 0, ""},
		{"#", lineComment, 0, ""},
		{"D " + strings.Repeat("x", 998), lineData, 0, strings.Repeat("x", 998)},
	}
	for _, tt := range tests {
		l, err := parseLine([]byte(tt.in))
		if err != nil || l.kind != tt.kind || l.code != tt.code || string(l.rest) != tt.rest {
			t.Errorf("%.40q: %c %d %q, %v", tt.in, l.kind, l.code, l.rest, err)
		}
	}
	for _, bad := range []string{"", " ", "ok", "OKAY", "ERR", "ERR ", "ERR x", "ERR -1", "ERR 0", "ERR 4294967296", "D1234", "d 1", "S\t", "INQUIRY", "\x00",
		"D " + strings.Repeat("x", 999)} {
		if l, err := parseLine([]byte(bad)); !errors.Is(err, errProtocol) {
			t.Errorf("%.40q: taken for %c, %v", bad, l.kind, err)
		}
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"":               "",
		"plain é ‹":      "plain é ‹",
		"100%":           "100%25",
		"a\nb\r\tc\x00":  "a%0Ab%0D%09c%00",
		"\x7f\x1b[0m":    "%7F%1B[0m",
		"%0A is no line": "%250A is no line",
	} {
		if got := escape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if back := string(unescape([]byte(want))); back != in {
			t.Errorf("%q back: %q", want, back)
		}
	}
	for in, want := range map[string]string{"%": "%", "%4": "%4", "%zz": "%zz", "%4g1": "%4g1", "%%41": "%A", "%41%": "A%", "%e9%E9": "\xe9\xe9"} {
		if got := string(unescape([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// However the bytes come in, and whatever follows, the PIN is not left in the buffer.
func TestTypedIsWiped(t *testing.T) {
	const server = "OK hello\nS X\nD 314159\nOK\nERR 5 no\nD 271828\nD 1\nOK\n"
	for name, r := range map[string]io.Reader{
		"at once":      strings.NewReader(server),
		"byte by byte": iotest.OneByteReader(strings.NewReader(server)),
		"error beside": iotest.DataErrReader(strings.NewReader(server)),
	} {
		a, _ := talk(r)
		if _, err := a.answer(false); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ans, err := a.command("GETPIN", "", true)
		if err != nil || string(ans.typed) != "314159" {
			t.Fatalf("%s: %q, %v", name, ans.typed, err)
		}
		if bytes.Contains(a.buf[:], []byte("159")) {
			t.Errorf("%s: the buffer still holds %q", name, a.buf[:40])
		}
		var reply *replyError
		if _, err := a.command("GETPIN", "", true); !errors.As(err, &reply) || reply.code != 5 || reply.text != "" {
			t.Errorf("%s: %v", name, err)
		}
		if ans, err := a.command("SETDESC", "data nobody wants", false); err != nil || ans.typed != nil {
			t.Errorf("%s: %q, %v", name, ans.typed, err)
		}
		a.wipe()
		if a.buf != [len(a.buf)]byte{} {
			t.Errorf("%s: the buffer was not wiped", name)
		}
		if _, err := a.command("BYE", "", false); err == nil {
			t.Errorf("%s: an answer after the end", name)
		}
	}
}

func TestTypedTooLong(t *testing.T) {
	a, _ := talk(strings.NewReader("D " + strings.Repeat("7", 200) + "\nD " + strings.Repeat("7", 56) + "\nD 1234\nOK\n"))
	ans, err := a.command("GETPIN", "", true)
	if err != nil || !ans.tooLong || len(ans.typed) != 0 || bytes.Contains(ans.typed[:cap(ans.typed)], []byte("7")) {
		t.Errorf("%+v, %v", ans, err)
	}
	a, _ = talk(strings.NewReader("D " + strings.Repeat("7", 255) + "\nOK\n"))
	if ans, err := a.command("GETPIN", "", true); err != nil || len(ans.typed) != 255 {
		t.Errorf("255 bytes: %d, %v", len(ans.typed), err)
	}
}

func TestCommandLines(t *testing.T) {
	a, sent := talk(strings.NewReader("OK\nINQUIRE X\nOK\n"))
	if _, err := a.command("SETDESC", "two\nlines", false); err != nil {
		t.Fatal(err)
	}
	if _, err := a.command("GETPIN", "", true); err != nil {
		t.Fatal(err)
	}
	if _, err := a.command("SETDESC", strings.Repeat("é", 497), false); err == nil {
		t.Error("a command longer than a line was sent")
	}
	if got, want := sent.String(), "SETDESC two%0Alines\nGETPIN\nCAN\n"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func FuzzAssuan(f *testing.F) {
	for _, seed := range []string{
		"OK Pleased to meet you\nS PIN_REPEATED\nD 27%31828\nOK\n", "ERR 83886179 Operation cancelled\r\n", "# x\nINQUIRE QUALITY 12\nD 1\nD 2\nOK",
		"D %\nD %4\nOK\n", "ERR\n", "\n\n", strings.Repeat("D 12345678\n", 40) + "OK\n", strings.Repeat("x", 1100),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, server []byte) {
		a, sent := talk(bytes.NewReader(server))
		for range 10 {
			ans, err := a.command("GETPIN", "", true)
			if len(ans.typed) > maxTyped || err != nil && ans.typed != nil {
				t.Fatalf("%d bytes typed, %v", len(ans.typed), err)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			var reply *replyError
			if err != nil && !errors.As(err, &reply) {
				break
			}
		}
		for _, l := range strings.Split(strings.TrimSuffix(sent.String(), "\n"), "\n") {
			if l != "GETPIN" && l != "CAN" {
				t.Fatalf("sent %q", l)
			}
		}
		a.wipe()
		if a.buf != [len(a.buf)]byte{} {
			t.Fatal("the buffer was not wiped")
		}
	})
}
