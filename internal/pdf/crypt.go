package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
)

// cryptMethod is how strings or streams are encrypted.
type cryptMethod uint8

const (
	cryptNone cryptMethod = iota
	cryptRC4
	cryptAESV2
	cryptAESV3
)

// crypt is the standard security handler, opened with the empty user password.
// ISO 32000-2, section 7.6.
type crypt struct {
	key              []byte
	strings, streams cryptMethod
	metadata         bool // streams of type Metadata are encrypted too
	dict             uint32
}

// passwordPadding is that of ISO 32000-1, algorithm 2 step a.
var passwordPadding = []byte("\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08" +
	"\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A")

// Encrypted tells whether the file is encrypted; if so it opened without a password.
func (f *File) Encrypted() bool { return f.crypt != nil }

// setupCrypt prepares decryption if the newest trailer asks for it.
func (f *File) setupCrypt() error {
	if f.crypt != nil || len(f.revisions) == 0 {
		return nil
	}
	v := f.Last()
	trailer := v.Trailer()
	if trailer["Encrypt"] == nil {
		return nil
	}
	d := v.Dict(trailer["Encrypt"])
	if d == nil {
		return fmt.Errorf("%w: its Encrypt dictionary is missing", ErrEncrypted)
	}
	if v.Name(d["Filter"]) != "Standard" {
		return fmt.Errorf("%w by %q, not by a password", ErrEncrypted, v.Name(d["Filter"]))
	}
	c := &crypt{metadata: true}
	if r, ok := trailer["Encrypt"].(Ref); ok {
		c.dict = r.Num
	}
	if m, ok := v.Resolve(d["EncryptMetadata"]).(bool); ok {
		c.metadata = m
	}
	length := Int(v.Resolve(d["Length"]), 40) / 8
	switch version := Int(v.Resolve(d["V"]), 0); version {
	case 1:
		length = 5
		c.strings, c.streams = cryptRC4, cryptRC4
	case 2, 3:
		c.strings, c.streams = cryptRC4, cryptRC4
	case 4, 5:
		if version == 4 {
			length = 16
		}
		filters := v.Dict(d["CF"])
		c.strings = v.cryptMethod(filters, v.Name(d["StrF"]))
		c.streams = v.cryptMethod(filters, v.Name(d["StmF"]))
	default:
		return fmt.Errorf("%w: version %d of the standard handler is not known", ErrEncrypted, version)
	}
	if length < 5 || length > 16 {
		length = 16
	}
	revision := Int(v.Resolve(d["R"]), 0)
	var id []byte
	if ids := v.Array(trailer["ID"]); len(ids) > 0 {
		if s, ok := v.Resolve(ids[0]).(String); ok {
			id = []byte(s.Value)
		}
	}
	err := c.open(v, d, revision, int(length), id)
	if err != nil {
		return err
	}
	f.crypt = c
	clear(f.objects) // read before there was a key
	clear(f.streams)
	f.held = 0
	return nil
}

func (v *View) cryptMethod(filters Dict, name Name) cryptMethod {
	if name == "" || name == "Identity" {
		return cryptNone
	}
	switch v.Name(v.Dict(filters[name])["CFM"]) {
	case "V2":
		return cryptRC4
	case "AESV2":
		return cryptAESV2
	case "AESV3":
		return cryptAESV3
	}
	return cryptNone
}

// open derives the file key from the empty password and checks it.
func (c *crypt) open(v *View, d Dict, revision int64, length int, id []byte) error {
	bytesOf := func(key Name) []byte {
		s, _ := v.Resolve(d[key]).(String)
		return []byte(s.Value)
	}
	o, u := bytesOf("O"), bytesOf("U")
	needPassword := fmt.Errorf("%w: it opens with a password only", ErrEncrypted)
	if revision >= 5 {
		return c.openAES256(revision, u, bytesOf("UE"), needPassword)
	}
	if revision < 2 || len(o) < 32 || len(u) < 16 {
		return fmt.Errorf("%w: its Encrypt dictionary is damaged", ErrEncrypted)
	}
	h := md5.New()
	h.Write(passwordPadding)
	h.Write(o[:32])
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(Int(v.Resolve(d["P"]), 0))))
	h.Write(id)
	if revision >= 4 && !c.metadata {
		h.Write([]byte{0xff, 0xff, 0xff, 0xff})
	}
	key := h.Sum(nil)
	if revision >= 3 {
		for range 50 {
			sum := md5.Sum(key[:length])
			key = sum[:]
		}
	} else {
		length = 5
	}
	c.key = key[:length]
	if revision == 2 {
		if !bytes.Equal(rc4With(c.key, passwordPadding), u[:min(32, len(u))]) {
			return needPassword
		}
		return nil
	}
	sum := md5.Sum(append(append([]byte{}, passwordPadding...), id...))
	check := rc4With(c.key, sum[:])
	for i := byte(1); i <= 19; i++ {
		k := bytes.Clone(c.key)
		for j := range k {
			k[j] ^= i
		}
		check = rc4With(k, check)
	}
	if !bytes.Equal(check, u[:16]) {
		return needPassword
	}
	return nil
}

