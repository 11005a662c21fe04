package xmldsig

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// singleByte are the encodings of one byte a character that are read.
var singleByte = map[string]*charmap.Charmap{
	"iso-8859-1": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "iso-8859-2": charmap.ISO8859_2, "iso-8859-3": charmap.ISO8859_3,
	"iso-8859-4": charmap.ISO8859_4, "iso-8859-5": charmap.ISO8859_5, "iso-8859-7": charmap.ISO8859_7, "iso-8859-9": charmap.ISO8859_9,
	"iso-8859-10": charmap.ISO8859_10, "iso-8859-13": charmap.ISO8859_13, "iso-8859-14": charmap.ISO8859_14, "iso-8859-15": charmap.ISO8859_15,
	"iso-8859-16": charmap.ISO8859_16, "windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251, "windows-1252": charmap.Windows1252,
	"windows-1253": charmap.Windows1253, "windows-1254": charmap.Windows1254, "windows-1257": charmap.Windows1257,
}

var bomUTF8 = []byte("\xEF\xBB\xBF")

// decode brings data to UTF-8 without byte order mark. l tells where in data the text stands. XML 1.0, 4.3.3 and appendix F.
func decode(data []byte) (text, encoding string, l layout, err error) {
	switch {
	case bytes.HasPrefix(data, bomUTF8):
		return decodeBytes(data, len(bomUTF8), true)
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return decodeUTF16(data, 2, binary.BigEndian, "utf-16be")
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return decodeUTF16(data, 2, binary.LittleEndian, "utf-16le")
	case bytes.HasPrefix(data, []byte{0, '<', 0, '?'}):
		return decodeUTF16(data, 0, binary.BigEndian, "utf-16be")
	case bytes.HasPrefix(data, []byte{'<', 0, '?', 0}):
		return decodeUTF16(data, 0, binary.LittleEndian, "utf-16le")
	}
	return decodeBytes(data, 0, false)
}

// decodeBytes reads an encoding that has ASCII in it.
func decodeBytes(data []byte, skip int, marked bool) (text, encoding string, l layout, err error) {
	encoding = declared(data[skip:])
	switch {
	case encoding == "utf-8" || encoding == "utf8" || encoding == "":
	case marked:
		return "", "", layout{}, refusedf("a byte order mark of UTF-8 and the declaration of %.40q", encoding)
	case encoding == "us-ascii" || encoding == "ascii":
		for i, c := range data {
			if c >= 0x80 {
				return "", "", layout{}, refusedf("byte %#x at %d is not US-ASCII", c, i)
			}
		}
		return string(data), "us-ascii", layout{0, widthUTF8}, nil
	default:
		table := tableOf(encoding)
		if table == nil {
			return "", "", layout{}, refusedf("encoding %.40q", encoding)
		}
		return decodeTable(data, table, encoding)
	}
	if !utf8.Valid(data) {
		return "", "", layout{}, refusedf("not well-formed UTF-8")
	}
	return string(data[skip:]), "utf-8", layout{skip, widthUTF8}, nil
}

// tableOf is the table of an encoding of one byte a character, nil if it is none that is known.
func tableOf(encoding string) *charmap.Charmap {
	return singleByte[strings.ReplaceAll(strings.Replace(encoding, "iso8859", "iso-8859", 1), "_", "-")]
}

func decodeTable(data []byte, table *charmap.Charmap, encoding string) (string, string, layout, error) {
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for i, c := range data {
		r := table.DecodeByte(c)
		if r == utf8.RuneError {
			return "", "", layout{}, refusedf("byte %#x at %d is nothing in %s", c, i, encoding)
		}
		b.WriteRune(r)
	}
	return b.String(), encoding, layout{0, widthTable}, nil
}

func decodeUTF16(data []byte, skip int, order binary.ByteOrder, encoding string) (string, string, layout, error) {
	if len(data)%2 != 0 {
		return "", "", layout{}, refusedf("UTF-16 of an odd length")
	}
	var b strings.Builder
	b.Grow(len(data)/2 + len(data)/16)
	for i := skip; i < len(data); i += 2 {
		r := rune(order.Uint16(data[i:]))
		if r >= 0xD800 && r < 0xE000 {
			if r >= 0xDC00 || i+4 > len(data) {
				return "", "", layout{}, refusedf("half a surrogate pair at %d", i)
			}
			low := rune(order.Uint16(data[i+2:]))
			if low < 0xDC00 || low > 0xDFFF {
				return "", "", layout{}, refusedf("half a surrogate pair at %d", i)
			}
			r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
			i += 2
		}
		b.WriteRune(r)
	}
	text := b.String()
	if name := declared([]byte(text[:min(len(text), maxDeclaration)])); name != "" && name != "utf-16" && name != encoding {
		return "", "", layout{}, refusedf("UTF-16 with the declaration of %.40q", name)
	}
	return text, encoding, layout{skip, widthUTF16}, nil
}

// maxDeclaration is how long the XML declaration may be.
const maxDeclaration = 512

// declared returns the encoding that the XML declaration names, in lower case, empty if it names none. The declaration itself is
// checked by the parser.
func declared(data []byte) string {
	data = data[:min(len(data), maxDeclaration)]
	if rest, ok := bytes.CutPrefix(data, []byte("<?xml")); !ok || len(rest) == 0 || !bytes.ContainsRune([]byte(" \t\r\n"), rune(rest[0])) {
		return "" // or a processing instruction whose name begins with xml
	}
	end := bytes.Index(data, []byte("?>"))
	if end < 0 {
		return ""
	}
	_, rest, ok := bytes.Cut(data[:end], []byte("encoding"))
	if !ok {
		return ""
	}
	rest = bytes.TrimLeft(rest, " \t\r\n=")
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	value, _, _ := bytes.Cut(rest[1:], rest[:1])
	return strings.ToLower(string(value))
}
