// Web eID without its extension: the drop-in module, and the shim under an unchanged library's messages.
import assert from 'node:assert/strict';
import { X509Certificate, createHash, randomBytes, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { browse, desk, main, serve, startDemo } from './demo.mjs';

const demo = await startDemo();
const port = Number(new URL(demo.info.agent).port);
const dist = (name) => readFile(new URL(`../../dist/${name}`, import.meta.url));
const site = await serve({
  '/drop-in': ['text/html; charset=utf-8', `<!doctype html><title>Drop-in</title><script type="module">
    import * as webeid from './web-eid.js';
    webeid.configure({ ports: [${port}] });
    window.webeid = webeid;
  </script>`],
  '/shim': ['text/html; charset=utf-8', `<!doctype html><title>Shim</title><script type="module">
    import { configure } from './web-eid-shim.js';
    configure({ ports: [${port}] });
    window.ready = true;
  </script>`],
  '/web-eid.js': ['text/javascript', await dist('web-eid.js')],
  '/web-eid-shim.js': ['text/javascript', await dist('web-eid-shim.js')],
});
const browser = await browse();
const answers = desk(browser, demo);
const nonce = () => randomBytes(32).toString('base64');
const sha384 = (x) => createHash('sha384').update(x).digest();

// genuine checks a token from the format's definition: the card signed hash(origin) and hash(nonce), and nothing else.
function genuine(token, origin, challenge) {
  assert.equal(token.format, 'web-eid:1.0');
  assert.equal(token.algorithm, 'ES384');
  const key = new X509Certificate(Buffer.from(token.unverifiedCertificate, 'base64')).publicKey;
  const signed = (o, n) => verify('sha384', Buffer.concat([sha384(o), sha384(n)]), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(token.signature, 'base64'));
  assert.ok(signed(origin, challenge), 'the signature is over origin and nonce');
  assert.ok(!signed('https://bank.example', challenge) && !signed(origin, nonce()), 'and over no other');
}

// signs checks a signature over a hash.
function signs(made, certificate, content) {
  const key = new X509Certificate(Buffer.from(certificate, 'base64')).publicKey;
  assert.ok(verify('sha384', content, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(made.signature, 'base64')));
}

async function allowed(work) {
  await answers.question();
  await answers.allow();
  return work;
}

async function dropIn() {
  const page = await browser.page();
  await page.goto(`${site.origin}/drop-in`);
  await page.waitForFunction(() => window.webeid);
  const status = await page.evaluate(() => webeid.status());
  for (const v of [status.library, status.extension, status.nativeApp]) assert.match(v, /^2\.\d+\.\d+/);
  const challenge = nonce();
  const token = await allowed(page.evaluate((n) => webeid.authenticate(n, { lang: 'nl' }), challenge));
  genuine(token, site.origin, challenge);

  const { certificate, supportedSignatureAlgorithms } = await allowed(page.evaluate(() => webeid.getSigningCertificate()));
  assert.ok(supportedSignatureAlgorithms.some((a) => a.hashFunction === 'SHA-384' && a.cryptoAlgorithm === 'ECC'));
  assert.notEqual(certificate, token.unverifiedCertificate, 'to sign is not to log in');
  const content = randomBytes(100);
  const made = await allowed(page.evaluate(([c, h]) => webeid.sign(c, h, 'SHA-384'), [certificate, sha384(content).toString('base64')]));
  signs(made, certificate, content);

  const before = await demo.commands();
  const failure = (work, ...args) => page.evaluate(work, ...args).then(() => 'no failure', (e) => String(e));
  const refusals = page.evaluate((n) => webeid.authenticate(n).catch((e) => ({ code: e.code, own: e instanceof webeid.UserCancelledError })), nonce());
  await answers.question();
  await answers.deny();
  assert.deepEqual(await refusals, { code: 'ERR_WEBEID_USER_CANCELLED', own: true });
  assert.match(await failure(() => webeid.authenticate('')), /MissingParameterError|NativeInvalidArgument/);
  assert.match(await failure((c) => webeid.sign(c, 'AAAA', 'SHA-384'), certificate), /InvalidArgument/);
  assert.equal(await demo.commands(), before, 'no command reached the card');
  browser.quiet('drop-in');
  await page.close();
}

async function shim() {
  const page = await browser.page();
  await page.goto(`${site.origin}/shim`);
  await page.waitForFunction(() => window.ready);
  // As an unchanged library does it: a message in, an acknowledgement and an answer back.
  await page.evaluate(() => {
    window.ask = (message) => new Promise((done) => {
      const name = message.action;
      let acknowledged = false;
      window.addEventListener('message', function hear({ data }) {
        if (data?.action === `${name}-ack`) acknowledged = true;
        if (data?.action !== `${name}-success` && data?.action !== `${name}-failure`) return;
        window.removeEventListener('message', hear);
        done({ acknowledged, ...data });
      });
      window.postMessage({ ...message, libraryVersion: '2.0.2' }, window.origin);
    });
  });
  const status = await page.evaluate(() => ask({ action: 'web-eid:status' }));
  assert.equal(status.action, 'web-eid:status-success');
  assert.ok(status.acknowledged);
  assert.match(status.extension, /^2\./);
  const challenge = nonce();
  const token = await allowed(page.evaluate((n) => ask({ action: 'web-eid:authenticate', challengeNonce: n, options: {} }), challenge));
  assert.equal(token.action, 'web-eid:authenticate-success');
  genuine(token, site.origin, challenge);
  const { certificate } = await allowed(page.evaluate(() => ask({ action: 'web-eid:get-signing-certificate' })));
  const content = randomBytes(100);
  const made = await allowed(page.evaluate(([c, h]) => ask({ action: 'web-eid:sign', certificate: c, hash: h, hashFunction: 'SHA-384' }), [certificate, sha384(content).toString('base64')]));
  assert.equal(made.action, 'web-eid:sign-success');
  signs(made, certificate, content);
  const refused = page.evaluate((n) => ask({ action: 'web-eid:authenticate', challengeNonce: n }), nonce());
  await answers.question();
  await answers.deny();
  assert.equal((await refused).action, 'web-eid:authenticate-failure');
  assert.equal((await refused).error.code, 'ERR_WEBEID_USER_CANCELLED');
  browser.quiet('shim');
  await page.close();
}

await main({ dropIn, shim }, browser, async () => {
  await browser.close();
  await site.close();
  await demo.stop();
});