// openAES256 is ISO 32000-2, algorithm 2.A, for the empty user password.
func (c *crypt) openAES256(revision int64, u, ue []byte, needPassword error) error {
	if len(u) < 48 || len(ue) < 32 {
		return fmt.Errorf("%w: its Encrypt dictionary is damaged", ErrEncrypted)
	}
	hash := func(salt []byte) []byte {
		if revision == 5 {
			sum := sha256.Sum256(salt)
			return sum[:]
		}
		return hardenedHash(salt)
	}
	if !bytes.Equal(hash(u[32:40]), u[:32]) {
		return needPassword
	}
	block, err := aes.NewCipher(hash(u[40:48]))
	if err != nil {
		return fmt.Errorf("%w: %v", ErrEncrypted, err)
	}
	c.key = make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(c.key, ue[:32])
	return nil
}

// hardenedHash is ISO 32000-2, algorithm 2.B, with the empty password.
func hardenedHash(salt []byte) []byte {
	sum := sha256.Sum256(salt)
	k := sum[:]
	for round := 0; ; round++ {
		e := bytes.Repeat(k, 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(e, e)
		mod := 0
		for _, b := range e[:16] {
			mod += int(b)
		}
		switch mod % 3 {
		case 0:
			s := sha256.Sum256(e)
			k = s[:]
		case 1:
			s := sha512.Sum384(e)
			k = s[:]
		default:
			s := sha512.Sum512(e)
			k = s[:]
		}
		if round >= 63 && int(e[len(e)-1]) <= round-31 {
			return k[:32]
		}
	}
}

func rc4With(key, data []byte) []byte {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return nil
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out
}

// decrypt decrypts the bytes of an object. ISO 32000-1, algorithm 1.
func (c *crypt) decrypt(method cryptMethod, id Ref, data []byte) ([]byte, error) {
	key := c.key
	if method == cryptRC4 || method == cryptAESV2 {
		k := append(bytes.Clone(key), byte(id.Num), byte(id.Num>>8), byte(id.Num>>16), byte(id.Gen), byte(id.Gen>>8))
		if method == cryptAESV2 {
			k = append(k, "sAlT"...)
		}
		sum := md5.Sum(k)
		key = sum[:min(len(c.key)+5, 16)]
	}
	switch method {
	case cryptNone:
		return data, nil
	case cryptRC4:
		return rc4With(key, data), nil
	}
	if len(data) == 0 {
		return data, nil
	}
	if len(data)%aes.BlockSize != 0 || len(data) < aes.BlockSize {
		return nil, errors.New("encrypted data of odd length")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(data)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(out, data[aes.BlockSize:])
	if n := len(out); n > 0 && int(out[n-1]) <= aes.BlockSize && int(out[n-1]) <= n {
		out = out[:n-int(out[n-1])]
	}
	return out, nil
}

func (f *File) decryptStream(s *Stream, raw []byte) ([]byte, error) {
	c := f.crypt
	if c == nil || s.plain || s.Dict["Type"] == Name("XRef") || !c.metadata && s.Dict["Type"] == Name("Metadata") {
		return raw, nil
	}
	if filter, ok := s.Dict["Filter"].(Array); ok && len(filter) > 0 && filter[0] == Name("Crypt") {
		return raw, nil // Identity, the only crypt filter in use for single streams
	} else if s.Dict["Filter"] == Name("Crypt") {
		return raw, nil
	}
	return c.decrypt(c.streams, s.id, raw)
}

// decryptObject decrypts the strings of an object that was read from the file
// itself. The Contents of a signature is never encrypted.
func (f *File) decryptObject(in *Indirect) {
	if f.crypt == nil || f.crypt.strings == cryptNone || in.Ref.Num == f.crypt.dict {
		return
	}
	in.Value = f.decryptStrings(in.Value, in.Ref)
}

func (f *File) decryptStrings(o Object, id Ref) Object {
	switch o := o.(type) {
	case String:
		if out, err := f.crypt.decrypt(f.crypt.strings, id, []byte(o.Value)); err == nil {
			o.Value = string(out)
		}
		return o
	case Array:
		for i := range o {
			o[i] = f.decryptStrings(o[i], id)
		}
	case Dict:
		_, signature := o["ByteRange"]
		for k := range o {
			if !signature || k != "Contents" {
				o[k] = f.decryptStrings(o[k], id)
			}
		}
	case *Stream:
		f.decryptStrings(o.Dict, id)
	}
	return o
}
