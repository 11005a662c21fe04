// How a card's data are shown: the person, what is proven, the certificates.

import {el, fields, mark} from './common.js';
import {day, known, moment, t, tv} from './i18n.js';

// CARD_FIELDS are the fields that the viewer asks for; names of docs/schema/read.json.
export const CARD_FIELDS = [
  'nationalNumber', 'surname', 'givenNames', 'thirdInitial', 'nationality', 'birthPlace', 'birthDate', 'birthDateText', 'sex',
  'nobleCondition', 'specialStatus', 'memberOfFamily', 'protectionDateCountry', 'workPermit', 'employerVat1', 'employerVat2', 'regionalFile',
  'cardNumber', 'chipNumber', 'validFrom', 'validUntil', 'deliveryMunicipality', 'documentType', 'appletVersion', 'duplicate',
  'specialOrganisation', 'brexitMention1', 'brexitMention2', 'cardAMention1', 'cardAMention2', 'euStart', 'address',
];

// CHECKS are the properties that are verified, in the order in which they are shown.
const CHECKS = ['identity', 'address', 'photo', 'chipNumber', 'basicKey', 'chipKey', 'chain'];
const SIGNS = {held: 'ok', failed: 'bad', untrusted: 'warn', notChecked: 'off'};

// national writes a national number as it stands on cards: 85.03.31-015.85.
export function national(number) {
  const d = String(number ?? '');
  return /^\d{11}$/.test(d) ? `${d.slice(0, 2)}.${d.slice(2, 4)}.${d.slice(4, 6)}-${d.slice(6, 9)}.${d.slice(9)}` : d;
}

// cardNumber writes a card number as it is printed: 591-1234567-89.
export function cardNumber(number) {
  const d = String(number ?? '');
  return /^\d{12}$/.test(d) ? `${d.slice(0, 3)}-${d.slice(3, 10)}-${d.slice(10)}` : d;
}

// expired says whether a day YYYY-MM-DD is over.
function expired(until) {
  return Boolean(until) && until < new Date().toISOString().slice(0, 10);
}

// verdict is what has to be known first: may the data be believed.
export function verdict(result) {
  const v = result.verified ?? {};
  const failed = CHECKS.some((c) => v[c]?.status === 'failed');
  const box = (kind, word, text) => el('div', {class: 'verdict ' + kind}, el('h2', {}, word), el('p', {}, text));
  if (failed) return box('bad', t('verdict.failed'), t('verdict.failedText'));
  if (result.trusted) return box('ok', t('verdict.trusted'), t('verdict.trustedText'));
  return box('warn', t('verdict.open'), t('verdict.openText'));
}

