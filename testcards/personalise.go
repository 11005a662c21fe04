package testcards

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

// personaliser makes one card.
type personaliser struct {
	card    *Card
	spec    spec
	person  person
	random  *rand.Rand
	issuer  *pki.Authority
	from    time.Time // validity of card and certificates
	until   time.Time
	files   map[uint16][]byte
	absent  int // length of a certificate file that holds none
	filler  int // zero bytes after a certificate
	sigSize int // length of 4032 and 4034
}

func personalise(p Profile, o Options) (*Card, error) {
	s := p.spec
	algorithm := s.applet.algorithm
	if s.rekeyed {
		algorithm = pki.EC
	}
	if o.PKI == nil {
		shared, err := sharedPKI(algorithm)
		if err != nil {
			return nil, err
		}
		o.PKI = shared
	}
	if have := o.PKI.Options().Algorithm; have != algorithm {
		return nil, fmt.Errorf("a PKI of algorithm %v is needed, not %v", algorithm, have)
	}
	mutant, err := findCardFault(o.Mutation)
	if err != nil {
		return nil, err
	}
	c := &Card{profile: p, opts: o, pki: o.PKI, applet: s.applet, mutant: mutant}
	c.pin = secret{block: pinBlock(PIN), tries: pinTries - s.tries, max: pinTries}
	c.puk = secret{block: pinBlock(PUK), tries: pukTries, max: pukTries}
	z := &personaliser{card: c, spec: s, random: seeded(fmt.Sprintf("person %s %d", p.Name, o.Seed)), files: map[uint16][]byte{}}
	if err := z.fill(); err != nil {
		return nil, err
	}
	if mutant != nil && mutant.files != nil {
		mutant.files(z.files)
	}
	c.mf = fileSystem(z.files)
	return c, nil
}

// The PKIs of seed 0, made when first asked for.
var sharedPKIs = map[pki.Algorithm]func() (*pki.PKI, error){
	pki.EC:      sync.OnceValues(func() (*pki.PKI, error) { return pki.New(pki.Options{Algorithm: pki.EC}) }),
	pki.RSA:     sync.OnceValues(func() (*pki.PKI, error) { return pki.New(pki.Options{Algorithm: pki.RSA}) }),
	pki.RSA1024: sync.OnceValues(func() (*pki.PKI, error) { return pki.New(pki.Options{Algorithm: pki.RSA1024}) }),
}

func sharedPKI(a pki.Algorithm) (*pki.PKI, error) { return sharedPKIs[a]() }

// seeded is a source of numbers that depend on the text alone.
func seeded(text string) *rand.Rand {
	return rand.New(rand.NewChaCha8(sha256.Sum256([]byte("eidkit test card " + text))))
}

func (z *personaliser) fill() error {
	z.person = newPerson(z.random, z.spec)
	if h := z.card.opts.Holder; h != nil {
		if err := z.person.become(h); err != nil {
			return err
		}
	}
	z.dates()
	z.sizes()
	z.cardData()
	z.keys()
	if err := z.certificates(); err != nil {
		return err
	}
	z.pkcs15()
	z.files[0x4035] = portrait(z.random, z.person, z.photoSize())
	if err := z.basicKey(); err != nil {
		return err
	}
	z.files[0x4031] = z.identity()
	z.files[0x4033] = z.address()
	z.files[0x4038] = filled(z.card.data[:16], 4)
	z.files[0x4039] = make([]byte, 100)
	return z.register()
}

// dates gives ten years, of children's cards too: so that tests do not end when a card of three years does.
func (z *personaliser) dates() {
	z.from = time.Date(2023, time.Month(1+z.random.IntN(12)), 1+z.random.IntN(28), 0, 0, 0, 0, time.UTC)
	z.until = z.from.AddDate(10, 0, 0)
	if z.spec.expired {
		z.from = z.from.AddDate(-2, 0, 0)
		z.until = z.from.AddDate(3, 0, 0)
	}
}

// sizes are those of sheet 2.1 and 4.
func (z *personaliser) sizes() {
	z.absent, z.filler, z.sigSize = 1300, 50, z.spec.applet.keyBits/8
	if z.spec.applet.ec {
		z.absent, z.filler, z.sigSize = 2500, 1100, 104
	}
	if z.card.opts.NoFiller || z.spec.noFiller {
		z.filler = 0
	}
}

// cardData makes the answer of GET CARD DATA. The serial depends on everything that changes a file, because other programs keep
// card files by serial.
func (z *personaliser) cardData() {
	c, o := z.card, z.card.opts
	use := fmt.Sprintf("serial %s %d %v %s %+v", c.profile.Name, o.Seed, o.NoFiller, o.Mutation, o.PKI.Options())
	if o.Holder != nil {
		use += fmt.Sprintf(" %+v", *o.Holder)
	}
	r := seeded(use)
	c.data = append(c.data, z.spec.applet.chip[:]...)
	for range 12 {
		c.data = append(c.data, byte(r.IntN(256)))
	}
	c.data = append(c.data, z.spec.applet.tail[:]...)
}

func (z *personaliser) keys() {
	c := z.card
	label := fmt.Sprintf("%X", c.data[:16])
	key := func(k pki.Kind, inactive bool) *privateKey {
		return &privateKey{signer: c.pki.LeafKeyOf(z.spec.applet.algorithm, k, label), inactive: inactive}
	}
	c.keys = map[byte]*privateKey{
		0x82: key(pki.Authentication, z.spec.noAuth),
		0x83: key(pki.Signature, z.spec.noSign),
	}
	if z.spec.applet.cardKey {
		c.keys[0x81] = key(pki.Basic, false)
	}
}

