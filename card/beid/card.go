// Package beid drives the Belgian electronic identity card: applets 1.0, 1.1, 1.7 and 1.8, citizens', kids' and foreigners' cards.
//
//	c, err := beid.Open(ctx, reader)              // package card/pcsc finds readers
//	defer c.Close()
//	id, err := c.Identity(ctx)                    // Address, Photo, Certificates, Files, ReadAll
//	key, err := c.SigningKey(ctx, beid.PINFunc(ask)) // a crypto.Signer with its certificate
//
// Files are read with the fewest commands the card allows, each once. Nothing is checked here: package verify/carddata says
// whether the national register signed what was read. Nothing asks for a PIN either: the caller's [PINFunc] does, before the
// card is held.
//
// References: Public reference manuals of applets 1.7 and 1.8, Belgian eID card content 4.01 and 5.4, ID and address file
// version 5 (2023), ISO/IEC 7816-4 and 7816-15.
package beid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pinpad"
	"github.com/eidkit/eidkit/internal/beidfile"
)

// ErrNotEID says that the card in the reader is no Belgian eID.
var ErrNotEID = errors.New("the card is not a Belgian eID")

// The values of a card, as its files hold them; "go doc internal/beidfile Identity" and so on list their fields. Nothing in them is
// checked: package verify/carddata does that, from Files.
type (
	Files     = beidfile.Files
	CardData  = beidfile.CardData
	Identity  = beidfile.Identity
	Address   = beidfile.Address
	TokenInfo = beidfile.TokenInfo
)

// newestApplet is the newest applet version known; a newer one is treated like it, with a warning.
const newestApplet = 0x18

// Card is one Belgian eID, from Open to Close or removal. Safe for concurrent use: work is done one piece after the other.
type Card struct {
	card *card.Card
	data CardData
	raw  []byte // the answer to GET CARD DATA

	selectApplet bool // the applet is not the one a reset selects
	warnings     []string
	cache        *Cache
	language     string

	mu      sync.Mutex
	files   map[FileID]*content
	vouched cacheState

	padMu   sync.Mutex
	pad     *pinpad.Pinpad // nil until asked for, and for good if the reader has none
	padDone bool
}

// Options are for OpenWith. The zero value is what Open uses.
type Options struct {
	// Cache, if set, keeps what was read from cards for the next time the same card comes.
	Cache *Cache

	// Language is that of a pinpad's display: en, nl, fr or de; English if empty.
	Language string
}

// Open connects to the Belgian eID in r, shared with other programs, and reads its card data (one command on the cards known,
// up to four on others). Errors wrap those of card.Reader.Connect, or ErrNotEID. No PIN is touched.
func Open(ctx context.Context, r card.Reader) (*Card, error) { return OpenWith(ctx, r, Options{}) }

// OpenWith is Open with options.
func OpenWith(ctx context.Context, r card.Reader, o Options) (*Card, error) {
	cc, err := card.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	c := &Card{card: cc, cache: o.Cache, language: o.Language, files: map[FileID]*content{}}
	if err := cc.Do(ctx, c.identify); err != nil {
		cc.Close()
		return nil, fmt.Errorf("opening the card in %s: %w", r.Name(), err)
	}
	cc.OnReset(c.sameCard)
	c.files[FileCardData] = &content{data: c.raw, exact: true}
	return c, nil
}

// Close ends the connection; whatever is under way ends with card.ErrClosed. It may be called from any goroutine.
func (c *Card) Close() error { return c.card.Close() }

// ATR is the card's answer to reset.
func (c *Card) ATR() []byte { return c.card.ATR() }

// CardData is what GET CARD DATA answered when the card was opened.
func (c *Card) CardData() CardData { return c.data }

// ReaderName is the name of the reader the card is in.
func (c *Card) ReaderName() string { return c.card.Reader().Name() }

// Warnings says, in English sentences, what was odd about the card so far.
func (c *Card) Warnings() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.warnings...)
}

