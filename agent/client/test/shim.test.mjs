import assert from "node:assert/strict";
import test from "node:test";
import { agent, environment, nowhere } from "./fake.mjs";

// The module answers on its own copy of web-eid; the connection goes where the surroundings say.
const { install, configure } = await import("../dist/web-eid-shim.js");

/** A window as far as messages go. */
class Window extends EventTarget {
  location = { origin: "https://site.example" };
  seen = [];
  #watchers = [];
  postMessage(data, origin) {
    assert.equal(origin, "https://site.example");
    this.arrive(structuredClone(data), this);
  }
  arrive(data, source) {
    queueMicrotask(() => {
      this.seen.push(data);
      this.dispatchEvent(Object.assign(new Event("message"), { data, source }));
      this.#watchers = this.#watchers.filter(([action, resolve]) => data.action !== action || void resolve(data));
    });
  }
  next(action) { return new Promise((resolve) => this.#watchers.push([action, resolve])); }
}

const token = { unverifiedCertificate: "c", algorithm: "ES384", signature: "s", format: "web-eid:1.0", appVersion: "x" };

test("the shim acknowledges before it connects, and answers", async () => {
  const a = await agent({ methods: { "auth.login": () => ({ token }) } });
  configure({ ports: [a.port], hosts: ["127.0.0.1"], environment: environment() });
  const w = new Window();
  const stop = install(w, 1);
  const success = w.next("web-eid:authenticate-success"), ack = w.next("web-eid:authenticate-ack");
  w.postMessage({ action: "web-eid:authenticate", libraryVersion: "2.0.1", challengeNonce: "n" }, w.location.origin);
  await ack;
  assert.equal(a.peers.size, 0, "connected before it acknowledged");
  assert.deepEqual(await success, { action: "web-eid:authenticate-success", ...token });
  const status = w.next("web-eid:status-success");
  w.postMessage({ action: "web-eid:status", libraryVersion: "2.0.1" }, w.location.origin);
  assert.equal((await status).library, "2.0.1");
  stop();
  configure({});
  await a.stop();
});

test("an error travels as plain values", async () => {
  configure({ ports: [nowhere], hosts: ["127.0.0.1"], environment: environment() });
  const w = new Window();
  const stop = install(w, 1);
  const failure = w.next("web-eid:sign-failure");
  w.postMessage({ action: "web-eid:sign", certificate: "c", hash: "h", hashFunction: "SHA-384" }, w.location.origin);
  const { error } = await failure;
  assert.deepEqual([error.code, error.name], ["ERR_WEBEID_EXTENSION_UNAVAILABLE", "ExtensionUnavailableError"]);
  assert.equal(typeof error.message, "string");
  stop();
});

test("where the extension answers, the shim is quiet; frames and answers are no requests", async () => {
  const w = new Window();
  w.addEventListener("message", ({ data }) => {
    if (/:(status|sign)$/.test(data.action)) w.postMessage({ action: `${data.action}-ack` }, w.location.origin);
  });
  const stop = install(w, 20);
  await w.next("web-eid:status-ack");
  w.arrive({ action: "web-eid:authenticate", challengeNonce: "n" }, {}); // from another window
  for (const action of ["web-eid:sign", "web-eid:sign-success", "constructor", 7]) w.postMessage({ action }, w.location.origin);
  const last = w.next("end");
  setTimeout(() => w.postMessage({ action: "end" }, w.location.origin), 30); // set after the shim's own, and longer
  await last;
  const answers = w.seen.filter((m) => /-(success|failure|ack)$/.test(m.action)).map((m) => m.action);
  assert.deepEqual(answers.sort(), ["web-eid:sign-ack", "web-eid:sign-success", "web-eid:status-ack"]);
  stop();
});
