// A national number that was not read from a chip: scanned or typed, with the
// document it was on and the reason, which the provider has to keep.

import {byId, el, set} from './common.js';
import {onLanguage, t, tv} from './i18n.js';

const MODES = ['barcode', 'vignette', 'manual'];
const TYPES = ['ISI+', 'prescription', 'attestation', 'eID', 'vignette', 'other'];
const REASONS = ['manual.reason.noCard', 'manual.reason.cardFault', 'manual.reason.readerFault', 'manual.reason.absent'];

// validNumber checks the two check digits of a national number: 97 less the
// remainder of the first nine digits by 97, of births from 2000 with a 2 before them.
export function validNumber(digits) {
  if (!/^\d{11}$/.test(digits)) return false;
  const check = Number(digits.slice(9));
  const base = Number(digits.slice(0, 9));
  return 97 - (base % 97) === check || 97 - ((2_000_000_000 + base) % 97) === check;
}

// manualForm runs the form; ask({niss, reading}) is called with what was entered.
export function manualForm(ask) {
  const form = byId('manual-form');
  const niss = byId('manual-niss');
  const mode = byId('manual-mode');
  const type = byId('manual-type');
  const number = byId('manual-number');
  const reason = byId('manual-reason');

  const render = () => {
    const chosen = mode.value || 'barcode';
    const document = type.value || 'ISI+';
    set(mode, MODES.map((m) => el('option', {value: m}, tv('mode.', m))));
    mode.value = chosen;
    set(type, TYPES.map((d) => el('option', {value: d}, tv('paper.', d))));
    type.value = document;
    set(byId('manual-reasons'), REASONS.map((r) => el('option', {value: t(r)})));
    byId('manual-reason-hint').textContent = needed() ? t('manual.reasonNeeded') : t('manual.reasonFree');
  };
  const needed = () => mode.value !== 'barcode';
  const fault = (input, text) => {
    const box = byId(input.id + '-fault');
    box.hidden = !text;
    box.textContent = text;
    input.setAttribute('aria-invalid', String(Boolean(text)));
  };

  mode.addEventListener('change', render);
  onLanguage(render);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const digits = niss.value.replace(/\D/g, '');
    const wrong = validNumber(digits) ? '' : t('manual.nissWrong');
    const why = reason.value.trim();
    const missing = needed() && !why ? t('manual.reasonMissing') : '';
    fault(niss, wrong);
    fault(reason, missing);
    if (wrong) niss.focus();
    else if (missing) reason.focus();
    if (wrong || missing) return;
    const reading = {mode: mode.value, documentType: type.value};
    if (number.value.trim()) reading.documentNumber = number.value.trim();
    if (why) reading.reason = why;
    ask({niss: digits, reading});
  });
  render();
  return {
    clear: () => {
      form.reset();
      fault(niss, '');
      fault(reason, '');
      render();
    },
  };
}
