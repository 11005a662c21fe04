import assert from "node:assert/strict";
import test from "node:test";
import { connect, EidError } from "../dist/eidkit.js";
import { agent, environment, fault } from "./fake.mjs";

const id = "00112233445566778899aabbccddeeff";
const pattern = (size) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8) + (i >> 16)) & 255);

/** The agent's side of documents, in its simplest form. */
function shelf(content = Buffer.alloc(0)) {
  const s = { opened: undefined, received: 0, bytes: [], content };
  s.methods = {
    "document.open": (p) => { s.opened = p; return { documentId: id }; },
    "document.info": () => ({ documentId: id, name: "x", size: s.opened?.size ?? s.content.length, received: s.received }),
    "document.read": ({ offset, length }, peer) => {
      for (let at = offset; at < offset + length; at += 256 * 1024) {
        const data = s.content.subarray(at, Math.min(at + 256 * 1024, offset + length));
        const head = Buffer.alloc(24);
        head.write(id, "hex");
        head.writeBigUInt64BE(BigInt(at), 16);
        peer.chunk(Buffer.concat([head, data]));
      }
      return { offset, length };
    },
    "document.close": () => ({}),
  };
  s.take = (frame) => {
    assert.ok(frame.length <= 24 + 256 * 1024, `a frame of ${frame.length} bytes`);
    assert.equal(frame.subarray(0, 16).toString("hex"), id);
    assert.equal(Number(frame.readBigUInt64BE(16)), s.received, "out of order");
    s.received += frame.length - 24;
    s.bytes.push(frame.subarray(24));
  };
  return s;
}

async function pair(s) {
  const a = await agent({ methods: s.methods });
  a.onChunk = (frame) => s.take(frame);
  const c = await connect({ ports: [a.port], hosts: ["127.0.0.1"], reconnect: false, environment: environment() });
  return { a, c, done: async () => { c.close(); await a.stop(); } };
}

test("a document goes up whole and in order, with progress", async () => {
  const s = shelf();
  const { c, done } = await pair(s);
  const content = pattern(9 * 1024 * 1024 + 77);
  const progress = [];
  const info = await c.openDocument(new Blob([content], { type: "text/plain" }), { name: "a.txt" }, { onProgress: (n, of) => progress.push([n, of]) });
  assert.equal(info.documentId, id);
  assert.deepEqual(s.opened, { name: "a.txt", size: content.length, mediaType: "text/plain" });
  assert.ok(Buffer.concat(s.bytes).equals(Buffer.from(content)));
  assert.deepEqual(progress, [[8 * 1024 * 1024, content.length], [content.length, content.length]]);
  await done();
});

test("an empty document, and bytes without a type", async () => {
  const s = shelf();
  const { c, done } = await pair(s);
  await c.openDocument(new Uint8Array(0));
  assert.deepEqual(s.opened, { name: "document", size: 0 });
  await done();
});

test("no more is read than the connection takes", async () => {
  const s = shelf();
  const { a, c, done } = await pair(s);
  let pieces = 0, most = 0;
  const size = 40 * 1024 * 1024;
  const blob = new Blob([]);
  Object.defineProperty(blob, "size", { value: size });
  const peer = [...a.peers][0];
  const full = new Promise((resolve) => {
    blob.slice = (from, to) => {
      most = Math.max(most, (pieces += 1));
      if (pieces === 2) resolve(); // the first was sent, and more may be fetched while it drains
      return new Blob([new Uint8Array(Math.min(to, size) - from)]);
    };
  });
  a.methods["document.open"] = (p) => { s.opened = p; peer.socket.pause(); return { documentId: id }; };
  const opening = c.openDocument(blob, { name: "big" });
  await full;
  // Many turns of the event loop in which an uploader without manners would go on.
  for (let i = 0; i < 200; i++) await new Promise(setImmediate);
  assert.ok(most <= 3, `${most} parts of 8 MiB were read while nobody took them`);
  peer.socket.resume();
  assert.equal((await opening).received, size);
  await done();
});