// person shows who it is.
export function person(result) {
  const p = {...result.card, ...result.identity};
  const a = result.address;
  const photo = result.photo
    ? el('img', {src: 'data:image/jpeg;base64,' + result.photo, alt: t('card.photo')})
    : el('div', {class: 'nophoto'}, t('card.noPhoto'));
  const status = result.verified?.photo?.status;
  const lines = [
    [t('field.nationalNumber'), national(p.nationalNumber)],
    [t('field.birthDate'), p.birthDate ? day(p.birthDate) : p.birthDateText],
    [t('field.birthPlace'), p.birthPlace],
    [t('field.sex'), p.sex && tv('sex.', p.sex)],
    [t('field.nationality'), p.nationality],
    [t('field.nobleCondition'), p.nobleCondition],
    [t('field.specialStatus'), coded('status.', p.specialStatus, '0')],
    [t('field.memberOfFamily'), p.memberOfFamily ? t('card.yes') : ''],
    [t('field.address'), a && address(a)],
    [t('field.cardNumber'), cardNumber(p.cardNumber ?? result.reading?.cardNumber)],
    [t('field.documentType'), p.documentType && documentType(p.documentType)],
    [t('field.validity'), validity(p)],
    [t('field.deliveryMunicipality'), p.deliveryMunicipality],
    [t('field.workPermit'), coded('workPermit.', p.workPermit)],
    [t('field.cardAMention1'), coded('cardAMention1.', p.cardAMention1)],
    [t('field.cardAMention2'), coded('cardAMention2.', p.cardAMention2)],
    [t('field.brexitMention1'), coded('brexitMention1.', p.brexitMention1)],
    [t('field.brexitMention2'), coded('brexitMention2.', p.brexitMention2)],
    [t('field.specialOrganisation'), coded('specialOrganisation.', p.specialOrganisation)],
    [t('field.protectionDateCountry'), p.protectionDateCountry],
    [t('field.euStart'), p.euStart && day(p.euStart)],
    [t('field.regionalFile'), p.regionalFile],
    [t('field.employerVat1'), p.employerVat1],
    [t('field.employerVat2'), p.employerVat2],
    [t('field.duplicate'), p.duplicate],
    [t('field.chipNumber'), p.chipNumber && el('span', {class: 'mono'}, p.chipNumber)],
    [t('field.appletVersion'), p.appletVersion],
  ];
  const names = [p.givenNames, p.thirdInitial, p.surname].filter(Boolean).join(' ');
  return el('section', {class: 'panel', 'aria-labelledby': 'person-name'},
    el('div', {class: 'person'},
      result.photo || status ? el('figure', {}, photo, status && status !== 'notChecked' ? el('figcaption', {}, statusMark(status)) : null) : null,
      el('div', {class: 'stack'}, el('h2', {class: 'who', id: 'person-name'}, names || t('card.noName')), fields(lines))),
    warnings(result));
}

// documentType is the name of a kind of document; type is {code, word} or a text.
export function documentType(type) {
  const code = String(type?.code ?? type).replace(/^0+/, '');
  return known('document.', code) ? tv('document.', code) : String(type?.word ?? type?.code ?? type);
}

function coded(prefix, value, none) {
  if (!value) return '';
  const code = String(value.code ?? value).replace(/^0+(?=.)/, '');
  if (code === none) return '';
  return known(prefix, code) ? tv(prefix, code) : String(value.word ?? code);
}

function address(a) {
  const lines = [a.streetAndNumber, [a.zip, a.municipality].filter(Boolean).join(' ')].filter(Boolean);
  return lines.length ? lines.map((l) => el('div', {}, l)) : t('card.noAddress');
}

function validity(p) {
  if (!p.validFrom && !p.validUntil) return '';
  const range = [p.validFrom, p.validUntil].filter(Boolean).map(day).join(' – ');
  return el('span', {class: 'row'}, range, expired(p.validUntil) ? mark('bad', t('card.expired')) : null);
}

function warnings(result) {
  const list = result.warnings ?? [];
  if (list.length === 0) return null;
  return el('div', {class: 'notice warn'}, el('p', {}, t('card.warnings')), el('ul', {}, list.map(oddity)));
}

// ODD are the beginnings of what a reading says of a card, in English, and what a value in it is; see TestOddities.
const ODD = [
  ['card.oddNumber', /^national number: /],
  ['card.oddVersion', /^applet version ([0-9A-F.]+) is newer than this program knows/],
  ['card.oddFile', /^the (.+) is not activated$/],
];

function oddity(said) {
  if (known('oddity.', said)) return el('li', {}, tv('oddity.', said));
  const [key, form] = ODD.find(([, f]) => f.test(said)) ?? ['card.oddOther', /^(.*)$/];
  const [before, after] = t(key, {value: '\n'}).split('\n');
  const value = form.exec(said)?.[1];
  return el('li', {}, before, value && el('span', {lang: 'en'}, value), after);
}

function statusMark(status) {
  return mark(SIGNS[status] ?? 'off', tv('check.', status));
}

