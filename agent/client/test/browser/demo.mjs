// A running `eid demo` and a Chromium that looks at it, for the browser tests. The program is EID; pictures go to SHOTS.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const program = process.env.EID ?? 'bin/eid';
export const shots = process.env.SHOTS ?? '';
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Queue hands on what comes in, in its order, to whoever waits.
class Queue {
  #here = [];
  #waiting = [];
  put(x) { const w = this.#waiting.shift(); if (w) w(x); else this.#here.push(x); }
  take() { return this.#here.length ? Promise.resolve(this.#here.shift()) : new Promise((done) => { this.#waiting.push(done); }); }
  get length() { return this.#here.length; }
}

// startDemo runs `eid demo --json` with these arguments.
export async function startDemo(args = [], env = {}) {
  const child = spawn(program, ['demo', '--json', '--port', '0', '--site-port', '0', ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const heard = { schema: new Queue(), open: new Queue(), commands: new Queue() };
  const changes = new Queue();
  const said = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    if (line.startsWith('eid: in the ') || line.startsWith("eid: the insurers' services")) changes.put(line);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line);
    heard[Object.keys(heard).find((k) => k in message)].put(message);
  });
  const gone = new Promise((_, reject) => { child.once('exit', (code) => reject(new Error(`eid demo ended with ${code}: ${said.join('\n')}`))); });
  gone.catch(() => {});
  const type = (word, answer) => { child.stdin.write(`${word}\n`); return Promise.race([answer.take(), gone]); };
  const info = await Promise.race([heard.schema.take(), gone]);
  return {
    info,
    said: () => said.join('\n'),
    // insert changes the card; '0' takes it out; slot 1 is the second reader.
    insert: (name, slot = 0) => type((slot ? '+' : '') + name, changes),
    // insurers: 'down' or 'up'.
    insurers: (state) => type(state, changes),
    // fresh gives new single-use addresses of the agent's pages.
    fresh: () => type('p', heard.schema),
    // commands counts what all cards were asked so far.
    commands: async () => (await type('c', heard.commands)).commands,
    // asked waits for the next page that the agent wants to show.
    asked: async () => (await Promise.race([heard.open.take(), gone])).open,
    // asks says how many pages the agent wanted to show that nobody has taken yet.
    asks: () => heard.open.length,
    stop: () => new Promise((done) => { child.once('exit', done); child.kill('SIGTERM'); }),
  };
}

// browse opens a browser with a profile of its own. What its pages say on the console, and whom they ask beyond this machine, is
// collected in faults.
export async function browse({ lang = 'en', args = [], headless = true, env, ...more } = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'eidkit-chromium-'));
  const locale = { en: 'en-GB', nl: 'nl-BE', fr: 'fr-BE', de: 'de-BE' }[lang];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless, locale, acceptDownloads: true, env: { ...process.env, ...env },
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', `--lang=${locale}`, ...args],
    viewport: { width: 1100, height: 850 }, ...more,
  });
  context.setDefaultTimeout(Number(process.env.PATIENCE ?? 60_000));
  const faults = [];
  const watch = (page) => {
    page.on('console', (m) => { if (m.type() === 'error') faults.push(`${page.url()}: ${m.text()} ${m.location().url}`); });
    page.on('pageerror', (e) => faults.push(`${page.url()}: ${e.stack}`));
  };
  context.on('page', watch);
  context.on('request', (r) => {
    const { protocol, hostname } = new URL(r.url());
    if (!['data:', 'blob:', 'chrome-extension:', 'about:'].includes(protocol) && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) faults.push(`asked ${r.url()}`);
  });
  for (const page of context.pages()) watch(page);
  return {
    context, faults, lang,
    page: () => context.newPage(),
    quiet: (where) => assert.deepEqual(faults.splice(0), [], `${where}: what the browser complained about`),
    close: async () => { await context.close(); await rm(profile, { recursive: true, force: true, maxRetries: 5 }); },
  };
}

// shot takes a picture, where SHOTS says where to.
export async function shot(page, name, fullPage = true) {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage, animations: 'disabled' });
}

