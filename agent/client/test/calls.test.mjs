import assert from "node:assert/strict";
import test from "node:test";
import { connect, EidError } from "../dist/eidkit.js";
import { agent, environment, fault } from "./fake.mjs";

const failed = (code) => (error) => error instanceof EidError && error.code === code;

async function pair(methods, options = {}) {
  const a = await agent({ methods });
  const c = await connect({ ports: [a.port], hosts: ["127.0.0.1"], environment: environment(), ...options });
  return { a, c, done: async () => { c.close(); await a.stop(); } };
}

test("typed methods send what the protocol says", async () => {
  const echo = (params) => ({ params });
  const names = ["identity.read", "insurability.read", "auth.login", "sign.certificate", "sign.hash", "sign.document", "pin.status", "pin.change"];
  const { a, c, done } = await pair({
    ...Object.fromEntries(names.map((n) => [n, echo])),
    "readers.list": () => ({ readers: [] }), "verify.document": (params) => ({ report: params }),
  });
  const identity = { fields: ["surname"], purpose: "test" };
  assert.deepEqual(await c.identity(identity), { params: identity });
  await c.insurability({ purpose: "test" });
  await c.login({ challengeNonce: "n" });
  await c.signingCertificate();
  await c.signHash({ hash: "h", hashFunction: "SHA-256", certificate: "c" });
  await c.signDocument({ documentIds: ["d"], format: "pades", level: "b", purpose: "test" });
  await c.pinStatus({ cardId: "x" });
  await c.changePIN();
  assert.deepEqual(await c.verifyDocument({ documentId: "d" }), { documentId: "d" });
  assert.deepEqual(await c.listReaders(), []);
  assert.deepEqual(a.calls.slice(1).map((m) => m.method), [...names, "verify.document", "readers.list"]);
  assert.ok(a.calls.every((m) => m.jsonrpc === "2.0" && Object.keys(m).sort().join() === "id,jsonrpc,method,params"));
  assert.equal(new Set(a.calls.map((m) => m.id)).size, a.calls.length, "an id was used twice");
  await done();
});

test("errors have code, text, retry and what belongs to them", async () => {
  const { c, done } = await pair({ "pin.status": () => { throw fault("PIN_WRONG", { triesLeft: 1, retry: true }); } });
  const error = await c.pinStatus().catch((e) => e);
  assert.ok(error instanceof EidError && error instanceof Error);
  assert.deepEqual([error.code, error.retry, error.triesLeft, error.message, error.webEid], ["PIN_WRONG", true, 1, "detail of PIN_WRONG", "ERR_WEBEID_USER_CANCELLED"]);
  assert.deepEqual([error.textIn("nl-BE"), error.textIn("FR"), error.textIn("sv")], ["N", "F", "E"]);
  await done();
});

test("an error without data is INTERNAL with its message as text", () => {
  const error = EidError.fromWire({ code: -32700, message: "what?" });
  assert.deepEqual([error.code, error.textIn("de"), error.retry], ["INTERNAL", "what?", false]);
});

test("answers come in any order, garbage is passed over", async () => {
  const held = [];
  const { a, c, done } = await pair({ slow: (p, peer, id) => void held.push([p, peer, id]), fast: (p) => p });
  const slow = c.call("slow", { n: 1 });
  assert.deepEqual(await c.call("fast", { n: 2 }), { n: 2 });
  await a.until(() => held.length === 1);
  const [params, peer, id] = held[0];
  for (const garbage of ["", "no JSON", "null", "7", "[]", '{"id":999,"result":1}', "{}"]) peer.send(garbage);
  peer.chunk(Buffer.alloc(3));
  peer.chunk(Buffer.alloc(40));
  peer.send({ jsonrpc: "2.0", id, result: params });
  assert.deepEqual(await slow, { n: 1 });
  await done();
});

test("an aborted request is cancelled at the agent", async () => {
  const { a, c, done } = await pair({ "auth.login": () => undefined, "operation.cancel": () => ({ cancelled: true }) });
  const controller = new AbortController();
  const login = c.login({ challengeNonce: "n" }, { signal: controller.signal });
  await a.until(() => a.named("auth.login").length === 1);
  controller.abort(new Error("the user left"));
  await assert.rejects(login, /the user left/);
  await a.until(() => a.named("operation.cancel").length === 1);
  assert.deepEqual(a.named("operation.cancel")[0].params, { id: a.named("auth.login")[0].id });
  await assert.rejects(c.login({ challengeNonce: "n" }, { signal: controller.signal }), /the user left/);
  assert.equal(a.named("auth.login").length, 1, "an aborted request was sent");
  await done();
});

