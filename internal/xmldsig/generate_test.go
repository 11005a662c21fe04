package xmldsig

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// generator makes documents at random, the same for the same seed.
type generator struct {
	*rand.Rand
	b     strings.Builder
	id    int
	plain bool // no default namespace, no attributes of namespace xml
}

// generate makes a document with all that canonicalisation is about.
func generate(seed uint64, plain bool) string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), plain: plain}
	if g.IntN(2) == 0 {
		g.b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	}
	g.misc()
	g.element(0, map[string]bool{})
	g.misc()
	return g.b.String()
}

func (g *generator) misc() {
	for range g.IntN(3) {
		g.b.WriteString([]string{"<!-- a\r\nb -->", "<?pi?>", "<?target  some data ?>", "\n", "<!---->"}[g.IntN(5)])
	}
}

func (g *generator) element(depth int, prefixes map[string]bool) {
	scope := map[string]bool{}
	for p := range prefixes {
		scope[p] = true
	}
	var attrs []string
	for _, p := range []string{"a", "b", "c"} {
		if g.IntN(5) == 0 {
			attrs = append(attrs, fmt.Sprintf(`xmlns:%s="urn:%d"`, p, g.IntN(3)))
			scope[p] = true
		}
	}
	switch g.IntN(6) {
	case 0, 1:
		if g.plain {
			break
		}
		attrs = append(attrs, fmt.Sprintf(`xmlns="urn:%d"`, g.IntN(3)))
	case 2:
		attrs = append(attrs, `xmlns=""`)
	}
	if g.IntN(3) == 0 {
		g.id++
		attrs = append(attrs, fmt.Sprintf(`Id="i%d"`, g.id))
	}
	values := []string{"", "v", "a&#9;b&#10;c&#13;d", "&lt;&amp;&gt;&quot;'", " x\ny\tz\r\n", "é€"}
	for i, name := range []string{"z", "y", "xml:lang", "xml:space"} {
		if g.IntN(6) == 0 && !(g.plain && i > 1) {
			attrs = append(attrs, fmt.Sprintf(`%s="%s"`, name, values[g.IntN(2+2*(i/2+1))%len(values)]))
		}
	}
	if g.IntN(8) == 0 && !g.plain {
		attrs = append(attrs, fmt.Sprintf(`xml:base="%s"`, []string{"x", "a/b/", "../c", "http://e.be/p/q", "/r"}[g.IntN(5)]))
	}
	for _, p := range []string{"a", "b", "c"} {
		if scope[p] && g.IntN(4) == 0 {
			attrs = append(attrs, fmt.Sprintf(`%s:q%s="%s"`, p, p, values[g.IntN(len(values))]))
		}
	}
	g.Shuffle(len(attrs), func(i, j int) { attrs[i], attrs[j] = attrs[j], attrs[i] })
	name := []string{"e", "f", "g"}[g.IntN(3)]
	for p := range map[string]bool{"a": true} {
		if scope[p] && g.IntN(2) == 0 {
			name = p + ":" + name
		}
	}
	if scope["b"] && !strings.Contains(name, ":") && g.IntN(3) == 0 {
		name = "b:" + name
	}
	g.b.WriteString("<" + name)
	for _, a := range attrs {
		g.b.WriteString([]string{" ", "\n  ", "\t"}[g.IntN(3)] + a)
	}
	if depth > 6 || g.IntN(8) == 0 {
		g.b.WriteString([]string{"/>", " />", "></" + name + ">"}[g.IntN(3)])
		return
	}
	g.b.WriteString(">")
	for range g.IntN(5) {
		switch g.IntN(7) {
		case 0:
			g.b.WriteString([]string{"text", "a &lt; b &amp; c", "\r\n", "x&#13;y", "é\U0001F600", "tab\t"}[g.IntN(6)])
		case 1:
			g.b.WriteString([]string{"<![CDATA[<raw> & \r\n]]>", "<![CDATA[]]>", "a<![CDATA[b]]>c"}[g.IntN(3)])
		case 2:
			g.b.WriteString("<!-- c -->")
		case 3:
			g.b.WriteString("<?p d?>")
		default:
			g.element(depth+1, scope)
		}
	}
	g.b.WriteString("</" + name + ">")
}

// tool finds a program that judges or makes; absent it is no reason to fail but in CI, which installs it.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not there, and this is CI", name)
		}
		t.Skipf("%s is not there", name)
	}
	return path
}

// file writes a file for a tool.
func file(t testing.TB, name, content string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}