// accessible asks axe for serious faults in a page or frame.
export async function accessible(page, name, rules) {
  await page.evaluate(axe);
  const found = await page.evaluate((only) => window.axe.run(document, { iframes: false, resultTypes: ['violations'], ...(only && { runOnly: { type: 'rule', values: only } }) }), rules);
  const bad = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => '    ' + n.html.slice(0, 160) + '\n    ' + n.failureSummary.replace(/\s+/g, ' ')).join('\n')}`);
  assert.deepEqual(bad, [], `${name}: accessibility`);
}

// look takes a page in light and dark, and sees that its language is right and that it is accessible.
export async function look(browser, page, name) {
  assert.equal(await page.locator('html').getAttribute('lang'), browser.lang, `${name}: language of the page`);
  assert.doesNotMatch(await page.locator('body').innerText(), /undefined|\[object|NaN|\{\w+\}|Invalid Date/, `${name}: what should not be read`);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await shot(page, `${name}-${browser.lang}-${colorScheme}`);
    await accessible(page, `${name} ${colorScheme}`, colorScheme === 'dark' ? ['color-contrast', 'link-in-text-block'] : undefined);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${name}: ${wide} pixels wider than the window`);
  const over = await page.evaluate(() => [...document.querySelectorAll('dt, dd, h1, h2, h3, p, label, legend, button, .mark')]
    .filter((e) => e.checkVisibility() && getComputedStyle(e).display !== 'inline' && e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent));
  assert.deepEqual(over, [], `${name}: words wider than their place`);
  browser.quiet(name);
}

// words are the texts of a table under agent/pages/static/texts in a language.
export async function words(table, lang) {
  const source = await readFile(new URL(`../../../pages/static/texts/${table}.js`, import.meta.url), 'utf8');
  const rows = JSON.parse(source.slice(source.indexOf('{'), source.lastIndexOf('}') + 1));
  const at = ['en', 'nl', 'fr', 'de'].indexOf(lang);
  return (key, values = {}) => {
    assert.ok(rows[key], `no text for ${key} in ${table}`);
    const text = lang === 'fr' ? rows[key][at].replace(/ (?=[:;?!»])|(?<=«) /g, '\u00a0') : rows[key][at]; // as the pages write it
    return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  };
}

// portal are the demo portal's texts in a language.
export async function portal(lang) {
  const source = await readFile(new URL('../../../../cmd/eid/demosite/static/texts.js', import.meta.url), 'utf8');
  return (await import(`data:text/javascript,${encodeURIComponent(source)}`)).texts[lang];
}

// serve answers paths with what files says: {path: [type, body, headers]} or a function; it notes who asked for what in seen.
export async function serve(files) {
  const seen = [];
  const server = createServer((request, response) => {
    const path = request.url.split('?')[0];
    seen.push(`${request.method} ${request.url}`);
    const [type, body, headers = {}] = (typeof files === 'function' ? files(path, request) : files[path]) ?? [];
    if (!type) { response.writeHead(path === '/favicon.ico' ? 204 : 404).end(); return; }
    response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store', ...headers }).end(body);
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  const { port } = server.address();
  return { port, origin: `http://127.0.0.1:${port}`, seen, close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}

// answers are the consent page of a browser: one tab that stays open.
export function desk(browser, demo) {
  let page = null;
  return {
    // question waits for a question and gives the page that shows it.
    question: async () => {
      if (!page || page.isClosed()) {
        page = await browser.page();
        await page.addInitScript(() => { window.close = () => {}; }); // the tab stays, so that each question comes to it
        await page.goto(await demo.asked());
      }
      await page.locator('#question').waitFor();
      return page;
    },
    // allow presses the first button that allows, once it works.
    allow: async (which = 0) => {
      const b = page.locator('button.allows').nth(which);
      await page.locator('button.allows[aria-disabled="false"]').nth(which).waitFor();
      await b.click();
    },
    deny: () => page.locator('#deny').click(),
    page: () => page,
  };
}

// main runs the parts of a script, says which ones failed, with pictures of the pages there are, and cleans up.
export async function main(parts, browser, end = async () => {}) {
  const only = process.env.ONLY?.split(',');
  for (const [name, part] of Object.entries(parts)) {
    if (only && !only.includes(name)) continue;
    const began = Date.now();
    try {
      await part();
      console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      console.log(`FAIL ${name}\n${error.stack}`);
      process.exitCode = 1;
      for (const [i, page] of (browser?.context.pages() ?? []).entries()) {
        await shot(page, `failed-${name}-${browser.lang}-${i}`).catch(() => {}); // a page that has gone is no picture
      }
    }
  }
  await end();
  process.exit(); // whatever a part that failed has left open
}
