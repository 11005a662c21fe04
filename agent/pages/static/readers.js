// Readers and cards as they come and go, for the pages that show them.

import {el, mark} from './common.js';
import {t, tv} from './i18n.js';

// watchReaders calls fn with the list of readers now and at each change, also
// after a reconnection: [{name, role, card: {cardId, kind} or null}]. failed is
// called with the error if the agent does not tell.
export function watchReaders(session, fn, failed) {
  session.on('readers', fn);
  session.onLost(() => fn([]));
  session.onReady(() => {
    session.agent.subscribe().catch((error) => {
      if (session.state === 'ready') failed(error);
    });
  });
}

// readerLine shows a reader and what is in it.
export function readerLine(reader) {
  const kind = reader.card?.kind;
  const sign = !kind ? 'off' : kind === 'eid' || kind === 'sis' ? 'ok' : 'warn';
  const role = reader.role ? ' · ' + tv('role.', reader.role) : '';
  return el('span', {class: 'row'}, el('span', {class: 'wrap'}, reader.name + role), mark(sign, tv('kind.', kind ?? 'none')));
}
