package server

import (
	"errors"
	"io"
	"mime/multipart"
)

// receiveParts reads the parts of a form as they come. The files together may
// be as long as one upload.
func (s *Server) receiveParts(u *upload, body io.Reader, boundary string) error {
	if boundary == "" {
		return badf("multipart/form-data without a boundary")
	}
	form := multipart.NewReader(body, boundary)
	left := s.options.MaxUpload
	for n := 0; ; n++ {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return formError(err)
		}
		if n >= maxParts {
			return badf("more than %d parts", maxParts)
		}
		used, err := s.receivePart(u, part, left)
		if err != nil {
			return formError(err)
		}
		left -= used
	}
}

// receivePart takes one part, and says how much of the limit a file took.
func (s *Server) receivePart(u *upload, part *multipart.Part, left int64) (int64, error) {
	switch part.FormName() {
	case "file":
		if u.file != nil {
			return 0, badf("more than one part \"file\": send one request for each")
		}
		f, err := s.spool(part, left)
		if err != nil {
			return 0, err
		}
		u.file = f
		if u.name == "" {
			u.name = part.FileName()
		}
		return f.size, nil
	case "content":
		f, err := s.spool(part, left)
		if err != nil {
			return 0, err
		}
		u.contents = append(u.contents, content{name: part.FileName(), file: f})
		return f.size, nil
	}
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	if err != nil {
		return 0, err
	}
	if len(value) > maxField {
		return 0, badf("form field %q is longer than %d bytes", part.FormName(), maxField)
	}
	return 0, u.set(part.FormName(), string(value))
}

// formError keeps our own errors and the connection's, and turns the form
// reader's into a mistake of the client.
func formError(err error) error {
	var bad badRequest
	if errors.As(err, &bad) || errors.Is(err, errTooLarge) || errors.Is(err, errBusy) || errors.Is(err, errBody) {
		return err
	}
	return badf("the form cannot be read: %w", err)
}
