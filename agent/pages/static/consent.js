// The questions of the desk: may this client do that, and which card is meant.
//
// Deny has the focus, so that Enter denies; the other answers are dead for a
// moment after the question appears, so that nobody gives one with a key or a
// click that was meant for something else. A PIN is never asked here.

import {announce, button, byId, el, errorText, fields, notice, set, start, toast} from './common.js';
import {clock, onLanguage, pick, size, t, tn, tv} from './i18n.js';
import {Looking, canShow} from './looking.js';
import ask from './texts/consent.js';

const ARMED_AFTER_MS = 700;
const PIN_OPERATIONS = ['login', 'sign.hash', 'sign.document', 'pin.change'];

const session = await start({page: 'consent', texts: [ask], banner: false});
const looking = new Looking(session);
let items = [];
let shown = ''; // id of the question on the page
let last = ''; // what came of the one before: allowed, denied, over
let armed = false;
let timer = 0;
let asked = 0; // how often the agent was asked what is open

session.on('desk.changed', load);
session.onReady(load);
session.onLost(() => render(true));
onLanguage(() => render(true));
document.addEventListener('visibilitychange', () => arm());
window.addEventListener('focus', () => arm());
byId('looking-back').addEventListener('click', () => byId('deny').focus());
render(true);

// load asks what is open. Answers may come in another order than they were asked for: that to the last request counts.
async function load() {
  const mine = ++asked;
  let found = [];
  let failure = null;
  try {
    found = (await session.call('desk.pending', {attend: true})).items;
  } catch (error) {
    failure = error;
  }
  if (mine !== asked) return;
  items = found;
  if (failure) toast('bad', errorText(failure));
  render(false);
}

// render shows the oldest question; again builds it anew though it is shown already.
function render(again) {
  const item = session.state === 'ready' ? items[0] : undefined;
  if (item && item.id === shown && !again) return;
  if (shown && item?.id !== shown && !last) last = 'over';
  if (item?.id !== shown) looking.reset();
  const fresh = item && item.id !== shown;
  shown = item?.id ?? '';
  byId('question').hidden = !item;
  byId('nothing').hidden = Boolean(item) || session.state !== 'ready';
  if (!item) {
    document.title = t('ask.title');
    nothing();
    return;
  }
  if (fresh) last = '';
  set(byId('question'), item.kind === 'choice' ? choice(item) : consent(item));
  document.title = pick(item.says) + ' – eidkit';
  looking.relabel();
  if (fresh || again) {
    arm();
    byId('deny').focus();
    announce(asker(item).join(' ') + ' ' + pick(item.says));
  }
}

function nothing() {
  byId('nothing-title').textContent = {allowed: t('ask.allowed'), denied: t('ask.denied'), over: t('ask.over')}[last] ?? t('ask.nothing');
  byId('nothing-text').textContent = t('ask.close');
  if (last) byId('nothing-title').focus();
}

// arm makes the answers that allow work after a moment in which the question was to be seen.
function arm() {
  clearTimeout(timer);
  armed = false;
  dim();
  if (!shown || document.hidden) return;
  timer = setTimeout(() => {
    armed = true;
    dim();
  }, ARMED_AFTER_MS);
}

function dim() {
  for (const b of document.querySelectorAll('button.allows')) {
    b.setAttribute('aria-disabled', String(!armed || looking.changed));
  }
}

async function answer(item, how, what) {
  if (what.allowed && (!armed || looking.changed || item.id !== shown)) return;
  last = how;
  try {
    await session.call('desk.answer', {id: item.id, ...what});
  } catch {
    last = 'over';
  }
  items = items.filter((i) => i.id !== item.id);
  render(false);
  // A tab that was opened for this question closes itself where the browser lets it.
  if (items.length === 0 && what.allowed !== undefined) window.close();
}

// asker says who asks: a line above, the origin or program, a line below.
function asker({client}) {
  const below = [];
  if (client.kind === 'site') return [t('ask.site'), client.origin];
  if (client.kind === 'extension') return [t('ask.extension'), client.origin];
  if (client.kind === 'page') return [t('ask.page'), 'eidkit'];
  if (client.name) below.push(t('ask.callsItself', {name: client.name}));
  return [t('ask.program'), client.executable || t('ask.unknownProgram'), ...below];
}