test("an upload that is aborted or cut short fails, and the document is closed", async () => {
  const s = shelf();
  const { a, c, done } = await pair(s);
  const controller = new AbortController();
  await assert.rejects(c.openDocument(pattern(9 * 1024 * 1024), {}, { signal: controller.signal, onProgress: () => controller.abort(new Error("stop")) }), /stop/);
  await a.until(() => a.named("document.close").length === 1);
  s.received = 0;
  s.methods["document.info"] = a.methods["document.info"] = () => ({ received: 3 });
  await assert.rejects(c.openDocument(pattern(5)), (e) => e instanceof EidError && e.code === "CONNECTION_LOST");
  await a.until(() => a.named("document.close").length === 2);
  a.methods["document.open"] = () => { throw fault("TOO_LARGE"); };
  await assert.rejects(c.openDocument(pattern(5)), (e) => e.code === "TOO_LARGE");
  await done();
});

test("the agent gives a document up while it comes, and says why", async () => {
  const s = shelf();
  s.methods["document.info"] = () => { throw fault("INVALID_ARGUMENT"); };
  const { a, c, done } = await pair(s);
  a.onChunk = (frame, peer) => peer.notify("document.failed", { documentId: id, error: fault("TOO_LARGE").wire });
  await assert.rejects(c.openDocument(pattern(1000)), (e) => e instanceof EidError && e.code === "TOO_LARGE");
  await done();
});

test("a document comes down whole, with progress", async () => {
  const content = Buffer.from(pattern(9 * 1024 * 1024 + 5));
  const s = shelf(content);
  const { a, c, done } = await pair(s);
  const progress = [];
  const blob = await c.readDocument({ documentId: id, size: content.length }, { type: "application/pdf", onProgress: (n) => progress.push(n) });
  assert.equal(blob.type, "application/pdf");
  assert.ok(Buffer.from(await blob.arrayBuffer()).equals(content));
  assert.deepEqual(progress, [8388608, content.length]);
  assert.equal(a.named("document.info").length, 0);
  assert.equal((await c.readDocument(id)).size, content.length, "the size was not asked for");
  await done();
});

test("a document that is no longer wanted is let go of", async () => {
  const content = Buffer.from(pattern(9 * 1024 * 1024));
  const { a, c, done } = await pair(shelf(content));
  const controller = new AbortController();
  let fetched;
  const part = new Promise((resolve) => { fetched = resolve; });
  const reader = (await c.streamDocument({ documentId: id, size: content.length }, { signal: controller.signal, onProgress: fetched })).getReader();
  const { value } = await reader.read();
  await part;
  controller.abort(new Error("enough"));
  await assert.rejects(reader.read(), /enough/);
  const before = Buffer.from(value);
  const late = Buffer.alloc(24 + 100, 255); // a piece that comes after all
  late.write(id, "hex");
  late.writeBigUInt64BE(BigInt(8 * 1024 * 1024), 16);
  [...a.peers][0].chunk(late);
  await c.call("document.info", { documentId: id }); // answered after it
  assert.ok(before.equals(Buffer.from(value)));
  assert.equal(c.connection.sinks.size, 0, "something still waits for its bytes");
  await done();
});

test("missing, doubled and strange pieces are noticed", async () => {
  const content = Buffer.from(pattern(1000));
  for (const read of [
    () => ({}), // none at all
    ({ offset }, peer) => { peer.chunk(Buffer.concat([Buffer.from(id, "hex"), Buffer.alloc(8), content.subarray(0, 999)])); return { offset }; },
    ({ offset }, peer) => { peer.chunk(Buffer.concat([Buffer.from(id, "hex"), Buffer.alloc(8, 1), content])); return { offset }; },
    ({ offset }, peer) => { peer.chunk(Buffer.concat([Buffer.from(id, "hex"), Buffer.alloc(8), content, content])); return { offset }; },
  ]) {
    const s = shelf(content);
    s.methods["document.read"] = read;
    const { c, done } = await pair(s);
    await assert.rejects(c.readDocument(id), (e) => e.code === "CONNECTION_LOST");
    await done();
  }
});
