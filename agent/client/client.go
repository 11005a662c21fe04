// Package client has the JavaScript client of the agent, the npm package eidkit,
// as it is built: for pages that the agent or a demo serves themselves.
//
// FS is what there is: dist/eidkit.js and, over it, dist/web-eid.js and
// dist/web-eid-shim.js, each one ES module without imports, with types beside
// them. The source is in src; `npm ci && npm run build` in this folder makes
// dist anew, and a test keeps the two together.
//
// Out of scope: a client in Go.
//
// References: docs/protocol.md.
package client

import "embed"

// FS holds dist. The names begin with "dist/".
//
//go:embed dist
var FS embed.FS
