// The portal's page: log in, fill in, look, sign, be acknowledged. What it knows of cards is the client library.
import { connect } from '/lib/eidkit.js';
import { texts } from '/texts.js';

const $ = (id) => document.getElementById(id);
const steps = ['login', 'form', 'sign', 'receipt'];
const locales = { en: 'en-GB', nl: 'nl-BE', fr: 'fr-BE', de: 'de-BE' };
const languages = Object.keys(locales);
let lang = languages.find((l) => new URLSearchParams(location.search).get('lang') === l) ??
  languages.find((l) => navigator.language.startsWith(l)) ?? 'en';
let agent = null;
let config = null;
let person = null;
let declaration = null; // {number, bytes, type, fields}
let running = null; // AbortController of what is under way
let told = null; // the error on the page
let awaited = ''; // key of the line that says what is awaited
let asks = null; // the browser's own question, as the client library tells it

// t is a text; in French the signs that stand apart from a word stay on its line.
const t = (key) => (lang === 'fr' ? texts.fr[key].replace(/ (?=[:;?!»])|(?<=«) /g, '\u00a0') : texts[lang][key]);

function show(step) {
  for (const s of steps) $(s).hidden = s !== step;
  for (const item of $('steps').children) {
    const at = steps.indexOf(item.dataset.step);
    item.classList.toggle('done', at < steps.indexOf(step));
    if (item.dataset.step === step) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }
}

function translate() {
  document.documentElement.lang = lang;
  document.title = t('title');
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const b of document.querySelectorAll('[data-lang]')) b.setAttribute('aria-current', String(b.dataset.lang === lang));
  $('shown').setAttribute('aria-label', t('look'));
  $('busy').textContent = asks?.text[lang] ?? (awaited && t(awaited));
  if (told) tell(told);
  if (person) $('welcome').textContent = t('welcome').replace('%s', `${person.givenNames} ${person.surname}`);
}

// tell says what went wrong: what the agent or its client says to people, else the portal's own words.
function tell(error) {
  told = error;
  const lines = [];
  if (error?.name === 'AbortError') lines.push(t('stopped'));
  else if (error?.text?.[lang]) lines.push(error.text[lang]);
  else if (error?.code && texts[lang][error.code]) lines.push(t(error.code));
  else lines.push(t('failed'));
  if (error?.code) lines.push(`(${error.code})`);
  $('message').replaceChildren(...lines.map((line) => {
    const p = document.createElement('p');
    p.textContent = line;
    return p;
  }));
}

// wait shows what is awaited: a key of the texts, or that the browser asks something.
function wait(words, question = null) {
  awaited = words;
  asks = question;
  $('busy').textContent = question?.text[lang] ?? (words && t(words));
}

// during runs work, with the buttons off and one line that says what is awaited. The keyboard goes on where work says, an element, or
// else where it was.
async function during(words, work) {
  const buttons = document.querySelectorAll('main button:not(#cancel button)');
  let next = document.activeElement;
  running = new AbortController();
  told = null;
  $('message').replaceChildren();
  wait(words);
  $('cancel').hidden = false;
  for (const b of buttons) b.disabled = true;
  try {
    next = (await work(running.signal)) ?? next;
  } catch (error) {
    tell(error);
  }
  wait('');
  $('cancel').hidden = true;
  running = null;
  for (const b of buttons) b.disabled = false;
  next.focus(); // a button that is off cannot hold it
}

async function theAgent(signal) {
  config ??= await (await fetch('/api/config')).json();
  if (agent && agent.state !== 'closed') return agent;
  const before = awaited;
  agent = await connect({ ports: [config.agentPort], hosts: ['127.0.0.1'], signal, onPermissionPrompt: (error) => wait(before, error) });
  wait(before);
  return agent;
}

// post asks the portal's own server.
async function post(path, body, headers = {}) {
  const r = await fetch(path, { method: 'POST', body, headers });
  if (!r.ok) throw await r.json();
  return r;
}

$('do-login').addEventListener('click', () => during('waitLogin', async (signal) => {
  const a = await theAgent(signal);
  const { nonce } = await (await post('/api/challenge')).json();
  const { token } = await a.call('auth.login', { challengeNonce: nonce }, { signal });
  person = await (await post('/api/login', JSON.stringify(token))).json();
  translate();
  show('form');
  return $('address');
}));

$('prefill').addEventListener('click', () => during('waitRead', async (signal) => {
  const a = await theAgent(signal);
  const read = await a.call('identity.read', { fields: ['address'], purpose: t('purpose') }, { signal });
  const { streetAndNumber, zip, municipality } = read.address ?? {};
  $('address').value = [streetAndNumber, [zip, municipality].filter(Boolean).join(' ')].filter(Boolean).join(', ');
}));

$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  during('waitMake', async () => {
    const format = new FormData($('form')).get('format');
    const fields = { address: $('address').value.trim(), persons: Number($('persons').value), language: lang, format };
    const r = await post('/api/declaration', JSON.stringify(fields));
    declaration = { number: r.headers.get('X-Declaration'), blob: await r.blob(), format, fields };
    const rows = [['name', `${person.givenNames} ${person.surname}`], ['address', fields.address], ['persons', String(fields.persons)], ['number', declaration.number]];
    const heading = document.createElement('h2');
    heading.textContent = t('title');
    const truth = document.createElement('p');
    truth.textContent = t('truth');
    $('shown').replaceChildren(heading, list(rows), truth);
    offer($('download'), declaration.blob, `${declaration.number}.${format}`);
    show('sign');
    return $('do-sign');
  });
});

$('do-sign').addEventListener('click', () => during('waitSign', async (signal) => {
  const a = await theAgent(signal);
  const { format, number } = declaration;
  const name = `${number}.${format}`;
  const { documentId } = await a.openDocument(declaration.blob, { name, mediaType: declaration.blob.type }, { signal });
  const how = format === 'pdf'
    ? { format: 'pades', visible: { page: -1 } }
    : { format: 'xades', packaging: 'enveloped' };
  const made = await a.call('sign.document', { documentIds: [documentId], level: config.level, purpose: t('purpose'), ...how }, { signal });
  const signed = await a.readDocument(made, { signal });
  wait('waitVerify');
  const receipt = await (await post('/api/submit', signed, { 'X-Declaration': number })).json();
  $('facts').replaceChildren(...list([['number', receipt.number], ['time', new Date(receipt.received).toLocaleString(locales[lang])], ['signer', receipt.signer],
    ['signature', `${t('valid')}: ${receipt.format} ${receipt.level}, ${receipt.verdict}`], ['digest', receipt.sha256]]).children);
  offer($('signed'), signed, made.name);
  show('receipt');
  return $('receipt').querySelector('h2');
}));

function list(rows) {
  const dl = document.createElement('dl');
  for (const [label, value] of rows) {
    const dt = document.createElement('dt');
    const dd = document.createElement('dd');
    dt.textContent = t(label);
    dd.textContent = value;
    dl.append(dt, dd);
  }
  return dl;
}

function offer(link, blob, name) {
  if (link.href) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(blob);
  link.download = name;
}

$('cancel').addEventListener('click', () => running?.abort());
$('back').addEventListener('click', () => show('form'));
$('again').addEventListener('click', () => show('form'));
for (const b of document.querySelectorAll('[data-lang]')) {
  b.addEventListener('click', () => { lang = b.dataset.lang; translate(); });
}
$('receipt').querySelector('h2').tabIndex = -1;
translate();
show('login');
