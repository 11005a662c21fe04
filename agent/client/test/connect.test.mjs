import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import test from "node:test";
import { connect, EidError } from "../dist/eidkit.js";
import { agent, Asking, environment, nowhere, permissions, Refused } from "./fake.mjs";

const failed = (code) => (error) => error instanceof EidError && error.code === code;

test("connects, tells the agent's info, closes", async () => {
  const a = await agent();
  const c = await connect({ ports: [a.port], environment: environment() });
  assert.equal(c.info.version, "1.2.3");
  assert.equal(c.state, "open");
  assert.equal([...a.peers][0].headers.host, `127.0.0.1:${a.port}`);
  const states = [];
  c.on("state", (s) => states.push(s));
  c.close();
  assert.deepEqual(states, ["closed"]);
  await a.until(() => a.peers.size === 0);
  await assert.rejects(c.call("agent.info"), failed("CLOSED"));
  await a.stop();
});

test("goes on to the next address", async () => {
  const a = await agent();
  const c = await connect({ ports: [nowhere, a.port], hosts: ["127.0.0.1"], environment: environment() });
  assert.equal(a.peers.size, 1);
  c.close();
  await a.stop();
});

test("goes on beside an address that hangs", async () => {
  const a = await agent();
  class Hanging {
    constructor(url, protocols) { return url.includes("[::1]") ? this : new (environment().WebSocket)(url, protocols); }
    close() { this.given = true; }
  }
  const c = await connect({ ports: [a.port], hosts: ["[::1]", "127.0.0.1"], environment: environment({ WebSocket: Hanging }) });
  assert.equal(c.state, "open");
  c.close();
  await a.stop();
});

test("a program sends its token", async () => {
  const a = await agent();
  const c = await connect({ ports: [a.port], token: "abc", environment: environment() });
  assert.equal([...a.peers][0].headers.authorization, "Bearer abc");
  c.close();
  await a.stop();
});

test("nothing there: AGENT_ABSENT", async () => {
  for (const states of [{}, { "loopback-network": "granted" }, { "loopback-network": "prompt" }]) {
    await assert.rejects(connect({ ports: [nowhere], environment: environment({ permissions: permissions(states) }) }), (error) => failed("AGENT_ABSENT")(error) && error.retry);
  }
});

test("the browser refuses: PERMISSION_DENIED, under either name", async () => {
  for (const name of ["loopback-network", "local-network-access"]) {
    const env = environment({ WebSocket: Refused, fetch: async () => { throw new TypeError(); }, permissions: permissions({ [name]: "denied" }) });
    await assert.rejects(connect({ environment: env }), failed("PERMISSION_DENIED"));
  }
});

test("denied after the question: PERMISSION_DENIED", async () => {
  const states = { "loopback-network": "prompt" };
  class Denied extends Refused {
    constructor(url) { super(url); states["loopback-network"] = "denied"; }
  }
  await assert.rejects(connect({ environment: environment({ WebSocket: Denied, permissions: permissions(states) }) }), failed("PERMISSION_DENIED"));
});

test("the question stays open: PERMISSION_PROMPT, and it is told", async () => {
  for (const more of [{ permissions: permissions({ "loopback-network": "prompt" }) }, { document: new EventTarget() }]) {
    Asking.all = [];
    const told = [];
    await assert.rejects(
      connect({ timeout: 20, promptTimeout: 60, onPermissionPrompt: (e) => told.push(e.code), environment: environment({ WebSocket: Asking, ...more }) }),
      (error) => failed("PERMISSION_PROMPT")(error) && error.retry);
    assert.deepEqual(told, ["PERMISSION_PROMPT"]);
    assert.ok(Asking.all.every((s) => s.given), "a socket was left open");
  }
});

test("while the question is open the other address is not tried", async () => {
  Asking.all = [];
  const env = environment({ WebSocket: Asking, permissions: permissions({ "loopback-network": "prompt" }) });
  await assert.rejects(connect({ timeout: 10, promptTimeout: 700, environment: env }), failed("PERMISSION_PROMPT"));
  assert.deepEqual(Asking.all.map((s) => s.url), ["ws://127.0.0.1:24340/v1"]);
});

test("the handshake is refused: ORIGIN_REFUSED", async () => {
  const a = await agent({ refuse: 403 });
  await assert.rejects(connect({ ports: [a.port], environment: environment({ fetch }) }), failed("ORIGIN_REFUSED"));
  await a.stop();
});

