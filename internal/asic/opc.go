package asic

import (
	"encoding/xml"
	"mime"
	"path"
	"strings"
)

// ContentTypesFile is the part of an Open Packaging container that gives each
// part its type. It is never signed itself: references name the type.
const ContentTypesFile = "[Content_Types].xml"

// Namespaces of ECMA-376 part 2 annex E.
const (
	spaceTypes         = "http://schemas.openxmlformats.org/package/2006/content-types"
	spaceRelationships = "http://schemas.openxmlformats.org/package/2006/relationships"
)

// ContentTypes are the types of the parts of a package (ECMA-376 part 2
// section 10.1.2).
type ContentTypes struct {
	byPart, byExtension map[string]string // in lower case
}

// ParseContentTypes reads [Content_Types].xml. Errors wrap ErrManifest, also
// for a part or an extension with two types.
func ParseContentTypes(raw []byte) (*ContentTypes, error) {
	t := &ContentTypes{map[string]string{}, map[string]string{}}
	err := walk(raw, func(path []xml.Name, start *xml.StartElement, _ string) error {
		if path[0] != (xml.Name{Space: spaceTypes, Local: "Types"}) {
			return badManifest("the root element is %q", path[0].Local)
		}
		if start == nil || len(path) != 2 || path[1].Space != spaceTypes {
			return nil
		}
		table, key := t.byPart, attribute(start, "PartName")
		switch path[1].Local {
		case "Override":
		case "Default":
			table, key = t.byExtension, attribute(start, "Extension")
		default:
			return nil
		}
		key = strings.ToLower(strings.TrimPrefix(key, "/"))
		if _, twice := table[key]; twice {
			return badManifest("%q has two types", key)
		}
		table[key] = attribute(start, "ContentType")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Of returns the type of a part, "" if it has none.
func (t *ContentTypes) Of(part string) string {
	part = strings.ToLower(part)
	if s, ok := t.byPart[part]; ok {
		return s
	}
	return t.byExtension[strings.TrimPrefix(path.Ext(part), ".")]
}

// SameType tells whether two media types are the same, whatever their case and
// spacing.
func SameType(a, b string) bool {
	x, px, errx := mime.ParseMediaType(a)
	y, py, erry := mime.ParseMediaType(b)
	if errx != nil || erry != nil {
		return a == b
	}
	return mime.FormatMediaType(x, px) == mime.FormatMediaType(y, py)
}

// Relationship is one link of a package (ECMA-376 part 2 section 9.3).
type Relationship struct {
	ID       string
	Type     string
	Target   string // as written
	External bool
}

// ParseRelationships reads a relationships part. Errors wrap ErrManifest.
func ParseRelationships(raw []byte) ([]Relationship, error) {
	var list []Relationship
	err := walk(raw, func(path []xml.Name, start *xml.StartElement, _ string) error {
		if path[0] != (xml.Name{Space: spaceRelationships, Local: "Relationships"}) {
			return badManifest("the root element is %q", path[0].Local)
		}
		if start == nil || len(path) != 2 || path[1] != (xml.Name{Space: spaceRelationships, Local: "Relationship"}) {
			return nil
		}
		if len(list) == maxReferences {
			return badManifest("more than %d relationships", maxReferences)
		}
		list = append(list, Relationship{attribute(start, "Id"), attribute(start, "Type"), attribute(start, "Target"), attribute(start, "TargetMode") == "External"})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Relationships of ECMA-376 part 2 annex E.2.
const (
	relOrigin    = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin"
	relSignature = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/signature"
)

// PackageSignatures returns the signature parts of an Open Packaging container:
// those that the relationships of its origin name. Errors wrap ErrManifest,
// ErrFormat or ErrTooLarge, or are those of the source.
func (c *Container) PackageSignatures() ([]*Entry, error) {
	origins, err := c.related("", relOrigin)
	if err != nil {
		return nil, err
	}
	var list []*Entry
	for _, o := range origins {
		signatures, err := c.related(o.Name, relSignature)
		if err != nil {
			return nil, err
		}
		list = append(list, signatures...)
	}
	return list, nil
}

// related returns the parts that a part, or the package for "", names by a
// relationship of that type.
func (c *Container) related(part, relType string) ([]*Entry, error) {
	dir, name := path.Split(part)
	e := c.Lookup(dir + "_rels/" + name + ".rels")
	if e == nil {
		return nil, nil
	}
	raw, err := e.Bytes(MaxManifest)
	if err != nil {
		return nil, err
	}
	links, err := ParseRelationships(raw)
	if err != nil {
		return nil, err
	}
	var list []*Entry
	seen := map[*Entry]bool{}
	for _, r := range links {
		if r.Type != relType || r.External {
			continue
		}
		target := r.Target
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/", dir, target)
		}
		if found := c.Resolve(target); found != nil && !seen[found] {
			seen[found] = true
			list = append(list, found)
		}
	}
	return list, nil
}
