// Why the network gave no answer, in words for the counter. The codes are those
// of the services; what they mean is in the tables of docs/assurability.md.

import {known, t, tv} from './i18n.js';

// Other names for the numbers of the list of reasons.
const SAME = {
  NO_IO_ERROR: '43', MULTIIO_ERROR: '44', MULTIPLE_IO: '44', UNKNOWN_IO: '43', SEND_ERROR: 'insurer', GENERIC_ERROR: 'insurer',
  AUTHORIZATION_ERROR: '99', UNAUTHORIZED_FACET: '99', INVALID_INSS_FORMAT: '11', INVALID_INSS_VALUE: '12', UNKNOWN_NISS_ROUTING: '23', BO_UNKNOWN_NISS: '23',
  START_DATE_IN_FUTURE: '30', INVALID_PERIOD: '31', INVALID_PERIOD_FOR_SECTOR: '32', PERIOD_TOO_FAR_IN_PAST: '40',
};

// faultText says what the reason of a fault means: that of its first detail if it is known, else that of its code.
export function faultText(a) {
  const codes = [...(a.fault.details ?? []).map((d) => d.code), a.fault.code];
  const code = codes.map((c) => SAME[c] ?? c).find((c) => known('cause.', c));
  return code ? tv('cause.', code) : a.service === 'pharmacist' ? t('cause.no meaning') : t('cause.question');
}

// causeText says what a cause means that the program found itself; its English words stand beside it.
export function causeText(cause) {
  const code = /SOA-\d{5}/.exec(cause)?.[0] ?? '';
  if (code === 'SOA-01001') return t('cause.unauthenticated');
  if (code === 'SOA-01002') return t('cause.unauthorised');
  if (code.startsWith('SOA-03')) return t('cause.message');
  if (/session/i.test(cause)) return t('cause.session');
  return t('cause.unavailable');
}
