package conformance

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
)

// Driver is what a driver of Belgian cards must be able to do to be judged. An adapter of some thirty lines fits most. Errors wrap
// those of package card: ErrRemoved, ErrReset, ErrClosed, ErrPINBlocked, *PINError.
type Driver interface {
	// Files gives whole files by identifier: 4031 to 4035, the certificates 5038 to 503C cut to the length of their DER, and 4040
	// on applet 1.8. A certificate that the card does not hold is left out.
	Files(ctx context.Context) (map[uint16][]byte, error)

	// Holder gives texts out of the identity and address files.
	Holder(ctx context.Context) (Holder, error)

	// TriesLeft is the number of PIN tries, or -1 where asking would cost one.
	TriesLeft(ctx context.Context) (int, error)

	// VerifyPIN has the card compare the PIN, once, and leaves no right behind.
	VerifyPIN(ctx context.Context, pin string) error

	// Sign signs a hash with key 82 or 83: PKCS #1 v1.5 by RSA cards, DER by EC cards. It leaves no right behind.
	Sign(ctx context.Context, key byte, pin string, hash crypto.Hash, digest []byte) ([]byte, error)

	// Close may be called at any time, from any goroutine; calls under way end with ErrClosed.
	Close() error
}

// Holder is text as the card has it, blanks around it cut off.
type Holder struct {
	CardNumber, NationalNumber, Surname, GivenNames, Nationality, BirthPlace, DocumentType string

	StreetAndNumber, Zip, Municipality string
}

// Open opens a driver on the card in a reader.
type Open func(ctx context.Context, r card.Reader) (Driver, error)

// trial is one driver on one card.
type trial struct {
	ctx   context.Context
	open  Open
	card  *testcards.Card
	name  string // of the card, for violations
	found []error
}

func (t *trial) wrong(check, format string, args ...any) {
	t.found = append(t.found, Violation{check, t.name + ": " + fmt.Sprintf(format, args...)})
}

// CheckDriverOn checks a driver on one simulated card, wherever it was put: r is a simulated reader with c in it, or a reader of
// the machine that c was linked into. The card must be a fresh one whose PIN is not blocked.
func CheckDriverOn(ctx context.Context, r card.Reader, c *testcards.Card, open Open) error {
	t := &trial{ctx: ctx, open: open, card: c, name: c.Profile().Name}
	t.plain(r)
	return errors.Join(t.found...)
}

// with opens a driver, has f use it and closes it.
func (t *trial) with(ctx context.Context, r card.Reader, check string, f func(Driver)) {
	d, err := t.open(ctx, r)
	if err != nil {
		t.wrong(check, "opening: %v", err)
		return
	}
	f(d)
	if err := d.Close(); err != nil {
		t.wrong(check, "closing: %v", err)
	}
}

// plain is everything that needs no fault.
func (t *trial) plain(r card.Reader) {
	t.with(t.ctx, r, "reading", func(d Driver) { t.reading(d) })
	for _, key := range []byte{0x82, 0x83} {
		if t.publicKey(key) == nil {
			continue
		}
		t.with(t.ctx, r, "signing", func(d Driver) { t.signing(d, r, key) })
	}
	t.with(t.ctx, r, "PIN", func(d Driver) { t.pins(d, r) })
}

// expected is what Files should give.
func (t *trial) expected() map[uint16][]byte {
	files := map[uint16][]byte{}
	for _, id := range fileTable {
		content := t.card.File(id)
		switch {
		case content == nil || id < 0x4000 || id >= 0x5000 && id < 0x5038:
			continue
		case id >= 0x5038:
			if content[0] != 0x30 {
				continue
			}
			content = content[:4+int(content[2])<<8+int(content[3])]
		}
		files[id] = content
	}
	return files
}

// reading compares what the driver reads with what is on the card. No command with a PIN may be sent for it.
func (t *trial) reading(d Driver) {
	t.card.ClearStats()
	files, err := d.Files(t.ctx)
	if err != nil {
		t.wrong("files", "%v", err)
		return
	}
	t.compare("files", files)
	id, address := parseRecords(t.card.File(0x4031)), parseRecords(t.card.File(0x4033))
	text := func(b []byte) string { return strings.TrimSpace(string(b)) }
	want := Holder{text(id[1]), text(id[6]), text(id[7]), text(id[8]), text(id[0x0A]), text(id[0x0B]), text(id[0x0F]),
		text(address[1]), text(address[2]), text(address[3])}
	if got, err := d.Holder(t.ctx); err != nil || got != want {
		t.wrong("holder", "%+v, %v; want %+v", got, err, want)
	}
	left, err := d.TriesLeft(t.ctx)
	if err != nil || left != t.card.PINTries() && left != -1 {
		t.wrong("tries left", "%d, %v; the card has %d", left, err, t.card.PINTries())
	}
	for _, e := range t.card.Exchanges() {
		if e.Command[1] == 0x20 && len(e.Command) >= 5 && e.Command[4] != 0 {
			t.wrong("reading", "a PIN was sent")
		}
	}
	t.noEmptyVerify("reading")
}

