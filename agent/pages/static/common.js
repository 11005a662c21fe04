// What all pages of the agent share: the session with the agent, the frame of
// the page (navigation, language, banner for waiting consents) and small
// helpers for the document tree.
//
// A page is opened by the agent with a single-use code in the fragment of its
// address. The code leaves the address at once and is exchanged for a token
// that this tab keeps in sessionStorage; a reload or another page in the same
// tab resumes with the token. Without either the page has no data.
//
//   const session = await start({page: 'viewer', texts: [table]});
//   session.onReady(async () => {...});           // now, and after each reconnection
//   await session.call('readers.list', {}, {signal, onProgress, onWaiting});
//   session.on('card.inserted', (params) => {...});
//
// Texts from the agent or a card are put in as text nodes, never as markup.

import {connect} from '/lib/eidkit.js';
import {LANGUAGES, LANGUAGE_NAMES, apply, language, onLanguage, pick, register, setLanguage, suggestLanguage, t, tn, tv} from './i18n.js';
import common from './texts/common.js';

register(common);

const TOKEN = 'eidkit.session';
const PAGES = [['index', '/'], ['viewer', '/viewer.html'], ['pharmacy', '/pharmacy.html'], ['log', '/log.html']];
const RETRY_MS = [250, 500, 1000, 2000, 4000, 8000];

// el makes an element. Properties: class, on (listeners by name), data (data-
// attributes), anything else is an attribute (true: present, false, null and
// undefined: absent). Children: nodes, or words that become text.
export function el(tag, props, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') e.className = value;
    else if (name === 'on') for (const [event, fn] of Object.entries(value)) e.addEventListener(event, fn);
    else if (name === 'data') Object.assign(e.dataset, value);
    else e.setAttribute(name, value === true ? '' : String(value));
  }
  put(e, children);
  return e;
}

// put appends children: nodes, words, lists of them; null, undefined and false are left out.
export function put(e, children) {
  for (const child of [children].flat(9)) {
    if (child === undefined || child === null || child === false) continue;
    e.append(child instanceof Node ? child : String(child));
  }
  return e;
}

// set replaces what is in an element. Where the keyboard was in it, it is again, on the same thing as before; what was unfolded stays so.
export function set(e, ...children) {
  const focus = e !== document.activeElement && e.contains(document.activeElement) ? document.activeElement : null;
  const held = focus && traces(e, focus.tagName).find(([x]) => x === focus)[1];
  const open = new Set(traces(e, 'details').filter(([d]) => d.open).map(([, key]) => key));
  e.replaceChildren();
  put(e, children);
  if (open.size) for (const [d, key] of traces(e, 'details')) if (open.has(key)) d.open = true;
  if (held) traces(e, focus.tagName).find(([, key]) => key === held)?.[0].focus({preventScroll: true});
  return e;
}

// traces are the elements of a kind with what tells each again when it has been built anew: what it is, what it says, and which of those it is.
function traces(root, tag) {
  const seen = new Map();
  return [...root.querySelectorAll(tag)].map((x) => {
    const key = [x.id, x.name, x.type, (x.querySelector(':scope > summary') ?? x.closest('label') ?? x).textContent].join('\n');
    const n = seen.get(key) ?? 0;
    seen.set(key, n + 1);
    return [x, key + '\n' + n];
  });
}

// byId is the element of that name; a page without it is a fault of the page.
export function byId(id) {
  const e = document.getElementById(id);
  if (!e) throw new Error('the page has no ' + id);
  return e;
}

