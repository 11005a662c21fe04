package conformance_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/conformance"
)

// plainDriver is the least that passes: what an adapter looks like, and something to make faults in.
type plainDriver struct {
	c      *card.Card
	applet byte
	flaw   string
}

// openWith gives an Open whose drivers have a flaw, or none.
func openWith(flaw string) conformance.Open {
	return func(ctx context.Context, r card.Reader) (conformance.Driver, error) {
		c, err := card.Open(ctx, r)
		if err != nil {
			return nil, err
		}
		d := &plainDriver{c: c, flaw: flaw}
		err = c.Do(ctx, func(tx *card.Tx) error {
			data, err := tx.Send(card.Command{CLA: 0x80, INS: 0xE4, Le: 28})
			if err == nil {
				d.applet = data[21]
			}
			return err
		})
		if err != nil {
			c.Close()
			return nil, err
		}
		return d, nil
	}
}

func (d *plainDriver) Close() error { return d.c.Close() }

func readFile(tx *card.Tx, id uint16) ([]byte, error) {
	df := byte(0x01)
	if id >= 0x5000 {
		df = 0
	}
	if _, err := tx.Send(card.Command{INS: 0xA4, P1: 8, P2: 0x0C, Data: []byte{0x3F, 0, 0xDF, df, byte(id >> 8), byte(id)}}); err != nil {
		return nil, err
	}
	var content []byte
	for {
		data, err := tx.Send(card.Command{INS: 0xB0, P1: byte(len(content) >> 8), P2: byte(len(content)), Le: 256})
		if errors.Is(err, card.ErrOutOfRange) {
			return content, nil
		}
		if err != nil {
			return nil, err
		}
		content = append(content, data...)
		if len(data) < 256 {
			return content, nil
		}
	}
}

func (d *plainDriver) Files(ctx context.Context) (map[uint16][]byte, error) {
	files := map[uint16][]byte{}
	ids := []uint16{0x4031, 0x4032, 0x4033, 0x4034, 0x4035, 0x5038, 0x5039, 0x503A, 0x503B, 0x503C}
	if d.applet >= 0x18 {
		ids = append(ids, 0x4040)
	}
	err := d.c.Do(ctx, func(tx *card.Tx) error {
		for _, id := range ids {
			content, err := readFile(tx, id)
			if err != nil {
				return err
			}
			if id >= 0x5038 && d.flaw != "keeps filler" {
				if content[0] != 0x30 {
					continue
				}
				content = content[:4+int(content[2])<<8+int(content[3])]
			}
			files[id] = content
		}
		return nil
	})
	switch {
	case d.flaw == "hides errors" && err != nil:
		return files, nil
	case d.flaw == "vague errors" && err != nil:
		return nil, errors.New("card error")
	}
	return files, err
}

func (d *plainDriver) Holder(ctx context.Context) (conformance.Holder, error) {
	var id, address []byte
	err := d.c.Do(ctx, func(tx *card.Tx) (err error) {
		if id, err = readFile(tx, 0x4031); err == nil {
			address, err = readFile(tx, 0x4033)
		}
		return err
	})
	text := func(file []byte, tag byte) string {
		for len(file) > 2 {
			n := int(file[1])
			if file[0] == tag {
				return strings.TrimSpace(string(file[2 : 2+n]))
			}
			file = file[2+n:]
		}
		return ""
	}
	return conformance.Holder{CardNumber: text(id, 1), NationalNumber: text(id, 6), Surname: text(id, 7), GivenNames: text(id, 8),
		Nationality: text(id, 0x0A), BirthPlace: text(id, 0x0B), DocumentType: text(id, 0x0F),
		StreetAndNumber: text(address, 1), Zip: text(address, 2), Municipality: text(address, 3)}, err
}

func (d *plainDriver) TriesLeft(ctx context.Context) (left int, err error) {
	left = -1
	err = d.c.Do(ctx, func(tx *card.Tx) error {
		switch {
		case d.flaw == "asks by empty VERIFY":
			_, err := tx.Send(card.Command{INS: 0x20, P2: 1})
			if pin := (*card.PINError)(nil); errors.As(err, &pin) {
				left, err = pin.TriesLeft, nil
			}
			return err
		case d.applet >= 0x18:
			data, err := tx.Send(card.Command{CLA: 0x80, INS: 0xE4, P2: 1, Le: 31})
			if err == nil {
				left = int(data[28])
			}
			return err
		}
		return nil
	})
	return left, err
}