// noEmptyVerify wants no VERIFY without data on an applet that would count it as a wrong PIN.
func (t *trial) noEmptyVerify(check string) {
	if t.card.Profile().Applet != "1.1" {
		return
	}
	for _, e := range t.card.Exchanges() {
		if e.Command[1] == 0x20 && (len(e.Command) < 5 || e.Command[4] == 0) {
			t.wrong(check, "a VERIFY without data cost a try on applet 1.1")
		}
	}
}

func (t *trial) compare(check string, files map[uint16][]byte) {
	want := t.expected()
	for id, content := range want {
		if !bytes.Equal(files[id], content) {
			t.wrong(check, "%04X: %d bytes that are not the %d of the card", id, len(files[id]), len(content))
		}
	}
	for id := range files {
		if id >= 0x5038 && id <= 0x503C && want[id] == nil && len(files[id]) > 0 {
			t.wrong(check, "%04X: %d bytes of a certificate the card does not hold", id, len(files[id]))
		}
	}
}

// publicKey is that of a key's certificate; nil if the card holds none.
func (t *trial) publicKey(key byte) crypto.PublicKey {
	der := t.expected()[0x4FB6+uint16(key)]
	if der == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return cert.PublicKey
}

// verified says whether sig is a signature over digest as Driver.Sign should make it.
func verified(pub crypto.PublicKey, hash crypto.Hash, digest, sig []byte) bool {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, hash, digest, sig) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(pub, digest, sig)
	}
	return false
}

// signing signs with one key under several hashes, and looks at the commands.
func (t *trial) signing(d Driver, r card.Reader, key byte) {
	check := fmt.Sprintf("signing with key %02X", key)
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		t.card.ClearStats()
		digest := sample(hash.Size())
		sig, err := d.Sign(t.ctx, key, testcards.PIN, hash, digest)
		if err != nil {
			t.wrong(check, "%v: %v", hash, err)
			continue
		}
		if !verified(t.publicKey(key), hash, digest, sig) {
			t.wrong(check, "%v: the signature does not verify", hash)
		}
		t.noEmptyVerify(check)
		if key == 0x83 {
			t.verifyBefore(check)
		}
	}
	if t.card.PINTries() != 3 {
		t.wrong(check, "%d tries left afterwards", t.card.PINTries())
	}
	t.noRights(check, r)
}

// verifyBefore wants a VERIFY right before each PSO that succeeded, and no VERIFY more.
func (t *trial) verifyBefore(check string) {
	commands := t.card.Exchanges()
	verifies, signatures := 0, 0
	for i, e := range commands {
		switch {
		case e.Command[1] == 0x20 && len(e.Command) >= 5 && e.Command[4] == 8:
			verifies++
		case e.Command[1] == 0x2A && len(e.Response) >= 2 && e.Response[len(e.Response)-2] != 0x69:
			signatures++
			if i == 0 || commands[i-1].Command[1] != 0x20 {
				t.wrong(check, "PSO does not follow VERIFY at once")
			}
		}
	}
	if verifies != signatures {
		t.wrong(check, "%d VERIFY for %d signatures", verifies, signatures)
	}
}

// noRights is another program that tries to sign with key 82 when the driver has done.
func (t *trial) noRights(check string, r card.Reader) {
	if t.publicKey(0x82) == nil {
		return
	}
	other, err := r.Connect(t.ctx, card.Shared)
	if err != nil {
		t.wrong(check, "another program cannot connect: %v", err)
		return
	}
	defer other.Close()
	for _, cmd := range [][]byte{mseSet(0x02, 0x82), pso(sample(20)), mseSet(0x02, 0x82), pso(sample(48))} {
		resp, err := other.Transmit(t.ctx, cmd)
		if err != nil {
			t.wrong(check, "another program: %v", err)
			return
		}
		if cmd[1] == 0x2A && resp[0] == 0x61 {
			t.wrong(check, "the PIN right of key 82 was left behind: another program could sign")
		}
	}
}

// pins is right and wrong PINs.
func (t *trial) pins(d Driver, r card.Reader) {
	if err := d.VerifyPIN(t.ctx, testcards.PIN); err != nil {
		t.wrong("PIN", "the right one: %v", err)
		return
	}
	t.noRights("PIN", r)
	err := d.VerifyPIN(t.ctx, "4321")
	var wrong *card.PINError
	if !errors.As(err, &wrong) || wrong.TriesLeft != 2 {
		t.wrong("PIN", "a wrong one: %v; want a *card.PINError with 2 tries left", err)
	}
	if t.card.PINTries() != 2 {
		t.wrong("PIN", "a wrong one: the card has %d tries left, want 2", t.card.PINTries())
	}
	if left, err := d.TriesLeft(t.ctx); err != nil || left != 2 && left != -1 {
		t.wrong("PIN", "tries left after a wrong one: %d, %v", left, err)
	}
	if err := d.VerifyPIN(t.ctx, testcards.PIN); err != nil || t.card.PINTries() != 3 {
		t.wrong("PIN", "the right one after a wrong one: %v; %d tries left", err, t.card.PINTries())
	}
	t.noEmptyVerify("PIN")
}
