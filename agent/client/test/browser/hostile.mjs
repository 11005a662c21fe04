// What a hostile page, and a hostile document on the consent page, get: nothing.
import assert from 'node:assert/strict';
import { browse, desk, main, serve, shot, startDemo, words } from './demo.mjs';
import { hostileDocuments } from './files.mjs';

const demo = await startDemo();
const browser = await browse({ args: ['--host-resolver-rules=MAP *.example 127.0.0.1', '--disable-popup-blocking'] });
const agent = new URL(demo.info.agent);
const ask = await words('consent', 'en');
const canary = await serve(() => ['text/html; charset=utf-8', 'reached', { 'Access-Control-Allow-Origin': '*' }]);
const answers = desk(browser, demo);

// The hostile page's own tools: raw sockets and JSON-RPC without any library.
const TOOLS = `<!doctype html><html lang="en"><title>Hostile</title><body><script>
  const url = 'ws://${agent.host}/v1';
  window.raw = (protocols, at = url) => new Promise((done) => {
    const ws = new WebSocket(at, protocols);
    ws.onopen = () => done('open');
    ws.onclose = (e) => done('closed ' + e.code);
  });
  window.ends = []; // codes of what failed, questions that were denied among them
  window.dial = () => new Promise((done, failed) => {
    const ws = new WebSocket(url, ['eidkit.v1']);
    const open = new Map();
    let last = 0;
    ws.onmessage = (e) => {
      const m = JSON.parse(e.data);
      if (m.method === 'operation.waiting') open.get(m.params.id)?.('waits for ' + m.params.for);
      else if (m.error) {
        const code = m.error.data?.code ?? String(m.error.code);
        window.ends.push(code);
        open.get(m.id)?.(code);
      }
      else if (m.id !== undefined) open.get(m.id)?.({ result: m.result });
    };
    ws.onclose = (e) => { for (const f of open.values()) f('closed ' + e.code); failed(new Error('closed ' + e.code)); };
    ws.onopen = () => done({
      ws,
      call: (method, params = {}) => new Promise((answer) => {
        open.set(++last, answer);
        try { ws.send(JSON.stringify({ jsonrpc: '2.0', id: last, method, params })); } catch (e) { answer(String(e)); }
      }),
    });
  });
  window.put = async (socket, bytes, name, mediaType) => {
    const { result } = await socket.call('document.open', { name, size: bytes.length, mediaType });
    const id = result.documentId.replace(/-/g, '');
    const head = new Uint8Array(24 + bytes.length);
    const raw = /^[0-9a-f]{32}$/i.test(id) ? Uint8Array.from(id.match(/../g), (x) => parseInt(x, 16)) : Uint8Array.from(atob(id.replace(/_/g, '/') + '=='), (c) => c.charCodeAt(0));
    head.set(raw);
    head.set(bytes, 24);
    socket.ws.send(head);
    return result.documentId;
  };
</script>`;

// hostile opens the page on an origin of its own; host is a name of this machine or one that resolves to it.
async function hostile(host = '127.0.0.1') {
  const site = await serve({ '/': ['text/html; charset=utf-8', TOOLS] });
  const page = await browser.page();
  await page.goto(`http://${host}:${site.port}/`);
  return { page, origin: `http://${host}:${site.port}`, close: async () => { await page.close(); await site.close(); } };
}

// untouched sees that a part reached neither card nor canary, and left no question behind.
const untouched = (part) => async () => {
  const before = await demo.commands();
  try {
    await part();
  } finally { // what it has left open asks no more questions
    for (const p of browser.context.pages()) if (p !== answers.page() && p.url() !== 'about:blank') await p.close();
  }
  assert.equal(await demo.commands(), before, 'no command reached the card');
  assert.deepEqual(canary.seen, [], 'nothing reached the canary');
  assert.deepEqual(browser.faults.filter((f) => f.startsWith('asked') && !/\.example[:/]/.test(f)), [], 'nobody was asked beyond this machine');
};

async function handshake() {
  const { page, close } = await hostile();
  assert.match(await page.evaluate(() => raw(undefined)), /closed 1006/, 'no subprotocol');
  assert.match(await page.evaluate(() => raw(['eidkit.v2', 'chat'])), /closed 1006/, 'another subprotocol');
  assert.match(await page.evaluate((h) => raw(['eidkit.v1'], `ws://${h}/`), agent.host), /closed 1006/, 'another path');
  assert.match(await page.evaluate((p) => raw(['eidkit.v1'], `ws://rebound.example:${p}/v1`), agent.port), /closed 1006/, 'a name that was rebound to this machine');
  await close();
  for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.example']) {
    const other = await hostile(host);
    assert.match(await other.page.evaluate(() => raw(['eidkit.v1'])), /closed 1006/, host);
    await other.close();
  }
}

