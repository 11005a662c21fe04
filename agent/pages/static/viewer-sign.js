// Signing a file in the viewer.

import {announce, button, byId, el, errorText, fields, notice, save, set, tellWaiting} from './common.js';
import {known, moment, onLanguage, size, t, tv} from './i18n.js';

const LEVELS = ['b', 't', 'lt', 'lta'];

// formatsOf are the forms of signature that fit a file, the best one first.
function formatsOf(file) {
  const name = file?.name ?? '';
  if (/\.pdf$/i.test(name)) return ['pades', 'asice', 'cades'];
  if (/\.xml$/i.test(name)) return ['xades', 'asice', 'cades'];
  return ['asice', 'cades', 'xades'];
}

// signPart runs the part; take(file) chooses a file. Options: cardId() of the
// card that is to sign, check(blob, name) to look at what was made.
export function signPart(session, options) {
  const part = new SignPart(session, options);
  return {take: (file) => part.take(file)};
}

class SignPart {
  constructor(session, options) {
    this.session = session;
    this.options = options;
    this.file = null;
    this.run = null;
    this.made = null; // {answer, blob}
    this.failure = null;
    const pick = byId('sign-file');
    byId('sign-pick').addEventListener('click', () => pick.click());
    pick.addEventListener('change', () => {
      if (pick.files[0]) this.take(pick.files[0]);
      pick.value = '';
    });
    byId('sign-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.sign();
    });
    byId('sign-cancel').addEventListener('click', () => this.run?.abort());
    byId('sign-format').addEventListener('change', () => this.hints());
    byId('sign-level').addEventListener('change', () => this.hints());
    onLanguage(() => this.render());
    this.render();
  }

  take(file) {
    this.file = file;
    this.made = null;
    this.failure = null;
    byId('sign-format').value = '';
    this.render();
  }

  render() {
    set(byId('sign-chosen'), this.file ? [el('strong', {}, this.file.name), ' · ', size(this.file.size)] : t('sign.text'));
    const format = byId('sign-format');
    const formats = formatsOf(this.file);
    const kept = formats.includes(format.value) ? format.value : formats[0];
    set(format, formats.map((f) => el('option', {value: f}, tv('format.', f))));
    format.value = kept;
    const level = byId('sign-level');
    const before = LEVELS.includes(level.value) ? level.value : 'lt';
    set(level, LEVELS.map((l) => el('option', {value: l}, tv('level.', l))));
    level.value = before;
    this.hints();
    byId('sign-start').disabled = !this.file || Boolean(this.run);
    byId('sign-cancel').hidden = !this.run;
    set(byId('sign-result'), this.failure ? notice('bad', t('sign.failed'), errorText(this.failure)) : null, this.made ? this.result() : null);
  }

  hints() {
    byId('sign-format-hint').textContent = tv('formatHint.', byId('sign-format').value);
    byId('sign-reason').closest('.field').hidden = byId('sign-format').value !== 'pades'; // the others have no place for it
    byId('sign-level-hint').textContent = tv('levelHint.', byId('sign-level').value);
  }

  progress(text, done, total) {
    const label = el('p', {class: 'row'}, el('span', {class: 'spin'}), el('span', {id: 'sign-step'}, text));
    set(byId('sign-progress'), label, total > 0 ? el('progress', {max: total, value: done, 'aria-labelledby': 'sign-step'}) : null);
  }

  async sign() {
    if (!this.file || this.run) return;
    const file = this.file;
    this.run = new AbortController();
    const {signal} = this.run;
    this.made = null;
    this.failure = null;
    this.render();
    let documentId = '';
    try {
      this.progress(t('sign.sending'), 0, file.size);
      documentId = await this.session.openDocument(file, {name: file.name, mediaType: file.type || undefined},
        {signal, onProgress: (done, total) => this.progress(t('sign.sending'), done, total)});
      this.progress(t('sign.working'), 0, 0);
      const params = {documentIds: [documentId], format: byId('sign-format').value, level: byId('sign-level').value, purpose: 'eidkit viewer'};
      const reason = byId('sign-reason').value.trim();
      if (reason && params.format === 'pades') params.reason = reason;
      if (this.options.cardId()) params.cardId = this.options.cardId();
      const answer = await this.session.call('sign.document', params, {
        signal,
        onWaiting: (w) => tellWaiting('sign-step', w),
        onProgress: (p) => this.progress(tv('step.', p.step), p.done, p.total),
      });
      const blob = await this.session.readDocument(answer.documentId, {signal});
      this.session.closeDocument(answer.documentId);
      this.made = {answer, blob};
      announce(t('sign.done'));
    } catch (error) {
      if (!signal.aborted) this.failure = error;
    } finally {
      if (documentId) this.session.closeDocument(documentId);
      this.run = null;
      set(byId('sign-progress'));
      this.render();
    }
  }

  result() {
    const {answer, blob} = this.made;
    const words = answer.warnings ?? [];
    return el('section', {class: 'panel', 'aria-label': t('sign.done')},
      el('div', {class: 'verdict ok'}, el('h2', {}, t('sign.done')), el('p', {class: 'wrap'}, answer.name + ' · ' + size(answer.size))),
      el('div', {class: 'row'},
        button(t('sign.download'), () => save(blob, answer.name), {class: 'primary'}),
        button(t('sign.check'), () => this.options.check(blob, answer.name))),
      words.length ? el('div', {class: 'notice warn'}, el('p', {}, t('sign.warnings')), el('ul', {}, words.map((w) => (known('signwarning.', w.code) ? el('li', {}, tv('signwarning.', w.code)) : el('li', {lang: 'en'}, w.text))))) : null,
      fields([
        [t('sign.format'), tv('format.', answer.format)],
        [t('sign.level'), tv('level.', answer.level)],
        [t('sign.time'), answer.signingTime && moment(answer.signingTime)],
        [t('sign.stamp'), answer.timestampTime && moment(answer.timestampTime)],
        [t('sign.digest'), el('span', {class: 'mono small'}, answer.sha256)],
      ]));
  }
}