func (d *plainDriver) verify(tx *card.Tx, digits string) error {
	pin, err := card.NewPIN([]byte(digits))
	if err != nil {
		return err
	}
	block, err := pin.Block()
	if err != nil {
		return err
	}
	if d.flaw != "repeats VERIFY" {
		tx.NoRepeat()
	}
	_, err = tx.Send(card.Command{INS: 0x20, P2: 1, Data: block})
	if d.flaw == "tries a wrong PIN twice" && err != nil {
		_, err = tx.Send(card.Command{INS: 0x20, P2: 1, Data: block})
	}
	return err
}

func (d *plainDriver) logOff(tx *card.Tx) {
	if d.flaw != "stays logged in" {
		tx.Send(card.Command{CLA: 0x80, INS: 0xE6})
	}
}

func (d *plainDriver) VerifyPIN(ctx context.Context, pin string) error {
	return d.c.Do(ctx, func(tx *card.Tx) error {
		defer d.logOff(tx)
		return d.verify(tx, pin)
	})
}

var digestInfo = map[crypto.Hash][]byte{
	crypto.SHA256: {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
	crypto.SHA384: {0x30, 0x41, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
	crypto.SHA512: {0x30, 0x51, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
}

func (d *plainDriver) Sign(ctx context.Context, key byte, pin string, hash crypto.Hash, digest []byte) (sig []byte, err error) {
	reference, data := byte(0x01), append(bytes.Clone(digestInfo[hash]), digest...)
	if d.applet >= 0x18 {
		reference, data = 0x40, digest
	}
	err = d.c.Do(ctx, func(tx *card.Tx) error {
		defer d.logOff(tx)
		set := card.Command{INS: 0x22, P1: 0x41, P2: 0xB6, Data: []byte{4, 0x80, reference, 0x84, key}}
		if d.flaw == "VERIFY before MSE" {
			if err := d.verify(tx, pin); err != nil {
				return err
			}
		}
		if _, err := tx.Send(set); err != nil {
			return err
		}
		if d.flaw != "VERIFY before MSE" {
			if err := d.verify(tx, pin); err != nil {
				return err
			}
		}
		sig, err = tx.Send(card.Command{INS: 0x2A, P1: 0x9E, P2: 0x9A, Data: data, Le: 256})
		return err
	})
	if err != nil || d.applet < 0x18 || d.flaw == "raw ECDSA" {
		return sig, err
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:48]), new(big.Int).SetBytes(sig[48:])})
}

func TestAPlainDriverConforms(t *testing.T) {
	t.Parallel()
	if err := conformance.CheckDriver(context.Background(), openWith("")); err != nil {
		t.Error(err)
	}
}

func TestCheckDriverOn(t *testing.T) {
	c := testcards.New(testcards.Citizen18, testcards.Options{Seed: 4, NoFiller: true})
	if err := conformance.CheckDriverOn(context.Background(), c.Reader(), c, openWith("")); err != nil {
		t.Error(err)
	}
}

// Each flaw is noticed.
func TestCheckDriverNoticesFlaws(t *testing.T) {
	t.Parallel()
	flaws := map[string]string{ // and what the violations must speak of
		"keeps filler":            "bytes that are not the",
		"hides errors":            "no error from Files",
		"vague errors":            "want one that wraps",
		"asks by empty VERIFY":    "without data cost a try",
		"tries a wrong PIN twice": "the card has 1 tries left",
		"stays logged in":         "another program could sign",
		"VERIFY before MSE":       "asks for the PIN first", // the card refuses
		"raw ECDSA":               "does not verify",
		"repeats VERIFY":          "sent VERIFY 2 times",
	}
	var all sync.WaitGroup
	for flaw, says := range flaws {
		all.Go(func() {
			err := conformance.CheckDriver(context.Background(), openWith(flaw))
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v", flaw, err)
			}
		})
	}
	all.Wait()
}
