package testcards

import "bytes"

// file is an elementary file.
type file struct {
	id       uint16
	data     []byte
	tlv      bool // READ RECORD finds records in it
	writable bool // by the holder, after VERIFY
}

// directory is the master file or a dedicated file.
type directory struct {
	id    uint16
	aid   []byte
	files []*file
	dirs  []*directory
}

// Application identifiers (sheet 1.2). That of the applet selects the master file.
var (
	appletAID = []byte{0xA0, 0x00, 0x00, 0x00, 0x30, 0x29, 0x05, 0x70, 0x00, 0xAD, 0x13, 0x10, 0x01, 0x01, 0xFF}
	belpicAID = append([]byte{0xA0, 0x00, 0x00, 0x01, 0x77}, "PKCS-15"...)
	idAID     = append([]byte{0xA0, 0x00, 0x00, 0x01, 0x77}, "IdFiles"...)
)

func (d *directory) file(id uint16) *file {
	for _, f := range d.files {
		if f.id == id {
			return f
		}
	}
	return nil
}

func (d *directory) dir(id uint16) *directory {
	for _, sub := range d.dirs {
		if sub.id == id {
			return sub
		}
	}
	return nil
}

// find looks for a file in d and everything below.
func (d *directory) find(id uint16) *file {
	if f := d.file(id); f != nil {
		return f
	}
	for _, sub := range d.dirs {
		if f := sub.find(id); f != nil {
			return f
		}
	}
	return nil
}

// selectFile is SELECT (sheet 2.2). A refusal leaves everything selected as it was.
func (c *Card) selectFile(cmd command) uint16 {
	switch {
	case cmd.p1 != 0x02 && cmd.p1 != 0x04 && cmd.p1 != 0x08:
		return swWrongParameters
	case !cmd.complete():
		return swWrongLength
	case cmd.p1 == 0x04:
		return c.selectAID(cmd)
	case cmd.p2 != 0x0C:
		return swWrongParameters
	case cmd.p1 == 0x02:
		if len(cmd.data) != 2 {
			return swLcParameters
		}
		return c.selectID(fileID(cmd.data))
	case len(cmd.data) < 2 || len(cmd.data) > 6 || len(cmd.data)%2 != 0:
		return swLcParameters
	}
	return c.selectPath(cmd.data)
}

func fileID(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }

// selectAID selects the applet, which begins anew, or one of its directories. P2=00 asks for information that only the applet may
// be asked for and that it does not give.
func (c *Card) selectAID(cmd command) uint16 {
	if cmd.p2 != 0x0C && cmd.p2 != 0 {
		return swWrongParameters
	}
	if len(cmd.data) < 5 || len(cmd.data) > 16 {
		return swLcParameters
	}
	if bytes.Equal(cmd.data, appletAID) {
		c.vol = volatile{df: c.mf}
		return swOK
	}
	for _, d := range c.mf.dirs {
		if bytes.Equal(cmd.data, d.aid) {
			if cmd.p2 != 0x0C {
				return swWrongParameters
			}
			c.vol.df, c.vol.ef = d, nil
			return swOK
		}
	}
	return swNotFound
}

// selectID looks in the current directory; 3F00 is found from everywhere.
func (c *Card) selectID(id uint16) uint16 {
	if id == c.mf.id {
		c.vol.df, c.vol.ef = c.mf, nil
		return swOK
	}
	places := []*directory{c.vol.df}
	if c.opts.AnyDF {
		places = append(append(places, c.mf), c.mf.dirs...)
	}
	for _, d := range places {
		if f := d.file(id); f != nil {
			c.vol.df, c.vol.ef = d, f
			return swOK
		}
		if sub := d.dir(id); sub != nil {
			c.vol.df, c.vol.ef = sub, nil
			return swOK
		}
	}
	return swNotFound
}

// selectPath follows a path from the master file, whose own identifier may stand in front.
func (c *Card) selectPath(path []byte) uint16 {
	df := c.mf
	if fileID(path) == c.mf.id {
		path = path[2:]
	}
	var ef *file
	for ; len(path) > 0; path = path[2:] {
		id := fileID(path)
		if f := df.file(id); f != nil && len(path) == 2 {
			ef = f
			break
		}
		sub := df.dir(id)
		if sub == nil {
			return swNotFound
		}
		df = sub
	}
	c.vol.df, c.vol.ef = df, ef
	return swOK
}

// readBinary is READ BINARY (sheet 2.3).
func (c *Card) readBinary(cmd command) ([]byte, uint16) {
	offset := int(cmd.p1)<<8 | int(cmd.p2)
	switch {
	case len(cmd.data) > 0:
		return nil, swWrongLength
	case c.vol.ef == nil:
		return nil, swNoFile
	case offset > 0x7FFF || offset >= len(c.vol.ef.data): // no short file identifiers here
		return nil, swWrongOffset
	}
	rest := c.vol.ef.data[offset:]
	if cmd.le() > len(rest) {
		return nil, wrongLe(len(rest))
	}
	return rest[:cmd.le()], swOK
}

// updateBinary lets the holder write the preferences, in the length they have.
func (c *Card) updateBinary(cmd command) uint16 {
	offset := int(cmd.p1)<<8 | int(cmd.p2)
	switch {
	case !cmd.complete() || len(cmd.data) == 0:
		return swWrongLength
	case c.vol.ef == nil:
		return swNoFile
	case !c.vol.ef.writable || !c.vol.rights.holder():
		return swSecurity
	case offset >= len(c.vol.ef.data):
		return swWrongOffset
	case offset+len(cmd.data) > len(c.vol.ef.data):
		return swFileFull
	}
	copy(c.vol.ef.data[offset:], cmd.data)
	return swOK
}

// readRecord is READ RECORD (sheet 2.4): the records with tags P1 to P2.
func (c *Card) readRecord(cmd command) ([]byte, uint16) {
	switch {
	case len(cmd.data) > 0:
		return nil, swWrongLength
	case c.vol.ef == nil:
		return nil, swNoFile
	case !c.vol.ef.tlv:
		return nil, swNotTLV
	}
	out := recordsBetween(c.vol.ef.data, cmd.p1, cmd.p2)
	switch {
	case len(out) == 0:
		return nil, swRecordNotFound
	case cmd.p3 == 0 && len(out) > 256:
		c.vol.pending = out[256:]
		return out[:256], more(len(out) - 256)
	case cmd.p3 == 0:
		return out, swOK
	case cmd.le() > len(out):
		return nil, wrongLe(len(out))
	}
	return out[:cmd.le()], swOK
}
