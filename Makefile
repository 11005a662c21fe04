# What each target does is said in CONTRIBUTING.md. Needed beforehand: Go, gcc and make. `make demo` and `make test` install the rest.

.PHONY: build demo test soak fuzz lint bench clean

build:
	scripts/install-packages build
	go build -trimpath -o bin/eid ./cmd/eid

# The demo needs no reader: where the PC/SC library cannot be installed, a program without it does.
demo:
	@scripts/demo

test:
	scripts/install-packages build test
	go test -race -count=1 -timeout 9m ./...

soak:
	scripts/install-packages build test soak
	scripts/soak

fuzz:
	scripts/install-packages build
	scripts/fuzz

lint:
	scripts/install-packages build lint
	scripts/lint

bench:
	scripts/install-packages build test
	go test -run '^$$' -bench . -benchmem ./...

clean:
	rm -rf bin
