// Shows a document of a question in the sandboxed frame of preview.html: fetches
// its bytes over the session, compares their digest with the one that will be
// signed, and hands them to the frame by a message. The frame can answer with a
// few words only, which are checked.

import {announce, byId, el, errorText, mark, notice, set} from './common.js';
import {language, t} from './i18n.js';

const MAX_BYTES = 100_000_000;
const KINDS = ['application/pdf', 'application/xml', 'application/xhtml+xml', 'application/json', 'image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/svg+xml'];
const MARKUP = ['text/html', 'application/xhtml+xml'];
const NOTES = ['cut', 'odd', 'parts'];

// canShow is '' when a document can be looked at, else the text that says why not.
export function canShow(d) {
  const kind = String(d.mediaType ?? '');
  if (!d.preview || !(KINDS.includes(kind) || kind.startsWith('text/') || kind.endsWith('+xml'))) return 'ask.noLook';
  return d.size > MAX_BYTES ? 'ask.tooLarge' : '';
}

// Looking is the part of the page below the question.
export class Looking {
  constructor(session) {
    this.session = session;
    this.at = null; // {item, index, button, notes, state}
    this.changed = false; // a document is not the one that would be signed: of this question nothing can be allowed any more
    window.addEventListener('message', (event) => this.heard(event));
  }

  // show shows a document, or hides it when it is shown; onChange is called when changed turns.
  async show(item, index, button, onChange) {
    if (this.changed) return; // what was found stays in sight
    const before = this.at;
    this.close();
    if (before?.item.id === item.id && before.index === index) return;
    const at = {item, index, button, onChange, notes: [], state: 'loading', mark: null, gone: new AbortController()};
    this.at = at;
    byId('looking').hidden = false;
    this.relabel();
    byId('looking').scrollIntoView({block: 'start', behavior: 'smooth'}); // out of sight nothing is drawn
    try {
      await this.load(at);
    } catch (error) {
      if (this.at !== at) return;
      at.state = 'failed';
      at.error = error;
      this.relabel();
    }
  }

  async load(at) {
    const d = at.item.documents[at.index];
    const {documentId} = await this.session.call('desk.preview', {id: at.item.id, document: at.index}, {signal: at.gone.signal});
    let bytes;
    try {
      bytes = await (await this.session.readDocument(documentId, {signal: at.gone.signal})).arrayBuffer();
    } finally {
      this.session.closeDocument(documentId);
    }
    const digest = [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('');
    if (this.at !== at) return;
    if (digest !== d.sha256) {
      at.state = 'changed';
      this.changed = true;
      at.onChange();
      this.relabel();
      return;
    }
    at.bytes = bytes;
    at.frame = el('iframe', {src: '/preview.html', sandbox: 'allow-scripts', referrerpolicy: 'no-referrer', title: t('ask.frame', {name: d.name})});
    set(byId('looking-frame'), at.frame);
  }

  // heard takes what the frame says; anybody else is not listened to.
  heard(event) {
    const at = this.at;
    if (!at?.frame || event.source !== at.frame.contentWindow || event.origin !== 'null') return;
    const said = event.data ?? {};
    if (said.state === 'ready' && at.bytes) {
      const {bytes} = at;
      at.bytes = null;
      const d = at.item.documents[at.index];
      at.frame.contentWindow.postMessage({show: true, bytes, mediaType: d.mediaType, place: d.place, words: words(d)}, '*', [bytes]); // the frame has no origin to name
      return;
    }
    if (said.state === 'failed') at.state = 'failed';
    if (said.state === 'shown') at.state = 'shown';
    if (Array.isArray(said.notes)) at.notes = NOTES.filter((n) => at.notes.includes(n) || said.notes.includes(n));
    this.relabel();
  }

  // relabel writes what is known, in the language in use.
  relabel() {
    const at = this.at;
    if (!at) return;
    const d = at.item.documents[at.index];
    for (const b of document.querySelectorAll('.document button')) {
      const open = [...document.querySelectorAll('.document')].indexOf(b.closest('.document')) === at.index;
      b.textContent = open ? t('ask.hide') : t('ask.look');
      b.setAttribute('aria-expanded', String(open));
    }
    byId('looking-title').textContent = d.name;
    const [kind, text] = {
      loading: ['note', t('ask.loading')], shown: ['ok', t('ask.same')], changed: ['bad', t('ask.changed')], failed: ['warn', at.error ? errorText(at.error) : t('ask.failed')],
    }[at.state];
    set(byId('looking-state'), mark(kind, text));
    const notes = at.notes.map((n) => t('ask.note.' + n));
    if (at.state === 'shown' && MARKUP.includes(d.mediaType)) notes.unshift(t('ask.source'));
    set(byId('looking-notes'), notes.map((n) => notice('warn', n)));
    if (at.state === 'changed') announce(text);
  }

  // reset is for another question, or none.
  reset() {
    this.changed = false;
    this.close();
  }

  // close hides the document and ends its frame.
  close() {
    this.at?.gone.abort();
    this.at = null;
    byId('looking').hidden = true;
    set(byId('looking-frame'));
    set(byId('looking-notes'));
    for (const b of document.querySelectorAll('.document button')) {
      b.textContent = t('ask.look');
      b.setAttribute('aria-expanded', 'false');
    }
  }
}

// words are what the frame has to write, in the language in use.
function words(d) {
  return {
    language: language(), document: t('ask.frame', {name: d.name}), failed: t('ask.failed'), pages: t('ask.pages'),
    page: t('ask.page.of'), pageFailed: t('ask.pageFailed'), larger: t('ask.larger'), smaller: t('ask.smaller'),
  };
}
