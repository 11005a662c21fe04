import assert from "node:assert/strict";
import test from "node:test";
import * as webeid from "../dist/web-eid.js";
import { agent, environment, fault, nowhere } from "./fake.mjs";

const token = { unverifiedCertificate: "c", algorithm: "ES384", signature: "s", format: "web-eid:1.0", appVersion: "https://eidkit.example/1" };
const algorithm = { cryptoAlgorithm: "ECC", hashFunction: "SHA-384", paddingScheme: "NONE" };

async function start(methods = {}) {
  const a = await agent({ methods });
  webeid.configure({ ports: [a.port], hosts: ["127.0.0.1"], environment: environment() });
  return a;
}
const stop = async (a) => { webeid.configure({}); await a.stop(); };

test("the exports of web-eid.js are there", () => {
  for (const name of ["status", "authenticate", "getSigningCertificate", "sign"]) assert.equal(typeof webeid[name], "function", name);
  assert.equal(webeid.config.VERSION.split(".")[0], "2");
  assert.ok(Object.isFrozen(webeid.config));
  assert.equal(webeid.Action.GET_SIGNING_CERTIFICATE_SUCCESS, "web-eid:get-signing-certificate-success");
  assert.equal(Object.keys(webeid.ErrorCode).length, 13);
  for (const code of Object.keys(webeid.ErrorCode)) {
    assert.equal(webeid.ErrorCode[code], code);
    const name = code.replace("ERR_WEBEID_", "").toLowerCase().replace(/(^|_)(.)/g, (_, __, c) => c.toUpperCase()).replace(/Error$/, "") + "Error";
    const error = new webeid[name]();
    assert.ok(error instanceof Error);
    assert.deepEqual([error.code, error.name], [code, name]);
  }
});

test("status, authenticate, getSigningCertificate, sign", async () => {
  const a = await start({
    "auth.login": () => ({ token: { ...token, extra: 1 }, cardId: "k" }),
    "sign.certificate": () => ({ certificate: "cert", supportedSignatureAlgorithms: [algorithm] }),
    "sign.hash": () => ({ signature: "sig", signatureAlgorithm: algorithm }),
  });
  assert.deepEqual(await webeid.status(), { library: "2.1.0", extension: "2.1.0+eidkit.1.2.3", nativeApp: "2.1.0+eidkit.1.2.3" });
  assert.deepEqual(await webeid.authenticate("n".repeat(44), { lang: "nl" }), token);
  assert.deepEqual(await webeid.getSigningCertificate(), { certificate: "cert", supportedSignatureAlgorithms: [algorithm] });
  assert.deepEqual(await webeid.sign("cert", "aGFzaA==", "SHA-384"), { signature: "sig", signatureAlgorithm: algorithm });
  assert.deepEqual(a.named("auth.login")[0].params, { challengeNonce: "n".repeat(44) });
  assert.deepEqual(a.named("sign.hash")[0].params, { hash: "aGFzaA==", hashFunction: "SHA-384", certificate: "cert" });
  assert.equal(a.named("agent.info").length, 1, "each action connected anew");
  await stop(a);
});

test("parameters that are missing", async () => {
  for (const call of [() => webeid.authenticate(""), () => webeid.sign("", "h", "f"), () => webeid.sign("c", "", "f"), () => webeid.sign("c", "h", "")]) {
    await assert.rejects(call(), webeid.MissingParameterError);
  }
});

test("errors become those of Web eID, with the agent's as cause", async () => {
  let code;
  const a = await start({ "auth.login": () => { throw fault("PIN_BLOCKED", { webEid: code }); } });
  for (const [webEid, type] of [
    ["ERR_WEBEID_USER_CANCELLED", webeid.UserCancelledError], ["ERR_WEBEID_USER_TIMEOUT", webeid.UserTimeoutError],
    ["ERR_WEBEID_NATIVE_INVALID_ARGUMENT", webeid.NativeInvalidArgumentError], ["ERR_WEBEID_NATIVE_FATAL", webeid.NativeFatalError],
    ["ERR_WEBEID_CONTEXT_INSECURE", webeid.ContextInsecureError], ["something else", webeid.UnknownError],
  ]) {
    code = webEid;
    await assert.rejects(webeid.authenticate("n"), (e) => e instanceof type && e.cause.code === "PIN_BLOCKED" && e.cause.textIn("nl") === "N");
  }
  await stop(a);
});

test("no agent, plain http", async () => {
  webeid.configure({ ports: [nowhere], hosts: ["127.0.0.1"], environment: environment() });
  await assert.rejects(webeid.status(), (e) => e instanceof webeid.ExtensionUnavailableError && e.library === "2.1.0" && e.cause.code === "AGENT_ABSENT");
  webeid.configure({ ports: [nowhere], environment: environment({ isSecureContext: false }) });
  await assert.rejects(webeid.authenticate("n"), webeid.ContextInsecureError);
  const b = await start();
  assert.equal((await webeid.status()).library, "2.1.0", "after a failure it did not connect anew");
  await stop(b);
});

test("one action of a kind at a time; another one goes beside it", async () => {
  let finish;
  const a = await start({ "auth.login": () => new Promise((resolve) => { finish = () => resolve({ token }); }) });
  const first = webeid.authenticate("n");
  await a.until(() => a.named("auth.login").length === 1);
  await assert.rejects(webeid.authenticate("n"), webeid.ActionPendingError);
  assert.equal((await webeid.status()).library, "2.1.0");
  finish();
  assert.deepEqual(await first, token);
  await stop(a);
});

test("the user's time is up", async () => {
  const a = await start({ "auth.login": () => undefined, "operation.cancel": () => ({ cancelled: true }) });
  await webeid.status(); // connected
  const given = -webeid.config.EXTENSION_HANDSHAKE_TIMEOUT - webeid.config.NATIVE_APP_HANDSHAKE_TIMEOUT + 20;
  await assert.rejects(webeid.authenticate("n", { userInteractionTimeout: given }), webeid.ActionTimeoutError);
  await a.until(() => a.named("operation.cancel").length === 1);
  await stop(a);
});

test("it connects anew after the connection broke", async () => {
  const a = await start({ "sign.certificate": (p, peer) => void peer.cut() });
  await assert.rejects(webeid.getSigningCertificate(), webeid.NativeUnavailableError);
  assert.equal((await webeid.status()).library, "2.1.0");
  await stop(a);
});