// Commands of the card's own (facts: reference manuals of 1.7 and 1.8, GET CARD DATA and SELECT FILE).
var (
	appletAID      = []byte{0xA0, 0x00, 0x00, 0x00, 0x30, 0x29, 0x05, 0x70, 0x00, 0xAD, 0x13, 0x10, 0x01, 0x01, 0xFF}
	getCardData    = card.Command{CLA: 0x80, INS: 0xE4, Le: 0x1C}
	getCardDataPIN = card.Command{CLA: 0x80, INS: 0xE4, P2: 0x01, Le: 0x1F}
	selectAID      = card.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: appletAID}
)

// identify finds out whether the card is a Belgian eID, and which. A card whose answer to reset is known has its applet selected
// by that reset; on any other the applet is selected first, so that foreign cards never see our private commands.
func (c *Card) identify(tx *card.Tx) error {
	c.selectApplet = !KnownATR(c.card.ATR())
	raw, err := c.cardData(tx)
	if err != nil && !c.selectApplet && isStatus(err) { // known answer to reset, other applet selected by somebody
		c.selectApplet = true
		raw, err = c.cardData(tx)
	}
	if err != nil {
		return notEID(err)
	}
	data, err := beidfile.ParseCardData(raw)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrNotEID, err)
	}
	c.raw, c.data = raw, data
	if data.AppletVersion > newestApplet {
		c.warnings = append(c.warnings, fmt.Sprintf("applet version %X.%X is newer than this program knows: read as 1.8", data.AppletVersion>>4, data.AppletVersion&0xF))
	}
	return nil
}

// cardData selects the applet where a reset does not, and asks for the card data.
func (c *Card) cardData(tx *card.Tx) ([]byte, error) {
	if c.selectApplet {
		if err := c.reselect(tx); err != nil {
			return nil, err
		}
	}
	return tx.Send(getCardData)
}

// reselect makes the eID applet the current one. Its file and PIN state is then that of a fresh selection.
func (c *Card) reselect(tx *card.Tx) error {
	_, err := tx.Send(selectAID)
	if isStatus(err) { // some cards want P2 = 00 (facts sheet 1.2)
		cmd := selectAID
		cmd.P2 = 0
		_, err = tx.Send(cmd)
	}
	return err
}

// ready selects the applet where a reset does not, since another program may have selected something else that takes our commands
// for its own. On the cards known it costs nothing.
func (c *Card) ready(tx *card.Tx) error {
	if !c.selectApplet {
		return nil
	}
	return c.reselect(tx)
}

// sameCard is run after the card was reset, by another program or at the end of a transaction of ours: work goes on only with the card it began with.
func (c *Card) sameCard(tx *card.Tx) error {
	raw, err := c.cardData(tx)
	if err != nil {
		return fmt.Errorf("looking at the card after a reset: %w", err)
	}
	if !bytes.Equal(raw, c.raw) {
		return fmt.Errorf("another card is in the reader: %w", card.ErrRemoved)
	}
	return nil
}

// notEID makes a status word to the first commands mean "no eID" and leaves transport errors alone.
func notEID(err error) error {
	if isStatus(err) {
		return fmt.Errorf("%w: %v", ErrNotEID, err)
	}
	return err
}

func isStatus(err error) bool {
	var status *card.StatusError
	return errors.As(err, &status)
}

// applet18 tells whether the card works like applet 1.8: elliptic curves, PIN tries in the card data, basic key.
func (c *Card) applet18() bool { return c.data.AppletVersion >= 0x18 }

// KnownATR tells whether a Belgian eID gives this answer to reset (facts sheet 1.1): the 1.x pattern, with TA1, TC2, chip
// dependent bytes and the minor version left out, or that of 1.8. It serves to tell cards apart without a command; Open also takes
// an eID with another.
func KnownATR(atr []byte) bool {
	pattern := []byte{0x3B, 0x98, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01, 0xAD, 0x13, 0x10}
	mask := []byte{0xFF, 0xFF, 0x00, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xF0}
	if len(atr) == len(pattern) {
		for i := range atr {
			if atr[i]&mask[i] != pattern[i] {
				return false
			}
		}
		return true
	}
	return bytes.Equal(atr, []byte{0x3B, 0x7F, 0x96, 0x00, 0x00, 0x80, 0x31, 0x80, 0x65, 0xB0, 0x85, 0x04, 0x01, 0x20, 0x12, 0x0F, 0xFF, 0x82, 0x90, 0x00})
}
