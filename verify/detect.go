package verify

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/filekind"
)

// read tells the kind of a file by its content, never by its name, and has it
// read.
func read(ctx context.Context, in ades.Input) ([]*ades.Signature, error) {
	kind, err := filekind.Of(in.Data, in.Size)
	if err != nil {
		return nil, err
	}
	switch kind {
	case filekind.Empty:
		return nil, fmt.Errorf("%w: the file is empty", ades.ErrNoSignature)
	case filekind.ZIP:
		return container.Read(ctx, in)
	case filekind.PDF:
		return pades.Read(ctx, in)
	case filekind.XML:
		return xades.Read(ctx, in)
	}
	sigs, err := cades.Read(ctx, in)
	if errors.Is(err, ades.ErrRefused) && kind == filekind.Unknown { // any text looks like base64, which is only tried
		return nil, fmt.Errorf("%w: the file is of no kind that carries signatures", ades.ErrNoSignature)
	}
	return sigs, err
}

// baseName takes the folder off a name of whichever system. What has nothing
// behind its folder is no name.
func baseName(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	if base == "." || base == "/" {
		return ""
	}
	return base
}
