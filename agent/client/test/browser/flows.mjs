// Every page and flow, in the language that is the argument: node flows.mjs nl
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessible, browse, desk, look, main, portal, shot, startDemo, words } from './demo.mjs';
import { textPDF } from './files.mjs';

const lang = process.argv[2] ?? 'en';
const demo = await startDemo(['--lang', lang]);
const browser = await browse({ lang });
const folder = await mkdtemp(join(tmpdir(), 'eidkit-flows-'));
const [card, viewer, insurance, log, ask, common, report, index] = await Promise.all(['card', 'viewer', 'insurance', 'log', 'consent', 'common', 'report', 'index'].map((t) => words(t, lang)));
const site = await portal(lang);

// button finds a button by its words.
const button = (page, name) => page.getByRole('button', { name, exact: true });

// open goes to a page of the agent with a fresh code and waits for its session.
async function open(page, which) {
  await page.goto((await demo.fresh())[which]);
  await page.locator('body[data-session="ready"]').waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the code has left the address');
}

// focused waits until the keyboard is where it should go on.
const focused = (page, where) => page.locator(`${where}:focus`).waitFor();

// kept saves a download and gives its place.
async function kept(page, press) {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

async function viewerCard() {
  const page = await browser.page();
  await open(page, 'viewer');
  await page.locator('.person img').waitFor();
  await page.locator('summary .certificate').nth(2).waitFor();
  assert.equal(await page.locator('.notice.bad').count(), 0, 'nothing failed');
  assert.equal(await page.locator('.verdict.ok h2').textContent(), card('verdict.trusted'));
  assert.equal(await page.locator('.testcard').count(), 1);
  await look(browser, page, 'viewer');
  await page.locator('summary').nth(1).click();
  await look(browser, page, 'viewer-certificate');

  await button(page, viewer('pin.show')).click();
  await page.getByText(viewer('pin.tries.other', { n: 3 })).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), viewer('pin.show'), 'the keyboard is where it was');
  assert.equal(await page.locator('details[open]').count(), 1, 'what was unfolded stays so');
  await button(page, viewer('pin.change')).click();
  await page.getByText(viewer('pin.done')).waitFor();
  browser.quiet('PIN');

  const name = await page.locator('#person-name').textContent();
  for (const format of ['eid', 'json']) {
    const path = await kept(page, () => button(page, viewer(`keep.${format}`)).click());
    assert.ok((await readFile(path, 'utf8')).length > 1000, path);
    await page.locator('#load-file').setInputFiles(path);
    await page.getByText(viewer('load.shown', { name: path.split('/').at(-1) })).waitFor();
    assert.equal(await page.locator('#person-name').textContent(), name);
    await look(browser, page, `viewer-loaded-${format}`);
    await button(page, viewer('load.back')).click();
    await button(page, viewer('pin.show')).waitFor();
  }
  await demo.insert('0');
  await page.getByText(viewer('viewer.noCard')).waitFor();
  await look(browser, page, 'viewer-empty');
  await demo.insert('kid-1.8');
  await page.locator('#person-name').waitFor();
  await page.locator('summary .certificate').first().waitFor();
  await look(browser, page, 'viewer-kid');
  await demo.insert('citizen-1.8');
  await page.close();
}

