// The card of the viewer: read when it is put in, or loaded from a file.

import {announce, button, byId, codeOf, el, errorText, mark, notice, save, set, tellWaiting} from './common.js';
import {onLanguage, t, tn} from './i18n.js';
import {CARD_FIELDS, certificates, checks, person, verdict} from './cardview.js';
import {readerLine, watchReaders} from './readers.js';

// cardPart runs the part; cardId() is the card that is shown or could be, load(file) shows a saved one.
export function cardPart(session) {
  const part = new CardPart(session);
  return {cardId: () => part.chosen, load: (file) => part.load(file)};
}

class CardPart {
  constructor(session) {
    this.session = session;
    this.readers = [];
    this.chosen = ''; // the cardId of the reader that is looked at
    this.data = null; // what is shown: {cardId, file, result, certificates, tries, pin}
    this.failure = null; // why there is nothing to show
    this.run = null; // AbortController of the reading under way
    watchReaders(session, (list) => this.changed(list), (error) => this.fail(error));
    const pick = byId('load-file');
    byId('load-pick').addEventListener('click', () => pick.click());
    pick.addEventListener('change', () => {
      if (pick.files[0]) this.load(pick.files[0]);
      pick.value = '';
    });
    onLanguage(() => this.render());
    this.render();
  }

  // changed takes a new list of readers; a card that came is read, unless a file is shown.
  changed(list) {
    this.readers = list;
    const cards = list.filter((r) => r.card).map((r) => r.card.cardId);
    const before = this.chosen;
    if (!cards.includes(before)) this.chosen = cards[0] ?? '';
    if (this.chosen !== before) {
      this.run?.abort();
      if (!this.data?.file) this.data = null;
      this.failure = null;
      if (this.chosen && !this.data) this.read();
      else if (before && !this.chosen) announce(t('viewer.removed'));
    }
    this.render();
  }

  select(cardId) {
    this.run?.abort();
    this.chosen = cardId;
    this.data = null;
    this.read();
  }

  // read fetches the identity first, so that the name is there while photo and certificates come.
  async read() {
    if (['sis', 'mute'].includes(this.kind(this.chosen))) { // nothing to verify: the pharmacy page reads it
      this.render();
      return;
    }
    const run = new AbortController();
    const cardId = this.chosen;
    this.run = run;
    this.failure = null;
    this.render();
    const ask = (method, params) => this.session.call(method, {cardId, ...params}, {signal: run.signal, onWaiting: (w) => tellWaiting('card-wait', w)});
    try {
      const purpose = 'eidkit viewer';
      const result = await ask('identity.read', {fields: CARD_FIELDS, purpose});
      this.data = {cardId, result};
      this.render();
      announce(t('viewer.read'));
      const more = await ask('identity.read', {fields: CARD_FIELDS, photo: true, purpose});
      this.data = {...this.data, result: more};
      this.render();
      const list = await ask('certificates.read', {});
      this.data = {...this.data, certificates: list.certificates};
    } catch (error) {
      if (run.signal.aborted) return;
      this.failure = error;
    } finally {
      if (this.run === run) this.run = null;
    }
    this.render();
  }

  kind(cardId) {
    return this.readers.find((r) => r.card?.cardId === cardId)?.card.kind ?? '';
  }

  // load shows a saved card.
  async load(file) {
    this.run?.abort();
    const box = byId('load-state');
    set(box, el('p', {class: 'row', role: 'status'}, el('span', {class: 'spin'}), t('load.loading')));
    let documentId = '';
    try {
      documentId = await this.session.openDocument(file, {name: file.name});
      const result = await this.session.call('card.load', {documentId});
      this.data = {cardId: result.cardId, file: file.name, result, certificates: result.certificates};
      this.failure = null;
      set(box);
      announce(t('viewer.read'));
    } catch (error) {
      set(box, notice('bad', t('load.failed', {name: file.name}), codeOf(error) === 'INVALID_ARGUMENT' ? t('load.notCard') : errorText(error)));
    } finally {
      if (documentId) this.session.closeDocument(documentId);
    }
    this.render();
  }

  fail(error) {
    this.failure = error;
    this.render();
  }

  back() {
    this.data = null;
    if (this.chosen) this.read();
    this.render();
  }

  render() {
    set(byId('readers'), this.readerBox());
    set(byId('card'), this.failure ? notice('bad', errorText(this.failure), this.chosen && button(t('viewer.retry'), () => this.select(this.chosen))) : null,
      this.data ? this.shown() : null);
  }

