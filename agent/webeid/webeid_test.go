package webeid

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/protocol"
)

// scripted is an agent that gives what a test wants.
type scripted struct {
	origins []string
	calls   []string
	answer  func(ctx context.Context, method string) (string, error)
	closed  int
}

func (s *scripted) dial(_ context.Context, origin string) (Caller, error) {
	s.origins = append(s.origins, origin)
	return s, nil
}

func (s *scripted) Call(ctx context.Context, method string, params, result any) error {
	b, err := json.Marshal(params)
	if err != nil {
		return err
	}
	s.calls = append(s.calls, method+" "+string(b))
	answer, err := s.answer(ctx, method)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(answer), result)
}

func (s *scripted) Close() error {
	s.closed++
	return nil
}

// talk is the browser's side of a conversation.
type talk struct {
	t    *testing.T
	to   *io.PipeWriter
	from *io.PipeReader
	end  chan error
}

func begin(t *testing.T, o Options) *talk {
	t.Helper()
	in, to := io.Pipe()
	from, out := io.Pipe()
	c := &talk{t, to, from, make(chan error, 1)}
	go func() {
		err := Run(t.Context(), in, out, o)
		in.CloseWithError(errors.New("the program has ended"))
		out.Close()
		c.end <- err
	}()
	t.Cleanup(func() { to.Close(); from.Close() })
	return c
}

func frame(message string) []byte {
	return append(binary.NativeEndian.AppendUint32(nil, uint32(len(message))), message...)
}

