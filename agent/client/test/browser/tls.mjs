// TLS to the agent with the certificate that `eid agent tls install` makes for this machine: a browser trusts it, no check switched off.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { browse, main, serve } from './demo.mjs';

const program = process.env.EID ?? 'bin/eid';
const home = await mkdtemp(join(tmpdir(), 'eidkit-home-'));
await mkdir(join(home, 'run'), { mode: 0o700 });
const env = { PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), LANG: 'C.UTF-8' };
const eid = async (...args) => (await promisify(execFile)(program, args, { env })).stdout;

// free are ports that nobody has now.
async function free(n) {
  const all = await Promise.all(Array.from({ length: n }, () => serve({})));
  const ports = all.map((s) => s.port);
  await Promise.all(all.map((s) => s.close()));
  return ports;
}

const [port, tlsPort] = await free(2);
const library = await readFile(new URL('../../dist/eidkit.js', import.meta.url));
const site = await serve({
  '/': ['text/html; charset=utf-8', `<!doctype html><title>A site</title><p></p><script type="module">
    import { connect } from './eidkit.js';
    const said = document.querySelector('p');
    connect({ ports: [${tlsPort}], tls: true, timeout: 30000 }).then((a) => { said.textContent = 'connected ' + a.info.name; }, (e) => { said.textContent = e.code + ' ' + e.message; });
  </script>`],
  '/eidkit.js': ['text/javascript', library],
});

// withAgent runs the agent until work is done.
async function withAgent(work) {
  const child = spawn(program, ['agent', '--port', String(port), '--tls-port', String(tlsPort), '--no-broker', '--developer', '--browser', 'none'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const lines = createInterface({ input: child.stderr });
  const said = [];
  try {
    await new Promise((done, failed) => {
      lines.on('line', (line) => {
        said.push(line);
        if (line.includes('msg=listening') && line.includes(`127.0.0.1:${tlsPort}`)) done();
      });
      child.once('exit', () => failed(new Error(said.join('\n'))));
    });
    await work();
  } finally {
    await new Promise((done) => { child.once('exit', done); child.kill('SIGTERM'); });
  }
}

// visit gives what a site's page says of its connection by wss, and what the agent's own page is by https.
async function visit(work) {
  const browser = await browse({ env: { HOME: home } });
  try {
    const page = await browser.page();
    await page.goto(site.origin);
    await page.locator('p', { hasText: /\w/ }).waitFor();
    await work(await page.locator('p').textContent(), page);
  } finally {
    await browser.close();
  }
}

async function trusted() {
  assert.match(await eid('agent', 'tls', 'install'), /trusted/);
  assert.match(await eid('agent', 'tls', 'status'), /trusted/);
  await withAgent(() => visit(async (said, page) => {
    assert.match(said, /^connected eidkit/);
    for (const host of ['127.0.0.1', 'localhost']) {
      const answer = await page.goto(`https://${host}:${tlsPort}/`);
      assert.equal(answer.status(), 200, host);
      assert.match(answer.headers()['content-security-policy'], new RegExp(`connect-src wss://${host}:${tlsPort}`));
    }
  }));
}

async function removed() {
  await eid('agent', 'tls', 'remove');
  await assert.rejects(eid('agent', 'tls', 'status'));
  assert.doesNotMatch(await promisify(execFile)('certutil', ['-L', '-d', `sql:${join(home, '.pki/nssdb')}`]).then((r) => r.stdout), /eidkit/);
  await eid('agent', 'tls', 'install'); // anew, and then taken out of the browser alone
  await rm(join(home, '.pki'), { recursive: true });
  await withAgent(() => visit(async (said, page) => {
    assert.doesNotMatch(said, /^connected/, 'a browser that does not know the certificate does not connect');
    await assert.rejects(page.goto(`https://127.0.0.1:${tlsPort}/`), /ERR_CERT/);
  }));
}

await main({ trusted, removed }, null, async () => {
  await site.close();
  await rm(home, { recursive: true, force: true });
});
