package agent

import (
	"bufio"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// Settle gives back to the system what only starting needed: garbage, and the
// pages of the program's own file, of which most have served for good. Those that
// are needed again come back by themselves, from the system's cache. An agent
// waits all day; call it once it does.
func Settle() {
	debug.FreeOSMemory()
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return // it costs memory, and nothing else
	}
	defer smaps.Close()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	for _, m := range unchanged(smaps, self) {
		// An error leaves the pages where they are.
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m[0], m[1]-m[0], syscall.MADV_NOHUGEPAGE)
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m[0], m[1]-m[0], syscall.MADV_DONTNEED)
	}
}

// unchanged are the address ranges that show a file as it is on the disk: read
// only, and not one page of them this process's own. What a linker has written
// into at the start, as into a program that can be anywhere in memory, is none of
// them: it could not be read again.
func unchanged(smaps io.Reader, file string) (all [][2]uintptr) {
	var at [2]uintptr
	wanted := false
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) >= 5 && strings.Contains(f[0], "-"): // 00402000-00e00000 r-xp 00002000 fe:00 103 /usr/bin/eid
			from, to, _ := strings.Cut(f[0], "-")
			start, err := strconv.ParseUint(from, 16, 64)
			end, wrong := strconv.ParseUint(to, 16, 64)
			at = [2]uintptr{uintptr(start), uintptr(end)}
			wanted = err == nil && wrong == nil && start < end && len(f) > 5 && strings.Join(f[5:], " ") == file && (f[1] == "r-xp" || f[1] == "r--p")
		case wanted && len(f) == 3 && f[0] == "Anonymous:" && f[1] == "0":
			all = append(all, at)
		}
	}
	return all
}
