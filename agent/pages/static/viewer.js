// The viewer: a card in a reader or in a file, signing, checking.

import {byId, onDrop, start} from './common.js';
import card from './texts/card.js';
import viewer from './texts/viewer.js';
import report from './texts/report.js';
import {cardPart} from './viewer-card.js';
import {signPart} from './viewer-sign.js';
import {verifyPart} from './viewer-verify.js';

const TABS = ['card', 'sign', 'verify'];

function choose(name, focus) {
  for (const tab of TABS) {
    const chosen = tab === name;
    const e = byId('tab-' + tab);
    e.setAttribute('aria-selected', String(chosen));
    e.tabIndex = chosen ? 0 : -1;
    byId('panel-' + tab).hidden = !chosen;
    if (chosen && focus) e.focus();
  }
  current = name;
}

let current = 'card';

function keys(event) {
  const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
  let to = TABS.indexOf(current) + (step ?? 0);
  if (event.key === 'Home') to = 0;
  else if (event.key === 'End') to = TABS.length - 1;
  else if (!step) return;
  event.preventDefault();
  choose(TABS[(to + TABS.length) % TABS.length], true);
}

for (const tab of TABS) {
  byId('tab-' + tab).addEventListener('click', () => choose(tab, false));
  byId('tab-' + tab).addEventListener('keydown', keys);
}
const asked = new URLSearchParams(location.search).get('tab');
choose(TABS.includes(asked) ? asked : 'card', false);

const session = await start({page: 'viewer', texts: [card, viewer, report]});
const shown = cardPart(session);
const checked = verifyPart(session);
const signed = signPart(session, {
  cardId: () => shown.cardId(),
  check: (blob, name) => {
    choose('verify', true);
    checked.take(new File([blob], name, {type: blob.type}));
  },
});

// A file may be dropped anywhere on the page: what happens to it is what the
// page shows, but for a saved card, which is always shown.
onDrop(document, document.body, (file) => {
  if (/\.eid$/i.test(file.name) || current === 'card' && /\.(json|xml|csv|tlv)$/i.test(file.name)) {
    choose('card', false);
    shown.load(file);
  } else if (current === 'sign') {
    signed.take(file);
  } else {
    choose('verify', false);
    checked.take(file);
  }
});