function head(item) {
  const [above, who, below] = asker(item);
  return [
    el('div', {class: 'asker'}, el('span', {class: 'soft'}, above), el('strong', {dir: 'ltr'}, who), below && el('span', {class: 'soft wrap'}, below)),
    el('h1', {id: 'question-title'}, pick(item.says)),
  ];
}

function consent(item) {
  const site = item.client.kind === 'site' || item.client.kind === 'extension';
  const answers = el('div', {class: 'answers'}, deny(item),
    allow(item.mayRemember ? t('ask.allowOnce') : t('ask.allow'), () => answer(item, 'allowed', {allowed: true}), 'primary'),
    item.mayRemember && allow(t('ask.always'), () => answer(item, 'allowed', {allowed: true, always: true}), ''));
  return [
    ...head(item),
    item.hashOnly && notice('warn', t('ask.hashOnly'), t('ask.hashOnlyText')),
    item.fields?.length && el('div', {class: 'stack tight'}, el('h2', {}, t('ask.fields')),
      el('ul', {class: 'given'}, [...new Set(item.fields.map((f) => pick(f.says)))].map((f) => el('li', {}, f)))),
    item.purpose && el('div', {class: 'stack tight'}, el('p', {class: 'soft'}, t(site ? 'ask.siteSays' : 'ask.programSays')),
      el('blockquote', {dir: 'auto'}, item.purpose)),
    item.documents?.length && el('div', {class: 'stack tight'}, el('h2', {}, tn('ask.documents', item.documents.length)),
      item.documents.map((d, i) => paper(item, d, i))),
    item.statements?.length && el('div', {class: 'stack tight'}, item.statements.map((s) => (s.text
      ? [el('p', {class: 'soft'}, pick(s.says)), el('blockquote', {dir: 'auto'}, s.text)] : notice('warn', pick(s.says))))),
    fields([[t('ask.reader'), item.reader], [t('ask.card'), item.card], [t('ask.tries'), item.triesLeft > 1 ? item.triesLeft : '']]),
    item.triesLeft === 1 && notice('bad', t('ask.lastTry')),
    answers,
    foot(item),
  ];
}

// paper is a document that would be signed.
function paper(item, d, i) {
  const look = button(t('ask.look'), () => looking.show(item, i, look, dim), {'aria-expanded': 'false'});
  return el('div', {class: 'document'},
    el('div', {class: 'head'},
      el('div', {class: 'grow'}, el('strong', {class: 'wrap', dir: 'auto'}, d.name), el('div', {class: 'soft'}, size(d.size) + (d.mediaType ? ' · ' + d.mediaType : ''))),
      canShow(d) === '' ? look : el('span', {class: 'soft small'}, t(canShow(d)))),
    d.active?.length && notice('warn', d.active.map((a) => t('ask.active', {what: pick(a.says)}))),
    d.sha256 && el('div', {class: 'digest mono'}, 'SHA-256 ' + d.sha256));
}

function choice(item) {
  const boxes = item.options.map((o, i) => el('label', {class: 'check boxed'},
    el('input', {type: 'radio', name: 'card', value: i, checked: i === 0}),
    el('span', {class: 'wrap'}, el('strong', {}, o.reader), o.role && ' · ' + tv('role.', o.role), el('br'), o.card))); // the reader tells two cards of a kind apart
  const take = () => {
    const picked = document.querySelector('input[name="card"]:checked');
    if (picked) answer(item, 'allowed', {allowed: true, choice: Number(picked.value)});
  };
  return [
    ...head(item),
    el('fieldset', {class: 'options'}, el('legend', {}, t('ask.which')), boxes),
    el('div', {class: 'answers'}, deny(item), allow(t('ask.use'), take, 'primary')),
    foot(item),
  ];
}

function deny(item) {
  return button(t('ask.deny'), () => answer(item, 'denied', {allowed: false}), {id: 'deny', class: 'deny'});
}

function allow(text, onClick, kind) {
  return button(text, onClick, {class: 'allows ' + kind, 'aria-disabled': 'true'});
}

function foot(item) {
  return el('div', {class: 'stack tight soft small'},
    PIN_OPERATIONS.includes(item.operation) && item.kind === 'consent' && el('p', {}, t('ask.pinNext')),
    item.mayRemember && el('p', {}, t('ask.alwaysText')),
    el('p', {}, t('ask.until', {time: clock(item.expires)})));
}
