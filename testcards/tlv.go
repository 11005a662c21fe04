package testcards

// appendTLV appends a record of the identity and address files: tag, length, value. A length of 255 or more is written as FF
// bytes that are summed (sheet 3.1): 255 is FF 00, 600 is FF FF 5A.
func appendTLV(b []byte, tag byte, value []byte) []byte {
	b = append(b, tag)
	n := len(value)
	for ; n >= 255; n -= 255 {
		b = append(b, 0xFF)
	}
	return append(append(b, byte(n)), value...)
}

// nextTLV is the length of the record at the start of b, and that of its tag and length alone; 0 when b has no whole record.
func nextTLV(b []byte) (total, head int) {
	head, n := 1, 0
	for {
		if head >= len(b) {
			return 0, 0
		}
		n += int(b[head])
		head++
		if b[head-1] != 0xFF {
			break
		}
	}
	if head+n > len(b) {
		return 0, 0
	}
	return head + n, head
}

// recordsBetween gives the records of b whose tags are first to last, in the order of the file. Zero bytes after the first
// record are filler.
func recordsBetween(b []byte, first, last byte) []byte {
	var out []byte
	for at := 0; at < len(b); {
		if at > 0 && b[at] == 0 {
			break
		}
		total, _ := nextTLV(b[at:])
		if total == 0 {
			break
		}
		if tag := b[at]; tag >= first && tag <= last {
			out = append(out, b[at:at+total]...)
		}
		at += total
	}
	return out
}

// tlvValue is the value of the first record of b with this tag, nil if there is none.
func tlvValue(b []byte, tag byte) []byte {
	record := recordsBetween(b, tag, tag)
	total, head := nextTLV(record)
	if total == 0 {
		return nil
	}
	return record[head:total:total]
}
