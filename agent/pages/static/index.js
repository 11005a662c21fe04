// The start page: is everything there, and where to go.

import {byId, el, errorText, fields, mark, notice, set, start} from './common.js';
import {onLanguage, t} from './i18n.js';
import {readerLine, watchReaders} from './readers.js';
import index from './texts/index.js';

const TASKS = [
  ['/viewer.html', () => t('index.viewer'), () => t('index.viewerText')],
  ['/viewer.html?tab=sign', () => t('index.sign'), () => t('index.signText')],
  ['/viewer.html?tab=verify', () => t('index.verify'), () => t('index.verifyText')],
  ['/pharmacy.html', () => t('index.pharmacy'), () => t('index.pharmacyText')],
  ['/log.html', () => t('index.log'), () => t('index.logText')],
];

let readers = null; // null: not known yet
let failure = null;

const session = await start({page: 'index', texts: [index]});
watchReaders(session, (list) => {
  readers = list;
  failure = null;
  render();
}, (error) => {
  failure = error;
  render();
});
session.onReady(render);
onLanguage(render);
render();

function render() {
  set(byId('tasks'), TASKS.map(([href, title, text]) => el('a', {href, class: 'panel task'}, el('strong', {}, title()), el('span', {class: 'soft'}, text()))));
  set(byId('state'), failure ? notice('bad', errorText(failure)) : null, session.state === 'ready' ? state() : el('p', {class: 'soft'}, t('index.notConnected')));
}

function state() {
  const a = session.version;
  const list = readers ?? [];
  return fields([
    [t('index.agent'), el('span', {class: 'row'}, [a.name, a.version].filter(Boolean).join(' '), mark('ok', t('index.running')))],
    [t('index.pcsc'), a.pcsc ? mark('ok', t('index.there')) : el('span', {class: 'stack tight'}, mark('warn', t('index.notThere')), el('span', {class: 'soft small'}, t('index.pcscText')))],
    [t('index.dialogs'), a.dialogs ? mark('ok', t('index.there')) : el('span', {class: 'stack tight'}, mark('warn', t('index.notThere')), el('span', {class: 'soft small'}, t('index.dialogsText')))],
    [t('index.readers'), list.length ? el('ul', {class: 'plain stack tight'}, list.map((r) => el('li', {}, readerLine(r)))) : mark('warn', t('index.noReader'))],
  ]);
}
