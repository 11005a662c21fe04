// The user's own audit trail, and what he has allowed for good.

import {announce, button, byId, codeOf, el, errorText, mark, notice, set, stackTable, start, toast} from './common.js';
import {known, moment, onLanguage, t, tn, tv} from './i18n.js';
import card from './texts/card.js';
import log from './texts/log.js';

const PAGE = 200; // lines asked for at a time
const MANY = 8; // fields in a line
const OUTCOMES = ['all', 'done', 'refused', 'cancelled', 'failed', 'open'];
const REFUSALS = ['NOT_AUTHORISED', 'CONSENT_DENIED', 'ORIGIN_REFUSED', 'RATE_LIMITED']; // nobody had allowed it

const session = await start({page: 'log', texts: [card, log]});
const trail = {lines: [], more: false, error: null, busy: false};
let reading = 0; // how often the log was asked for: what an earlier request brings is not taken
let grants = {list: [], error: null};
let pairings = {list: [], error: null};

for (const id of ['filter-text', 'filter-operation', 'filter-outcome']) byId(id).addEventListener('input', renderTrail);
byId('trail-reload').addEventListener('click', () => load());
byId('trail-older').addEventListener('click', () => older());
byId('confirm-no').addEventListener('click', () => byId('confirm').close());
onLanguage(render);
session.onReady(load);
render();

async function load() {
  trail.lines = [];
  trail.more = false;
  await Promise.all([older(), loadGrants(), loadPairings()]);
}

async function older() {
  const mine = ++reading;
  const before = trail.lines.reduce((least, l) => Math.min(least, l.seq), Infinity);
  trail.busy = true;
  renderTrail();
  let answer = null;
  let failure = null;
  try {
    answer = await session.call('log.read', Number.isFinite(before) ? {before, limit: PAGE} : {limit: PAGE});
  } catch (error) {
    failure = error;
  }
  if (mine !== reading) return;
  trail.error = failure;
  if (answer) {
    trail.lines = [...trail.lines, ...answer.lines];
    trail.more = answer.lines.length >= PAGE;
  }
  trail.busy = false;
  renderTrail();
}

async function loadGrants() {
  try {
    grants = {list: (await session.call('grants.list', {})).grants ?? [], error: null};
  } catch (error) {
    grants = {list: [], error};
  }
  renderGrants();
}

async function loadPairings() {
  try {
    pairings = {list: (await session.call('pairings.list', {})).pairings ?? [], error: null};
  } catch (error) {
    pairings = {list: [], error};
  }
  renderPairings();
  renderGrants();
}

// entries puts the line of what was about to be done and that of what came of it together, newest first.
function entries() {
  const results = new Map();
  for (const l of trail.lines) if (l.event === 'result') results.set(l.intent, l);
  return trail.lines.filter((l) => ['intent', 'mended', 'fault'].includes(l.event)).map((l) => ({...l, result: results.get(l.seq) ?? null})).sort((x, y) => y.seq - x.seq);
}

// outcome sorts what came of an operation: done, refused by somebody, called off, failed, or no line says.
function outcome(e) {
  if (e.event === 'fault') return 'failed';
  if (e.event === 'mended') return 'done';
  if (!e.result) return 'open';
  const code = e.result.result;
  if (code === 'done') return 'done';
  if (code === 'CANCELLED') return 'cancelled';
  return [...REFUSALS, 'PIN_CANCELLED', 'PIN_TIMEOUT'].includes(code) ? 'refused' : 'failed';
}

// allowedBy says who let it happen: of what was refused, nobody.
function allowedBy(e) {
  if (e.event !== 'intent') return '';
  return tv('by.', REFUSALS.includes(e.result?.result) || !e.by ? 'nobody' : e.by);
}

const SIGNS = {done: 'ok', refused: 'warn', cancelled: 'off', failed: 'bad', open: 'off'};

