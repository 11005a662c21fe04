#!/usr/bin/env node
// A program that reads two fields of the identity card in the reader, through the eidkit agent. Node 18 or later, nothing else.
//
//   EIDKIT_AGENT=ws://127.0.0.1:24340/v1   where the agent listens (this is the default)
//   EIDKIT_TOKEN=...                       what `eid pair` printed
//
// It prints JSON lines, and exits with 1 when the agent refused. docs/protocol.md has all methods.
import { randomBytes } from "node:crypto";
import { request } from "node:http";

/** Connects. The token stands in a header, which no web page can set. */
function connect(url, token) {
  return new Promise((resolve, reject) => {
    const req = request(url.replace(/^ws/, "http"), {
      headers: {
        Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
        "Sec-WebSocket-Protocol": "eidkit.v1", Authorization: `Bearer ${token}`,
      },
    });
    req.on("error", () => reject(new Error("the agent does not run")));
    // 401: the token is none. 403: another user's agent, or the pairing was withdrawn.
    req.on("response", (res) => {
      reject(new Error(`the agent refused the connection: ${res.statusCode}`));
      req.destroy();
    });
    req.on("upgrade", (_, socket, first) => resolve(new Client(socket, first)));
    req.end();
  });
}

/** JSON-RPC over the frames of RFC 6455, section 5.2. Node 22 has a WebSocket of its own; this works in all. */
class Client {
  #socket; #waiting = new Map(); #last = 0; #bytes = Buffer.alloc(0); #message = [];

  constructor(socket, first) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("close", () => this.#end(new Error("the connection broke")));
    socket.on("error", () => {});
    this.#receive(first);
  }

  call(method, params = {}) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send(1, Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, method, params })));
    });
  }

  close() { if (this.#socket.writable) this.#send(8, Buffer.from([3, 232])); this.#socket.end(); }

  #send(opcode, data) { // a client masks what it sends
    const length = data.length < 126 ? Buffer.from([0x80 | data.length]) : Buffer.from([0x80 | 126, data.length >> 8, data.length & 255]);
    const mask = randomBytes(4);
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, data.map((b, i) => b ^ mask[i & 3])]));
  }

  #receive(chunk) {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const b = this.#bytes;
      if (b.length < 2) return;
      const [extra, short] = [{ 126: 2, 127: 8 }[b[1]] ?? 0, b[1]];
      if (b.length < 2 + extra) return;
      const length = extra === 2 ? b.readUInt16BE(2) : extra === 8 ? Number(b.readBigUInt64BE(2)) : short;
      if (b.length < 2 + extra + length) return;
      this.#bytes = b.subarray(2 + extra + length);
      this.#frame(b[0], b.subarray(2 + extra, 2 + extra + length));
    }
  }

  #frame(head, data) {
    const opcode = head & 15;
    if (opcode === 9) return this.#send(10, data); // the agent looks whether we are alive
    if (opcode === 8) return this.#socket.end();
    if (opcode > 2) return;
    this.#message.push(data);
    if (!(head & 0x80)) return; // more follows
    const message = Buffer.concat(this.#message.splice(0));
    const { id, result, error } = JSON.parse(message.toString());
    const call = this.#waiting.get(id);
    if (!call) return; // a notification: readers and cards, progress
    this.#waiting.delete(id);
    if (error) call.reject(Object.assign(new Error(error.message), error.data));
    else call.resolve(result);
  }

  #end(error) {
    for (const call of this.#waiting.values()) call.reject(error);
    this.#waiting.clear();
  }
}

const print = (value) => console.log(JSON.stringify(value));
let agent;
try {
  agent = await connect(process.env.EIDKIT_AGENT ?? "ws://127.0.0.1:24340/v1", process.env.EIDKIT_TOKEN ?? "");
  const { readers } = await agent.call("readers.list");
  print({ readers });
  // The user is asked, unless the administrator's policy allows it: the answer may take a minute.
  const { cardId, identity, trusted } = await agent.call("identity.read", { fields: ["surname", "givenNames"], purpose: "Example in Node" });
  print({ cardId, identity, trusted });
} catch (error) {
  // error.code is for the program to branch on (NO_CARD, CONSENT_DENIED, ...), error.text for the user, in en, nl, fr and de.
  print({ error: { code: error.code ?? "AGENT_ABSENT", retry: error.retry ?? true, text: error.text?.nl ?? error.message } });
  process.exitCode = 1;
} finally {
  agent?.close();
}