async function viewerFiles() {
  const page = await browser.page();
  await open(page, 'viewer');
  await page.locator('#tab-sign').click();
  const pdf = join(folder, 'agreement.pdf');
  await writeFile(pdf, textPDF('Agreement of an invented person'));
  await page.locator('#sign-file').setInputFiles(pdf);
  await look(browser, page, 'viewer-sign');
  await button(page, viewer('sign.start')).click();
  if (await consents(page)) browser.quiet('consent of the viewer');
  await page.locator('#sign-result .verdict.ok').waitFor();
  await look(browser, page, 'viewer-signed');
  const signed = await kept(page, () => button(page, viewer('sign.download')).click());
  await button(page, viewer('sign.check')).click();
  await page.locator('#verify-report .verdict.ok').waitFor();
  assert.equal(await page.locator('#verify-report .verdict h2').textContent(), report('fileverdict.TOTAL-PASSED'));
  await look(browser, page, 'viewer-verified');

  const bytes = await readFile(signed);
  bytes[bytes.indexOf('invented')] ^= 1;
  for (const [file, body, verdict] of [['changed.pdf', bytes, 'TOTAL-FAILED'], ['unsigned.pdf', textPDF('nobody signed'), 'NO_SIGNATURE_FOUND']]) {
    const drop = await page.evaluateHandle(([name, base64]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type: 'application/pdf' }));
      return transfer;
    }, [file, body.toString('base64')]);
    await page.dispatchEvent('#verify-drop', 'dragenter', { dataTransfer: drop });
    await page.dispatchEvent('#verify-drop', 'drop', { dataTransfer: drop });
    await page.locator('#verify-report strong', { hasText: file }).waitFor();
    assert.equal(await page.locator('#verify-report .verdict h2').textContent(), report(`fileverdict.${verdict}`));
    await look(browser, page, `viewer-verify-${verdict.toLowerCase()}`);
  }
  await page.close();
}

// consents allows what the agent may ask about signing in the viewer; false: it asked nothing.
async function consents(page) {
  await page.locator('#sign-result .verdict, #consent-banner:not([hidden])').first().waitFor();
  if (await page.locator('#consent-banner').isHidden()) return false;
  const [tab] = await Promise.all([page.waitForEvent('popup'), page.locator('#consent-banner a').click()]);
  await tab.locator('button.allows[aria-disabled="false"]').first().click();
  return true;
}

// answers of the insurers: the profile, the status and the tariff that have to stand there in big letters.
const PATIENTS = [
  ['ordinary', 'INSURED', 'tariff.ORDINARY', 'ok'], ['increased', 'INSURED', 'tariff.INCREASED', 'ok'], ['refused', 'THIRD_PARTY_REFUSED', 'tariff.none', 'bad'],
  ['closed', 'UNKNOWN', 'tariff.unknown', 'warn'], ['unknown', 'UNKNOWN', 'tariff.unknown', 'warn'], ['deceased', 'DECEASED', 'tariff.none', 'bad'],
];

async function pharmacy() {
  await demo.insert('0');
  const page = await browser.page();
  await open(page, 'pharmacy');
  await page.getByText(insurance('pharmacy.insert')).waitFor();
  await look(browser, page, 'pharmacy-empty');
  const answered = async (profile, status, tariff, kind) => {
    const big = page.locator(`.counter .verdict.${kind} h2`);
    await big.getByText(insurance(`answer.${status}`), { exact: true }).waitFor();
    const price = page.locator('.tariff p').nth(1);
    assert.equal(await price.textContent(), insurance(tariff), profile);
    assert.ok((await page.title()).startsWith(insurance(`answer.${status}`)), 'title');
    for (const e of [big, price]) assert.ok(await e.evaluate((x) => parseFloat(getComputedStyle(x).fontSize)) >= 24, `${profile}: in big letters`);
    assert.doesNotMatch(await page.locator('#answer .notice:not([lang]) p:not([lang])').allTextContents().then((all) => all.join(' ')), /\d\d\/\d\d\/\d{5}/, 'a bare code');
    await look(browser, page, `pharmacy-${profile}`);
  };
  for (const [profile, ...expected] of PATIENTS) {
    const known = demo.info.cards.find((c) => c.startsWith(`patient-${profile}`));
    await demo.insert(known ?? 'citizen-1.8'); // whom no insurer knows
    await answered(profile, ...expected);
    await demo.insert('0');
    await button(page, insurance('pharmacy.next')).click();
    await page.getByText(insurance('pharmacy.insert')).waitFor();
  }
  await demo.insurers('down');
  await demo.insert('patient-expired');
  await answered('down', 'UNAVAILABLE', 'tariff.unknown', 'warn');
  await demo.insurers('up');
  await button(page, insurance('pharmacy.again')).click();
  await answered('up', 'INSURED', 'tariff.ORDINARY', 'ok');
  await demo.insurers('down');
  await button(page, insurance('pharmacy.again')).click();
  await answered('earlier', 'INSURED', 'tariff.ORDINARY', 'warn'); // of earlier today: no promise
  await demo.insurers('up');
  await page.locator('#manual summary').click();
  await page.locator('#manual-niss').fill('12345678901');
  await button(page, insurance('manual.ask')).click();
  await page.locator('#manual-niss-fault:not([hidden])').waitFor();
  await look(browser, page, 'pharmacy-manual');
  await demo.insert('citizen-1.8');
  await page.close();
}

