// The answer of the network as a counter needs it (docs/schema/insurability.json):
// status and tariff first, by sign, word and frame; then patient, cover, source.

import {el, fields, mark, notice, stackTable} from './common.js';
import {national} from './cardview.js';
import {causeText, faultText} from './insurancecause.js';
import {ago, day, known, moment, number, t, tv} from './i18n.js';

const KINDS = {INSURED: 'ok', NOT_INSURED: 'bad', THIRD_PARTY_REFUSED: 'bad', DECEASED: 'bad', UNKNOWN: 'warn', CONFLICT: 'warn', UNAVAILABLE: 'warn'};
// Warnings with which "insured" is no promise.
const DOUBTS = ['CACHED_ANSWER', 'PARTLY_COVERED', 'CONTRADICTION', 'DIED_SINCE', 'NUMBER_NOT_ECHOED'];

// statusWord is the answer in a word.
export function statusWord(a) {
  return known('answer.', a.status) ? tv('answer.', a.status) : t('answer.UNKNOWN');
}

// ageLine says when the answer was made.
export function ageLine(a) {
  return a.time ? moment(a.time) + ' (' + ago(a.time) + ')' : '';
}

// answerView shows an answer; identity is what was read from the card, if one was.
export function answerView(a, identity) {
  const warnings = a.warnings ?? [];
  const doubtful = a.status === 'INSURED' && warnings.some((w) => DOUBTS.includes(w));
  const kind = doubtful ? 'warn' : KINDS[a.status] ?? 'warn';
  return [
    el('div', {class: 'counter'},
      el('div', {class: 'verdict ' + kind, role: 'alert'}, el('h2', {}, statusWord(a)), el('p', {}, doubtful ? t('do.doubtful') : whatToDo(a))),
      tariff(a)),
    warnings.includes('CACHED_ANSWER') ? notice('bad', t('insurance.cached', {age: ago(a.time)})) : null,
    warnings.filter((w) => w !== 'CACHED_ANSWER').map((w) => notice('warn', tv('warning.', w))),
    reason(a),
    el('div', {class: 'columns'}, patientView(identity, a), cover(a)),
    differences(a),
    source(a),
  ];
}

function whatToDo(a) {
  return known('do.', a.status) ? tv('do.', a.status) : t('do.UNKNOWN');
}

function tariff(a) {
  const box = (kind, text, more) => el('div', {class: 'tariff ' + kind}, el('p', {}, t('insurance.tariff')), el('p', {}, text), more ? el('p', {}, more) : null);
  if (['NOT_INSURED', 'THIRD_PARTY_REFUSED', 'DECEASED'].includes(a.status)) return box('none', t('tariff.none'), t('tariff.noneText'));
  if (a.tariff === 'INCREASED') return box('increased', t('tariff.INCREASED'), t('tariff.increasedText'));
  if (a.tariff === 'ORDINARY') return box('ordinary', t('tariff.ORDINARY'), '');
  return box('open', t('tariff.unknown'), '');
}

// reason says why there is no answer, or none of today.
function reason(a) {
  if (!a.cause && !a.fault) return null;
  const said = a.fault ? [a.fault.message, ...(a.fault.details ?? []).map((d) => d.message)] : [];
  return el('div', {class: 'notice warn'}, el('p', {}, a.status === 'UNAVAILABLE' || a.warnings?.includes('CACHED_ANSWER') ? t('insurance.why') : t('insurance.says')),
    el('p', {}, a.fault ? faultText(a) : causeText(a.cause)),
    el('p', {class: 'soft small wrap', lang: 'en'}, [a.cause, a.fault?.code, ...new Set(said)].filter(Boolean).join(' · ')));
}

// patientView shows whom it is about, after the network where it answered.
export function patientView(identity, a) {
  const known = a?.person ?? {};
  const onCard = identity?.identity ?? {};
  const name = [known.firstName ?? onCard.givenNames, known.surname ?? onCard.surname].filter(Boolean).join(' ');
  const birth = known.birthDate ?? onCard.birthDate;
  const sex = known.sex ?? onCard.sex;
  return el('section', {class: 'panel', 'aria-labelledby': 'patient-title'},
    el('h2', {id: 'patient-title'}, t('insurance.patient')),
    el('p', {class: 'who'}, name || t('card.noName')),
    fields([
      [t('field.nationalNumber'), national(known.nationalNumber ?? onCard.nationalNumber ?? a?.asked?.nationalNumber)],
      [t('field.birthDate'), birth && day(birth)],
      [t('field.sex'), sex && tv('sex.', sex)],
      [t('insurance.deceasedOn'), known.deceased && mark('bad', day(known.deceased))],
      [t('insurance.read'), readMark(identity, a)],
    ]));
}

// readMark says how the patient was identified, and whether the card proves it.
function readMark(identity, a) {
  const reading = a?.asked?.reading;
  const mode = reading?.mode ?? identity?.reading?.mode;
  if (!mode) return '';
  const proven = a?.card ? a.card.authentic : identity?.trusted;
  const parts = [tv('mode.', mode), [reading?.document && tv('paper.', reading.document), reading?.number ?? a?.card?.number].filter(Boolean).join(' '), reading?.reason];
  return el('span', {class: 'row'}, parts.filter(Boolean).join(' · '),
    mode === 'chip' ? mark(proven ? 'ok' : 'warn', proven ? t('insurance.genuine') : t('insurance.unproven')) : null);
}

