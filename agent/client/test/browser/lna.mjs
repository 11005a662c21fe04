// What keeps a page from the agent, and what the page then says: the browser's permission, the agent's absence, its refusal, plain http.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EidError } from '../../dist/eidkit.js';
import { browse, desk, main, serve, shot, startDemo } from './demo.mjs';

const LANGUAGES = ['en', 'nl', 'fr', 'de'];
const demo = await startDemo();
const portal = new URL(demo.info.portal);
const agentPort = Number(new URL(demo.info.agent).port);
const library = await readFile(new URL('../../dist/eidkit.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'eidkit-lna-'));

// asPublic are the arguments with which a browser takes a site of this machine for one on the internet, with https.
const asPublic = (origin) => [`--ip-address-space-overrides=${new URL(origin).host}=public`, `--unsafely-treat-insecure-origin-as-secure=${new URL(origin).origin}`];

// permit answers the browser's question for a site: granted or denied.
async function permit(page, origin, setting) {
  const session = await page.context().newCDPSession(page);
  await session.send('Browser.setPermission', { permission: { name: 'loopback-network' }, setting, origin });
}

// says sees that the portal's page says what an error means, in each of the languages.
async function says(page, where, code, name) {
  for (const lang of LANGUAGES) {
    await page.locator(`[data-lang="${lang}"]`).click();
    assert.equal(await page.locator('html').getAttribute('lang'), lang);
    assert.ok((await page.locator(where).textContent()).includes(EidError.local(code).text[lang]), `${code} in ${lang}: ${await page.locator(where).textContent()}`);
    await shot(page, `lna-${name}-${lang}`);
  }
  assert.equal(new Set(LANGUAGES.map((l) => EidError.local(code).text[l])).size, 4, 'four languages are four');
}

// withPortal opens the portal as a public site and presses Log in.
async function withPortal(setting, options, work) {
  const browser = await browse({ args: asPublic(portal.origin), ...options });
  try {
    const page = await browser.page();
    await page.goto(portal.href);
    if (setting) await permit(page, portal.origin, setting);
    const before = await demo.commands();
    await page.locator('#do-login').click();
    await work(page, browser);
    if (setting !== 'granted') assert.equal(await demo.commands(), before, 'nothing reached the card');
  } finally {
    await browser.close();
  }
}

// withPage serves a page that connects to a port and writes what comes of it, in its language.
async function withPage(port, { host = '127.0.0.1', secure = true, headers = {} }, work) {
  const page = `<!doctype html><html lang="en"><title>A site</title><body><script type="module">
    import { connect } from './eidkit.js';
    const show = (lines) => { document.body.textContent = ''; for (const l of lines) document.body.append(Object.assign(document.createElement('p'), { textContent: l })); };
    connect({ ports: [${port}], timeout: 30000 }).then((a) => show(['connected', a.info.client.origin]), (e) => show([e.code, e.text.en, e.text.nl, e.text.fr, e.text.de, e.message]));
  </script></body></html>`;
  const site = await serve({ '/': ['text/html; charset=utf-8', page, headers], '/eidkit.js': ['text/javascript', library] });
  const origin = `http://${host}:${site.port}`;
  const browser = await browse({ args: [`--host-resolver-rules=MAP ${host} 127.0.0.1`, ...(secure ? [`--unsafely-treat-insecure-origin-as-secure=${origin}`] : [])] });
  try {
    const tab = await browser.page();
    await tab.goto(origin);
    const lines = await tab.locator('p').first().waitFor().then(() => tab.locator('p').allTextContents());
    await work(lines, tab);
  } finally {
    await browser.close();
    await site.close();
  }
}

function ended(lines, code) {
  assert.equal(lines[0], code, lines.join('\n'));
  assert.deepEqual(lines.slice(1, 5), LANGUAGES.map((l) => EidError.local(code).text[l]));
}

async function granted() {
  await withPortal('granted', {}, async (page, browser) => {
    const answers = desk(browser, demo);
    await answers.question();
    await answers.allow();
    await page.locator('#form:not([hidden])').waitFor();
  });
}

async function denied() {
  await withPortal('denied', {}, async (page) => {
    await page.getByText('(PERMISSION_DENIED)').waitFor();
    await says(page, '#message', 'PERMISSION_DENIED', 'denied');
  });
}

async function unanswered() { // headless there is nobody to ask: the browser denies
  await withPortal('', {}, async (page) => {
    await page.getByText('(PERMISSION_DENIED)').waitFor();
    await says(page, '#message', 'PERMISSION_DENIED', 'unanswered');
  });
}

async function asking() { // with a screen the question stays open
  const screen = spawn('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const number = await new Promise((done, failed) => {
      screen.once('error', failed);
      screen.once('exit', () => failed(new Error('Xvfb has ended')));
      createInterface({ input: screen.stdout }).once('line', done);
    });
    await withPortal('', { headless: false, env: { DISPLAY: `:${number}` } }, async (page) => {
      await page.getByText(EidError.local('PERMISSION_PROMPT').text.en).waitFor();
      await says(page, '#busy', 'PERMISSION_PROMPT', 'asking');
      await page.locator('#cancel button').click();
      await page.locator('#message p').first().waitFor();
      assert.equal(await page.locator('#busy').textContent(), '');
    });
  } finally {
    screen.kill();
  }
}

