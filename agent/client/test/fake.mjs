// An agent for the tests: RFC 6455 over node:http, with methods that the test gives, and a WebSocket for Node versions that have none.
import { createHash, randomBytes, webcrypto } from "node:crypto";
import { createServer, request } from "node:http";

globalThis.crypto ??= webcrypto; // Node 18

const acceptKey = (key) => createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");

export function frame(opcode, data, masked) {
  const length = data.length < 126 ? Buffer.from([data.length]) : data.length < 65536 ? Buffer.from([126, data.length >> 8, data.length & 255]) : Buffer.alloc(9);
  if (data.length >= 65536) {
    length[0] = 127;
    length.writeBigUInt64BE(BigInt(data.length), 1);
  }
  if (!masked) return Buffer.concat([Buffer.from([0x80 | opcode]), length, data]);
  length[0] |= 0x80;
  const mask = randomBytes(4), body = Buffer.from(data);
  for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
  return Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, body]);
}

/** Hands each whole frame of a stream to a function. */
export function frames(stream, each) {
  let rest = Buffer.alloc(0), parts = [], held = 0, wanted = 2;
  const take = () => {
    if (rest.length < 2) return false;
    let length = rest[1] & 127, at = 2;
    if (length === 126) [length, at] = [rest.length < 4 ? Infinity : rest.readUInt16BE(2), 4];
    else if (length === 127) [length, at] = [rest.length < 10 ? Infinity : Number(rest.readBigUInt64BE(2)), 10];
    const mask = rest[1] & 128 ? rest.subarray(at, (at += 4)) : undefined;
    if (rest.length < at + length) { wanted = Number.isFinite(length) ? at + length : 10; return false; }
    wanted = 2;
    const data = Buffer.from(rest.subarray(at, at + length)), opcode = rest[0] & 15;
    if (mask) for (let i = 0; i < data.length; i++) data[i] ^= mask[i & 3];
    rest = rest.subarray(at + length);
    each(opcode, data);
    return true;
  };
  stream.on("data", (chunk) => {
    parts.push(chunk);
    if ((held += chunk.length) < wanted && wanted > 14) return;
    rest = Buffer.concat(parts);
    while (take());
    parts = [rest];
    held = rest.length;
  });
}

export const fault = (code, more = {}) => Object.assign(new Error(code), {
  wire: { code: -32000, message: `detail of ${code}`, data: { code, retry: false, webEid: "ERR_WEBEID_USER_CANCELLED", text: { en: "E", nl: "N", fr: "F", de: "D" }, ...more } },
});

const info = { name: "eidkit", version: "1.2.3", protocol: 1, methods: [], dialogs: true, pcsc: true, language: "nl", installation: { key: "" }, client: { kind: "site" }, allowed: [] };

/** A port at which nobody answers: one that was free a moment ago, another test may have got meanwhile; this one nobody gets. */
export const nowhere = 1;