async function methods() {
  const { page, close } = await hostile();
  const got = await page.evaluate(async () => {
    const s = await dial();
    const own = {
      'desk.pending': {}, 'desk.answer': { id: 'x', allowed: true }, 'desk.preview': { id: 'x', document: 0 }, 'log.read': { limit: 10 }, 'grants.list': {},
      'grants.revoke': { id: 'x' }, 'pairings.list': {}, 'pairings.revoke': { id: 'x' }, 'card.export': { cardId: 'x', format: 'eid' }, 'card.load': { documentId: 'x' },
      'certificates.read': { cardId: 'x' }, 'pair.request': { name: 'x', operations: ['identity'] }, 'page.open': { page: 'viewer' }, 'agent.stop': {}, 'agent.status': {},
      'session.start': { code: 'x' }, 'session.resume': { token: 'x' }, 'no.such': {},
    };
    const answers = {};
    for (const [method, params] of Object.entries(own)) answers[method] = await s.call(method, params);
    return { answers, info: await s.call('agent.info'), free: await s.call('insurability.read', { purpose: 'x', niss: '71050120431', reading: { mode: 'manual', documentType: 'eID', documentNumber: '592000000111', reason: 'no card' } }) };
  });
  for (const [method, answer] of Object.entries(got.answers)) assert.equal(typeof answer, 'string', `${method} answered ${JSON.stringify(answer)}`);
  assert.doesNotMatch(JSON.stringify(got.info), /DEMO reader|cardId/, 'agent.info names no reader');
  assert.equal(got.free, 'NOT_AUTHORISED', 'a page asks about the card that is in, and no other number');
  await close();
}

async function withoutConsent() {
  const { page, close } = await hostile();
  const asked = await page.evaluate(async () => {
    const s = await dial();
    return [await s.call('identity.read', { fields: ['surname'], photo: true, purpose: 'x' }), await s.call('auth.login', { challengeNonce: 'A'.repeat(44) })];
  });
  assert.equal(asked[0], 'waits for consent');
  assert.ok(['BUSY', 'waits for consent', 'waits for queue', 'RATE_LIMITED'].includes(asked[1]), asked[1]);
  const question = await answers.question();
  assert.equal(await question.locator('.asker strong').textContent(), new URL(page.url()).origin);
  await close(); // the question goes with the page
  await question.getByText(ask('ask.over')).waitFor();
}

async function guessedCodes() {
  const { page, close } = await hostile();
  const got = await page.evaluate(async () => {
    const answers = new Set();
    for (let i = 0; i < 60; i++) {
      const code = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
      const s = await dial().catch(() => null);
      if (!s) { answers.add('refused'); continue; }
      answers.add(JSON.stringify(await s.call(i % 2 ? 'session.start' : 'session.resume', i % 2 ? { code } : { token: code })));
      s.ws.close();
    }
    return [...answers];
  });
  for (const answer of got) assert.doesNotMatch(answer, /result/, answer);
  // A code that is real is worth nothing on another origin either.
  const real = new URL((await demo.fresh()).viewer).hash.slice('#code='.length);
  assert.equal(typeof await page.evaluate(async (code) => (await dial()).call('session.start', { code }), real), 'string');
  await close();
}

async function framesAndWindows() {
  const { page, close } = await hostile();
  for (const path of ['/', '/viewer.html', '/consent.html', '/log.html', '/preview.html', '/healthz']) {
    const framed = await page.evaluate((src) => new Promise((done) => {
      const f = document.createElement('iframe');
      f.onload = () => {
        let inside = 'hidden';
        try { inside = f.contentDocument ? f.contentDocument.body.innerHTML : 'hidden'; } catch { /* another origin */ }
        done(inside);
      };
      f.src = src;
      document.body.append(f);
    }), agent.origin + path);
    assert.ok(['hidden', ''].includes(framed), `${path}: ${framed}`);
    if (path !== '/healthz') await page.frames().at(-1).waitForURL(/^chrome-error:/, { waitUntil: 'commit' }); // a page in a frame is an error
  }
  const got = await page.evaluate(async (at) => {
    const read = await fetch(`${at}/viewer.html`).then((r) => r.text(), () => 'rejected');
    const blind = await fetch(`${at}/viewer.html`, { mode: 'no-cors' }).then((r) => r.type, () => 'rejected');
    const loads = (tag, src) => new Promise((done) => {
      const e = document.createElement(tag);
      e.onload = () => done('loaded');
      e.onerror = () => done('blocked');
      e.src = src;
      document.body.append(e);
    });
    return { read, blind, script: await loads('script', `${at}/common.js`), image: await loads('img', `${at}/icon.svg`), module: await import(`${at}/i18n.js`).then(() => 'loaded', () => 'blocked') };
  }, agent.origin);
  assert.equal(got.read, 'rejected');
  assert.ok(['opaque', 'rejected'].includes(got.blind), got.blind);
  assert.deepEqual([got.script, got.image, got.module], ['blocked', 'blocked', 'blocked'], 'nothing of the agent is for other origins');

  const [popup] = await Promise.all([browser.context.waitForEvent('page'), page.evaluate((at) => { window.mine = window.open(`${at}/consent.html#code=guess`); }, agent.origin)]);
  await popup.locator('#ended:not([hidden])').waitFor();
  const held = await page.evaluate(() => {
    let reach = 'none';
    try { reach = mine.document ? 'document' : 'none'; } catch { /* another origin, or severed */ }
    return { closed: mine.closed, reach };
  });
  assert.deepEqual(held, { closed: true, reach: 'none' }, 'opener and window know nothing of each other');
  assert.equal(await popup.evaluate(() => window.opener), null);
  await popup.close();
  await close();
}

