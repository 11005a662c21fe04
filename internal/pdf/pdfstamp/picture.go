package pdfstamp

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdffont"
)

// Limits of pictures.
const (
	maxFile   = 16 << 20 // bytes
	maxPixels = 24 << 20
	maxSide   = 1000 // pixels kept of a picture that is not passed on as it is
)

// picture is a picture as PDF has it: a JPEG as it is, or samples.
type picture struct {
	width, height int
	jpeg          []byte
	grey          bool
	rgb, alpha    []byte // alpha is nil if nothing shows through
}

// readPicture reads a PNG or JPEG.
func readPicture(data []byte) (*picture, error) {
	isJPEG := bytes.HasPrefix(data, []byte("\xff\xd8"))
	isPNG := bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n"))
	switch {
	case !isJPEG && !isPNG:
		return nil, fmt.Errorf("%w: it is neither PNG nor JPEG", ErrImage)
	case len(data) > maxFile:
		return nil, fmt.Errorf("%w: it is larger than %d MiB", ErrImage, maxFile>>20)
	}
	config, decode := png.DecodeConfig, png.Decode
	if isJPEG {
		config, decode = jpeg.DecodeConfig, jpeg.Decode
	}
	c, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrImage, err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxPixels/c.Height {
		return nil, fmt.Errorf("%w: it has %d by %d pixels", ErrImage, c.Width, c.Height)
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrImage, err)
	}
	p := &picture{width: c.Width, height: c.Height}
	if isJPEG && c.ColorModel != color.CMYKModel {
		p.jpeg, p.grey = data, c.ColorModel == color.GrayModel
		return p, nil
	}
	p.sample(img)
	return p, nil
}

// sample takes the samples of a picture, the mean of several where it has more
// than are kept.
func (p *picture) sample(img image.Image) {
	b := img.Bounds()
	step := max(1, (max(b.Dx(), b.Dy())+maxSide-1)/maxSide)
	p.width, p.height = (b.Dx()+step-1)/step, (b.Dy()+step-1)/step
	p.rgb = make([]byte, 0, 3*p.width*p.height)
	alpha := make([]byte, 0, p.width*p.height)
	opaque := true
	for y := b.Min.Y; y < b.Max.Y; y += step {
		for x := b.Min.X; x < b.Max.X; x += step {
			var sum [4]uint64 // colours are weighed by their alpha
			n := uint64(0)
			for yy := y; yy < min(y+step, b.Max.Y); yy++ {
				for xx := x; xx < min(x+step, b.Max.X); xx++ {
					r, g, bl, a := img.At(xx, yy).RGBA()
					sum[0], sum[1], sum[2], sum[3] = sum[0]+uint64(r), sum[1]+uint64(g), sum[2]+uint64(bl), sum[3]+uint64(a)
					n++
				}
			}
			for _, c := range sum[:3] {
				if sum[3] == 0 {
					p.rgb = append(p.rgb, 0xff)
				} else {
					p.rgb = append(p.rgb, byte((255*c+sum[3]/2)/sum[3]))
				}
			}
			a := byte((sum[3]/n + 128) / 257)
			opaque = opaque && a == 0xff
			alpha = append(alpha, a)
		}
	}
	if !opaque {
		p.alpha = alpha
	}
}

// onWhite are the samples over a white ground.
func (p *picture) onWhite() []byte {
	out := bytes.Clone(p.rgb)
	for i, a := range p.alpha {
		for j := 3 * i; j < 3*i+3; j++ {
			out[j] = byte((int(out[j])*int(a) + 255*(255-int(a)) + 127) / 255)
		}
	}
	return out
}

// add writes the image XObject.
func (p *picture) add(u *pdf.Update, flat bool) pdf.Ref {
	d := pdf.Dict{
		"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Image"), "Width": int64(p.width), "Height": int64(p.height),
		"BitsPerComponent": int64(8), "ColorSpace": calRGB(),
	}
	if p.jpeg != nil {
		d["Filter"] = pdf.Name("DCTDecode")
		if p.grey {
			d["ColorSpace"] = greys()
		}
		return u.Add(&pdf.NewStream{Dict: d, Data: p.jpeg})
	}
	samples := p.rgb
	if p.alpha != nil && flat {
		samples = p.onWhite()
	} else if p.alpha != nil {
		d["SMask"] = u.Add(&pdf.NewStream{Dict: pdf.Dict{
			"Type": pdf.Name("XObject"), "Subtype": pdf.Name("Image"), "Width": int64(p.width), "Height": int64(p.height),
			"BitsPerComponent": int64(8), "ColorSpace": pdf.Name("DeviceGray"), "Filter": pdf.Name("FlateDecode"),
		}, Data: pdffont.Deflate(p.alpha)})
	}
	d["Filter"] = pdf.Name("FlateDecode")
	return u.Add(&pdf.NewStream{Dict: d, Data: pdffont.Deflate(samples)})
}

// greys is a colour space of 256 greys. CalGray would be the natural one, but
// common readers give it a tint.
func greys() pdf.Array {
	table := make([]byte, 0, 3*256)
	for i := range 256 {
		table = append(table, byte(i), byte(i), byte(i))
	}
	return pdf.Array{pdf.Name("Indexed"), calRGB(), int64(255), pdf.String{Value: string(table), Hex: true}}
}
