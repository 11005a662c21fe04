package conformance_test

import (
	"context"
	"crypto"
	"fmt"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/conformance"
)

// beidDriver makes the project's own driver one that can be judged: an adapter as others would write it.
type beidDriver struct{ c *beid.Card }

func openBeid(ctx context.Context, r card.Reader) (conformance.Driver, error) {
	c, err := beid.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	return beidDriver{c}, nil
}

func (d beidDriver) Close() error { return d.c.Close() }

func (d beidDriver) Files(ctx context.Context) (map[uint16][]byte, error) {
	f, err := d.c.ReadAll(ctx, nil)
	return map[uint16][]byte{
		0x4031: f.Identity, 0x4032: f.IdentitySignature, 0x4033: f.Address, 0x4034: f.AddressSignature, 0x4035: f.Photo, 0x4040: f.BasicKey,
		0x5038: f.Authentication, 0x5039: f.Signature, 0x503A: f.CA, 0x503B: f.Root, 0x503C: f.RRN,
	}, err
}

func (d beidDriver) Holder(ctx context.Context) (conformance.Holder, error) {
	id, err := d.c.Identity(ctx)
	if err != nil {
		return conformance.Holder{}, err
	}
	address, err := d.c.Address(ctx)
	if err != nil {
		return conformance.Holder{}, err
	}
	return conformance.Holder{
		CardNumber: id.CardNumber, NationalNumber: id.NationalNumber, Surname: id.Surname, GivenNames: id.GivenNames,
		Nationality: id.Nationality, BirthPlace: id.BirthPlace, DocumentType: string(id.DocumentType),
		StreetAndNumber: address.StreetAndNumber, Zip: address.Zip, Municipality: address.Municipality,
	}, nil
}

func (d beidDriver) TriesLeft(ctx context.Context) (int, error) { return d.c.PINTries(ctx) }

// answering is a holder who types these digits.
func answering(pin string) beid.PINFunc {
	return func(context.Context, beid.PINRequest) (card.PIN, error) { return card.NewPIN([]byte(pin)) }
}

func (d beidDriver) VerifyPIN(ctx context.Context, pin string) error {
	return d.c.VerifyPIN(ctx, answering(pin))
}

func (d beidDriver) Sign(ctx context.Context, key byte, pin string, hash crypto.Hash, digest []byte) ([]byte, error) {
	find := d.c.AuthenticationKey
	if key == 0x83 {
		find = d.c.SigningKey
	}
	k, err := find(ctx, answering(pin))
	if err != nil {
		return nil, err
	}
	return k.Sign(nil, digest, hash)
}

func TestBeidConforms(t *testing.T) {
	if err := conformance.CheckDriver(context.Background(), openBeid); err != nil {
		t.Error(err)
	}
}

func TestBeidConformsThroughPCSC(t *testing.T) {
	d := pcscdtest.Start(t)
	for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
		c, err := testcards.Open(profile, testcards.Options{Seed: 31})
		if err != nil {
			t.Fatal(err)
		}
		link := d.Insert(t, 0, c)
		r, err := pcsc.Open(context.Background(), pcscdtest.Readers[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := conformance.CheckDriverOn(context.Background(), r, c, openBeid); err != nil {
			t.Error(err)
		}
		d.Remove(t, 0, link)
	}
}

// openBeid opens the driver to be judged and puts an adapter around it.
func ExampleCheckDriver() {
	fmt.Println(conformance.CheckDriver(context.Background(), openBeid))
	// Output: <nil>
}

// A card that signs without the PIN is told from one that behaves.
func ExampleCheckCard() {
	c, err := testcards.Open("citizen-1.8", testcards.Options{Mutation: "no-pin-82"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(conformance.CheckCard(context.Background(), c.Reader(), conformance.Options{}))
	// Output: no PIN: PSO without the PIN: 002A9E9A30 answered 6160, want [6982]
}
