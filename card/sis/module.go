package sis

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/niss"
)

// Module opens the enciphered insurance data of a SIS card: a security module, or what stands for one. It first makes sure that card
// and care provider admit each other.
type Module interface {
	// Provider is the number of the care provider whose module it is.
	Provider() string
	// Open gives the data in clear. Errors: ErrSealed, those of package card.
	Open(ctx context.Context, im *Image) (*Insurance, error)
}

// Insurance is what a SIS card says of the holder's insurance (royal decree of 18 December 1996, article 2), not kept up to date after 2013.
type Insurance struct {
	Mutuality   string // 3 digits
	Affiliate   string // the number with the mutuality, up to 13 characters
	From, Until niss.Date
	CT1, CT2    string // codes of the holder, 3 digits each
	Franchise   int    // the year of the social franchise; 0: none
	Key1, Key2  []byte // values by which the tarification office knew that the card was read; 8 bytes each
}

// The test scheme: package testcards/sis describes it, and no real card has it.
const (
	testModule  = "\xF0EIDKITSAM"
	clearSize   = 61
	zoneSize    = 89
	otherSize   = 105
	statusShut  = 0x6982
	statusAlter = 0x6988
)

// OpenModule opens the security module in r. Only that of testcards is known: the real ones' commands and algorithm were never
// published, so for any other card the error is ErrModule. A program that has access to real ones implements Module itself. Close
// the CardModule after use.
func OpenModule(ctx context.Context, r card.Reader) (*CardModule, error) {
	c, err := card.Open(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("opening the security module: %w", err)
	}
	m := &CardModule{card: c}
	err = c.Do(ctx, func(tx *card.Tx) error {
		if _, err := tx.Send(card.Command{INS: 0xA4, P1: 4, Data: []byte(testModule)}); err != nil {
			return fmt.Errorf("%w: %w", ErrModule, err)
		}
		number, err := tx.Send(card.Command{CLA: 0x80, INS: 0xCA, Le: 4})
		if err == nil && len(number) != 4 {
			err = ErrModule
		}
		if err != nil {
			return err
		}
		m.provider = fmt.Sprintf("%08d", binary.BigEndian.Uint32(number))
		return nil
	})
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("opening the security module: %w", err)
	}
	return m, nil
}

// CardModule is a security module in a reader. Safe for concurrent use.
type CardModule struct {
	card     *card.Card
	provider string
}

// Provider is the number of the care provider.
func (m *CardModule) Provider() string { return m.provider }

// Close ends the connection to the module.
func (m *CardModule) Close() error { return m.card.Close() }

// Open has the module decipher the insurance data, all in one transaction.
func (m *CardModule) Open(ctx context.Context, im *Image) (*Insurance, error) {
	if len(im.Sealed) != zoneSize || len(im.Other) != otherSize {
		return nil, fmt.Errorf("%w: there are none", ErrSealed)
	}
	var clear []byte
	err := m.card.Do(ctx, func(tx *card.Tx) (err error) {
		if _, err = tx.Send(card.Command{INS: 0xA4, P1: 4, Data: []byte(testModule)}); err != nil {
			return err
		}
		if _, err = tx.Send(card.Command{CLA: 0x80, INS: 0x10, Data: bytes.Join([][]byte{im.Serial, im.Other}, nil)}); err != nil {
			return err
		}
		clear, err = tx.Send(card.Command{CLA: 0x80, INS: 0x12, Data: im.Sealed, Le: clearSize})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening the insurance data: %w", sealed(err))
	}
	return parseInsurance(clear)
}

// sealed makes ErrSealed of the refusals of the module.
func sealed(err error) error {
	if status := (*card.StatusError)(nil); errors.As(err, &status) && (status.SW == statusShut || status.SW == statusAlter) {
		return fmt.Errorf("%w: %w", ErrSealed, err)
	}
	return err
}

// parseInsurance takes the clear data apart.
func parseInsurance(b []byte) (*Insurance, error) {
	var dates Image
	if len(b) != clearSize {
		return nil, fmt.Errorf("%w: %d bytes came", ErrSealed, len(b))
	}
	i := &Insurance{
		Mutuality: string(b[:3]), Affiliate: strings.TrimRight(string(b[3:16]), " "), From: dates.date(b[16:]), Until: dates.date(b[20:]),
		CT1: string(b[24:27]), CT2: string(b[27:30]), Franchise: int(binary.BigEndian.Uint16(b[30:])), Key1: b[32:40], Key2: b[40:48],
	}
	for _, s := range []string{i.Mutuality, i.CT1, i.CT2} {
		if strings.Trim(s, "0123456789") != "" {
			return nil, fmt.Errorf("%w: the data in it are not of the known form", ErrSealed)
		}
	}
	if len(dates.Warnings) > 0 || !filler(b[48:]) {
		return nil, fmt.Errorf("%w: the data in it are not of the known form", ErrSealed)
	}
	return i, nil
}