function render() {
  const operation = byId('filter-operation');
  const kept = operation.value;
  const seen = [...new Set(trail.lines.map((l) => l.operation).filter(Boolean))].sort();
  set(operation, el('option', {value: ''}, t('log.all')), seen.map((o) => el('option', {value: o}, tv('operation.', o))));
  operation.value = seen.includes(kept) ? kept : '';
  const result = byId('filter-outcome');
  const before = result.value || 'all';
  set(result, OUTCOMES.map((o) => el('option', {value: o}, o === 'all' ? t('log.all') : tv('outcome.', o))));
  result.value = before;
  renderTrail();
  renderGrants();
  renderPairings();
}

function chosen() {
  const text = byId('filter-text').value.trim().toLocaleLowerCase();
  const operation = byId('filter-operation').value;
  const result = byId('filter-outcome').value;
  return entries().filter((e) => {
    if (operation && e.operation !== operation) return false;
    if (result && result !== 'all' && outcome(e) !== result) return false;
    return !text || [e.client, e.purpose, what(e), e.reader, ...(e.fields ?? []).map(fieldName)].join(' ').toLocaleLowerCase().includes(text);
  });
}

function renderTrail() {
  byId('trail-older').hidden = !trail.more || trail.busy;
  const all = byId('filter-operation');
  if (all.options.length < new Set(trail.lines.map((l) => l.operation).filter(Boolean)).size + 1) {
    render();
    return;
  }
  const list = chosen();
  const heads = [t('log.when'), t('log.who'), t('log.what'), t('log.by'), t('log.outcome')];
  set(byId('trail'),
    trail.error ? notice('bad', errorText(trail.error)) : null,
    trail.busy ? el('p', {class: 'row', role: 'status'}, el('span', {class: 'spin'}), t('log.loading')) : null,
    list.length === 0 && !trail.busy ? el('p', {class: 'soft'}, trail.lines.length ? t('log.nothingFits') : t('log.empty')) : null,
    list.length ? stackTable(t('log.trail'), heads, list.map(row)) : null,
    list.length ? el('p', {class: 'soft small'}, tn('log.count', list.length)) : null);
}

// what names what was done; of the agent's own pages the method says more than the operation.
function what(e) {
  if (e.event === 'fault') return t('log.fault');
  if (e.event === 'mended') return t('log.mended');
  return known('method.', e.method) ? tv('method.', e.method) : tv('operation.', e.operation);
}

// row is the cells of one operation.
function row(e) {
  const state = outcome(e);
  const details = [
    e.purpose && purpose(e),
    e.fields?.length && data(e.fields),
    e.reader && t('log.reader', {name: e.reader}),
    (e.result?.mode || e.mode) && t('log.mode', {mode: tv('mode.', e.result?.mode || e.mode)}),
    e.result?.reason && t('log.reason', {text: e.result.reason}),
    e.event !== 'intent' && e.detail && el('span', {lang: 'en'}, e.detail),
    e.result?.digest && t('log.digest', {digest: e.result.digest.slice(0, 16) + '…'}),
  ].filter(Boolean);
  return [
    moment(e.time),
    el('span', {class: 'wrap'}, e.client ?? 'eidkit'),
    [el('strong', {}, what(e)), details.map((d) => el('div', {class: 'soft small wrap'}, d))],
    [el('span', {}, allowedBy(e)), e.rule ? el('div', {class: 'soft small wrap mono'}, e.rule) : null],
    [mark(SIGNS[state], tv('outcome.', state)), state !== 'cancelled' && e.result && e.result.result !== 'done' ? el('div', {class: 'soft small'}, tv('code.', e.result.result)) : null],
  ];
}

// purpose is what it was for: of the agent's own pages in its words, of others in theirs.
function purpose(e) {
  return e.by === 'launch' ? t('log.purposeOwn', {text: tv('purpose.', e.purpose)}) : t('log.purpose', {text: e.purpose});
}

