package main

import (
	"os"
	"os/signal"
	"syscall"
)

// watchSignals has a second Ctrl-C end the program at once, but not before the demo's folder is gone: "Nothing of it stays". The first one
// ends the demo as it ends every command (main).
func (d *demo) watchSignals(exit func(code int)) {
	d.signals = make(chan os.Signal, 2)
	signal.Notify(d.signals, os.Interrupt, syscall.SIGTERM)
	go d.obeySignals(d.signals, exit)
}

func (d *demo) obeySignals(signals <-chan os.Signal, exit func(code int)) {
	for range 2 {
		if _, more := <-signals; !more {
			return
		}
	}
	d.removeFolder()
	exit(exitFailure)
}

// removeFolder takes the demo's folder away; it returns when it is gone, whoever else is at it.
func (d *demo) removeFolder() {
	d.removing.Lock()
	defer d.removing.Unlock()
	gone := d.folder + ".gone" // what still runs finds no folder to write new files into
	if d.folder != "" && os.Rename(d.folder, gone) == nil {
		os.RemoveAll(gone)
	}
}

// forgetSignals ends watchSignals.
func (d *demo) forgetSignals() {
	if d.signals != nil {
		signal.Stop(d.signals)
		close(d.signals)
	}
}
