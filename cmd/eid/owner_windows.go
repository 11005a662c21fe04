package main

// onlyRoots has nothing to look at: Windows asks for the PIN in its own dialog.
func onlyRoots(string) error { return nil }