async function startPage() {
  const page = await browser.page();
  await open(page, 'viewer');
  await page.goto(new URL('/', page.url()).href); // the session is the tab's
  await page.locator('body[data-session="ready"] #state dl').waitFor();
  assert.equal(await page.locator('h1:visible').textContent(), index('index.heading'));
  await look(browser, page, 'index');
  const other = await browser.page();
  await other.goto(page.url()); // another tab has none
  await other.locator('#ended:not([hidden])').waitFor();
  assert.equal(await other.locator('#ended-title').textContent(), common('session.endedTitle'));
  await look(browser, other, 'no-session');
  await Promise.all([page.close(), other.close()]);
}

const answers = desk(browser, demo);
let form; // the portal's page, logged in

async function portalLogin() {
  form = await browser.page();
  await form.goto(`${demo.info.portal}?lang=${lang}`);
  assert.equal(await form.title(), site.title);
  await look(browser, form, 'portal-login');

  // Enter at once must deny: it has the focus.
  const before = await demo.commands();
  await form.locator('#do-login').click();
  let page = await answers.question();
  await look(browser, form, 'portal-waiting');
  await look(browser, page, 'consent-login');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'deny', 'Deny has the focus');
  assert.match(await page.locator('.asker strong').textContent(), new RegExp(`^${new URL(demo.info.portal).origin}$`));
  await page.keyboard.press('Enter');
  await page.getByText(ask('ask.denied')).waitFor();
  await form.getByText('(CONSENT_DENIED)').waitFor();
  await focused(form, '#do-login');
  assert.equal(await demo.commands(), before, 'a refused login costs the card no command');
  await look(browser, form, 'portal-denied');
  await look(browser, page, 'consent-denied');

  // By keyboard alone: from Deny to Allow, which works after a moment only.
  await form.locator('#do-login').click();
  page = await answers.question();
  const way = await page.evaluate(() => document.activeElement.id);
  assert.equal(way, 'deny');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.classList.contains('allows')), true, 'Tab goes from Deny to Allow');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', 'where the keyboard is can be seen');
  await page.evaluate(() => { // a key that comes too early, as somebody typing would press it
    const b = document.activeElement;
    b.setAttribute('aria-disabled', 'true');
    window.dispatchEvent(new Event('focus'));
    b.click();
  });
  assert.equal(await page.locator('#question').isVisible(), true, 'too early a key allows nothing');
  await page.locator('button.allows[aria-disabled="false"]').first().waitFor();
  await page.keyboard.press('Enter');
  await form.locator('#form:not([hidden])').waitFor();
  assert.equal(await form.locator('#welcome').textContent().then((w) => w.includes(site.welcome.split('%s')[0].trim())), true);
  assert.ok(await demo.commands() > before);
}

async function portalPrefill() {
  await form.locator('#prefill').click();
  const page = await answers.question();
  assert.equal(await page.locator('blockquote').textContent(), site.purpose, 'what the site says is marked as its words');
  await look(browser, page, 'consent-address');
  await answers.allow(1); // always
  await form.waitForFunction(() => document.getElementById('address').value !== '');
  await form.locator('#address').fill('');
  await form.locator('#prefill').click(); // it asks no more
  await form.waitForFunction(() => document.getElementById('address').value !== '');
  assert.equal(demo.asks(), 0);
  await look(browser, form, 'portal-form');
}

