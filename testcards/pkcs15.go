package testcards

import "slices"

// The PKCS#15 files, byte for byte as the card content documents print them (sheet 7). They are built from DER here only where
// cards differ among themselves.

func der(tag byte, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return append([]byte{tag, byte(len(body))}, body...) // all bodies here are under 128 bytes
}

// path3F00 is an ODF or CDF path, OCTET STRING of 3F00, DF00 and perhaps a file.
func path3F00(ids ...byte) []byte { return der(0x04, []byte{0x3F, 0x00, 0xDF, 0x00}, ids) }

func efDIR() []byte {
	return der(0x61,
		der(0x4F, belpicAID),
		der(0x50, []byte("BELPIC")),
		der(0x51, []byte{0x3F, 0x00, 0xDF, 0x00}),
		der(0x73, der(0x06, []byte{0x60, 0x38, 0x02})))
}

func efODF() []byte {
	entry := func(tag, low byte) []byte { return der(tag, der(0x30, path3F00(0x50, low))) }
	return slices.Concat(entry(0xA0, 0x35), entry(0xA4, 0x37), entry(0xA8, 0x34))
}

func efTokenInfo(serial []byte, versions [4]byte) []byte {
	return der(0x30,
		der(0x02, []byte{0}),
		der(0x04, serial),
		der(0x80, []byte("BELPIC")),
		[]byte{0x03, 0x02, 0x04, 0x30},
		[]byte{0x9E, 0x04}, versions[:])
}

func efAODF() []byte {
	return der(0x30,
		der(0x30, der(0x0C, []byte("Basic PIN")), []byte{0x03, 0x02, 0x06, 0xC0}),
		der(0x30, der(0x04, []byte{1})),
		der(0xA1, der(0x30,
			[]byte{0x03, 0x02, 0x02, 0x0C}, // PIN flags
			der(0x0A, []byte{0}),           // type: BCD
			der(0x02, []byte{4}),           // shortest
			der(0x02, []byte{8}),           // stored length
			der(0x80, []byte{1}),           // reference
			der(0x04, []byte{0xFF}),        // filler
			der(0x30, der(0x04, []byte{0x3F, 0x00})))))
}

// efPrKDF lists keys 82 and 83. The outer tag tells RSA from EC.
func efPrKDF(ec bool, bits int) []byte {
	outer := byte(0x30)
	if ec {
		outer = 0xA0
	}
	private := []byte{0x03, 0x02, 0x06, 0xC0}
	where := der(0xA1, der(0x30, der(0x30, path3F00()), der(0x02, []byte{byte(bits >> 8), byte(bits)})))
	return slices.Concat(
		der(outer,
			der(0x30, der(0x0C, []byte("Authentication")), private, der(0x04, []byte{1})),
			der(0x30, der(0x04, []byte{2}), []byte{0x03, 0x02, 0x05, 0x20}, []byte{0x03, 0x02, 0x03, 0xB8}, der(0x02, []byte{0, 0x82})),
			where),
		der(outer,
			der(0x30, der(0x0C, []byte("Signature")), private, der(0x04, []byte{1}), der(0x02, []byte{1})), // PIN before every use
			der(0x30, der(0x04, []byte{3}), []byte{0x03, 0x03, 0x06, 0x00, 0x40}, []byte{0x03, 0x02, 0x03, 0xB8}, der(0x02, []byte{0, 0x83})),
			where))
}

// cdfEntry is a certificate of the directory.
type cdfEntry struct {
	label     string
	id        byte
	file      byte // low byte of its identifier
	authority bool
}

// efCDF lists the certificates that are there. Entries left out leave zeros at the end: the file keeps its length.
func efCDF(ec bool, entries []cdfEntry) []byte {
	length := 163
	flags, implicit := []byte{0x03, 0x02, 0x06, 0xC0}, []byte(nil)
	if ec {
		length = 175
		flags, implicit = []byte{0x03, 0x02, 0x06, 0x40}, []byte{0x83, 0x01, 0x00}
	}
	var out []byte
	for _, e := range entries {
		var authority []byte
		if e.authority {
			authority = []byte{0x01, 0x01, 0xFF}
		}
		out = append(out, der(0x30,
			der(0x30, der(0x0C, []byte(e.label)), flags, der(0x04, []byte{1})),
			der(0x30, der(0x04, []byte{e.id}), authority, implicit),
			der(0xA1, der(0x30, der(0x30, path3F00(0x50, e.file)))))...)
	}
	return append(out, make([]byte, length-len(out))...)
}
