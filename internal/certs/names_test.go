package certs_test

import (
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/certs"
)

// name encodes a Name: each argument is a relative name of attributes, "3:12:Proef" being id-at 3, tag 12.
func name(t testing.TB, rdns ...[]string) []byte {
	t.Helper()
	var body [][]byte
	for _, rdn := range rdns {
		var set [][]byte
		for _, a := range rdn {
			kind, rest, _ := strings.Cut(a, ":")
			tag, text, ok := strings.Cut(rest, ":")
			if !ok {
				t.Fatal(a)
			}
			numbers := map[string]byte{"3": 3, "5": 5, "6": 6, "10": 10, "12": 12, "19": 19, "22": 22, "30": 30, "20": 20, "28": 28, "4": 4, "2": 2, "18": 18}
			set = append(set, der(0x30, []byte{6, 3, 0x55, 4, numbers[kind]}, der(numbers[tag], []byte(text))))
		}
		body = append(body, der(0x31, set...))
	}
	return der(0x30, body...)
}

func one(a ...string) []string { return a }

func TestEqualName(t *testing.T) {
	t.Parallel()
	be := one("6:19:BE")
	tests := []struct {
		what  string
		a, b  []byte
		equal bool
	}{
		{"the same", name(t, be, one("3:19:Root")), name(t, be, one("3:19:Root")), true},
		{"case", name(t, be, one("3:19:Root")), name(t, be, one("3:19:rOOT")), true},
		{"spaces", name(t, be, one("3:19:Root CA  2")), name(t, be, one("3:19:  Root  CA 2 ")), true},
		{"no space", name(t, be, one("3:19:RootCA")), name(t, be, one("3:19:Root CA")), false},
		{"Printable and UTF8", name(t, be, one("3:19:Root")), name(t, be, one("3:12:root")), true},
		{"BMP and UTF8", name(t, be, one("3:30:\x00R\x00\xe9")), name(t, be, one("3:12:ré")), true},
		{"Universal and UTF8", name(t, be, one("3:28:\x00\x00\x00R\x00\x01\xf6\x00")), name(t, be, one("3:12:r😀")), true},
		{"Teletex and UTF8", name(t, be, one("3:20:R\xe9")), name(t, be, one("3:12:RÉ")), true},
		{"composed", name(t, be, one("3:12:re\u0301")), name(t, be, one("3:12:R\u00c9")), true},
		{"sharp s", name(t, be, one("3:12:straße")), name(t, be, one("3:12:STRASSE")), true},
		{"no-break space and soft hyphen", name(t, be, one("3:12:a\u00a0b\u00ad")), name(t, be, one("3:19:a b")), true},
		{"another value", name(t, be, one("3:19:Root")), name(t, be, one("3:19:Root2")), false},
		{"another type", name(t, be, one("3:19:Root")), name(t, be, one("10:19:Root")), false},
		{"order", name(t, be, one("3:19:Root")), name(t, one("3:19:Root"), be), false},
		{"shorter", name(t, be, one("3:19:Root")), name(t, be), false},
		{"one relative name or two", name(t, one("6:19:BE", "3:19:Root")), name(t, be, one("3:19:Root")), false},
		{"order in a relative name", name(t, one("6:19:BE", "3:19:Root")), name(t, one("3:19:root", "6:19:be")), true},
		{"twice in a relative name", name(t, one("3:19:a", "3:19:a")), name(t, one("3:19:a")), false},
		{"value that is no string", name(t, one("3:2:\x05")), name(t, one("3:2:\x05")), true},
		{"other value that is no string", name(t, one("3:2:\x05")), name(t, one("3:4:\x05")), false},
		{"broken strings", name(t, one("3:12:\xff")), name(t, one("3:12:\xfe")), false},
		{"broken and empty", name(t, one("3:30:\x00")), name(t, one("3:30:")), false},
		{"empty", name(t), name(t), true},
		{"empty and not", name(t), name(t, be), false},
		{"malformed, the same", []byte{1}, []byte{1}, true},
		{"malformed", []byte{1}, []byte{2}, false},
		{"empty set", []byte{0x30, 2, 0x31, 0}, name(t), false},
	}
	for _, tt := range tests {
		if certs.EqualName(tt.a, tt.b) != tt.equal || certs.EqualName(tt.b, tt.a) != tt.equal {
			t.Errorf("%s: want %t", tt.what, tt.equal)
		}
		if (certs.NameKey(tt.a) == certs.NameKey(tt.b)) != tt.equal {
			t.Errorf("%s: keys %q and %q, want %t", tt.what, certs.NameKey(tt.a), certs.NameKey(tt.b), tt.equal)
		}
	}
}

