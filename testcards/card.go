// Package testcards simulates Belgian eID cards and the readers they are put in, byte for byte, so that programs can be tried
// without hardware: strict where real cards are strict, with persons that were invented.
//
// Start with [Open] and the name of a profile ([Profiles] lists them), or [New] with one of the profiles named here. Then
//
//   - (*Card).Reader gives a card.Reader to hand to a driver;
//   - [NewReader] and [System] are readers that cards come to and go from, with a pinpad if wanted;
//   - [Fault] makes a reader fail at the nth command;
//   - ATR, PowerOn, PowerOff, Reset and Transmit are the bare card, for testcards/vpcd.
//
// The PIN of every card is [PIN], the PUK of applets 1.1 and 1.7 is [PUK]. Everything derives from Options.Seed: the same profile,
// seed and options give the same bytes. Certificates come from testcards/pki; nothing trusts its root by itself. Package
// testcards/conformance judges cards and drivers.
//
// Out of scope: the administration of cards (external authentication, key generation, activation of files) and applet 1.0.
//
// References: the public reference manuals of applets 1.7 and 1.8 and the card content documents, as collected in the project's
// facts sheet belgian-eid.md (its sections are cited as "sheet n"); ISO/IEC 7816-3 and 7816-4.
package testcards

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"sync"

	"github.com/eidkit/eidkit/testcards/pki"
)

// The secrets of every simulated card. The PUK is the twelve digits of PUK2 and PUK1, as applets 1.1 and 1.7 take them.
const (
	PIN = "1234"
	PUK = "222222111111"
)

// Options vary a card. The zero Options are a strict card of seed 0.
type Options struct {
	// Seed chooses the person, the numbers, the keys and the photo. Another seed is another card with another serial.
	Seed uint64

	// PKI issues the certificates; nil is the test PKI of seed 0 that fits the applet. It must have the algorithm the profile
	// needs: RSA1024 for 1.1, RSA for 1.7, EC for 1.8 and for re-keyed cards.
	PKI *pki.PKI

	// Holder is the person; nil: one that Seed chooses.
	Holder *Holder

	// NoFiller leaves the zero bytes out that follow the certificates on issued cards (50 on 1.1 and 1.7, 1,100 on 1.8).
	NoFiller bool

	// AnyDF has SELECT by file identifier look in all directories, as one known applet does, not in the current one alone.
	AnyDF bool

	// LastTry63C0 answers 63C0 to the wrong PIN that blocks it; without it the answer is 6983 (sheet 5).
	LastTry63C0 bool

	// LineSpeed makes every answer take the time it would take on the line of a real card; see Stats.LineTime.
	LineSpeed bool

	// Mutation makes the card wrong on purpose: the name of one of CardFaults. Empty is a card without fault.
	Mutation string
}

// Holder is a person for whom a card is made, such as a patient whom the services of testcards/insurers know. Birth date and sex are
// those in the national number, which has 11 digits with the right check digits. Empty names are left to the seed.
type Holder struct{ NationalNumber, Surname, GivenNames string }

// Card is a simulated eID card: what is on it, and the state it is in. Safe for concurrent use; commands are answered one at a
// time.
type Card struct {
	profile Profile
	opts    Options
	pki     *pki.PKI
	applet  *applet
	data    []byte // answer of GET CARD DATA, 28 bytes
	mf      *directory
	keys    map[byte]*privateKey
	mutant  *CardFault // nil: none

	mu      sync.Mutex
	powered bool
	pin     secret
	puk     secret
	drawn   uint64 // challenges given so far
	vol     volatile
	tally   tally
}

// volatile is what a reset clears.
type volatile struct {
	df      *directory
	ef      *file
	mse     environment
	rights  rights
	pending []byte // of an answer, waiting for GET RESPONSE
}

// privateKey is a key of the card. One that is inactive is there but refuses use: the holder has no certificate for it.
type privateKey struct {
	signer   crypto.Signer
	inactive bool
}

// New is Open for a profile in hand. It panics on a profile that Profiles does not give, or a PKI that does not fit it.
func New(p Profile, o ...Options) *Card {
	var opts Options
	if len(o) > 0 {
		opts = o[0]
	}
	c, err := Open(p.Name, opts)
	if err != nil {
		panic("testcards: " + err.Error())
	}
	return c
}

// Open personalises a card. The name is that of a profile; where the profile lists document types, a colon and one of them may
// follow ("foreigner-1.8:33"). The card is not powered yet.
func Open(name string, o Options) (*Card, error) {
	p, err := findProfile(name)
	if err != nil {
		return nil, err
	}
	c, err := personalise(p, o)
	if err != nil {
		return nil, fmt.Errorf("personalising test card %s: %w", name, err)
	}
	return c, nil
}

// Profile is the profile the card was made from.
func (c *Card) Profile() Profile { return c.profile }

// PKI issued the card's certificates.
func (c *Card) PKI() *pki.PKI { return c.pki }

// Root is the certificate to trust for this card.
func (c *Card) Root() *x509.Certificate { return c.pki.Root.Certificate }

// Serial is the 16-byte chip number.
func (c *Card) Serial() []byte { return append([]byte(nil), c.data[:16]...) }

// File returns a copy of the content of an elementary file, filler included, or nil if the card has none with this identifier.
func (c *Card) File(id uint16) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.mf.find(id); f != nil {
		return append([]byte{}, f.data...)
	}
	return nil
}

// SetFile replaces the content of an elementary file, for tests that need damaged or odd data. It reports whether the file exists.
func (c *Card) SetFile(id uint16, content []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.mf.find(id)
	if f == nil {
		return false
	}
	f.data = append([]byte{}, content...)
	return true
}

// PINTries is the number of tries the PIN has left, read behind the card's back.
func (c *Card) PINTries() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pin.tries
}

// ATR is the answer to reset.
func (c *Card) ATR() []byte { return append([]byte(nil), c.applet.atr...) }

// PowerOn gives the card power: the applet is selected, the master file current, no PIN verified.
func (c *Card) PowerOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start()
}

// PowerOff takes the power away. A card without power answers nothing.
func (c *Card) PowerOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.powered = false
	c.vol = volatile{}
}

// Reset is a warm reset; it leaves the card as PowerOn does.
func (c *Card) Reset() { c.PowerOn() }

func (c *Card) start() {
	kept := c.vol.rights
	c.powered = true
	c.vol = volatile{df: c.mf}
	c.tally.answerToReset(c.applet.atr)
	if c.mutant != nil && c.mutant.keepsRights {
		c.vol.rights = kept
	}
}
