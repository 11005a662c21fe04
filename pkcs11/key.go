package pkcs11

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	p11 "github.com/miekg/pkcs11"
)

// Key is a private key on a token, with its certificate. It may be used from several goroutines.
type Key struct {
	ctx    context.Context
	pool   *pool
	source string // pin-source
	cert   *x509.Certificate
	chain  []*x509.Certificate
	id     []byte // CKA_ID
	label  string // CKA_LABEL
	slot   Slot
	owned  bool // the module was opened for this key
}

var (
	_ crypto.Signer        = (*Key)(nil)
	_ crypto.MessageSigner = (*Key)(nil)
)

// Certificate is the key's certificate, as it stands on the token.
func (k *Key) Certificate() *x509.Certificate { return k.cert }

// Chain are certificates above the key's that are on the token, the issuer first. They are not verified.
func (k *Key) Chain() []*x509.Certificate { return k.chain }

// Public is the public key of the certificate: *rsa.PublicKey or *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.cert.PublicKey }

// Token is the token as it was when the key was found.
func (k *Key) Token() Token { return *k.slot.Token }

// Description tells the key from others, for a person to choose: its label, whose certificate it has, the token and the slot. The
// texts, which come from the token, are quoted.
func (k *Key) Description() string {
	return fmt.Sprintf("%q of %q on %v in %q", k.label, k.cert.Subject.CommonName, k.pool.id, k.slot.Description)
}

// URI names the key, so that ParseURI and OpenKey find it again. It does not name the slot, nor a PIN's file.
func (k *Key) URI() URI {
	id := k.pool.id
	u := URI{Token: &id.label, Manufacturer: &id.manufacturer, Model: &id.model, Serial: &id.serial, ID: k.id, Type: "private",
		ModulePath: filepath.ToSlash(k.pool.m.lib.path)}
	if len(k.id) == 0 {
		u.ID, u.Object = nil, &k.label
	}
	return u
}

// WithContext returns the key with another context for its Sign, which has none of its own: it ends dialogs and waits, not what the
// token is doing.
func (k *Key) WithContext(ctx context.Context) *Key {
	with := *k
	with.ctx = ctx
	return &with
}

// Close closes the module if OpenKey opened it, else does nothing.
func (k *Key) Close() error {
	if k.owned {
		return k.pool.m.Close()
	}
	return nil
}

// OpenKey opens the module that u names and finds the one key that u names. ctx holds for Sign as well. The caller closes the key.
// Errors wrap ErrNoModule, ErrNoToken, ErrNoKey, ErrSeveral, or are those of Module.Keys.
func OpenKey(ctx context.Context, u URI, o Options) (*Key, error) {
	path, err := FindModule(u)
	if err != nil {
		return nil, err
	}
	m, err := Open(path, o)
	if err != nil {
		return nil, err
	}
	k, err := m.key(ctx, u)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	k.owned = true
	return k, nil
}

// key is the one key that u names.
func (m *Module) key(ctx context.Context, u URI) (*Key, error) {
	keys, err := m.Keys(ctx, u)
	switch {
	case len(keys) == 1:
		return keys[0], nil
	case len(keys) > 1:
		err := ErrSeveral
		for _, k := range keys {
			err = fmt.Errorf("%w\n  %s", err, k.Description())
		}
		return nil, err
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("%w: none that the URI names", ErrNoKey)
}

// Keys lists the keys that u names, the zero URI all, each with its certificate, in the module's order. ctx holds for their Sign as
// well. Where nothing is found, and u names one token that shows its objects after a login only, Keys logs in and looks again.
//
// Tokens usually show private keys after a login only: until then every certificate counts that is not an authority's. Keys with an
// error beside them are those of the tokens that could be read. ErrNoToken: u names no token that is there.
func (m *Module) Keys(ctx context.Context, u URI) ([]*Key, error) {
	working, leave, err := m.enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for keys: %w", err)
	}
	defer leave()
	if u.Type != "" && u.Type != "private" && u.Type != "cert" {
		return nil, fmt.Errorf("looking for keys: %w: objects of type %s do not sign", ErrNoKey, u.Type)
	}
	slots, err := m.slots()
	if err != nil {
		return nil, fmt.Errorf("looking for keys: %w", err)
	}
	var keys []*Key
	var tokens []*lister
	var failures []error
	for _, s := range slots {
		if !u.matchesModule(m.info) || !u.matches(s) || !s.Token.Initialised {
			continue
		}
		p, err := m.pool(s)
		if err == nil {
			l := &lister{ctx: ctx, pool: p, slot: s, uri: u}
			tokens = append(tokens, l)
			err = l.read(working, false)
			keys = append(keys, l.keys...)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("looking for keys on %v: %w", s.Token.identity(), err))
		}
	}
	if len(tokens) == 0 && len(failures) == 0 {
		return nil, fmt.Errorf("looking for keys: %w that the URI names is in a slot of %s", ErrNoToken, m.lib.path)
	}
	if len(keys) > 0 || len(tokens) != 1 || len(failures) > 0 || !tokens[0].slot.Token.WantsPIN || !m.canAsk(u, *tokens[0].slot.Token) {
		return keys, errors.Join(failures...)
	}
	if err := tokens[0].read(working, true); err != nil {
		return nil, fmt.Errorf("looking for keys on %v: %w", tokens[0].pool.id, err)
	}
	return tokens[0].keys, nil
}