async function portalDeclare() {
  for (const format of ['pdf', 'xml']) {
    await form.locator(`input[name="format"][value="${format}"]`).check();
    await form.locator('#persons').fill('3');
    await button(form, site.make).click();
    await form.locator('#sign:not([hidden])').waitFor();
    await focused(form, '#do-sign');
    if (format === 'pdf') await look(browser, form, 'portal-sign');
    await form.locator('#do-sign').click();
    const page = await answers.question();
    await page.getByRole('button', { name: ask('ask.look') }).click();
    await page.getByText(ask('ask.same')).waitFor();
    const frame = page.frameLocator('#looking-frame iframe');
    await frame.locator(format === 'pdf' ? '.page canvas' : 'pre').first().waitFor();
    const first = await page.locator('.digest').textContent();
    await page.locator('#looking-frame').scrollIntoViewIfNeeded(); // a frame out of sight is not drawn
    await look(browser, page, `consent-sign-${format}`);
    const inside = page.frames().find((f) => f.url().endsWith('/preview.html'));
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme });
      await page.locator('#looking-frame').scrollIntoViewIfNeeded();
      await accessible(inside, `preview of ${format} in ${colorScheme}`);
      await shot(page, `preview-${format}-${lang}-${colorScheme}`, false);
    }
    await answers.allow();
    if (format === 'pdf') { // once more, with the signature on its page
      await page.locator('.digest').filter({ hasNotText: first }).waitFor();
      await page.getByRole('button', { name: ask('ask.look') }).click();
      await page.getByText(ask('ask.same')).waitFor();
      await frame.locator('.page canvas').first().waitFor();
      await page.locator('#looking-frame').scrollIntoViewIfNeeded();
      await look(browser, page, 'consent-signature');
      await answers.allow();
    }
    await form.locator('#receipt:not([hidden])').waitFor();
    assert.match(await form.locator('#facts').textContent(), format === 'pdf' ? /PAdES.*TOTAL-PASSED/s : /XAdES.*TOTAL-PASSED/s);
    if (format === 'pdf') await look(browser, form, 'portal-receipt');
    const signed = await kept(form, () => form.locator('#signed').click());
    assert.ok((await readFile(signed)).length > 5000);
    await button(form, site.again).click();
  }
}

async function logAndGrants() {
  const page = await browser.page();
  await open(page, 'log');
  await page.locator('#trail tbody tr').nth(2).waitFor();
  const grant = page.locator('#grants .held');
  await grant.waitFor();
  await look(browser, page, 'log');
  await grant.getByRole('button').click();
  await page.locator('#confirm[open]').waitFor();
  await look(browser, page, 'log-withdraw');
  await page.locator('#confirm-yes').click();
  await page.getByText(log('log.noGrants')).waitFor();
  browser.quiet('log');
  await page.setViewportSize({ width: 400, height: 850 });
  await look(browser, page, 'log-narrow');
  await page.close();

  // What was withdrawn is asked again; while it is asked the card goes.
  await form.locator('#prefill').click();
  const question = await answers.question();
  await demo.insert('0');
  await form.getByText('(CARD_REMOVED)').waitFor();
  await question.getByText(ask('ask.over')).waitFor();
  await look(browser, form, 'portal-removed');
  await look(browser, question, 'consent-over');
  await demo.insert('citizen-1.8');
}

async function twoCards() {
  await demo.insert('citizen-1.7', 1);
  await form.locator('#prefill').click();
  const page = await answers.question();
  await page.locator('input[name="card"]').nth(1).check();
  await look(browser, page, 'consent-choice');
  await answers.allow();
  await page.locator('blockquote').waitFor();
  await answers.allow();
  await form.waitForFunction(() => document.getElementById('address').value !== '');
  const own = await browser.page();
  await open(own, 'viewer');
  await own.locator('.person img').waitFor();
  await own.locator('input[name="reader"]').nth(1).check();
  await own.locator('.person img').waitFor();
  await own.locator('summary .certificate').first().waitFor();
  await look(browser, own, 'viewer-two-readers');
  await own.close();
  await demo.insert('0', 1);
}

await main({ viewerCard, viewerFiles, pharmacy, startPage, portalLogin, portalPrefill, portalDeclare, logAndGrants, twoCards }, browser, async () => {
  await browser.close();
  await demo.stop();
  await rm(folder, { recursive: true, force: true });
});