async function noOrigin() {
  const { page, close } = await hostile();
  const heard = await page.evaluate((url) => new Promise((done) => {
    window.onmessage = (e) => done(e.origin + ' ' + e.data);
    const f = document.createElement('iframe');
    f.sandbox = 'allow-scripts';
    f.srcdoc = `<script>const ws = new WebSocket('${url}', ['eidkit.v1']); ws.onopen = () => parent.postMessage('open', '*'); ws.onclose = (e) => parent.postMessage('closed ' + e.code, '*');<` + '/script>';
    document.body.append(f);
  }), `ws://${agent.host}/v1`);
  assert.equal(heard, 'null closed 1006');
  const data = await browser.page();
  await data.goto('about:blank'); // no origin either
  assert.equal(await data.evaluate((url) => new Promise((done) => { const ws = new WebSocket(url, ['eidkit.v1']); ws.onopen = () => done('open'); ws.onclose = () => done('closed'); }), `ws://${agent.host}/v1`), 'closed');
  await data.close();
  await close();
}

async function flood() {
  const { page, close } = await hostile();
  const flooded = await page.evaluate(async () => {
    const sockets = (await Promise.all(Array.from({ length: 40 }, () => dial().catch(() => null)))).filter(Boolean);
    window.one = sockets[0];
    const all = await Promise.all(sockets.flatMap((s) => Array.from({ length: 6 }, (_, i) => s.call('identity.read', { fields: ['surname'], purpose: `flood ${i}` }))));
    return { sockets: sockets.length, waiting: all.filter((a) => a === 'waits for consent').length, all: [...new Set(all.map(String))] };
  });
  assert.ok(flooded.sockets <= 32, `${flooded.sockets} connections of one site`);
  assert.ok(flooded.all.every((a) => /waits for|BUSY|RATE_LIMITED|closed/.test(a)), String(flooded.all));
  const question = await answers.question();
  await shot(question, 'hostile-flood');
  await close();
  await question.locator('#nothing:not([hidden])').waitFor();
  assert.equal(demo.asks(), 0, 'one question, not hundreds');
}

async function muted() {
  const { page, close } = await hostile();
  const read = () => page.evaluate(async () => (window.one ??= await dial()).call('identity.read', { fields: ['surname'], purpose: 'please' }));
  let question;
  for (let i = 0; i < 2; i++) { // two denials, and it is quiet
    assert.equal(await read(), 'waits for consent');
    question = await answers.question();
    await answers.deny();
    await question.getByText(ask('ask.denied')).waitFor();
    await page.waitForFunction((n) => window.ends.length === n, i + 1); // the site has heard it, so the agent has counted it
  }
  const third = await read();
  assert.ok(['RATE_LIMITED', 'NOT_AUTHORISED', 'CONSENT_DENIED'].includes(third), third);
  const other = await hostile(); // of another site there are still questions
  assert.equal(await other.page.evaluate(async () => (await dial()).call('identity.read', { fields: ['surname'], purpose: 'x' })), 'waits for consent');
  await answers.question();
  await other.close();
  await question.locator('#nothing:not([hidden])').waitFor();
  assert.equal(demo.asks(), 0, 'no further page');
  await close();
}

