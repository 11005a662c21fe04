// Builds dist: the modules with esbuild, readable, and their types with tsc.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { build } from "esbuild";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
process.chdir(here);
mkdirSync("dist", { recursive: true });
const began = Date.now() - 2000;
const entries = ["src/eidkit.ts", "src/web-eid.ts", "src/web-eid-shim.ts"].filter(existsSync);
await build({
  entryPoints: entries, outdir: "dist", bundle: true, format: "esm", target: "es2022", charset: "utf8", legalComments: "none", logLevel: "warning",
});
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
execFileSync(process.execPath, [tsc, "-p", "tsconfig.json"], { stdio: "inherit" });
for (const name of readdirSync("dist")) {
  if (statSync(`dist/${name}`).mtimeMs < began) rmSync(`dist/${name}`); // of a source that is gone
}