// checks shows each property that was verified, on its own.
export function checks(result) {
  const v = result.verified ?? {};
  const rows = CHECKS.filter((name) => v[name]?.status).map((name) => {
    const {status, reason} = v[name];
    const why = reason && known('reason.', reason) ? el('span', {class: 'why'}, tv('reason.', reason))
      : reason ? el('span', {class: 'why', lang: 'en'}, reason) : el('span', {class: 'why'}, status === 'held' ? tv('property.', name + '.held') : '');
    return el('li', {}, el('span', {}, tv('property.', name)), statusMark(status), why);
  });
  if (rows.length === 0) return null;
  return el('section', {class: 'panel', 'aria-labelledby': 'checks-title'},
    el('h2', {id: 'checks-title'}, t('check.heading')), el('ul', {class: 'plain checks'}, rows));
}

// commonName is the CN of a name in the form of RFC 4514; the whole name if it has none.
export function commonName(name) {
  const m = /(?:^|,)CN=((?:\\.|[^,\\])+)/.exec(String(name ?? ''));
  return m ? m[1].replace(/\\(.)/g, '$1') : String(name ?? '');
}

// Attributes of a name that RFC 4514 writes by their number, with the value's bytes; they are read as the text that they are.
const ATTRIBUTES = {'2.5.4.4': 'SN', '2.5.4.12': 'T', '2.5.4.42': 'GN', '2.5.4.97': 'organizationIdentifier'};

function readable(name) {
  return String(name ?? '').replace(/(^|[,+])(2\.5\.4\.\d+)=#(?:0c|13)([0-7][0-9a-f])((?:[0-9a-f]{2})*)(?=[,+]|$)/g, (whole, before, number, length, hex) => {
    if (!ATTRIBUTES[number] || parseInt(length, 16) * 2 !== hex.length) return whole;
    const text = new TextDecoder().decode(Uint8Array.from(hex.match(/../g) ?? [], (b) => parseInt(b, 16)));
    return before + ATTRIBUTES[number] + '=' + text.replace(/[,+"\\<>;]/g, '\\$&');
  });
}

// certificates shows the certificates on a card, in the order of the chain.
export function certificates(list) {
  const order = ['authentication', 'signature', 'ca', 'rrn', 'root'];
  const rank = (c) => (order.indexOf(c.name) + order.length + 1) % (order.length + 1);
  return el('section', {class: 'panel', 'aria-labelledby': 'certificates-title'},
    el('h2', {id: 'certificates-title'}, t('certificate.heading')),
    list.length === 0 ? el('p', {class: 'soft'}, t('certificate.none')) : null,
    [...list].sort((x, y) => rank(x) - rank(y)).map(certificate));
}

function certificate(c) {
  const sign = {'TOTAL-PASSED': 'ok', 'TOTAL-FAILED': 'bad', INDETERMINATE: 'warn'}[c.status] ?? 'off';
  const word = known('certreason.', c.reason) ? tv('certreason.', c.reason) : tv('certstatus.', c.status ?? 'none');
  return el('details', {},
    el('summary', {}, el('span', {class: 'row certificate'}, el('span', {class: 'grow'}, tv('certname.', c.name), ' · ', commonName(c.subject)), mark(sign, word))),
    el('div', {class: 'inside'}, fields([
      [t('certificate.status'), el('span', {}, tv('certstatus.', c.status ?? 'none'), c.reason ? [' ', el('code', {}, c.reason)] : null)],
      [t('certificate.subject'), el('span', {class: 'small'}, readable(c.subject))],
      [t('certificate.issuer'), el('span', {class: 'small'}, readable(c.issuer))],
      [t('certificate.serial'), el('span', {class: 'mono'}, c.serialNumber)],
      [t('field.validity'), [c.notBefore, c.notAfter].filter(Boolean).map(moment).join(' – ')],
      [t('certificate.key'), c.publicKey],
      [t('certificate.algorithm'), c.signatureAlgorithm],
    ])));
}
