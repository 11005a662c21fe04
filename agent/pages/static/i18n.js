// Texts in four languages. A table of texts is a module under texts/ whose
// default export maps a key to its four texts, in the order of LANGUAGES; the
// file is JSON but for the words before and after, so that the tests read it.
//
//   register(table)              adds a table; a key stands in one table only
//   t('key', {name: value})      the text; {name} in it is replaced
//   tn('key', n, {...})          key.one or key.other, with {n}
//   tv('prefix.', word, {...})   the text of a word from outside; the word itself where there is none
//   apply(root)                  fills elements: data-t (text), data-t-label (aria-label),
//                                data-t-title, data-t-placeholder
//   onLanguage(fn)               calls fn after the language has changed

export const LANGUAGES = ['en', 'nl', 'fr', 'de'];
export const LANGUAGE_NAMES = {en: 'English', nl: 'Nederlands', fr: 'Français', de: 'Deutsch'};

const KEPT = 'eidkit.language';
const texts = new Map();
const listeners = new Set();
let current = firstLanguage();

// register adds a table of texts.
export function register(table) {
  for (const [key, row] of Object.entries(table)) texts.set(key, row);
}

// language is the language in use.
export function language() {
  return current;
}

// setLanguage changes the language of the page; keep remembers it as the user's own choice.
export function setLanguage(lang, keep) {
  if (!LANGUAGES.includes(lang)) return;
  if (keep) remember(lang);
  const changed = lang !== current;
  current = lang;
  document.documentElement.lang = lang;
  if (!changed) return;
  apply(document);
  for (const fn of listeners) fn(lang);
}

// suggestLanguage takes the agent's language unless the user chose one himself.
export function suggestLanguage(lang) {
  if (!remembered()) setLanguage(lang, false);
}

// onLanguage calls fn after each change of language; the result ends that.
export function onLanguage(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

// t is the text of a key in the language in use.
export function t(key, values) {
  const row = texts.get(key);
  if (!row) {
    console.warn('no text for ' + key);
    return key;
  }
  return fill(spaced(row[LANGUAGES.indexOf(current)]), values);
}

// spaced keeps the signs that stand apart from a word in French on its line.
function spaced(text) {
  return current === 'fr' ? text.replace(/ (?=[:;?!»])|(?<=«) /g, '\u00a0') : text;
}

// tn is the text of a key for a number: key.one or key.other.
export function tn(key, n, values) {
  const form = new Intl.PluralRules(current).select(n) === 'one' ? '.one' : '.other';
  return t(key + form, {n: number(n), ...values});
}

// tv is the text of a word that came from outside, such as a status; without a
// text the word itself is shown, as data.
export function tv(prefix, word, values) {
  return texts.has(prefix + word) ? t(prefix + word, values) : String(word);
}

// known says whether a word from outside has a text.
export function known(prefix, word) {
  return texts.has(prefix + word);
}

// pick is the text in use of an object {en, nl, fr, de} that the agent sent.
export function pick(words) {
  if (!words || typeof words !== 'object') return '';
  return spaced(String(words[current] ?? words.en ?? ''));
}

function fill(text, values) {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

// apply fills the elements under root that name a text.
export function apply(root) {
  for (const e of root.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of root.querySelectorAll('[data-t-label]')) e.setAttribute('aria-label', t(e.dataset.tLabel));
  for (const e of root.querySelectorAll('[data-t-title]')) e.title = t(e.dataset.tTitle);
  for (const e of root.querySelectorAll('[data-t-placeholder]')) e.placeholder = t(e.dataset.tPlaceholder);
}

// number writes a number as the language does.
export function number(n, options) {
  return new Intl.NumberFormat(locale(), options).format(n);
}

// size writes a number of bytes for people.
export function size(bytes) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let n = Number(bytes) || 0;
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return number(n, {style: 'unit', unit: units[unit], unitDisplay: unit ? 'short' : 'long', maximumFractionDigits: unit && n < 100 ? 1 : 0});
}

// day writes a date YYYY-MM-DD; a month or day that is 00 (unknown on the card) is left out.
export function day(iso) {
  const m = /^(\d{4})-(\d{2})-(\d{2})/.exec(String(iso ?? ''));
  if (!m) return String(iso ?? '');
  const [, year, month, date] = m;
  if (month === '00') return year;
  const options = {year: 'numeric', month: 'long', timeZone: 'UTC'};
  if (date !== '00') options.day = 'numeric';
  return new Intl.DateTimeFormat(locale(), options).format(Date.UTC(Number(year), Number(month) - 1, date === '00' ? 1 : Number(date)));
}

// moment writes a time RFC 3339 in the zone of this computer.
export function moment(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return String(iso ?? '');
  return new Intl.DateTimeFormat(locale(), {dateStyle: 'medium', timeStyle: 'medium'}).format(at);
}

// clock writes the hour of a time RFC 3339 that is near, in the zone of this computer.
export function clock(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return String(iso ?? '');
  return new Intl.DateTimeFormat(locale(), {timeStyle: 'medium'}).format(at);
}

// ago writes how long ago a time was.
export function ago(iso) {
  const seconds = Math.round((new Date(iso).getTime() - Date.now()) / 1000);
  if (Number.isNaN(seconds)) return '';
  const f = new Intl.RelativeTimeFormat(current, {numeric: 'auto'});
  const steps = [['day', 86400], ['hour', 3600], ['minute', 60]];
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return f.format(Math.trunc(seconds / length), unit);
  }
  return f.format(seconds, 'second');
}

function locale() {
  return {en: 'en-GB', nl: 'nl-BE', fr: 'fr-BE', de: 'de-BE'}[current];
}

function firstLanguage() {
  const kept = remembered();
  if (kept) return kept;
  for (const wish of navigator.languages ?? []) {
    const lang = wish.slice(0, 2).toLowerCase();
    if (LANGUAGES.includes(lang)) return lang;
  }
  return 'en';
}

// Storage may be switched off in a browser: then the choice lasts as long as the page.
function remembered() {
  try {
    const lang = localStorage.getItem(KEPT);
    return LANGUAGES.includes(lang) ? lang : '';
  } catch {
    return '';
  }
}

function remember(lang) {
  try {
    localStorage.setItem(KEPT, lang);
  } catch {
    // nothing to be done
  }
}