// fields is a list of names and values; pairs without a value are left out.
export function fields(pairs) {
  const rows = pairs.filter((p) => p && p[1] !== undefined && p[1] !== null && p[1] !== '');
  return el('dl', {class: 'fields'}, rows.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}

// stackTable is a table whose rows stand as lists of names and values where the
// page is narrow. rows: lists of cells. The roles say again what it is, as a
// browser forgets that when the rows are laid out otherwise.
export function stackTable(name, heads, rows) {
  return el('div', {class: 'table', tabindex: 0, role: 'group', 'aria-label': name}, el('table', {class: 'stacks', role: 'table'},
    el('thead', {role: 'rowgroup'}, el('tr', {role: 'row'}, heads.map((h) => el('th', {scope: 'col', role: 'columnheader'}, h)))),
    el('tbody', {role: 'rowgroup'}, rows.map((cells) => el('tr', {role: 'row'},
      cells.map((cell, i) => el('td', {role: 'cell', data: {head: heads[i]}}, el('div', {}, cell))))))));
}

// mark is a state with its sign and word; kind: ok, bad, warn, note, off.
export function mark(kind, text) {
  return el('span', {class: 'mark ' + kind}, text);
}

// notice is a box with a heading and, perhaps, more below.
export function notice(kind, ...children) {
  return el('div', {class: 'notice ' + kind}, children.flat(9).filter(Boolean).map((c) => (c instanceof Node ? c : el('p', {}, c))));
}

// button is a push button.
export function button(text, onClick, props) {
  return el('button', {type: 'button', on: {click: onClick}, ...props}, text);
}

// announce tells people with a screen reader what has changed.
export function announce(text) {
  const e = document.getElementById('announce');
  if (e) e.textContent = text;
}

// toast shows a short message in the corner until it is dismissed or three more have come.
export function toast(kind, text) {
  const box = document.getElementById('toasts');
  if (!box) return;
  const e = el('div', {class: 'notice ' + kind}, el('p', {}, text), button(t('common.close'), () => e.remove(), {class: 'small quiet'}));
  box.append(e);
  while (box.children.length > 3) box.firstElementChild.remove();
}

// codeOf is the agent's code of an error, '' for an error of another kind.
export function codeOf(error) {
  return typeof error?.code === 'string' ? error.code : ''; // a DOMException has numbers
}

// errorText is what a failed request means, in the language in use.
export function errorText(error) {
  if (error?.name === 'AbortError') return t('error.cancelled');
  const parts = [pick(error?.text) || t('error.unknown')];
  if (typeof error?.triesLeft === 'number') parts.push(tn('error.triesLeft', error.triesLeft));
  if (error?.holder) parts.push(t('error.holder', {holder: error.holder}));
  if (error?.service) parts.push(t('error.service', {code: error.service}));
  return parts.join(' ');
}

// save hands a file to the user as a download.
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const a = el('a', {href: url, download: name, hidden: true});
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// onDrop takes the first file dropped on an element; over marks it meanwhile.
export function onDrop(target, over, take) {
  let depth = 0;
  const end = () => {
    depth = 0;
    over.classList.remove('over');
  };
  const files = (event) => event.dataTransfer?.types.includes('Files');
  target.addEventListener('dragenter', (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth++;
    over.classList.add('over');
  });
  target.addEventListener('dragleave', () => {
    depth--;
    if (depth <= 0) end();
  });
  target.addEventListener('dragover', (event) => {
    if (files(event)) event.preventDefault();
  });
  target.addEventListener('drop', (event) => {
    if (!files(event)) return;
    event.preventDefault();
    end();
    const file = event.dataTransfer.files[0];
    if (file) take(file);
  });
}

// start builds the frame of the page and opens the session. Options: page (its
// name in the navigation), texts (tables), banner (false: no banner for waiting consents).
export async function start({page, texts = [], banner = true}) {
  for (const table of texts) register(table);
  setLanguage(language(), false);
  document.documentElement.lang = language();
  frame(page);
  apply(document);
  const session = new Session(banner);
  onLanguage(() => session.show());
  window.addEventListener('hashchange', () => session.relaunch());
  await session.open();
  return session;
}

// Session is the page's connection to the agent, made anew when it is lost.
class Session {
  constructor(banner) {
    this.agent = null;
    this.state = 'connecting'; // connecting, ready, lost, ended
    this.info = {user: '', language: ''}; // of the session
    this.version = {}; // the answer of agent.info
    this.more = new URLSearchParams(); // what else stood in the fragment
    this.handlers = new Map();
    this.ready = new Set();
    this.lost = new Set();
    this.waiting = 0;
    this.asked = 0;
    this.launch();
    if (banner) {
      this.on('desk.changed', () => this.pending());
      this.onReady(() => this.pending());
    }
  }

  // call asks the agent; it fails with the agent's error.
  async call(method, params = {}, options = {}) {
    if (!this.agent) throw new Error('no session with the agent');
    return this.agent.call(method, params, options);
  }

  // openDocument sends a File or Blob to the agent and gives its id. Options: signal, onProgress(done, total).
  async openDocument(blob, about = {}, options = {}) {
    if (!this.agent) throw new Error('no session with the agent');
    return (await this.agent.openDocument(blob, about, options)).documentId;
  }

  // readDocument fetches a document from the agent as a Blob. Options: signal, onProgress, type.
  async readDocument(id, options = {}) {
    if (!this.agent) throw new Error('no session with the agent');
    return this.agent.readDocument(id, options);
  }

  // closeDocument lets the agent forget a document; that it has gone already is no fault.
  closeDocument(id) {
    this.agent?.closeDocument(id).catch(() => {});
  }

  // on listens to a notification, over reconnections too; the result ends that.
  on(name, fn) {
    if (!this.handlers.has(name)) {
      this.handlers.set(name, new Set());
      this.agent?.on(name, (params) => this.dispatch(name, params));
    }
    this.handlers.get(name).add(fn);
    return () => this.handlers.get(name).delete(fn);
  }

  dispatch(name, params) {
    for (const fn of this.handlers.get(name) ?? []) fn(params);
  }

  // onReady calls fn once the session is there, and after every reconnection.
  onReady(fn) {
    this.ready.add(fn);
    if (this.state === 'ready') fn();
  }

  // onLost calls fn when the connection has gone.
  onLost(fn) {
    this.lost.add(fn);
  }

  // open connects until there is a session or it is certain that there will be none.
  async open() {
    for (let attempt = 0; this.state !== 'ready' && this.state !== 'ended'; attempt++) {
      if (!this.code && !kept()) {
        this.turn('ended');
        return;
      }
      try {
        await this.attempt();
      } catch (error) {
        if (refused(error)) {
          keep('');
          this.turn('ended');
          return;
        }
        this.turn('lost');
        await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
      }
    }
  }

  async attempt() {
    const page = this.code ? {code: this.code} : {token: kept()};
    this.code = ''; // it is good for one try
    // No fetch: the policy of these pages allows the WebSocket alone.
    const agent = await connect({page, reconnect: false, environment: {fetch: undefined}});
    this.agent = agent;
    this.info = agent.session;
    this.version = agent.info;
    keep(agent.session.token);
    suggestLanguage(agent.session.language);
    for (const name of this.handlers.keys()) agent.on(name, (params) => this.dispatch(name, params));
    agent.on('state', (state) => {
      if (state === 'closed') this.gone(agent);
    });
    this.turn('ready');
    for (const fn of this.ready) fn();
  }

  gone(agent) {
    if (this.agent !== agent) return;
    this.agent = null;
    this.turn('lost');
    for (const fn of this.lost) fn();
    this.open();
  }

  // launch takes the fragment out of the address before anything else can see
  // it: the code for itself, the rest for the page.
  launch() {
    const given = new URLSearchParams(location.hash.slice(1));
    if (location.hash) history.replaceState(null, '', location.pathname + location.search);
    this.code = given.get('code') ?? '';
    given.delete('code');
    this.more = given;
    return this.code !== '';
  }

  // relaunch takes a new code that was put into the address of this very tab.
  relaunch() {
    const before = this.state;
    if (!this.launch()) return;
    keep('');
    const old = this.agent;
    this.agent = null;
    old?.close();
    if (before === 'lost' || before === 'connecting') return; // open() is at work and takes it
    this.turn('connecting');
    this.open();
  }

  turn(state) {
    this.state = state;
    this.show();
  }

  // show brings the frame of the page up to date.
  show() {
    const chip = document.getElementById('connection');
    if (!chip) return;
    const kind = {connecting: 'note', ready: 'ok', lost: 'warn', ended: 'bad'}[this.state];
    const word = {connecting: t('session.connecting'), ready: t('session.ready'), lost: t('session.lost'), ended: t('session.ended')}[this.state];
    set(chip, mark(kind, word));
    document.body.dataset.session = this.state;
    byId('user').textContent = this.info.user ? t('session.user', {user: this.info.user}) : '';
    byId('ended').hidden = this.state !== 'ended';
    byId('main').hidden = this.state === 'ended';
    this.showBanner();
  }

  async pending() {
    const mine = ++this.asked; // answers may come in another order: that to the last request counts
    const answer = await this.call('desk.pending', {}).catch(() => null);
    if (mine !== this.asked) return;
    this.waiting = answer?.items?.length ?? 0;
    this.showBanner();
  }

  showBanner() {
    const box = byId('consent-banner');
    const show = this.waiting > 0 && this.state === 'ready';
    if (show) {
      // opener: the new tab gets a copy of this tab's session
      const link = el('a', {class: 'button primary', href: '/consent.html', target: '_blank', rel: 'opener'}, t('consent.open'));
      set(box, el('div', {class: 'banner-in'}, el('span', {}, tn('consent.waiting', this.waiting)), link));
    }
    box.hidden = !show;
  }
}

function kept() {
  try {
    return sessionStorage.getItem(TOKEN) ?? '';
  } catch {
    return '';
  }
}

function keep(token) {
  try {
    if (token) sessionStorage.setItem(TOKEN, token);
    else sessionStorage.removeItem(TOKEN);
  } catch {
    // a browser without storage: the session ends with the page
  }
}

// refused says whether the agent answered that code or token is no good: trying again is of no use.
function refused(error) {
  return ['NOT_AUTHORISED', 'ORIGIN_REFUSED', 'INVALID_ARGUMENT'].includes(codeOf(error));
}

function pause(ms) {
  return new Promise((done) => {
    setTimeout(done, ms);
  });
}

// frame builds what stands around <main id="main">.
function frame(page) {
  const nav = el('nav', {class: 'nav', data: {tLabel: 'nav.label'}}, PAGES.map(([name, href]) =>
    el('a', {href, 'aria-current': name === page ? 'page' : null, data: {t: navKey(name)}})));
  const choice = el('select', {id: 'language', data: {tLabel: 'nav.language'}, on: {change: (e) => setLanguage(e.target.value, true)}},
    LANGUAGES.map((l) => el('option', {value: l, lang: l, selected: l === language()}, LANGUAGE_NAMES[l])));
  onLanguage((l) => {
    choice.value = l;
  });
  const top = el('header', {class: 'top'}, el('div', {class: 'top-in'},
    el('a', {class: 'brand', href: '/'}, el('img', {src: '/icon.svg', alt: '', width: 28, height: 28}), 'eidkit'),
    nav,
    el('div', {class: 'top-end'}, el('span', {id: 'connection', role: 'status'}), choice)));
  const ended = el('main', {id: 'ended', hidden: true}, el('section', {class: 'panel', 'aria-labelledby': 'ended-title'},
    el('h1', {id: 'ended-title', data: {t: 'session.endedTitle'}}),
    el('p', {class: 'lead', data: {t: 'session.endedText'}}),
    el('p', {}, el('code', {}, 'eid agent open'))));
  const main = byId('main');
  document.body.prepend(
    el('a', {class: 'skip', href: '#main', data: {t: 'nav.skip'}, on: {click: (e) => {
      e.preventDefault();
      main.focus();
    }}}),
    top,
    el('div', {id: 'consent-banner', class: 'banner', role: 'alert', hidden: true}));
  main.setAttribute('tabindex', '-1');
  main.before(ended);
  document.body.append(
    el('footer', {class: 'foot'}, el('div', {class: 'foot-in'}, el('span', {data: {t: 'foot.local'}}), el('span', {id: 'user'}))),
    el('div', {id: 'toasts', class: 'toasts', role: 'region', data: {tLabel: 'nav.messages'}}),
    el('div', {id: 'announce', class: 'sr', role: 'status', 'aria-live': 'polite'}));
}

function navKey(name) {
  return {index: 'nav.index', viewer: 'nav.viewer', pharmacy: 'nav.pharmacy', log: 'nav.log'}[name];
}

// tellWaiting writes what an operation waits for into an element, if it is there.
export function tellWaiting(id, waiting) {
  const e = document.getElementById(id);
  if (!e) return;
  const text = waiting.holder ? t('wait.holder', {holder: waiting.holder}) : tv('wait.', waiting.for);
  e.textContent = text;
  announce(text);
}