func (m *Module) canAsk(u URI, t Token) bool {
	return u.PINSource != "" || m.options.PIN != nil || t.Pinpad
}

// lister reads the keys of one token.
type lister struct {
	ctx  context.Context // of the keys
	pool *pool
	slot Slot
	uri  URI
	keys []*Key
}

// Bounds of what is read from a token.
const (
	maxObjects     = 256
	maxCertificate = 64 << 10
)

// object is a certificate or key of a token.
type object struct {
	id    []byte
	label string
	cert  *x509.Certificate
}

func (l *lister) read(ctx context.Context, login bool) error {
	return l.pool.retry(ctx, func(session, state uint) (final bool, err error) {
		if login && !loggedIn(state) {
			a := prompter{pool: l.pool, source: l.uri.PINSource}
			given, err := a.logIn(ctx, session)
			wipe(given)
			if err != nil {
				return errors.As(err, new(pinError)), err
			}
			state = p11.CKS_RO_USER_FUNCTIONS
		}
		certs, err := l.objects(session, p11.CKO_CERTIFICATE)
		if err != nil {
			return false, err
		}
		private, err := l.objects(session, p11.CKO_PRIVATE_KEY)
		if err != nil {
			return false, err
		}
		public, err := l.objects(session, p11.CKO_PUBLIC_KEY)
		if err != nil {
			return false, err
		}
		l.choose(certs, private, public, loggedIn(state) || !l.slot.Token.WantsPIN)
		return false, nil
	})
}

// choose makes keys of the certificates that have one, or may have: all says that no private key is hidden.
func (l *lister) choose(certs, private, public []object, all bool) {
	l.keys = nil
	var above []*x509.Certificate
	for _, c := range certs {
		if c.cert != nil {
			above = append(above, c.cert)
		}
	}
	for _, c := range certs {
		if c.cert == nil {
			continue
		}
		own := of(c, private)
		if len(own) == 0 && (all || c.cert.IsCA) || !signs(c.cert) || !l.named(slices.Concat(own, of(c, public), []object{c})) {
			continue
		}
		l.keys = append(l.keys, &Key{ctx: l.ctx, pool: l.pool, source: l.uri.PINSource, cert: c.cert, chain: chainOf(c.cert, above),
			id: c.id, label: c.label, slot: l.slot})
	}
}

// of are the keys that go with a certificate: those with its CKA_ID, or, if it has none, with its label.
func of(cert object, keys []object) (own []object) {
	for _, k := range keys {
		if len(cert.id) > 0 && bytes.Equal(k.id, cert.id) || len(cert.id) == 0 && k.label == cert.label {
			own = append(own, k)
		}
	}
	return own
}

// named tells whether the URI names the certificate or a key of it.
func (l *lister) named(objects []object) bool {
	u := &l.uri
	for _, o := range objects {
		if (u.ID == nil || bytes.Equal(u.ID, o.id)) && same(u.Object, o.label) {
			return true
		}
	}
	return false
}

// objects reads the objects of one class. Certificates that crypto/x509 cannot read have none.
func (l *lister) objects(session uint, class uint) ([]object, error) {
	api := l.pool.m.lib.api
	template := []attribute{{p11.CKA_CLASS, class}}
	if class == p11.CKO_CERTIFICATE {
		template = append(template, attribute{p11.CKA_CERTIFICATE_TYPE, uint(p11.CKC_X_509)})
	}
	handles, err := api.find(session, template, maxObjects)
	if err != nil {
		return nil, err
	}
	var objects []object
	for _, h := range handles {
		var o object
		if o.id, err = api.attribute(session, h, p11.CKA_ID); err != nil {
			return nil, err
		}
		label, err := api.attribute(session, h, p11.CKA_LABEL)
		if err != nil {
			return nil, err
		}
		o.label = text(string(label))
		if class == p11.CKO_CERTIFICATE {
			der, err := api.attribute(session, h, p11.CKA_VALUE)
			if err != nil {
				return nil, err
			}
			if len(der) <= maxCertificate {
				o.cert = parse(der)
			}
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// parse reads a certificate; cards pad theirs with zeros. It is nil for what cannot be read.
func parse(der []byte) *x509.Certificate {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		cert, err = x509.ParseCertificate(bytes.TrimRight(der, "\x00"))
	}
	if err != nil {
		return nil
	}
	return cert
}

// Bounds of the search for a chain, among certificates that anybody may have put there.
const (
	maxChain  = 10
	maxChecks = 50 // of signatures
)

// chainOf are the certificates above leaf, each once, from those at hand.
func chainOf(leaf *x509.Certificate, at []*x509.Certificate) (chain []*x509.Certificate) {
	checks := 0
	for cert := leaf; len(chain) < maxChain; {
		i := slices.IndexFunc(at, func(c *x509.Certificate) bool {
			if checks == maxChecks || !bytes.Equal(c.RawSubject, cert.RawIssuer) || c.Equal(leaf) || slices.ContainsFunc(chain, c.Equal) {
				return false
			}
			checks++
			return cert.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			break
		}
		cert = at[i]
		chain = append(chain, cert)
	}
	return chain
}
