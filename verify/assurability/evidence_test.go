package assurability

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/eidkit/eidkit/internal/evidence"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/testcards/insurers"
)

// TestEvidence: each message is kept with what came, for the operator alone; the log of calls has nothing of either.
func TestEvidence(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "evidence")
	x := newTill(t, "pharmacy", func(_ *SessionOptions, o *Options) {
		o.Evidence, o.EvidenceKeys = folder, []string{id.Recipient().String()}
	})
	first := x.ask(Question{})
	x.set(insurers.Pharmacist, insurers.Down)
	x.ask(Question{})
	var kept []evidence.Exchange
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		r, err := age.Decrypt(f, id)
		if err != nil {
			return err
		}
		var e evidence.Exchange
		kept = append(kept, e)
		return json.NewDecoder(r).Decode(&kept[len(kept)-1])
	})
	if err != nil || len(kept) != 2 {
		t.Fatalf("%d messages are kept, %v", len(kept), err)
	}
	for _, e := range kept {
		answered := e.Reference == first.References.Input
		if !bytes.Contains(e.Request, []byte(ordinaryPatient)) || !bytes.Contains(e.Request, []byte("SignatureValue")) || answered != bytes.Contains(e.Response, []byte(first.Approval.Number)) {
			t.Errorf("%+v", e)
		}
	}
	log, err := json.Marshal(x.calls)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{string(ordinaryPatient), "demo-secret", first.Person.Surname, "PRIVATE", "Envelope"} {
		if strings.Contains(string(log), secret) {
			t.Errorf("the log has %q: %s", secret, log)
		}
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o600); err != nil { // no folder any more
		t.Fatal(err)
	}
	x.set(insurers.Pharmacist)
	if a := x.ask(Question{}); a.Status != Insured || x.last().EvidenceLost == "" {
		t.Errorf("%+v, %+v", a, x.last())
	}
}

// TestSealed has MemberData's messages sealed, by a seal of this test.
func TestSealed(t *testing.T) {
	t.Parallel()
	seal := func(_ context.Context, b []byte) ([]byte, error) { return append([]byte("sealed:"), b...), nil }
	unseal := func(_ context.Context, b []byte) ([]byte, error) {
		rest, ok := bytes.CutPrefix(b, []byte("sealed:"))
		if !ok {
			return nil, errors.New("the seal is broken")
		}
		return rest, nil
	}
	c := &sealing{ctx: t.Context(), seal: seal, unseal: unseal, replyTo: []byte("ETK")}
	q := asked("50061599733", "26031500000101", "2026-03-15", "2026-03-15")
	raw, err := encode(MemberData, q, provider(), c)
	if err != nil {
		t.Fatal(err)
	}
	validates(t, "ehealth-mycarenet-memberdata/XSD/mycarenet-memberdata-protocol-1_0.xsd", raw)
	root, err := parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	detail := child(root, "Detail")
	inside, err := base64.StdEncoding.DecodeString(detail.Text())
	if err != nil || detail.Get("ContentEncryption") != forTheNetwork || !bytes.HasPrefix(inside, []byte("sealed:<e:EncryptedKnownContent")) {
		t.Errorf("%v %s", err, inside)
	}
	validates(t, "encryption/XSD/businessContent.xsd", inside[len("sealed:"):])

	response := `<samlp:Response xmlns:samlp="` + nsSAMLP + `" InResponseTo="_26031500000101" IssueInstant="2026-03-15T10:00:01Z"><samlp:Status><samlp:StatusCode Value="` + statusSuccess + `"/></samlp:Status></samlp:Response>`
	known := `<e:EncryptedKnownContent xmlns:e="` + nsEncrypted + `"><e:BusinessContent>` + base64.StdEncoding.EncodeToString([]byte(response)) + `</e:BusinessContent></e:EncryptedKnownContent>`
	sealed := strings.Replace(wrap("sealed:"+known), `ContentEncoding="none"`, `ContentEncoding="none" ContentEncryption="encryptedForKnownRecipient"`, 1)
	if a, err := decode(MemberData, q, []byte(sealed), noon, c); err != nil || a.Status != Unknown {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := Decode(MemberData, q, []byte(sealed), noon); !errors.Is(err, ErrAnswer) || !strings.Contains(err.Error(), "no key to open it is set up") {
		t.Error(err)
	}
	broken := strings.Replace(wrap("broken:"+known), `ContentEncoding="none"`, `ContentEncoding="none" ContentEncryption="encryptedForKnownRecipient"`, 1)
	if _, err := decode(MemberData, q, []byte(broken), noon, c); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
	x := newTill(t, "hospital", func(_ *SessionOptions, o *Options) {
		o.Service = MemberData
		o.Sealer.Seal = func(context.Context, []byte) ([]byte, error) { return nil, errors.New("the key is gone") }
	})
	if _, err := x.client.Ask(t.Context(), Question{Patient: Patient{NISS: niss.Number(ordinaryPatient)}}); err == nil || !strings.Contains(err.Error(), "the key is gone") {
		t.Error(err)
	}
}