func (c *talk) send(message string) {
	c.t.Helper()
	if _, err := c.to.Write(frame(message)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *talk) receive() string {
	c.t.Helper()
	var length [4]byte
	if _, err := io.ReadFull(c.from, length[:]); err != nil {
		c.t.Fatal(err)
	}
	b := make([]byte, binary.NativeEndian.Uint32(length[:]))
	if _, err := io.ReadFull(c.from, b); err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

func (c *talk) ask(message string) string {
	c.t.Helper()
	c.send(message)
	return c.receive()
}

func same(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// wrong is the code and message of an error object, and fails for anything else.
func wrong(t *testing.T, answer string) (code, message string) {
	t.Helper()
	var m map[string]map[string]string
	if err := json.Unmarshal([]byte(answer), &m); err != nil || len(m) != 1 || len(m["error"]) != 2 || m["error"]["message"] == "" {
		t.Fatalf("%s is no error object: %v", answer, err)
	}
	return m["error"]["code"], m["error"]["message"]
}

var (
	nonce   = strings.Repeat("n", 44)
	hash384 = base64.StdEncoding.EncodeToString(make([]byte, 48))
	token   = `{"unverifiedCertificate":"Yw==","algorithm":"ES384","signature":"cw==","format":"web-eid:1.0","appVersion":"https://example.org/1"}`
	signer  = `{"certificate":"Yw==","supportedSignatureAlgorithms":[{"cryptoAlgorithm":"ECC","hashFunction":"SHA-384","paddingScheme":"NONE"}]}`
	signed  = `{"signature":"cw==","signatureAlgorithm":{"cryptoAlgorithm":"ECC","hashFunction":"SHA-384","paddingScheme":"NONE"}}`
)

func command3(name, arguments string) string {
	return fmt.Sprintf(`{"command":%q,"arguments":%s}`, name, arguments)
}

func TestConversation(t *testing.T) {
	t.Parallel()
	agent := &scripted{answer: func(_ context.Context, method string) (string, error) {
		return map[string]string{"auth.login": `{"token":` + token + `,"cardId":"k"}`, "sign.certificate": signer, "sign.hash": signed}[method], nil
	}}
	c := begin(t, Options{Dial: agent.dial, Build: "1.0"})
	same(t, c.receive(), `{"version":"2.8.0+eidkit.1.0"}`)
	same(t, c.ask(command3("authenticate", `{"challengeNonce":"`+nonce+`","origin":"https://Site.example:443","lang":"nl"}`)), token)
	same(t, c.ask(command3("get-signing-certificate", `{"origin":"https://site.example"}`)), signer)
	same(t, c.ask(command3("sign", `{"hash":"`+hash384+`","hashFunction":"SHA-384","certificate":"Yw==","origin":"https://other.example:8443","lang":"de"}`)), signed)
	same(t, c.ask(command3("quit", `{}`)), `{}`)
	if err := <-c.end; err != nil {
		t.Error(err)
	}
	if want := []string{"https://site.example", "https://site.example", "https://other.example:8443"}; !reflect.DeepEqual(agent.origins, want) {
		t.Errorf("the agent was told of %q, want %q", agent.origins, want)
	}
	want := []string{`auth.login {"challengeNonce":"` + nonce + `"}`, `sign.certificate {}`,
		`sign.hash {"certificate":"Yw==","hash":"` + hash384 + `","hashFunction":"SHA-384"}`}
	if !reflect.DeepEqual(agent.calls, want) {
		t.Errorf("calls %q, want %q", agent.calls, want)
	}
	if agent.closed != 3 {
		t.Errorf("%d connections closed, want 3", agent.closed)
	}
}

// TestRefusals has every message that does not hold: the agent hears of none, and
// the conversation goes on.
func TestRefusals(t *testing.T) {
	t.Parallel()
	agent := &scripted{answer: func(context.Context, string) (string, error) { return signer, nil }}
	c := begin(t, Options{Dial: agent.dial})
	same(t, c.receive(), `{"version":"2.8.0"}`)
	auth := func(nonce, origin string) string {
		return command3("authenticate", fmt.Sprintf(`{"challengeNonce":%q,"origin":%q}`, nonce, origin))
	}
	sign := func(hash, function, certificate string) string {
		return command3("sign", fmt.Sprintf(`{"hash":%q,"hashFunction":%q,"certificate":%q,"origin":"https://site.example"}`, hash, function, certificate))
	}
	for name, message := range map[string]string{
		"no JSON":               `x`,
		"no object":             `[]`,
		"null":                  `null`,
		"two objects":           `{} {}`,
		"no command":            `{"arguments":{}}`,
		"no arguments":          `{"command":"quit"}`,
		"another member":        `{"command":"quit","arguments":{},"more":1}`,
		"a member twice":        `{"command":"quit","command":"quit","arguments":{}}`,
		"another letter case":   `{"Command":"quit","arguments":{}}`,
		"unknown command":       command3("delete", `{}`),
		"a number as command":   `{"command":7,"arguments":{}}`,
		"arguments no object":   command3("quit", `[]`),
		"quit with argument":    command3("quit", `{"lang":"en"}`),
		"no nonce":              command3("authenticate", `{"origin":"https://site.example"}`),
		"no origin":             command3("authenticate", `{"challengeNonce":"`+nonce+`"}`),
		"unknown argument":      command3("get-signing-certificate", `{"origin":"https://site.example","pin":"1234"}`),
		"argument in capitals":  command3("get-signing-certificate", `{"Origin":"https://site.example"}`),
		"argument twice":        command3("get-signing-certificate", `{"origin":"https://a.example","origin":"https://b.example"}`),
		"argument null":         command3("get-signing-certificate", `{"origin":null}`),
		"argument a number":     command3("get-signing-certificate", `{"origin":7}`),
		"short nonce":           auth(nonce[1:], "https://site.example"),
		"long nonce":            auth(strings.Repeat("n", 129), "https://site.example"),
		"plain http":            auth(nonce, "http://site.example"),
		"http loopback":         auth(nonce, "http://localhost:8080"),
		"origin null":           auth(nonce, "null"),
		"origin with path":      auth(nonce, "https://site.example/a"),
		"origin with query":     auth(nonce, "https://site.example?a"),
		"origin with fragment":  auth(nonce, "https://site.example#a"),
		"origin with user":      auth(nonce, "https://me@site.example"),
		"long origin":           auth(nonce, "https://"+strings.Repeat("a.", 130)+"example"),
		"lang that is none":     command3("get-signing-certificate", `{"origin":"https://site.example","lang":"e n"}`),
		"long lang":             command3("get-signing-certificate", `{"origin":"https://site.example","lang":"aaaaaaaaaaaaaaaaa"}`),
		"hash too short":        sign(hash384[:60], "SHA-384", "Yw=="),
		"hash of another size":  sign(hash384, "SHA-256", "Yw=="),
		"hash no base64":        sign("???", "SHA-384", "Yw=="),
		"unknown hash function": sign(hash384, "sha-384", "Yw=="),
		"certificate no base64": sign(hash384, "SHA-384", "?"),
	} {
		if code, text := wrong(t, c.ask(message)); code != "ERR_WEBEID_NATIVE_INVALID_ARGUMENT" || strings.Contains(text, "1234") {
			t.Errorf("%s: %s, %s", name, code, text)
		}
	}
	if agent.calls != nil || agent.origins != nil {
		t.Fatalf("the agent was asked: %q of %q", agent.calls, agent.origins)
	}
	same(t, c.ask(command3("get-signing-certificate", `{"origin":"https://site.example"}`)), signer)
}

func TestHashFunctions(t *testing.T) {
	t.Parallel()
	agent := &scripted{answer: func(context.Context, string) (string, error) { return signed, nil }}
	c := begin(t, Options{Dial: agent.dial})
	c.receive()
	for function, size := range map[string]int{"SHA-224": 28, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64, "SHA3-224": 28, "SHA3-256": 32, "SHA3-384": 48, "SHA3-512": 64} {
		hash := base64.StdEncoding.EncodeToString(make([]byte, size))
		same(t, c.ask(command3("sign", `{"hash":"`+hash+`","hashFunction":"`+function+`","certificate":"Yw==","origin":"https://site.example"}`)), signed)
	}
}

// TestErrors goes through the whole table of the agent's errors.
func TestErrors(t *testing.T) {
	t.Parallel()
	var err error
	agent := &scripted{answer: func(context.Context, string) (string, error) { return "", err }}
	c := begin(t, Options{Dial: agent.dial, Language: "fr"})
	c.receive()
	for _, fault := range protocol.Faults() {
		err = fmt.Errorf("calling: %w", protocol.Errorf(fault.Code, "detail"))
		for argument, language := range map[string]string{`,"lang":"nl"`: "nl", `,"lang":"de-BE"`: "de", `,"lang":"et"`: "en", "": "fr"} {
			code, message := wrong(t, c.ask(command3("get-signing-certificate", `{"origin":"https://site.example"`+argument+`}`)))
			if code != fault.WebEID || !strings.HasPrefix(message, fault.Text[language]) || !strings.Contains(message, string(fault.Code)) {
				t.Errorf("%s in %s: %s, %q", fault.Code, language, code, message)
			}
		}
	}
	err = errors.New("secret of the agent")
	if code, message := wrong(t, c.ask(command3("get-signing-certificate", `{"origin":"https://site.example"}`))); code != "ERR_WEBEID_NATIVE_FATAL" || strings.Contains(message, "secret") {
		t.Errorf("an unknown error is %s, %q", code, message)
	}
}

func TestAgentAway(t *testing.T) {
	t.Parallel()
	c := begin(t, Options{Dial: func(context.Context, string) (Caller, error) { return nil, errors.New("no socket") }})
	c.receive()
	seen := map[string]bool{}
	for _, lang := range []string{"en", "nl", "fr", "de"} {
		code, message := wrong(t, c.ask(command3("get-signing-certificate", `{"origin":"https://site.example","lang":"`+lang+`"}`)))
		if code != "ERR_WEBEID_NATIVE_UNAVAILABLE" || seen[message] {
			t.Errorf("%s: %s, %q", lang, code, message)
		}
		seen[message] = true
	}
}

// TestBrokenFrames ends the conversation at once.
func TestBrokenFrames(t *testing.T) {
	t.Parallel()
	length := func(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
	for name, b := range map[string][]byte{
		"length breaks off":  {1, 0},
		"message breaks off": append(length(10), "{}"...),
		"nothing follows":    length(10),
		"empty":              length(0),
		"too long":           append(length(MaxMessage+1), make([]byte, MaxMessage+1)...),
		"huge":               length(1<<32 - 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agent := &scripted{}
			c := begin(t, Options{Dial: agent.dial})
			c.receive()
			go func() {
				c.to.Write(b) //nolint:errcheck // it may end before it has read all
				c.to.Close()
			}()
			if code, _ := wrong(t, c.receive()); code != "ERR_WEBEID_NATIVE_INVALID_ARGUMENT" {
				t.Error(code)
			}
			if err := <-c.end; !errors.Is(err, ErrMessage) {
				t.Errorf("Run: %v, want ErrMessage", err)
			}
			if agent.origins != nil {
				t.Error("the agent was called")
			}
		})
	}
}

func TestLongestMessage(t *testing.T) {
	t.Parallel()
	agent := &scripted{answer: func(context.Context, string) (string, error) { return signed, nil }}
	c := begin(t, Options{Dial: agent.dial})
	c.receive()
	message := command3("sign", `{"hash":"`+hash384+`","hashFunction":"SHA-384","certificate":"@","origin":"https://site.example"}`)
	for room := MaxMessage - len(message) + 1; ; room-- {
		if full := strings.Replace(message, "@", strings.Repeat("A", room/4*4), 1); len(full) <= MaxMessage {
			same(t, c.ask(full+strings.Repeat(" ", MaxMessage-len(full))), signed)
			return
		}
	}
}

// TestBrowserGone: the pipe ends while the user is asked, and so does the question.
func TestBrowserGone(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*talk){
		"pipe":   func(c *talk) { c.to.Close() },
		"quit":   func(c *talk) { c.send(command3("quit", `{}`)) },
		"broken": func(c *talk) { c.to.Write([]byte{0, 0, 0, 0}) }, //nolint:errcheck // the answer shows it
		"flood": func(c *talk) {
			for range maxAhead + 2 {
				c.to.Write(frame(command3("get-signing-certificate", `{"origin":"https://site.example"}`))) //nolint:errcheck // it ends in between
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asking := make(chan struct{})
			agent := &scripted{answer: func(ctx context.Context, _ string) (string, error) {
				close(asking)
				<-ctx.Done()
				return "", fmt.Errorf("calling: %w", ctx.Err()) // as package dial does
			}}
			c := begin(t, Options{Dial: agent.dial})
			c.receive()
			c.send(command3("authenticate", `{"challengeNonce":"`+nonce+`","origin":"https://site.example"}`))
			<-asking
			go end(c)
			if code, _ := wrong(t, c.receive()); code != "ERR_WEBEID_USER_CANCELLED" {
				t.Error(code)
			}
			switch name {
			case "quit":
				same(t, c.receive(), `{}`)
			case "broken", "flood":
				wrong(t, c.receive())
			}
			if err := <-c.end; (name == "broken" || name == "flood") != errors.Is(err, ErrMessage) {
				t.Errorf("Run: %v", err)
			}
			if len(agent.calls) != 1 {
				t.Errorf("calls %q", agent.calls)
			}
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	in, w := io.Pipe()
	defer w.Close()
	cancel()
	if err := Run(ctx, in, io.Discard, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

func FuzzRun(f *testing.F) {
	f.Add(frame(command3("quit", `{}`)))
	f.Add(append(frame(`{}`), frame(command3("get-signing-certificate", `{"origin":"https://site.example","lang":"nl"}`))...))
	f.Add(frame(command3("authenticate", `{"challengeNonce":"`+nonce+`","origin":"https://site.example"}`)))
	f.Add(frame(command3("sign", `{"hash":"`+hash384+`","hashFunction":"SHA-384","certificate":"Yw==","origin":"https://site.example"}`)))
	f.Add([]byte{1, 0})
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		agent := &scripted{answer: func(context.Context, string) (string, error) { return `{"token":{}}`, nil }}
		var out bytes.Buffer
		err := Run(t.Context(), bytes.NewReader(b), &out, Options{Dial: agent.dial})
		if err != nil && !errors.Is(err, ErrMessage) {
			t.Fatal(err)
		}
		for answers := 0; out.Len() > 0; answers++ {
			m, err := read(&out)
			if err != nil || !json.Valid(m) {
				t.Fatalf("answer %d: %q, %v", answers, m, err)
			}
		}
		for _, origin := range agent.origins {
			if !strings.HasPrefix(origin, "https://") || strings.ContainsAny(origin[8:], "/?#@ ") {
				t.Fatalf("the agent was told of the origin %q", origin)
			}
		}
	})
}