/** Starts a fake agent. methods: name -> (params, peer) => result, which may throw fault(...). refuse: an HTTP status for every handshake. */
export async function agent({ methods = {}, refuse, port = 0, host = "127.0.0.1" } = {}) {
  const all = { "agent.info": () => info, ...methods };
  const peers = new Set(), calls = [], chunks = [];
  let watchers = [];
  const changed = () => {
    watchers = watchers.filter(([condition, resolve]) => !condition() || resolve());
  };
  const server = createServer((req, res) => res.writeHead(req.url === "/healthz" ? 204 : 404).end());
  server.on("upgrade", (req, socket) => {
    socket.on("error", () => {});
    if (self.refuse || req.url !== "/v1" || req.headers["sec-websocket-protocol"] !== "eidkit.v1") {
      socket.end(`HTTP/1.1 ${self.refuse ?? 400} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: eidkit.v1\r\nSec-WebSocket-Accept: ${acceptKey(req.headers["sec-websocket-key"])}\r\n\r\n`);
    const peer = {
      headers: req.headers, socket,
      send: (message) => socket.write(frame(1, Buffer.from(typeof message === "string" ? message : JSON.stringify(message)))),
      notify: (method, params) => peer.send({ jsonrpc: "2.0", method, params }),
      chunk: (bytes) => socket.write(frame(2, bytes)),
      cut: () => socket.destroy(),
    };
    peers.add(peer);
    socket.on("close", () => { peers.delete(peer); changed(); });
    changed();
    frames(socket, async (opcode, data) => {
      if (opcode === 8) socket.end(frame(8, data));
      if (opcode === 2) { chunks.push(data); self.onChunk?.(data, peer); changed(); }
      if (opcode !== 1) return;
      const m = JSON.parse(data.toString());
      calls.push(m);
      changed();
      try {
        if (!all[m.method]) throw fault("INVALID_ARGUMENT");
        const result = await all[m.method](m.params, peer, m.id);
        if (result !== undefined) peer.send({ jsonrpc: "2.0", id: m.id, result });
      } catch (error) {
        peer.send({ jsonrpc: "2.0", id: m.id, error: error.wire ?? { code: -32603, message: String(error) } });
      }
    });
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  const self = {
    port: server.address().port, refuse, peers, calls, chunks, methods: all, onChunk: undefined,
    named: (method) => calls.filter((c) => c.method === method),
    until: (condition) => (condition() ? Promise.resolve() : new Promise((resolve) => watchers.push([condition, () => { resolve(); return false; }]))),
    stop: () => new Promise((resolve) => { for (const p of peers) p.cut(); server.close(resolve); }),
  };
  return self;
}

/** As much of a browser's WebSocket as the client uses. */
export class Socket {
  binaryType = "blob";
  onopen = null; onmessage = null; onerror = null; onclose = null;
  #wire; #closed = false; #pending = 0;

  constructor(url, protocols) {
    const headers = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": randomBytes(16).toString("base64"), Origin: "https://site.example" };
    if (Array.isArray(protocols)) headers["Sec-WebSocket-Protocol"] = protocols.join(", ");
    else Object.assign(headers, protocols.headers, { "Sec-WebSocket-Protocol": protocols.protocols.join(", ") });
    const req = request(url.replace(/^ws/, "http"), { headers });
    req.on("error", () => this.#end(1006));
    req.on("response", (res) => { res.resume(); this.#end(1006); });
    req.on("upgrade", (_, wire) => {
      this.#wire = wire;
      wire.on("error", () => {});
      wire.on("close", () => this.#end(1006));
      frames(wire, (opcode, data) => {
        if (opcode === 1) this.onmessage?.({ data: data.toString() });
        if (opcode === 2) this.onmessage?.({ data: data.buffer.slice(data.byteOffset, data.byteOffset + data.length) });
        if (opcode === 8) { wire.end(); this.#end(1000); }
      });
      if (this.#closed) wire.destroy();
      else this.onopen?.({});
    });
    req.end();
  }

  get bufferedAmount() { return this.#pending; }

  send(data) {
    const body = typeof data === "string" ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.length);
    this.#pending += body.length;
    this.#wire.write(frame(typeof data === "string" ? 1 : 2, body, true), () => { this.#pending -= body.length; });
  }

  close() {
    if (this.#wire && !this.#closed) this.#wire.end(frame(8, Buffer.from([3, 232]), true));
    else this.#end(1006);
  }

  #end(code) {
    if (this.#closed) return;
    this.#closed = true;
    queueMicrotask(() => { this.onerror?.({}); this.onclose?.({ code, reason: "" }); });
  }
}

/** A WebSocket that the browser refuses: closed at once, and nobody is called. */
export class Refused {
  static made = [];
  constructor(url) {
    Refused.made.push(url);
    queueMicrotask(() => { this.onerror?.({}); this.onclose?.({ code: 1006, reason: "" }); });
  }
  close() {}
}

/** A WebSocket that waits for the browser's question; settle opens the real one or fails. */
export class Asking {
  static all = [];
  constructor(url, protocols) {
    Asking.all.push(this);
    Object.assign(this, { url, protocols });
  }
  close() { this.given = true; }
}

export const permissions = (states) => ({
  query: async ({ name }) => {
    if (!(name in states)) throw new TypeError(`no permission ${name}`);
    return { state: states[name] };
  },
});

export const environment = (more = {}) => ({ WebSocket: Socket, isSecureContext: true, origin: "https://site.example", ...more });