test("plain http: CONTEXT_INSECURE, and nobody is called", async () => {
  Refused.made = [];
  await assert.rejects(connect({ environment: environment({ WebSocket: Refused, isSecureContext: false, origin: "http://site.example" }) }), (error) => failed("CONTEXT_INSECURE")(error) && error.message.includes("http://site.example"));
  assert.deepEqual(Refused.made, []);
});

test("a policy of the page: CONTENT_POLICY, although the socket hangs; one address that it lets through is enough", async () => {
  const document = new EventTarget();
  const violate = (url) => queueMicrotask(() => document.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI: url })));
  class Blocked extends Asking {
    constructor(url) { super(url); violate(url); }
  }
  Asking.all = [];
  await assert.rejects(connect({ environment: environment({ WebSocket: Blocked, document }) }), failed("CONTENT_POLICY"));
  assert.equal(Asking.all.length, 2);
  assert.ok(Asking.all.every((s) => s.given), "a socket was left open");

  const a = await agent();
  class Half {
    constructor(url, protocols) { return url.includes("[::1]") ? new Blocked(url) : new (environment().WebSocket)(url, protocols); }
  }
  const half = { ports: [a.port], hosts: ["[::1]", "127.0.0.1"], environment: environment({ WebSocket: Half, document }) };
  (await connect(half)).close();
  await a.stop();
  await assert.rejects(connect({ ...half, ports: [nowhere] }), failed("AGENT_ABSENT"));
});

test("the signal ends connecting", async () => {
  const controller = new AbortController();
  const connecting = connect({ signal: controller.signal, environment: environment({ WebSocket: Asking }) });
  controller.abort(new Error("enough"));
  await assert.rejects(connecting, /enough/);
  await assert.rejects(connect({ signal: controller.signal, environment: environment({ WebSocket: Refused }) }), /enough/);
});

test("the signal ends a connection whose agent says nothing", async () => {
  const a = await agent({ methods: { "agent.info": () => undefined } });
  const controller = new AbortController();
  const connecting = connect({ ports: [a.port], signal: controller.signal, environment: environment() });
  await a.until(() => a.named("agent.info").length === 1);
  controller.abort(new Error("enough"));
  await assert.rejects(connecting, /enough/);
  await a.until(() => a.peers.size === 0);
  await a.stop();
});

test("the installation proves its key", async () => {
  const keys = generateKeyPairSync("ed25519");
  const raw = (k) => k.publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  let told = keys, origin = "https://site.example";
  const a = await agent({
    methods: {
      "agent.prove": ({ nonce }) => ({
        key: raw(told),
        signature: sign(null, Buffer.concat([Buffer.from(`eidkit agent proof v1\0${origin}\0`), Buffer.from(nonce, "base64")]), keys.privateKey).toString("base64"),
      }),
    },
  });
  const kept = new Map();
  const storage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) };
  const go = (key) => connect({ ports: [a.port], key, environment: environment({ storage }) });

  (await go(raw(keys))).close();
  (await go("remember")).close();
  assert.deepEqual([...kept.values()], [raw(keys)]);
  (await go("remember")).close();
  await assert.rejects(go(raw(generateKeyPairSync("ed25519"))), failed("AGENT_UNPROVEN"));
  origin = "https://other.example"; // the signature is for somebody else
  await assert.rejects(go("remember"), failed("AGENT_UNPROVEN"));
  origin = "https://site.example";
  told = generateKeyPairSync("ed25519"); // another key than remembered, and then one that it does not hold
  await assert.rejects(go("remember"), failed("AGENT_UNPROVEN"));
  kept.clear();
  await assert.rejects(go("remember"), failed("AGENT_UNPROVEN"));
  assert.equal(kept.size, 0, "an unproven key was remembered");
  await a.until(() => a.peers.size === 0);
  await a.stop();
});

test("a page's session begins with its code and comes back with its token", async () => {
  let n = 0;
  const a = await agent({
    methods: {
      "session.start": ({ code }) => ({ token: `${code}-${++n}`, user: "els", language: "fr" }),
      "session.resume": ({ token }) => ({ token, user: "els", language: "fr" }),
    },
  });
  const c = await connect({ ports: [a.port], hosts: ["127.0.0.1"], page: { code: "once" }, environment: environment() });
  assert.deepEqual(c.session, { token: "once-1", user: "els", language: "fr" });
  assert.equal(a.calls[0].method, "session.start", "something was sent before the session");
  const back = new Promise((resolve) => c.on("state", (s) => s === "open" && resolve()));
  [...a.peers][0].cut();
  await back;
  assert.deepEqual(a.named("session.resume")[0].params, { token: "once-1" });
  assert.equal(a.named("session.start").length, 1, "the code was used twice");
  c.close();
  await a.stop();
});
