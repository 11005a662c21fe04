package testcards

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t *testing.T, name string, o Options) *Card {
	t.Helper()
	c, err := Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The PKCS#15 files against the bytes of sheet 7.
func TestPKCS15Bytes(t *testing.T) {
	rsaPrKDF := func(bits string) string {
		return "303A30170C0E41757468656E7469636174696F6E030206C0040101300F04010203020520030203B802020082A10E300C300604043F00DF000202" + bits +
			"303930150C095369676E6174757265030206C004010102010130100401030303060040030203B802020083A10E300C300604043F00DF000202" + bits
	}
	ecPrKDF := "A03A30170C0E41757468656E7469636174696F6E030206C0040101300F04010203020520030203B802020082A10E300C300604043F00DF0002020180" +
		"A03930150C095369676E6174757265030206C004010102010130100401030303060040030203B802020083A10E300C300604043F00DF0002020180"
	const (
		auth17 = "302C 3017 0C0E 41757468656E7469636174696F6E 030206C0 040101 3003 040102 A10C300A3008 04063F00DF005038"
		sign17 = "3027 3012 0C09 5369676E6174757265 030206C0 040101 3003 040103 A10C300A3008 04063F00DF005039"
		auth18 = "302F 3017 0C0E 41757468656E7469636174696F6E 03020640 040101 3006 040102830100 A10C300A3008 04063F00DF005038"
		sign18 = "302A 3012 0C09 5369676E6174757265 03020640 040101 3006 040103830100 A10C300A3008 04063F00DF005039"
		cas17  = "3023 300B 0C02 4341 030206C0 040101 3006 0401040101FF A10C300A3008 04063F00DF00503A" +
			"3025 300D 0C04 526F6F74 030206C0 040101 3006 0401060101FF A10C300A3008 04063F00DF00503B"
		cas18 = "3026 300B 0C02 4341 03020640 040101 3009 0401040101FF830100 A10C300A3008 04063F00DF00503A" +
			"3028 300D 0C04 526F6F74 03020640 040101 3009 0401060101FF830100 A10C300A3008 04063F00DF00503B"
	)
	for _, test := range []struct {
		profile, prkdf, cdf string
		cdfLength           int
	}{
		{"citizen-1.1", rsaPrKDF("0400"), auth17 + sign17 + cas17, 163},
		{"citizen-1.7", rsaPrKDF("0800"), auth17 + sign17 + cas17, 163},
		{"rekeyed-1.7", rsaPrKDF("0800"), auth17 + sign17 + cas17, 163},
		{"no-signature-1.7", rsaPrKDF("0800"), auth17 + cas17, 163},
		{"kid-1.7", rsaPrKDF("0800"), cas17, 163},
		{"citizen-1.8", ecPrKDF, auth18 + sign18 + cas18, 175},
		{"no-signature-1.8", ecPrKDF, auth18 + cas18, 175},
		{"kid-1.8", ecPrKDF, cas18, 175},
	} {
		c := open(t, test.profile, Options{})
		cdf := unhex(t, test.cdf)
		want := map[uint16][]byte{
			0x2F00: unhex(t, "61234F0CA000000177504B43532D3135500642454C50494351043F00DF0073050603603802"),
			0x5031: unhex(t, "A00A300804063F00DF005035A40A300804063F00DF005037A80A300804063F00DF005034"),
			0x5034: unhex(t, "3033300F0C0942617369632050494E030206C03003040101A11B30190302020C0A0100020104020108800101 0401FF300404023F00"),
			0x5035: unhex(t, test.prkdf),
			0x5037: append(cdf, make([]byte, test.cdfLength-len(cdf))...),
		}
		for id, content := range want {
			if got := c.File(id); !bytes.Equal(got, content) {
				t.Errorf("%s: %04X is\n%X, want\n%X", test.profile, id, got, content)
			}
		}
		info := c.File(0x5032)
		if len(info) != 41 || !bytes.Equal(info[:7], unhex(t, "30270201000410")) || !bytes.Equal(info[7:23], c.Serial()) ||
			!bytes.Equal(info[23:37], unhex(t, "800642454C504943030204309E04")) {
			t.Errorf("%s: TokenInfo %X", test.profile, info)
		}
	}
	if n := len(open(t, "citizen-1.7", Options{}).File(0x5035)); n != 119 {
		t.Errorf("PrKDF of %d bytes, want 119", n)
	}
}

// Lengths of sheet 2.1 and 4.
func TestFileSizes(t *testing.T) {
	for _, test := range []struct {
		profile            string
		o                  Options
		register           int // 4032, 4034
		filler, rootFiller int
		absent             int // 5038 without certificate
	}{
		{"citizen-1.1", Options{}, 128, 50, 0, 0},
		{"citizen-1.7", Options{}, 256, 50, 0, 0},
		{"citizen-1.7", Options{NoFiller: true}, 256, 0, 0, 0},
		{"rekeyed-1.7", Options{}, 256, 50, 0, 0},
		{"kid-1.7", Options{}, 256, 50, 0, 1300},
		{"citizen-1.8", Options{}, 104, 1100, 1100, 0},
		{"citizen-1.8", Options{NoFiller: true}, 104, 0, 0, 0},
		{"citizen-1.8-nofiller", Options{}, 104, 0, 0, 0},
		{"kid-1.8", Options{}, 104, 1100, 1100, 2500},
		{"future-1.9", Options{}, 104, 1100, 1100, 0},
	} {
		c := open(t, test.profile, test.o)
		for id, want := range map[uint16]int{0x4032: test.register, 0x4034: test.register, 0x4033: 117, 0x4038: 20, 0x4039: 100} {
			if n := len(c.File(id)); n != want {
				t.Errorf("%s: %04X has %d bytes, want %d", test.profile, id, n, want)
			}
		}
		for id, filler := range map[uint16]int{0x5038: test.filler, 0x503A: test.filler, 0x503B: test.rootFiller, 0x503C: test.rootFiller} {
			content := c.File(id)
			if id == 0x5038 && test.absent > 0 {
				if !bytes.Equal(content, make([]byte, test.absent)) {
					t.Errorf("%s: %04X without certificate: %d bytes", test.profile, id, len(content))
				}
				continue
			}
			if cert := certificate(t, c, id); len(content) != len(cert.Raw)+filler {
				t.Errorf("%s: %04X has %d bytes after the certificate, want %d", test.profile, id, len(content)-len(cert.Raw), filler)
			}
		}
		if is18 := test.register == 104; is18 != (len(c.File(0x4040)) == 120) {
			t.Errorf("%s: 4040 has %d bytes", test.profile, len(c.File(0x4040)))
		}
		if n := len(c.File(0x4035)); n < 2600 || n > 3200 {
			t.Errorf("%s: photo of %d bytes", test.profile, n)
		}
	}
}

// certificate reads a certificate file, by the length its DER gives.
func certificate(t *testing.T, c *Card, id uint16) *x509.Certificate {
	t.Helper()
	b := c.File(id)
	n := 4 + int(b[2])<<8 + int(b[3])
	cert, err := x509.ParseCertificate(b[:n])
	if err != nil {
		t.Fatalf("%04X: %v", id, err)
	}
	return cert
}

func TestAppendTLV(t *testing.T) {
	for n, head := range map[int]string{
		0: "0700", 1: "0701", 127: "077F", 128: "0780", 254: "07FE", 255: "07FF00", 256: "07FF01", 509: "07FFFE", 510: "07FFFF00", 600: "07FFFF5A",
	} {
		b := appendTLV(nil, 7, bytes.Repeat([]byte{'x'}, n))
		if !bytes.HasPrefix(b, unhex(t, head)) || len(b) != len(head)/2+n {
			t.Errorf("%d bytes: %X", n, b[:min(5, len(b))])
		}
		if got := tlvValue(append(b, 0, 0, 0), 7); len(got) != n {
			t.Errorf("%d bytes read back as %d", n, len(got))
		}
	}
	for _, broken := range []string{"", "07", "07FF", "0702AA", "07FFFF", "07FF00"} {
		if total, _ := nextTLV(unhex(t, broken)); total != 0 {
			t.Errorf("%s: a record of %d bytes", broken, total)
		}
	}
}

// The unknown record of applet 1.9 has a length that takes more than a byte.
func TestFutureCardHasALongRecord(t *testing.T) {
	id := open(t, "future-1.9", Options{}).File(0x4031)
	if !bytes.Contains(id, []byte{0x20, 0xFF, 45}) || len(tlvValue(id, 0x20)) != 300 {
		t.Errorf("identity %X", id)
	}
}