  readerBox() {
    if (this.readers.length === 0) {
      return el('div', {class: 'panel empty'}, el('strong', {}, t('viewer.noReader')), el('p', {}, t('viewer.noReaderText')));
    }
    const cards = this.readers.filter((r) => r.card);
    const lines = cards.length > 1
      ? el('fieldset', {}, el('legend', {}, t('viewer.choose')), this.readers.map((r) => this.choice(r)))
      : el('ul', {class: 'plain stack tight'}, this.readers.map((r) => el('li', {}, readerLine(r))));
    const state = cards.length === 0 && !this.data ? el('div', {class: 'empty'}, el('strong', {}, t('viewer.noCard')), el('p', {}, t('viewer.noCardText'))) : null;
    const other = this.data?.file ? null : this.other();
    const busy = this.run ? el('div', {class: 'row', role: 'status'}, el('span', {class: 'spin'}), el('span', {id: 'card-wait'}, t('viewer.reading'))) : null;
    return el('section', {class: 'panel no-print', 'aria-labelledby': 'readers-title'},
      el('h2', {id: 'readers-title'}, tn('viewer.readers', this.readers.length)), lines, state, other, busy);
  }

  // other says what to do with a card that is no identity card.
  other() {
    const kind = this.kind(this.chosen);
    if (kind === 'mute') return notice('warn', t('viewer.mute'), t('viewer.muteText'));
    if (kind !== 'sis') return null;
    return notice('warn', t('viewer.sis'), el('p', {}, t('viewer.sisText'), ' ', el('a', {href: '/pharmacy.html'}, t('viewer.sisLink'))));
  }

  choice(r) {
    const id = r.card?.cardId;
    return el('label', {class: 'check'},
      el('input', {type: 'radio', name: 'reader', disabled: !id, checked: Boolean(id) && id === this.chosen && !this.data?.file, on: {change: () => this.select(id)}}), readerLine(r));
  }

  shown() {
    const {result, file} = this.data;
    return [
      result.testCard ? el('div', {class: 'testcard'}, el('span', {}, el('strong', {}, 'TEST CARD'), ' · ', t('card.test'))) : null,
      file ? notice('note', t('load.shown', {name: file}), el('div', {class: 'row no-print'}, button(t('load.back'), () => this.back(), {class: 'small'}))) : null,
      verdict(result),
      el('div', {class: 'columns wide-first'}, person(result), checks(result)),
      this.data.certificates ? certificates(this.data.certificates) : null,
      this.data.cardId && !file ? this.pinBox() : null,
      this.actions(),
    ];
  }

  actions() {
    const {cardId} = this.data;
    const done = Boolean(this.data.certificates);
    return el('section', {class: 'panel no-print', 'aria-labelledby': 'keep-title'},
      el('h2', {id: 'keep-title'}, t('keep.heading')),
      el('div', {class: 'row'},
        cardId && done ? button(t('keep.eid'), () => this.export('eid')) : null,
        cardId && done ? button(t('keep.json'), () => this.export('json')) : null,
        button(t('keep.print'), () => print())),
      el('div', {id: 'keep-state', role: 'status'}),
      el('p', {class: 'soft small'}, t('keep.warning'), ' ', t('keep.proof')));
  }

  async export(format) {
    const box = byId('keep-state');
    set(box);
    try {
      const {documentId} = await this.session.call('card.export', {cardId: this.data.cardId, format});
      const blob = await this.session.readDocument(documentId);
      this.session.closeDocument(documentId);
      const name = (this.data.result.reading.cardNumber || 'card').replace(/[^0-9A-Za-z]/g, '') + '.' + format;
      save(blob, name);
      set(box, mark('ok', t('keep.done', {name})));
    } catch (error) {
      set(box, notice('bad', errorText(error)));
    }
  }

  pinBox() {
    const {tries, pin} = this.data;
    const left = tries === undefined ? null
      : tries === null ? mark('note', t('pin.unknown'))
        : mark(tries === 0 ? 'bad' : tries === 1 ? 'warn' : 'ok', tries === 0 ? t('pin.blocked') : tn('pin.tries', tries));
    return el('section', {class: 'panel no-print', 'aria-labelledby': 'pin-title'},
      el('h2', {id: 'pin-title'}, t('pin.heading')),
      el('p', {class: 'soft'}, t('pin.text')),
      el('div', {class: 'row'}, button(t('pin.show'), () => this.status()), button(t('pin.change'), () => this.change(), {disabled: Boolean(pin?.busy)}), left),
      el('div', {role: 'status', id: 'pin-state'}, pin?.busy ? el('span', {class: 'row'}, el('span', {class: 'spin'}), el('span', {id: 'pin-wait'}, t('pin.follow')))
        : pin?.error ? notice('bad', errorText(pin.error)) : pin?.done ? notice('ok', t('pin.done')) : null));
  }

  async status() {
    const data = this.data;
    try {
      data.tries = (await this.session.call('pin.status', {cardId: data.cardId})).triesLeft;
      data.pin = undefined;
    } catch (error) {
      data.pin = {error};
    }
    this.render();
  }

  async change() {
    const data = this.data;
    data.pin = {busy: true};
    this.render();
    try {
      await this.session.call('pin.change', {cardId: data.cardId}, {onWaiting: (w) => tellWaiting('pin-wait', w)});
      data.pin = {done: true};
      data.tries = undefined;
    } catch (error) {
      data.pin = {error};
    }
    this.render();
  }
}