// What would run in the frame of the preview, if a document got that far.
async function insideTheFrame(frame) {
  return frame.evaluate(async (at) => {
    const tries = {
      fetch: () => fetch(`${at}/fetch`, { mode: 'no-cors' }),
      beacon: () => { if (!navigator.sendBeacon(`${at}/beacon`)) throw new Error('no'); return new Promise((_, no) => { document.addEventListener('securitypolicyviolation', no, { once: true }); }); },
      socket: () => new Promise((yes, no) => { const ws = new WebSocket(at.replace('http', 'ws')); ws.onopen = yes; ws.onerror = no; }),
      image: () => new Promise((yes, no) => { const i = new Image(); i.onload = yes; i.onerror = no; i.src = `${at}/image`; }),
      script: () => import(`${at}/script.js`),
      storage: () => localStorage.setItem('x', 'y'),
      session: () => sessionStorage.getItem('eidkit.session'),
      cookie: () => { document.cookie = 'x=y'; },
      database: () => new Promise((yes, no) => { const r = indexedDB.open('x'); r.onsuccess = yes; r.onerror = no; }),
      parent: () => window.parent.document.body,
      top: () => { window.top.location = `${at}/top`; },
      popup: () => { if (!window.open(`${at}/popup`)) throw new Error('no'); },
      agent: () => new Promise((yes, no) => { const ws = new WebSocket(`ws://${location.host}/v1`, ['eidkit.v1']); ws.onopen = yes; ws.onerror = no; }),
    };
    const got = [];
    for (const [name, attempt] of Object.entries(tries)) {
      await Promise.resolve().then(attempt).then(() => got.push(name), () => {});
    }
    return got;
  }, canary.origin);
}

async function documents() {
  for (const [name, { mediaType, body, active = [], shows }] of Object.entries(hostileDocuments(canary.origin))) {
    const { page, close } = await hostile();
    await page.evaluate(async ([file, base64, type]) => {
      const s = await dial();
      const id = await put(s, Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)), file, type);
      window.waits = await s.call('sign.document', { documentIds: [id], format: 'asice', level: 'b', purpose: 'read this' });
    }, [name, body.toString('base64'), mediaType]);
    assert.equal(await page.evaluate(() => waits), 'waits for consent', name);
    const question = await answers.question();
    await question.locator('.document strong', { hasText: name }).waitFor();
    const warned = await question.locator('.document .notice').allTextContents();
    for (const what of active) assert.ok(warned.some((w) => what.test(w)), `${name}: nothing says ${what}: ${warned}`);
    const tabs = browser.context.pages().length;
    await question.getByRole('button', { name: ask('ask.look') }).first().click();
    await question.locator('#looking-state', { hasText: shows === false ? ask('ask.failed') : ask('ask.same') }).waitFor();
    const frame = question.frames().find((f) => f.url().endsWith('/preview.html'));
    assert.equal(await frame.evaluate(() => self.origin), 'null', 'the frame has no origin');
    if (typeof shows === 'string') assert.ok((await frame.locator('#view').textContent()).includes(shows), `${name}: ${await frame.locator('#view').textContent()}`);
    await question.locator('#looking-frame').scrollIntoViewIfNeeded();
    await shot(question, `hostile-${name}`, false);
    for (const at of [question, frame]) assert.equal(await at.evaluate(() => window.owned), undefined, `${name} ran`);
    assert.equal(question.frames().length, 2, `${name}: frames of its own`);
    assert.equal(browser.context.pages().length, tabs, `${name}: windows of its own`);
    assert.equal(new URL(question.url()).pathname, '/consent.html', 'the page is still there');
    assert.deepEqual(canary.seen, [], name);
    if (name === 'note.txt') assert.deepEqual(await insideTheFrame(frame), [], 'what a script in the frame could do');
    await close();
    await question.locator('#nothing:not([hidden])').waitFor();
  }
}

// A frame that a document has taken over can lead itself nowhere.
async function frameLeaves() {
  const { page, close } = await hostile();
  await page.evaluate(async () => {
    const s = await dial();
    const id = await put(s, new TextEncoder().encode('harmless'), 'note.txt', 'text/plain');
    window.waits = await s.call('sign.document', { documentIds: [id], format: 'asice', level: 'b', purpose: 'read this' });
  });
  const question = await answers.question();
  await question.getByRole('button', { name: ask('ask.look') }).first().click();
  await question.getByText(ask('ask.same')).waitFor();
  const frame = question.frames().find((f) => f.url().endsWith('/preview.html'));
  const refused = question.waitForEvent('console', (m) => m.type() === 'error' && /frame-src/.test(m.text()));
  await frame.evaluate((at) => { location.href = `${at}/self?what=was-read`; }, canary.origin);
  await refused;
  assert.equal(await question.locator('#question').isVisible(), true);
  await close();
  await question.locator('#nothing:not([hidden])').waitFor();
}

const parts = { handshake, methods, withoutConsent, guessedCodes, framesAndWindows, noOrigin, documents, frameLeaves, flood, muted };
await main(Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, untouched(part)])), browser, async () => {
  await browser.close();
  await canary.close();
  await demo.stop();
});
