package testcards

import (
	"bytes"
	"fmt"
	"slices"
)

// CardFault is a way in which a simulated card can be wrong on purpose, to show that a test of cards or drivers notices.
type CardFault struct {
	Name        string // for Options.Mutation
	Description string

	files       func(files map[uint16][]byte)    // changes what is personalised
	transmit    func(c *Card, cmd []byte) []byte // takes the place of answer
	keepsRights bool                             // through a reset
}

// CardFaults lists them. They sit around the applet, not in it: answers and state are bent before and after.
func CardFaults() []CardFault { return slices.Concat(fileFaults, transportFaults, securityFaults) }

func findCardFault(name string) (*CardFault, error) {
	if name == "" {
		return nil, nil
	}
	for _, f := range CardFaults() {
		if f.Name == name {
			return &f, nil
		}
	}
	return nil, fmt.Errorf("no card fault named %q", name)
}

// mutated is answer, bent by the card's fault if it has one.
func (c *Card) mutated(cmd []byte) []byte {
	if c.mutant != nil && c.mutant.transmit != nil {
		return c.mutant.transmit(c, cmd)
	}
	return c.answer(cmd)
}

// ins says whether cmd is this instruction of class 00 and long enough to be looked into.
func ins(cmd []byte, want byte) bool { return len(cmd) >= 5 && cmd[0] == 0 && cmd[1] == want }

func ok(resp []byte) bool { return bytes.HasSuffix(resp, []byte{0x90, 0x00}) }

// fileFaults are wrong data on a card that behaves.
var fileFaults = []CardFault{
	{Name: "other-photo", Description: "the photo is not the one whose hash is in the identity",
		files: func(f map[uint16][]byte) {
			f[0x4035] = bytes.Replace(f[0x4035], []byte{0xFF, 0xDA}, []byte{0xFF, 0xDB}, 1)
		}},
	{Name: "short-address", Description: "the address file ends after 100 bytes",
		files: func(f map[uint16][]byte) { f[0x4033] = f[0x4033][:100] }},
	{Name: "cut-certificate", Description: "the authentication certificate ends before its DER does",
		files: func(f map[uint16][]byte) { f[0x5038] = f[0x5038][:700] }},
	{Name: "other-serial", Description: "the chip number in the identity is not that of the card data",
		files: func(f map[uint16][]byte) { f[0x4031][14+2+5] ^= 0x40 }},
	{Name: "changed-name", Description: "a letter of the surname differs from what the register signed",
		files: func(f map[uint16][]byte) {
			f[0x4031] = bytes.Replace(f[0x4031], []byte("-Specimen"), []byte("-Specimer"), 1)
		}},
	{Name: "other-basic-key", Description: "the basic key is not the one whose hash is in the identity (1.8)",
		files: func(f map[uint16][]byte) {
			if len(f[0x4040]) > 0 {
				f[0x4040][119] ^= 0x01
			}
		}},
	{Name: "missing-file", Description: "the register's certificate is not there",
		files: func(f map[uint16][]byte) { delete(f, 0x503C) }},
}

// transportFaults are errors of T=0 and of reading.
var transportFaults = []CardFault{
	{Name: "ignores-le", Description: "READ BINARY gives what there is when asked for more, instead of 6Cxx",
		transmit: func(c *Card, cmd []byte) []byte {
			resp := c.answer(cmd)
			if ins(cmd, 0xB0) && resp[0] == 0x6C {
				return c.answer([]byte{0, 0xB0, cmd[2], cmd[3], resp[1]})
			}
			return resp
		}},
	{Name: "wrong-6c", Description: "6Cxx names one byte less than there is",
		transmit: func(c *Card, cmd []byte) []byte {
			resp := c.answer(cmd)
			if resp[0] == 0x6C {
				resp[1]--
			}
			return resp
		}},
	{Name: "stale-file", Description: "selecting the address leaves the file selected that was",
		transmit: func(c *Card, cmd []byte) []byte {
			before := c.vol.ef
			resp := c.answer(cmd)
			if ins(cmd, 0xA4) && before != nil && c.vol.ef != nil && c.vol.ef.id == 0x4033 {
				c.vol.ef = before
			}
			return resp
		}},
	{Name: "wrong-offset", Description: "READ BINARY past 255 bytes begins one byte too early",
		transmit: func(c *Card, cmd []byte) []byte {
			if ins(cmd, 0xB0) && cmd[2] != 0 && cmd[3] != 0 {
				cmd = []byte{0, 0xB0, cmd[2], cmd[3] - 1, cmd[4]}
			} else if ins(cmd, 0xB0) && cmd[2] != 0 {
				cmd = []byte{0, 0xB0, cmd[2] - 1, 0xFF, cmd[4]}
			}
			return c.answer(cmd)
		}},
	{Name: "no-end", Description: "READ BINARY at the end of a file gives nothing and 9000 instead of 6B00",
		transmit: func(c *Card, cmd []byte) []byte {
			resp := c.answer(cmd)
			if ins(cmd, 0xB0) && resp[0] == 0x6B {
				return statusWord(swOK)
			}
			return resp
		}},
	{Name: "same-response", Description: "GET RESPONSE can be had twice",
		transmit: func(c *Card, cmd []byte) []byte {
			before := c.vol.pending
			resp := c.answer(cmd)
			if ins(cmd, 0xC0) && ok(resp) {
				c.vol.pending = before
			}
			return resp
		}},
	{Name: "answers-at-once", Description: "a signature comes without GET RESPONSE",
		transmit: func(c *Card, cmd []byte) []byte {
			resp := c.answer(cmd)
			if ins(cmd, 0x2A) && resp[0] == 0x61 {
				return c.answer([]byte{0, 0xC0, 0, 0, resp[1]})
			}
			return resp
		}},
	{Name: "any-directory", Description: "a file identifier is found in every directory",
		transmit: func(c *Card, cmd []byte) []byte {
			resp := c.answer(cmd)
			if ins(cmd, 0xA4) && cmd[2] == 2 && len(cmd) == 7 && resp[0] == 0x6A {
				for _, d := range c.mf.dirs {
					if f := d.file(fileID(cmd[5:])); f != nil {
						c.vol.df, c.vol.ef = d, f
						return statusWord(swOK)
					}
				}
			}
			return resp
		}},
}

