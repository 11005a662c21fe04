// Checking a file's signatures in the viewer.

import {announce, button, byId, el, errorText, notice, save, set} from './common.js';
import {onLanguage, t, tv} from './i18n.js';
import {reportView, verdictKey} from './reportview.js';

// verifyPart runs the part; take(file) checks a file.
export function verifyPart(session) {
  const part = new VerifyPart(session);
  return {take: (file) => part.take(file)};
}

class VerifyPart {
  constructor(session) {
    this.session = session;
    this.file = null;
    this.contents = []; // files that a detached signature is about
    this.report = null;
    this.failure = null;
    this.run = null;
    this.picker('verify-pick', 'verify-file', (file) => this.take(file));
    onLanguage(() => this.render());
  }

  picker(buttonId, inputId, take) {
    const pick = byId(inputId);
    byId(buttonId).addEventListener('click', () => pick.click());
    pick.addEventListener('change', () => {
      if (pick.files[0]) take(pick.files[0]);
      pick.value = '';
    });
  }

  take(file) {
    this.contents = [];
    this.check(file);
  }

  async check(file) {
    this.run?.abort();
    const run = new AbortController();
    this.run = run;
    this.file = file;
    this.report = null;
    this.failure = null;
    this.render();
    const opened = [];
    const open = async (f) => {
      const id = await this.session.openDocument(f, {name: f.name, mediaType: f.type || undefined}, {signal: run.signal, onProgress: (done, total) => this.progress(t('verify.sending'), done, total)});
      opened.push(id);
      return id;
    };
    try {
      const documentId = await open(file);
      const contentIds = [];
      for (const content of this.contents) contentIds.push(await open(content));
      this.progress(t('verify.working'), 0, 0);
      const answer = await this.session.call('verify.document', contentIds.length ? {documentId, contentIds} : {documentId}, {signal: run.signal});
      this.report = answer.report;
      announce(tv('fileverdict.', verdictKey(this.report)));
    } catch (error) {
      if (run.signal.aborted) return;
      this.failure = error;
    } finally {
      for (const id of opened) this.session.closeDocument(id);
      if (this.run === run) {
        this.run = null;
        set(byId('verify-progress'));
        this.render();
      }
    }
  }

  progress(text, done, total) {
    set(byId('verify-progress'), el('p', {class: 'row'}, el('span', {class: 'spin'}), el('span', {id: 'verify-step'}, text)),
      total > 0 ? el('progress', {max: total, value: done, 'aria-labelledby': 'verify-step'}) : null);
  }

  render() {
    const box = byId('verify-report');
    if (this.failure) set(box, notice('bad', t('verify.failed', {name: this.file.name}), errorText(this.failure)));
    else if (this.report) set(box, reportView(this.report, this.file), this.contentBox(), this.actions());
    else set(box);
  }

  // contentBox asks for the signed file where the signature stands apart from it.
  contentBox() {
    const missing = this.report.signatures?.some((s) => s.subIndication === 'SIGNED_DATA_NOT_FOUND');
    if (!missing) return null;
    const pick = el('input', {type: 'file', hidden: true, 'aria-label': t('verify.addContent'), on: {change: (e) => {
      if (!e.target.files[0]) return;
      this.contents = [e.target.files[0]];
      this.check(this.file);
    }}});
    return el('div', {class: 'notice warn no-print'}, el('p', {}, t('verify.detached')), el('div', {}, button(t('verify.addContent'), () => pick.click()), pick));
  }

  actions() {
    return el('div', {class: 'row no-print'},
      button(t('keep.print'), () => print()),
      button(t('verify.json'), () => save(new Blob([JSON.stringify(this.report, null, 2) + '\n'], {type: 'application/json'}), this.file.name + '.report.json')));
  }
}