// data names the fields that were asked for; many of them are folded up.
function data(names) {
  const list = [...new Set(names.map(fieldName))];
  if (list.length <= MANY) return t('log.fields', {list: list.join(', ')});
  return el('details', {class: 'folded'}, el('summary', {}, t('log.fields', {list: tn('log.many', list.length)})), list.join(', '));
}

// Fields of the card that are shown under the name of another one.
const SHOWN_AS = {birthDateText: 'birthDate', validFrom: 'validity', validUntil: 'validity'};

function fieldName(field) {
  const name = SHOWN_AS[field] ?? field;
  if (name === 'photo') return t('card.photoField');
  if (name === 'certificates') return t('certificate.heading');
  return known('field.', name) ? tv('field.', name) : known('operation.', name) ? tv('operation.', name) : name;
}

function renderGrants() {
  set(byId('grants'), grants.error ? notice('bad', codeOf(grants.error) ? errorText(grants.error) : t('error.unknown')) : null,
    !grants.error && grants.list.length === 0 ? el('p', {class: 'soft'}, t('log.noGrants')) : null,
    grants.list.length ? el('ul', {class: 'plain stack tight'}, grants.list.map(grant)) : null);
}

// clientName is a grant's client: an origin, or the name of a paired program.
function clientName(client) {
  const id = /^pairing:(.*)$/.exec(client)?.[1];
  return pairings.list.find((p) => p.id === id)?.name ?? client;
}

function grant(g) {
  const more = [
    g.fields?.length && data(g.fields),
    g.purpose && t('log.purpose', {text: g.purpose}),
    g.readers?.length && t('log.readers', {list: g.readers.map((r) => r.replace(/^(reader|role):/, '')).join(', ')}),
    t('log.since', {time: moment(g.created)}),
    g.expires ? t('log.until', {time: moment(g.expires)}) : t('log.forever'),
  ].filter(Boolean);
  const ask = () => withdraw(t('log.withdrawGrant'), t('log.withdrawGrantText', {client: clientName(g.client), operation: tv('operation.', g.operation)}), 'grants.revoke', g.id, loadGrants);
  return held(clientName(g.client), tv('operation.', g.operation), more, ask);
}

function renderPairings() {
  set(byId('pairings'), pairings.error ? notice('bad', codeOf(pairings.error) ? errorText(pairings.error) : t('error.unknown')) : null,
    !pairings.error && pairings.list.length === 0 ? el('p', {class: 'soft'}, t('log.noPairings')) : null,
    pairings.list.length ? el('ul', {class: 'plain stack tight'}, pairings.list.map(pairing)) : null);
}

function pairing(p) {
  const more = [p.executable && el('span', {class: 'mono'}, p.executable), t('log.since', {time: moment(p.created)})].filter(Boolean);
  const ask = () => withdraw(t('log.withdrawPairing'), t('log.withdrawPairingText', {name: p.name}), 'pairings.revoke', p.id, loadPairings);
  return held(p.name, (p.operations ?? []).map((o) => tv('operation.', o)).join(', '), more, ask);
}

// held is one thing that was allowed, with the button to withdraw it.
function held(who, what, more, ask) {
  return el('li', {class: 'held'},
    el('div', {class: 'grow'}, el('strong', {class: 'wrap'}, who), el('div', {}, what), more.map((m) => el('div', {class: 'soft small wrap'}, m))),
    button(t('log.withdraw'), ask, {class: 'danger small no-print', 'aria-label': t('log.withdraw') + ': ' + who + ', ' + what}));
}

// withdraw asks once more, and does it.
function withdraw(title, text, method, id, reload) {
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  const dialog = byId('confirm');
  byId('confirm-yes').onclick = async () => {
    dialog.close();
    try {
      await session.call(method, {id});
      toast('ok', t('log.withdrawn'));
      announce(t('log.withdrawn'));
    } catch (error) {
      toast('bad', errorText(error));
    }
    await reload();
  };
  dialog.showModal();
}