// securityFaults are errors of PIN and keys.
var securityFaults = []CardFault{
	{Name: "no-pin-82", Description: "key 82 signs without the PIN",
		transmit: func(c *Card, cmd []byte) []byte {
			if ins(cmd, 0x2A) && c.vol.mse.key == 0x82 {
				c.vol.rights.auth = true
			}
			return c.answer(cmd)
		}},
	{Name: "no-pin-83", Description: "key 83 signs without VERIFY just before, once the PIN was verified",
		transmit: func(c *Card, cmd []byte) []byte {
			if ins(cmd, 0x2A) && c.vol.mse.key == 0x83 && c.vol.rights.holder() {
				c.vol.rights.fresh, c.vol.rights.between = true, 0
			}
			return c.answer(cmd)
		}},
	{Name: "pin-for-two", Description: "one VERIFY is good for two signatures with key 83",
		transmit: func(c *Card, cmd []byte) []byte {
			before := c.vol.rights
			resp := c.answer(cmd)
			if ins(cmd, 0x2A) && c.vol.mse.key == 0x83 && resp[0] == 0x61 {
				c.vol.rights = before
				c.vol.rights.between = -2 // GET RESPONSE comes between
			}
			return resp
		}},
	{Name: "opens-82", Description: "a VERIFY used for key 83 opens key 82 too",
		transmit: func(c *Card, cmd []byte) []byte {
			resp := c.answer(cmd)
			if ins(cmd, 0x2A) && c.vol.mse.key == 0x83 && resp[0] == 0x61 {
				c.vol.rights.auth = true
			}
			return resp
		}},
	{Name: "endless-tries", Description: "a wrong PIN costs no try",
		transmit: func(c *Card, cmd []byte) []byte {
			resp := c.answer(cmd)
			if ins(cmd, 0x20) && resp[0] == 0x63 && len(cmd) > 5 {
				c.pin.tries++
			}
			return resp
		}},
	{Name: "forgiving", Description: "a wrong PIN leaves the rights of an earlier right one",
		transmit: func(c *Card, cmd []byte) []byte {
			before := c.vol.rights
			resp := c.answer(cmd)
			if ins(cmd, 0x20) && resp[0] == 0x63 {
				c.vol.rights = before
			}
			return resp
		}},
	{Name: "any-pin", Description: "every PIN is right",
		transmit: func(c *Card, cmd []byte) []byte {
			if ins(cmd, 0x20) && len(cmd) == 13 {
				cmd = append(bytes.Clone(cmd[:5]), c.pin.block[:]...)
			}
			return c.answer(cmd)
		}},
	{Name: "deaf-log-off", Description: "LOG OFF answers 9000 and changes nothing",
		transmit: func(c *Card, cmd []byte) []byte {
			before := c.vol.rights
			resp := c.answer(cmd)
			if len(cmd) >= 4 && cmd[0] == 0x80 && cmd[1] == 0xE6 {
				c.vol.rights = before
			}
			return resp
		}},
	{Name: "remembers", Description: "PIN rights survive a reset", keepsRights: true},
	{Name: "any-algorithm", Description: "MSE SET takes an algorithm reference the applet does not have",
		transmit: func(c *Card, cmd []byte) []byte {
			resp := c.answer(cmd)
			if ins(cmd, 0x22) && len(cmd) == 10 && fileID(resp) == swWrongData {
				return c.answer(append(bytes.Clone(cmd[:7]), 0x01, cmd[8], cmd[9]))
			}
			return resp
		}},
	{Name: "other-bytes", Description: "the signature is over other bytes than were sent",
		transmit: func(c *Card, cmd []byte) []byte {
			if ins(cmd, 0x2A) && len(cmd) > 5 {
				cmd = bytes.Clone(cmd)
				cmd[len(cmd)-1] ^= 0x01
			}
			return c.answer(cmd)
		}},
	{Name: "same-challenge", Description: "GET CHALLENGE always gives the same",
		transmit: func(c *Card, cmd []byte) []byte {
			c.drawn = 0
			return c.answer(cmd)
		}},
}
