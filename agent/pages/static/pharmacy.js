// At the counter: put the card in, see who it is and whether and how he is insured.

import {announce, button, byId, codeOf, el, errorText, notice, set, start, tellWaiting} from './common.js';
import {onLanguage, t} from './i18n.js';
import {ageLine, answerView, patientView, statusWord} from './insuranceview.js';
import {readerLine, watchReaders} from './readers.js';
import card from './texts/card.js';
import insurance from './texts/insurance.js';
import {manualForm} from './manual.js';

const PURPOSE = 'dispensing';
const FIELDS = ['nationalNumber', 'surname', 'givenNames', 'birthDate', 'sex'];
const FORGET_MS = 5 * 60_000; // an answer whose card has gone does not stay on the screen
const AGE_MS = 15_000;

let readers = [];
let shown = nothing(); // what the page is about
let forget = 0;

function nothing() {
  return {cardId: '', identity: null, answer: null, error: null, run: null, removed: false, asked: null};
}

const session = await start({page: 'pharmacy', texts: [card, insurance]});
watchReaders(session, changed, (error) => {
  shown = {...nothing(), error};
  render();
});
const manual = manualForm((question) => ask({niss: question.niss, reading: question.reading}));
byId('next').addEventListener('click', () => clear());
byId('again').addEventListener('click', () => ask(shown.asked));
onLanguage(render);
setInterval(() => {
  const age = document.getElementById('age');
  if (age && shown.answer) age.textContent = ageLine(shown.answer);
}, AGE_MS);
render();

// patients are the readers that may hold a patient's card: not the provider's own.
function patients() {
  return readers.filter((r) => r.role !== 'provider');
}

function changed(list) {
  readers = list;
  const cards = patients().filter((r) => r.card).map((r) => r.card.cardId);
  if (shown.cardId && !cards.includes(shown.cardId) && !shown.removed) {
    shown.removed = true;
    if (!shown.answer) {
      shown.run?.abort();
      shown = nothing();
    } else {
      clearTimeout(forget);
      forget = setTimeout(clear, FORGET_MS);
    }
  }
  if (shown.removed && cards.includes(shown.cardId)) { // it was the connection that had gone
    shown.removed = false;
    clearTimeout(forget);
  }
  const fresh = cards.filter((id) => id !== shown.cardId);
  if (fresh.length > 0 && cards.length === 1) ask({cardId: fresh[0]});
  render();
}

function clear() {
  clearTimeout(forget);
  shown.run?.abort();
  shown = nothing();
  manual.clear();
  render();
}

function kindOf(cardId) {
  return readers.find((r) => cardId && r.card?.cardId === cardId)?.card.kind;
}

// ask reads the card, if there is one, and asks the network.
async function ask(question) {
  if (!question) return;
  clearTimeout(forget);
  shown.run?.abort();
  if (question.cardId) manual.clear(); // another patient's number must not stay beside this one
  const run = new AbortController();
  const mine = {...nothing(), cardId: question.cardId ?? '', run, asked: question};
  shown = mine;
  render();
  const options = {signal: run.signal, onWaiting: (w) => tellWaiting('ask-wait', w)};
  try {
    if (['eid', 'unknown'].includes(kindOf(question.cardId))) { // who it is, while the network is asked
      mine.identity = await session.call('identity.read', {cardId: question.cardId, fields: FIELDS, purpose: PURPOSE}, options);
      render();
    }
    mine.answer = await session.call('insurability.read', {...question, purpose: PURPOSE}, options);
    announce(statusWord(mine.answer));
  } catch (error) {
    if (!run.signal.aborted) mine.error = error;
  } finally {
    mine.run = null;
  }
  if (shown === mine) render();
}

function render() {
  byId('next').hidden = !shown.asked;
  byId('again').hidden = !shown.asked || Boolean(shown.run) || shown.removed;
  document.title = (shown.answer ? statusWord(shown.answer) + ' – ' : '') + t('pharmacy.title');
  set(byId('answer'), content());
}

function content() {
  const test = shown.answer?.test || shown.identity?.testCard;
  return [
    test ? el('div', {class: 'testcard'}, el('span', {}, el('strong', {}, 'TEST'), ' · ', t('insurance.test'))) : null,
    shown.error ? failure() : null,
    shown.answer ? answerView(shown.answer, shown.identity) : null,
    shown.removed ? notice('note', t('pharmacy.removed')) : null,
    shown.run ? busy() : null,
    !shown.answer && shown.identity ? patientView(shown.identity) : null,
    shown.asked ? null : waiting(),
  ];
}

function busy() {
  const text = shown.cardId && !shown.identity ? t('pharmacy.reading') : t('pharmacy.asking');
  return el('section', {class: 'panel', role: 'status'}, el('div', {class: 'row'}, el('span', {class: 'spin'}), el('span', {id: 'ask-wait'}, text)));
}

// failure is an answer that never came: it must not be taken for "not insured".
function failure() {
  const {error} = shown;
  const hint = error.service === 'NOT_CONFIGURED' ? t('pharmacy.notConfigured') : shown.asked?.niss && codeOf(error) === 'NOT_AUTHORISED' ? t('manual.refused') : '';
  return el('div', {class: 'verdict warn', role: 'alert'}, el('h2', {}, t('answer.UNAVAILABLE')),
    el('p', {}, hint || errorText(error)), el('p', {}, t('insurance.fullPrice')));
}

function waiting() {
  const cards = patients().filter((r) => r.card);
  const lines = cards.length > 1
    ? el('fieldset', {}, el('legend', {}, t('pharmacy.choose')), cards.map((r) => el('div', {class: 'row'}, readerLine(r), button(t('pharmacy.this'), () => ask({cardId: r.card.cardId}), {class: 'small'}))))
    : el('ul', {class: 'plain stack tight'}, readers.map((r) => el('li', {}, readerLine(r), r.role === 'provider' ? el('span', {class: 'soft small'}, t('pharmacy.provider')) : null)));
  const text = readers.length === 0 ? ['pharmacy.noReader', 'pharmacy.noReaderText'] : ['pharmacy.insert', 'pharmacy.insertText'];
  return el('section', {class: 'panel'}, cards.length > 1 ? null : el('div', {class: 'empty'}, el('strong', {}, t(text[0])), el('p', {}, t(text[1]))), lines);
}
