// The report about a file's signatures (docs/schema/verify.json), verdict first.

import {el, fields, mark} from './common.js';
import {commonName, national} from './cardview.js';
import {moment, pick, size, t, tn, tv} from './i18n.js';

const KINDS = {'TOTAL-PASSED': 'ok', 'TOTAL-FAILED': 'bad', INDETERMINATE: 'warn'};
const REVOCATION = {good: 'ok', revoked: 'bad', onHold: 'bad', unknown: 'warn', unavailable: 'warn', notNeeded: 'off'};

// verdictKey is the word of the verdict on the file as a whole: what stands in error, else the indication.
export function verdictKey(report) {
  return report.error ?? report.indication ?? 'INDETERMINATE';
}

// reportView shows a report.
export function reportView(report, file) {
  const key = verdictKey(report);
  const kind = KINDS[key] ?? (key === 'NO_SIGNATURE_FOUND' ? 'note' : 'bad');
  const all = report.signatures ?? [];
  return [
    el('div', {class: 'verdict ' + kind}, el('h2', {}, tv('fileverdict.', key)), el('p', {}, tv('fileverdictText.', key))),
    el('p', {class: 'wrap'}, el('strong', {}, file.name), ' · ', size(file.size), all.length ? ' · ' + tn('report.signatures', all.length) : ''),
    report.error && report.reason && key !== 'NO_SIGNATURE_FOUND' ? el('p', {class: 'soft', lang: 'en'}, report.reason) : null,
    all.map((s, i) => signature(s, i + 1)),
    el('p', {class: 'soft small wrap'}, t('report.judged', {time: moment(report.validationTime), policy: report.policy?.id ?? '', tool: report.tool ?? ''})),
  ];
}

function signer(s) {
  const who = s.signer ?? {};
  const names = [who.givenNames, who.surname].filter(Boolean).join(' ');
  return names || who.commonName || commonName(s.signingCertificate?.subject) || t('report.nobody');
}

function signature(s, n) {
  const id = 'signature-' + n;
  return el('section', {class: 'panel', 'aria-labelledby': id},
    el('header', {}, el('h3', {id, class: 'wrap'}, s.indication === 'TOTAL-PASSED' ? signer(s) : t('report.claimed', {name: signer(s)})),
      mark(KINDS[s.indication] ?? 'warn', tv('indication.', s.indication))),
    messages('bad', s.errors),
    messages('warn', s.warnings),
    fields([
      [t('report.organisation'), s.signer?.organization],
      [t('field.nationalNumber'), s.signer?.niss && national(s.signer.niss)],
      [t('report.proven'), s.bestSignatureTimeProof && s.bestSignatureTime ? moment(s.bestSignatureTime) : ''],
      [t('report.claimedTime'), s.claimedSigningTime && moment(s.claimedSigningTime)],
      [t('report.form'), [s.format, s.level, s.container].filter(Boolean).join(', ')],
      [t('report.covers'), covers(s)],
      [t('report.reason'), s.claims?.reason],
      [t('report.place'), s.claims?.place],
      [t('report.roles'), s.claims?.roles?.join(', ')],
    ]),
    s.claims && !s.claims.signed ? el('p', {class: 'soft small'}, t('report.unsigned')) : null,
    changes(s.pdf),
    details(s));
}

function messages(kind, list) {
  if (!list?.length) return null;
  return el('ul', {class: 'plain stack tight'}, list.map((m) => el('li', {class: 'notice ' + kind},
    el('p', {}, pick(m.text) || m.code),
    m.object || m.detail ? el('p', {class: 'soft small wrap', lang: 'en'}, [m.object, m.detail].filter(Boolean).join(' · ')) : null)));
}

function covers(s) {
  const list = s.covered ?? [];
  const names = list.filter((c) => c.kind !== 'signedProperties' && c.kind !== 'keyInfo').map((c) => el('div', {}, c.name || c.uri || c.kind, ' ',
    c.found === false ? mark('bad', t('report.missing')) : c.intact === false ? mark('bad', t('report.changed')) : null));
  return [s.coversWholeFile ? el('div', {}, t('report.wholeFile')) : null, ...names].filter(Boolean);
}

function changes(pdf) {
  if (!pdf?.changes?.length) return null;
  const bad = pdf.changes.some((c) => !c.allowed);
  return el('details', {open: bad},
    el('summary', {}, el('span', {class: 'row certificate'}, el('span', {class: 'grow'}, t('report.changes')), mark(bad ? 'bad' : 'ok', bad ? t('report.forbidden') : t('report.allowed')))),
    el('div', {class: 'inside'}, el('ul', {}, pdf.changes.map((c) => el('li', {class: 'wrap'}, t('report.revision', {n: c.revision}), ' · ', tv('change.', c.what),
      c.object || c.detail ? el('div', {class: 'soft small', lang: 'en'}, [c.object, c.detail].filter(Boolean).join(' · ')) : null)))));
}

function details(s) {
  return el('details', {},
    el('summary', {}, t('report.details')),
    el('div', {class: 'inside'},
      fields([
        [t('certificate.algorithm'), s.algorithm],
        [t('report.trusted'), s.chain?.some((c) => c.anchor) ? t('report.anchored') : t('report.notAnchored')],
        [t('report.intact'), s.cryptographicallyValid ? t('card.yes') : t('card.no')],
        [t('report.subIndication'), s.subIndication && el('code', {}, s.subIndication)],
      ]),
      chain(s.chain, s.revocation),
      (s.timestamps ?? []).map(stamp)));
}

function chain(list, revocation) {
  if (!list?.length) return null;
  const heads = [t('report.certificate'), t('certificate.issuer'), t('report.until'), t('report.revocation')];
  return el('div', {class: 'table', tabindex: 0, role: 'group', 'aria-label': t('report.chain')}, el('table', {},
    el('caption', {class: 'sr'}, t('report.chain')),
    el('thead', {}, el('tr', {}, heads.map((h) => el('th', {scope: 'col'}, h)))),
    el('tbody', {}, list.map((c) => {
      const found = revocation?.find((r) => r.certificate === c.sha256);
      const state = c.anchor ? mark('ok', t('report.anchor')) : found ? mark(REVOCATION[found.status] ?? 'off', tv('revocation.', found.status)) : t('report.notAsked');
      return el('tr', {}, el('th', {scope: 'row', class: 'wrap'}, commonName(c.subject)), el('td', {class: 'wrap'}, commonName(c.issuer)), el('td', {}, moment(c.notAfter)), el('td', {}, state));
    }))));
}

function stamp(st) {
  return el('div', {class: 'stack tight'},
    el('div', {class: 'row'}, el('strong', {}, t('report.stamp', {kind: tv('stamp.', st.kind)})), mark(KINDS[st.indication] ?? 'warn', tv('indication.', st.indication))),
    fields([[t('report.time'), st.time && moment(st.time)], [t('report.authority'), commonName(st.authority)]]),
    messages('bad', st.errors), messages('warn', st.warnings));
}