async function absent() {
  const closed = await serve({});
  await closed.close();
  await withPage(closed.port, {}, (lines) => ended(lines, 'AGENT_ABSENT'));
}

async function ownPolicy() { // the page forbids itself
  const closed = await serve({});
  await closed.close();
  const browser = await browse({ args: asPublic(portal.origin) });
  try {
    const page = await browser.page();
    await page.goto(portal.href);
    await permit(page, portal.origin, 'granted');
    await page.route('**/api/config', (route) => route.fulfill({ json: { agentPort: closed.port, level: 'b' } }));
    await page.locator('#do-login').click();
    await page.getByText('(CONTENT_POLICY)').waitFor(); // the portal's policy names the agent's port alone
    await says(page, '#message', 'CONTENT_POLICY', 'policy');
  } finally {
    await browser.close();
  }
}

async function refused() {
  const policy = join(folder, 'policy.toml');
  await writeFile(policy, 'unknown_origins = "refuse"\n', { mode: 0o644 });
  const strict = await startDemo(['--policy', policy]);
  try {
    await withPage(Number(new URL(strict.info.agent).port), {}, (lines) => ended(lines, 'ORIGIN_REFUSED'));
    assert.equal(await strict.commands(), 0);
  } finally {
    await strict.stop();
  }
  await withPage(agentPort, {}, (lines) => assert.equal(lines[0], 'connected', 'without that policy the site may ask'));
}

async function plainHTTP() {
  await withPage(agentPort, { host: 'town.example', secure: false }, (lines) => ended(lines, 'CONTEXT_INSECURE'));
  await withPage(agentPort, { host: 'town.example', secure: true }, (lines) => ended(lines, 'ORIGIN_REFUSED')); // the agent does not take http
}

async function forbidden() { // by the page itself
  await withPage(agentPort, { headers: { 'Content-Security-Policy': "connect-src 'self'" } }, (lines) => ended(lines, 'CONTENT_POLICY'));
  // A policy that lets one address through is not what keeps a page away.
  const some = { 'Content-Security-Policy': `connect-src 'self' ws://127.0.0.1:${agentPort} http://127.0.0.1:${agentPort}; script-src 'self' 'unsafe-inline'` };
  await withPage(agentPort, { headers: some }, (lines) => assert.equal(lines[0], 'connected'));
  await withPage(agentPort, { host: 'town.example', headers: some }, (lines) => ended(lines, 'ORIGIN_REFUSED'));
}

await main({ granted, denied, unanswered, asking, absent, ownPolicy, refused, plainHTTP, forbidden }, null, async () => {
  await demo.stop();
  await rm(folder, { recursive: true, force: true });
});