test("progress and waiting reach the request that they are about", async () => {
  const { c, done } = await pair({
    "identity.read": (p, peer, id) => {
      peer.notify("operation.waiting", { id, for: "consent" });
      peer.notify("operation.waiting", { id: "another", for: "pin" });
      peer.notify("operation.progress", { id, step: "photo", done: 1, total: 2 });
      return {};
    },
  });
  const seen = [];
  await c.identity({ fields: [], purpose: "p" }, { onWaiting: (w) => seen.push(w.for), onProgress: (p) => seen.push(p.step) });
  assert.deepEqual(seen, ["consent", "photo"]);
  await done();
});

test("events, the list of readers, and both again after a reconnection", async () => {
  let readers = [{ name: "R1", role: "patient", card: null }];
  const { a, c, done } = await pair({ "events.subscribe": () => ({ readers }), "pin.status": () => undefined });
  const lists = [], cards = [];
  c.on("readers", (r) => lists.push(r));
  const off = c.on("card.inserted", (e) => cards.push(e.cardId));
  await c.subscribe();
  const peer = [...a.peers][0];
  peer.notify("card.inserted", { reader: "R1", cardId: "k1", kind: "eid" });
  peer.notify("reader.added", { reader: "R2" });
  peer.notify("card.removed", { reader: "R1", cardId: "other" }); // not the one that is in
  peer.notify("card.removed", { reader: "R1", cardId: "k1" });
  peer.notify("reader.removed", { reader: "R2" });
  await c.call("agent.info"); // answered after all that
  assert.deepEqual(lists, [
    [{ name: "R1", role: "patient", card: null }],
    [{ name: "R1", role: "patient", card: { cardId: "k1", kind: "eid" } }],
    [{ name: "R1", role: "patient", card: { cardId: "k1", kind: "eid" } }, { name: "R2", card: null }],
    [{ name: "R1", role: "patient", card: null }, { name: "R2", card: null }],
    [{ name: "R1", role: "patient", card: null }],
  ]);
  assert.deepEqual(cards, ["k1"]);

  // The connection breaks in the middle of a request.
  readers = [{ name: "R9", card: { cardId: "k9", kind: "eid" } }];
  const states = [], errors = [];
  c.on("error", (e) => errors.push(e.code));
  const back = new Promise((resolve) => c.on("state", (s) => { states.push(s); if (s === "open") resolve(); }));
  const lost = c.pinStatus();
  await a.until(() => a.named("pin.status").length === 1);
  peer.cut();
  await assert.rejects(lost, (e) => failed("CONNECTION_LOST")(e) && e.retry);
  const waits = c.call("agent.info"); // waits for the connection
  await back;
  assert.equal((await waits).version, "1.2.3");
  assert.deepEqual(states, ["reconnecting", "open"]);
  assert.deepEqual(errors, ["CONNECTION_LOST"]);
  assert.equal(a.named("pin.status").length, 1, "a request was repeated");
  assert.equal(a.named("events.subscribe").length, 2);
  assert.deepEqual(c.readers, readers);

  off();
  [...a.peers][0].notify("card.inserted", { reader: "R9", cardId: "k2", kind: "eid" });
  await c.call("agent.info");
  assert.deepEqual(cards, ["k1"]);
  await done();
});

test("an agent that refuses at the reconnection ends it", async () => {
  const { a, c, done } = await pair({}, { environment: environment({ fetch }) });
  const closed = new Promise((resolve) => c.on("state", (s) => s === "closed" && resolve()));
  a.refuse = 403;
  [...a.peers][0].cut();
  await closed;
  await assert.rejects(c.call("agent.info"), failed("ORIGIN_REFUSED"));
  await done();
});

test("without reconnecting the end is the end", async () => {
  const { a, c, done } = await pair({}, { reconnect: false });
  const closed = new Promise((resolve) => c.on("state", (s) => s === "closed" && resolve()));
  [...a.peers][0].cut();
  await closed;
  await assert.rejects(c.call("agent.info"), failed("CONNECTION_LOST"));
  await done();
});

test("close ends what is under way", async () => {
  const { a, c, done } = await pair({ "pin.status": () => undefined });
  const status = c.pinStatus();
  await a.until(() => a.named("pin.status").length === 1);
  c.close();
  await assert.rejects(status, failed("CLOSED"));
  await done();
});
