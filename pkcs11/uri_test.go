package pkcs11

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	for s, want := range map[string]URI{
		"pkcs11:":               {},
		"PKCS11:":               {},
		"pkcs11:?":              {},
		"pkcs11:object=my-sign": {Object: new("my-sign")},
		// RFC 7512 section 3, with pin-value left out.
		"pkcs11:object=my-pubkey;type=public": {Object: new("my-pubkey"), Type: "public"},
		"pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;" +
			"type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin": {
			Token: new("The Software PKCS#11 Softtoken"), Manufacturer: new("Snake Oil, Inc."), Model: new("1.0"), Serial: new(""),
			Object: new("my-certificate"), Type: "cert", ID: []byte("\x69\x95\x3e\x5c\xf4\xbd\xec\x91"), PINSource: "file:/etc/token_pin"},
		"pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23": {
			LibraryManufacturer: new("Snake Oil, Inc."), LibraryDescription: new("Soft Token Library"), LibraryVersion: "1.23"},
		"pkcs11:slot-description=Sun%20Metaslot;slot-manufacturer=S;slot-id=327": {SlotDescription: new("Sun Metaslot"), SlotManufacturer: new("S"), SlotID: new(uint(327))},
		"pkcs11:token=A%20%e2%82%ac;vendor-a=1;vendor_b=%00;vendor-a=2?vendor-q=x&vendor-q=y|/?&module-path=/usr/lib/x.so&module-name=x": {
			Token: new("A \u20ac"), ModulePath: "/usr/lib/x.so", ModuleName: "x"},
		"pkcs11:token=a&b=c": {Token: new("a&b=c")},
		"pkcs11:id=":         {ID: []byte{}},
	} {
		u, err := ParseURI(s)
		if err != nil || !reflect.DeepEqual(u, want) {
			t.Errorf("%s: %+v, %v", s, u, err)
			continue
		}
		if again, err := ParseURI(u.String()); err != nil || !reflect.DeepEqual(again, u) {
			t.Errorf("%s becomes %s: %+v, %v", s, u, again, err)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	for _, s := range []string{
		"", "pkcs11", "pkcs12:", "http://example.be", "pkcs11:token", "pkcs11:=x", "pkcs11:token=a;", "pkcs11:;token=a", "pkcs11:token=a;;id=%01",
		"pkcs11:token=a;token=b", "pkcs11:id=%01;id=%01", "pkcs11:?module-path=/a&module-path=/b", "pkcs11:?&", "pkcs11:?pin-source",
		"pkcs11:token=a b", "pkcs11:token=a/b", "pkcs11:token=a?b", "pkcs11:token=a#b", "pkcs11:token=\u20ac", "pkcs11:token=a\n", "pkcs11:token=%", "pkcs11:token=%2",
		"pkcs11:token=%2g", "pkcs11:token=%+1", "pkcs11:to ken=a", "pkcs11:t%6fken=a",
		"pkcs11:type=key", "pkcs11:type=", "pkcs11:slot-id=", "pkcs11:slot-id=x", "pkcs11:slot-id=-1", "pkcs11:slot-id=+1", "pkcs11:slot-id=99999999999999999999",
		"pkcs11:library-version=", "pkcs11:library-version=1.", "pkcs11:library-version=.1", "pkcs11:library-version=1.2.3", "pkcs11:library-version=256",
		"pkcs11:library-version=v1", "pkcs11:token=" + strings.Repeat("a", maxURI), "pkcs11:" + strings.Repeat("v=1;", 200) + "v=1",
	} {
		if _, err := ParseURI(s); !errors.Is(err, ErrURI) {
			t.Errorf("%.40q: %v", s, err)
		}
	}
	_, err := ParseURI("pkcs11:token=a?pin-value=84713")
	if !errors.Is(err, ErrPINValue) || strings.Contains(err.Error(), "84713") {
		t.Error(err)
	}
	for _, s := range []string{"pkcs11:?pin-value=84 713", "pkcs11:?pin-value=84%7", "pkcs11:?pin-value=84713&pin-value=84713", "pkcs11:?a=84713\n"} {
		if _, err := ParseURI(s); !errors.Is(err, ErrURI) || strings.Contains(err.Error(), "84") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	for _, s := range []string{
		"pkcs11:", "pkcs11:token=a%20b;id=%01%ff;type=private?module-path=/usr/lib/x.so&pin-source=file:/etc/pin", "pkcs11:slot-id=7;library-version=1.2;serial=",
		"pkcs11:object=a;x-vendor=1?x=|/?", "pkcs11:token=%", "pkcs11:?pin-value=1234",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			if !errors.Is(err, ErrURI) {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := ParseURI(u.String())
		if err != nil || !reflect.DeepEqual(u, again) {
			t.Fatalf("%q becomes %q: %+v, then %+v, %v", s, u.String(), u, again, err)
		}
	})
}

func TestVersions(t *testing.T) {
	for _, test := range []struct {
		want, is string
		same     bool
	}{{"", "2.6", true}, {"2.6", "2.6", true}, {"2", "2.0", true}, {"2", "2.6", false}, {"02.06", "2.6", true}, {"2.60", "2.6", false}} {
		if sameVersion(test.want, test.is) != test.same {
			t.Errorf("%q of %q", test.want, test.is)
		}
	}
}

// Every code has its name, no text of a code or sentinel is empty, and what is unknown is the module's fault.
func TestErrors(t *testing.T) {
	for code, m := range codes {
		e := &Error{"C_Sign", code}
		if !strings.HasPrefix(m.name, "CKR_") || !errors.Is(e, m.err) || !strings.Contains(e.Error(), "C_Sign: "+m.name) {
			t.Errorf("%#x: %v", code, e)
		}
	}
	if e := error(&Error{"C_Sign", 0x80001234}); !errors.Is(e, ErrModule) || !strings.Contains(e.Error(), "0x80001234") {
		t.Error(e)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := NewSecret([]byte("geheim"))
	type holder struct{ s Secret }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{s, holder{s}, &holder{s}, []Secret{s}} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "geheim") || strings.Contains(out, "67656865") || strings.Contains(out, "103") {
				t.Errorf("%s of %T: %s", verb, v, out)
			}
		}
	}
	s.Wipe()
	s.Wipe()
	if err := s.Reveal(func(b []byte) error {
		if len(b) != 0 {
			return errors.New("still there")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
