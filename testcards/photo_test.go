package testcards

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// Photos are grey JPEGs of the sizes of sheet 2.1, and no two persons' are the same.
func TestPhotos(t *testing.T) {
	seen := map[string]bool{}
	for profile, size := range map[string]image.Point{"citizen-1.1": {140, 200}, "citizen-1.7": {140, 200}, "citizen-1.8": {150, 195}, "kid-1.8": {150, 195}} {
		for seed := range uint64(8) {
			b := open(t, profile, Options{Seed: seed}).File(0x4035)
			if len(b) < 2600 || len(b) > 3200 || !bytes.HasPrefix(b, []byte{0xFF, 0xD8, 0xFF}) || seen[string(b)] {
				t.Errorf("%s, seed %d: %d bytes", profile, seed, len(b))
			}
			seen[string(b)] = true
			img, err := jpeg.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			grey, ok := img.(*image.Gray)
			if !ok || img.Bounds().Size() != size {
				t.Fatalf("%s: %v, %T", profile, img.Bounds(), img)
			}
			// There is something to see: a light wall, and dark and light parts before it.
			corner, dark := grey.GrayAt(3, 3).Y, 0
			for y := range size.Y {
				for x := range size.X {
					if img.At(x, y).(color.Gray).Y < 110 {
						dark++
					}
				}
			}
			if corner < 200 || dark < size.X*size.Y/20 || dark > size.X*size.Y*3/4 {
				t.Errorf("%s, seed %d: corner %d, %d dark points", profile, seed, corner, dark)
			}
		}
	}
}
