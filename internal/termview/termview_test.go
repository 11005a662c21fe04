package termview

import (
	"image"
	"image/color"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func sample() Card {
	img := image.NewGray(image.Rect(0, 0, 140, 200))
	for y := range 200 {
		for x := range 140 {
			img.SetGray(x, y, color.Gray{uint8(x + y/2)})
		}
	}
	return Card{
		Title: "BELGIUM  Identity card",
		Badge: " TEST CARD ",
		Rows: []Row{{"Name", "Peeters"}, {"Given names", "Zoë Åsa"},
			{"Address", "Kerkstraat 12 bus 3, 2000 Antwerpen, in a street whose name goes on for longer than a line of the card can be"}},
		Photo:   img,
		Banners: []Mark{{Good, "INSURED"}, {Bad, "REFUSED: a text that goes on for so long that it does not fit on one line of a narrow card"}, {Doubtful, "INCREASED"}, {Skipped, "LATER"}},
		Marks:   []Mark{{Good, "signed"}, {Bad, "photo differs"}, {Doubtful, "root unknown"}, {Skipped, "not asked"}},
		Notes:   []string{"warning: odd"},
	}
}

// TestFrameIsStraight: every framed line has the same printed width, at every width, palette and content.
func TestFrameIsStraight(t *testing.T) {
	for _, colors := range []Colors{NoColors, Colors256, TrueColors} {
		for _, width := range []int{0, 10, 60, 80, 100, 300} {
			var b strings.Builder
			if err := Write(&b, sample(), colors, width); err != nil {
				t.Fatal(err)
			}
			want := 0
			for _, line := range strings.Split(b.String(), "\n") {
				plain := escapes.ReplaceAllString(line, "")
				if !strings.HasPrefix(plain, "│") && !strings.HasPrefix(plain, "╭") && !strings.HasPrefix(plain, "╰") {
					continue
				}
				if n := utf8.RuneCountInString(plain); want == 0 {
					want = n
				} else if n != want {
					t.Fatalf("colors %d, width %d: line of %d columns, others have %d: %q", colors, width, n, want, plain)
				}
			}
		}
	}
}

func TestWriteShowsEverything(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, sample(), NoColors, 80); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"BELGIUM", "TEST CARD", "Peeters", "Zoë Åsa", "✓ signed", "✗ photo differs", "? root unknown", "– not asked", "warning: odd",
		">>> ✓ INSURED <<<", ">>> ✗ REFUSED", ">>> ! INCREASED <<<", ">>> – LATER <<<"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("escape sequences without colours")
	}
}

// TestCardTextCannotDrive: what stands on a card moves no cursor, sets no title and turns no text round.
func TestCardTextCannotDrive(t *testing.T) {
	evil := "Eve\x1b]0;title\x07\x1b[2J\u202Egnat\u200B\u2066x\r\n\x9b31m\x00\xff"
	if got := Clean(evil); got != "Eve]0;title[2Jgnatx 31m" {
		t.Errorf("Clean = %q", got)
	}
	var b strings.Builder
	c := Card{Title: evil, Badge: evil, Rows: []Row{{evil, evil}}, Banners: []Mark{{Bad, evil}}, Marks: []Mark{{Bad, evil}}, Notes: []string{evil}}
	if err := Write(&b, c, NoColors, 80); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\x07", "\u202E", "\r", "\x00"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%q came through", bad)
		}
	}
}

// TestBannersInColour: a banner fills its line in a colour of its own.
func TestBannersInColour(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, Card{Title: "T", Banners: []Mark{{Good, "YES"}, {Bad, "NO"}, {Doubtful, "LOOK"}}}, Colors256, 60); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x1b[1;37;42m ✓  YES" + strings.Repeat(" ", 49) + "\x1b[0m", "\x1b[1;37;41m ✗  NO", "\x1b[1;30;43m !  LOOK"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %q", want, b.String())
		}
	}
}

func TestHalfBlocks(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 4, 4))
	for x := range 4 {
		img.SetGray(x, 0, color.Gray{255})
		img.SetGray(x, 1, color.Gray{255})
	}
	lines := HalfBlocks(img, 2, TrueColors)
	if len(lines) != 1 || !strings.Contains(lines[0], "38;2;255;255;255;48;2;0;0;0m▀") {
		t.Errorf("HalfBlocks = %q", lines)
	}
	if lines := HalfBlocks(img, 2, Colors256); !strings.Contains(lines[0], "38;5;255;48;5;232m▀") {
		t.Errorf("HalfBlocks in 256 colours = %q", lines)
	}
	if HalfBlocks(img, 2, NoColors) != nil || HalfBlocks(image.NewGray(image.Rectangle{}), 2, TrueColors) != nil {
		t.Error("HalfBlocks without colours or picture should be nil")
	}
}

func TestDetect(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want Colors
	}{
		{map[string]string{"TERM": "xterm-256color"}, Colors256},
		{map[string]string{"TERM": "xterm-256color", "COLORTERM": "truecolor"}, TrueColors},
		{map[string]string{"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, NoColors},
		{map[string]string{"TERM": "dumb", "COLORTERM": "truecolor"}, NoColors},
		{map[string]string{"TERM": "vt100"}, NoColors},
	} {
		if got := Detect(func(k string) string { return test.env[k] }); got != test.want {
			t.Errorf("%v: %d, want %d", test.env, got, test.want)
		}
	}
}