func TestNameString(t *testing.T) {
	t.Parallel()
	tests := []struct {
		raw  []byte
		want string
	}{
		{name(t, one("6:19:BE"), one("3:12:Proef, \"het\" +<>;\\ CA")), `CN=Proef\, \"het\" \+\<\>\;\\ CA,C=BE`},
		{name(t, one("3:12: a "), one("10:12:#b")), `O=\#b,CN=\ a\ `},
		{name(t, one("3:12:a\n\x00")), `CN=a\0a\00`},
		{name(t, one("3:12:a", "5:19:1")), "CN=a+serialNumber=1"},
		{name(t, one("3:2:\x05")), "CN=#020105"},
		{name(t, one("22:19:x")), "2.5.4.22=x"},
		{name(t), ""},
		{[]byte{0x30}, "#30"},
	}
	for _, tt := range tests {
		if got := certs.NameString(tt.raw); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
	// openssl's own rendering by RFC 2253, which has no escapes where there is nothing to escape.
	c := ordinary(t, signKey(t))
	path := writeFile(t, "c.der", c.Raw)
	out := mustOpenSSL(t, "x509", "-in", path, "-noout", "-subject", "-nameopt", "RFC2253")
	if got := "subject=" + certs.NameString(c.RawSubject); got != strings.TrimSpace(string(out)) {
		t.Errorf("%s, openssl %s", got, out)
	}
}

func TestNameBounds(t *testing.T) {
	t.Parallel()
	var many [][]string
	for range 256 {
		many = append(many, one("3:12:a"))
	}
	if list, ok := certs.NameAttributes(name(t, many...)); !ok || len(list) != 256 {
		t.Errorf("256 attributes: %d %t", len(list), ok)
	}
	if _, ok := certs.NameAttributes(name(t, append(many, one("3:12:a"))...)); ok {
		t.Error("257 attributes")
	}
	if _, ok := certs.NameAttributes(name(t, one("3:12:"+strings.Repeat("a", 65000)))); !ok {
		t.Error("65,000 bytes")
	}
	if _, ok := certs.NameAttributes(name(t, one("3:12:"+strings.Repeat("a", 65600)))); ok {
		t.Error("65,600 bytes")
	}
}

func TestMatchNameString(t *testing.T) {
	t.Parallel()
	raw := name(t, one("6:19:BE"), one("10:12:Proef, NV"), one("3:12:Proef CA", "5:19:201404"))
	for text, want := range map[string]bool{
		`CN=Proef CA+serialNumber=201404,O=Proef\, NV,C=BE`:                   true,
		`C=BE, O="Proef, NV", SERIALNUMBER=201404 + cn=proef  ca`:             true,
		`CN=Proef CA+2.5.4.5=201404;O=Proef\2c NV;C=BE`:                       true,
		`CN=Proef CA+OID.2.5.4.5=#1306323031343034,O=Proef\, NV,C=BE`:         true,
		`2.5.4.3=#0c0850726f6566204341+SERIALNUMBER=201404,O=Proef\, NV,C=BE`: true,
		`CN=Proef CA,O=Proef\, NV,C=BE`:                                       false,
		`CN=Proef CB+serialNumber=201404,O=Proef\, NV,C=BE`:                   false,
		`CN=Proef CA+serialNumber=201404,O=Proef\, NV,C=BE,C=BE`:              false,
		`C=BE,C=BE,O=Proef\, NV,CN=Proef CA`:                                  false,
		``:                                                                    false,
		`=`:                                                                   false,
		`CN`:                                                                  false,
		`CN=#0c08`:                                                            false,
		`unknown=Proef CA,O=Proef\, NV,C=BE,serialNumber=201404`:              false,
		`CN="Proef CA`:                                                        false,
		`CN=Proef CA+serialNumber=201404,O=Proef\, NV,C=BE` + strings.Repeat(",C=BE", 20000): false,
	} {
		if got := certs.MatchNameString(text, raw); got != want {
			t.Errorf("%.100s: %t", text, got)
		}
	}
}