function cover(a) {
  const periods = a.periods ?? [];
  const approval = a.approval ? [a.approval.number, a.approval.seed, a.approval.checkDigits].filter(Boolean).join(' ') : '';
  const rows = periods.map((p) => fields([
    [t('insurance.mutuality'), p.mutuality && union(p.mutuality)],
    [t('insurance.affiliate'), p.affiliationNumber && el('span', {class: 'mono'}, p.affiliationNumber)],
    [t('insurance.codes'), p.ct1 || p.ct2 ? el('span', {class: 'mono'}, (p.ct1 ?? '–') + ' / ' + (p.ct2 ?? '–')) : ''],
    [t('insurance.covered'), p.from && range(p)],
    [t('insurance.information'), p.information && day(p.information)],
    [t('insurance.approval'), p.approval && p.approval !== a.approval?.number ? el('span', {class: 'mono small'}, p.approval) : ''],
  ]));
  const more = fields([
    [t('insurance.approval'), approval && el('span', {class: 'mono small'}, approval)],
    [t('insurance.maximum'), (a.maximumBilling ?? []).join(', ')],
    [t('insurance.house'), (a.medicalHouses ?? []).map((h) => el('div', {}, range(h) + ' ' + cares(h)))],
    [t('insurance.stay'), a.stay && [a.stay.hospital, a.stay.service, a.stay.since && t('insurance.since', {day: day(a.stay.since)})].filter(Boolean).join(' · ')],
    [t('insurance.event'), a.event && tv('event.', a.event)],
    [t('insurance.transfer'), (a.transfers ?? []).map((x) => el('div', {}, tv('transfer.', x.direction, {union: x.insurer ? tv('union.', x.insurer) : '?', day: day(x.on)})))],
    [t('insurance.insurers'), (a.insurers ?? []).map((d) => tv('union.', d)).join(', ')],
  ].filter(([, v]) => !Array.isArray(v) || v.length > 0));
  return el('section', {class: 'panel', 'aria-labelledby': 'cover-title'},
    el('h2', {id: 'cover-title'}, t('insurance.cover')),
    periods.length === 0 ? el('p', {class: 'soft'}, t('insurance.noCover')) : rows,
    more.childElementCount ? more : null);
}

function cares(h) {
  return [h.doctor && t('care.doctor'), h.nurse && t('care.nurse'), h.physiotherapist && t('care.physiotherapist')].filter(Boolean).join(', ');
}

function union(mutuality) {
  const first = String(mutuality)[0];
  return known('union.', first) ? mutuality + ' · ' + tv('union.', first) : String(mutuality);
}

function range(p) {
  if (p.from === p.until) return day(p.from);
  return p.until ? day(p.from) + ' – ' + day(p.until) : t('insurance.since', {day: day(p.from)});
}

// differences sets card against network: the network counts.
function differences(a) {
  const list = a.differences ?? [];
  if (list.length === 0) {
    if (!a.card || a.card.kind !== 'sis' || a.card.insurance !== 'open' || !(a.periods ?? []).length) return null;
    return notice('ok', t('insurance.agrees'));
  }
  const said = (field, word) => {
    if (known('said.', word)) return tv('said.', word);
    if (field === 'sex') return tv('sex.', word);
    if (field === 'niss') return national(word);
    return String(word).replace(/\d{4}-\d{2}-\d{2}/g, day);
  };
  return el('section', {class: 'panel', 'aria-labelledby': 'differences-title'},
    el('h2', {id: 'differences-title'}, mark('warn', t('insurance.differences'))),
    el('p', {}, t('insurance.networkCounts')),
    stackTable(t('insurance.differences'), [t('insurance.what'), t('insurance.onCard'), t('insurance.onNetwork')],
      list.map((d) => [tv('difference.', d.field), said(d.field, d.card), el('strong', {}, said(d.field, d.network))])));
}

// source says who said it, when, and what the provider's records need.
function source(a) {
  const r = a.references ?? {};
  return el('section', {class: 'panel', 'aria-labelledby': 'source-title'},
    el('h2', {id: 'source-title'}, t('insurance.sourceTitle')),
    fields([
      [t('insurance.source'), a.service && tv('service.', a.service)],
      [t('insurance.time'), a.time && el('span', {id: 'age'}, ageLine(a))],
      [t('insurance.asked'), a.from && range(a)],
      [t('insurance.cacheAge'), a.ageSeconds ? number(Math.round(a.ageSeconds / 60), {style: 'unit', unit: 'minute', unitDisplay: 'long'}) : ''],
      [t('insurance.reference'), el('span', {class: 'mono small'}, [r.input, r.network, r.output].filter(Boolean).join(' · '))],
      [t('insurance.session'), a.sessionUntil && moment(a.sessionUntil)],
    ]));
}