// certificates fills 5038 to 503C.
func (z *personaliser) certificates() error {
	p := z.card.pki
	z.issuer = p.CitizenCA
	if z.spec.foreignAuthority() {
		z.issuer = p.ForeignerCA
	}
	var err error
	if z.files[0x5038], err = z.leaf(pki.Authentication, 0x82); err != nil {
		return err
	}
	if z.files[0x5039], err = z.leaf(pki.Signature, 0x83); err != nil {
		return err
	}
	last := 0 // root and register certificate stand alone in their files on 1.1 and 1.7
	if z.spec.applet.ec {
		last = z.filler
	}
	z.files[0x503A] = filled(z.issuer.Certificate.Raw, z.filler)
	z.files[0x503B] = filled(p.Root.Certificate.Raw, last)
	z.files[0x503C] = filled(p.RRN.Certificate.Raw, last)
	return nil
}

func (s spec) foreignAuthority() bool {
	return s.kind == foreigner || s.kind == kid && s.documentType != "6"
}

func (z *personaliser) leaf(k pki.Kind, ref byte) ([]byte, error) {
	key := z.card.keys[ref]
	if key.inactive {
		return make([]byte, z.absent), nil
	}
	request := pki.Request{
		Issuer: z.issuer, Kind: k, Key: key.signer, NotBefore: z.from, NotAfter: z.until.Add(24*time.Hour - time.Second),
		Subject: pki.Subject{NationalNumber: z.person.nationalNumber, Surname: z.person.surname, GivenNames: z.person.givenNames, Country: z.person.country},
	}
	if z.spec.revoked {
		request.Serial = revokedSerial(z.card.data[:16], ref)
	}
	issued, err := z.card.pki.Issue(request)
	if err != nil {
		return nil, err
	}
	return filled(issued.Certificate.Raw, z.filler), nil
}

func filled(b []byte, zeros int) []byte { return append(bytes.Clone(b), make([]byte, zeros)...) }

// revokedMark begins the serial numbers of certificates that the test PKI's CRL and OCSP are to call revoked.
var revokedMark = []byte{0x10, 0xDE, 0xAD}

func revokedSerial(chip []byte, ref byte) *big.Int {
	sum := sha256.Sum256(append(bytes.Clone(chip), ref))
	return new(big.Int).SetBytes(append(bytes.Clone(revokedMark), sum[:13]...))
}

// Revoked says whether a certificate of a test card is to be called revoked: those of profile revoked-1.8 carry a mark in their
// serial number, so that a test CRL needs no list.
func Revoked(cert *x509.Certificate) bool {
	serial := cert.SerialNumber.Bytes()
	return len(serial) == 16 && bytes.HasPrefix(serial, revokedMark)
}

func (z *personaliser) pkcs15() {
	a := z.spec.applet
	z.files[0x2F00] = efDIR()
	z.files[0x5031] = efODF()
	z.files[0x5032] = efTokenInfo(z.card.data[:16], a.tokenInfo)
	z.files[0x5034] = efAODF()
	z.files[0x5035] = efPrKDF(a.ec, a.keyBits)
	var entries []cdfEntry
	if !z.spec.noAuth {
		entries = append(entries, cdfEntry{label: "Authentication", id: 2, file: 0x38})
	}
	if !z.spec.noSign {
		entries = append(entries, cdfEntry{label: "Signature", id: 3, file: 0x39})
	}
	entries = append(entries, cdfEntry{"CA", 4, 0x3A, true}, cdfEntry{"Root", 6, 0x3B, true})
	z.files[0x5037] = efCDF(a.ec, entries)
}

func (z *personaliser) basicKey() error {
	if !z.spec.applet.cardKey {
		return nil
	}
	spki, err := x509.MarshalPKIXPublicKey(z.card.keys[0x81].signer.Public())
	z.files[0x4040] = spki
	return err
}

// register has the national register sign identity and address (sheet 3.6).
func (z *personaliser) register() error {
	identity, err := z.card.pki.SignFile(z.files[0x4031])
	if err != nil {
		return err
	}
	z.files[0x4032] = append(identity, make([]byte, z.sigSize-len(identity))...)
	address := bytes.TrimRight(z.files[0x4033], "\x00")
	signature, err := z.card.pki.SignFile(slices.Concat(address, z.files[0x4032]))
	if err != nil {
		return err
	}
	z.files[0x4034] = append(signature, make([]byte, z.sigSize-len(signature))...)
	return nil
}

// photoHash is the one this applet's cards carry (sheet 3.2, tag 11).
func (z *personaliser) photoHash() []byte {
	hash := crypto.SHA384
	switch z.spec.applet.version {
	case 0x11:
		hash = crypto.SHA1
	case 0x17:
		hash = crypto.SHA256
	}
	h := hash.New()
	h.Write(z.files[0x4035])
	return h.Sum(nil)
}

// photoSize is the width and height of the photo (sheet 2.1).
func (z *personaliser) photoSize() [2]int {
	if z.spec.applet.ec {
		return [2]int{150, 195}
	}
	return [2]int{140, 200}
}

// fileSystem puts the files where they belong: by the first byte of their identifiers.
func fileSystem(files map[uint16][]byte) *directory {
	mf := &directory{id: 0x3F00}
	belpic := &directory{id: 0xDF00, aid: belpicAID}
	id := &directory{id: 0xDF01, aid: idAID}
	mf.dirs = []*directory{belpic, id}
	for n, data := range files {
		f := &file{id: n, data: data, tlv: n == 0x4031 || n == 0x4033, writable: n == 0x4039}
		switch n >> 8 {
		case 0x2F:
			mf.files = append(mf.files, f)
		case 0x50:
			belpic.files = append(belpic.files, f)
		default:
			id.files = append(id.files, f)
		}
	}
	return mf
}

// day is a date as the identity file has it.
func day(t time.Time) string { return t.Format("02.01.2006") }
