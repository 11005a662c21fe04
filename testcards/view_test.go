package testcards

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"testing"
)

func TestView(t *testing.T) {
	sheet := image.NewGray(image.Rect(0, 0, 8*160, 3*210))
	for i := 0; i < 24; i++ {
		name := "citizen-1.8"
		if i%8 == 7 {
			name = "kid-1.8"
		}
		if i/8 == 2 {
			name = "citizen-1.7"
		}
		c, err := Open(name, Options{Seed: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		b := c.File(0x4035)
		fmt.Print(len(b), " ")
		img, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		draw.Draw(sheet, img.Bounds().Add(image.Pt((i%8)*160, (i/8)*210)), img, image.Point{}, draw.Src)
	}
	f, _ := os.Create("/tmp/sheet.png")
	png.Encode(f, sheet)
	f.Close()
}
