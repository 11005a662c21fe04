package pinentry

import "context"

// SecretRequest asks for something that is not a card's PIN: the passphrase of a key file, the PIN of a token, which may be anything.
type SecretRequest struct {
	Title   string   // of the window
	Text    string   // what is asked, in the program's own words; lines end in \n
	Prompt  string   // stands before the field
	Problem string   // why what was typed before was no good; empty the first time
	About   []string // text from outside, a line each, shown below Text; it is made harmless
}

// Secret asks for a passphrase of at most 255 bytes, which may be empty. The caller wipes it. Errors wrap card.ErrPINCancelled,
// card.ErrPINTimeout, ErrNoProgram, or are ctx's. The Windows dialog takes ASCII alone.
func (d Dialog) Secret(ctx context.Context, r SecretRequest) ([]byte, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	u, err := d.open(ctx)
	if err != nil {
		return nil, failure(ctx, "opening the PIN dialog", err)
	}
	defer u.close()
	t := TextsIn(d.Language)
	typed, _, err := u.pin(form{title: r.Title, text: withOutside(r.Text, r.About), prompt: r.Prompt, problem: r.Problem,
		ok: t.OK, cancel: t.Cancel, timeout: d.timeout()})
	if err != nil {
		clear(typed)
		return nil, failure(ctx, "asking for the passphrase", err)
	}
	return typed, nil
}
