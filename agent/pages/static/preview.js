// Shows one document in a frame of its own that has no origin, no network and no
// session: whatever is in the document can reach nothing but this frame.
//
// The page above sends {show, mediaType, place, words} with the bytes; this frame answers
// {state}: ready, shown (with what could not be shown), failed. Text, XML, HTML and
// everything else that is text is shown as its source; pictures as pictures, SVG
// both ways; PDF is drawn by pdf.js on canvases without scripts, forms, XFA, links,
// fonts of the document's own in the browser, or anything interactive.

import {showPDF} from './previewpdf.js';

const MAX_TEXT = 2_000_000; // characters
const PART = 2000; // characters laid out at a time
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const SOURCE = ['application/xml', 'application/xhtml+xml', 'application/json', 'image/svg+xml'];

const view = document.getElementById('view');
const state = document.getElementById('state');
const tools = document.getElementById('tools');
let shown = false;

window.addEventListener('message', async (event) => {
  if (event.source !== window.parent || shown || event.data?.show !== true) return;
  shown = true; // one document a frame
  const {bytes, mediaType, place, words} = event.data;
  document.documentElement.lang = words.language;
  view.setAttribute('aria-label', words.document);
  try {
    tell('shown', await show(new Uint8Array(bytes), String(mediaType), place, words));
  } catch {
    state.textContent = words.failed;
    tell('failed');
  }
});
tell('ready');

function tell(what, more) {
  window.parent.postMessage({state: what, ...more}, '*'); // the page's origin is not known here, and nothing in it is secret
}

// show gives what the page has to say about what is seen: notes, a list of
// cut (more than is shown), odd (characters that deceive the eye), parts (fonts or pictures that may be missing).
async function show(bytes, mediaType, place, words) {
  if (mediaType === 'application/pdf') return showPDF({bytes, place, view, tools, state, words, tell});
  if (PICTURES.includes(mediaType)) {
    await picture(bytes, mediaType, words);
    return {notes: []};
  }
  if (mediaType === 'image/svg+xml') {
    const notes = [];
    try {
      await picture(bytes, mediaType, words); // in an image neither scripts nor links of an SVG work
    } catch {
      notes.push('parts');
    }
    return {notes: [...notes, ...source(bytes)]};
  }
  if (mediaType.startsWith('text/') || SOURCE.includes(mediaType) || mediaType.endsWith('+xml')) return {notes: source(bytes)};
  throw new Error('nothing that can be shown');
}

// picture shows an image; it fails when the browser cannot read it.
async function picture(bytes, mediaType, words) {
  const image = new Image();
  image.className = 'image';
  image.alt = words.document;
  image.src = URL.createObjectURL(new Blob([bytes], {type: mediaType}));
  await image.decode();
  view.append(image);
}

// source shows bytes as text, with the characters that are not seen, or turn text
// around, made visible.
function source(bytes) {
  const notes = [];
  let text = decode(bytes).replace(/^\ufeff/, '');
  if (text.length > MAX_TEXT) {
    text = text.slice(0, MAX_TEXT);
    notes.push('cut');
  }
  const box = document.createElement('pre');
  for (const part of parts(text)) {
    const e = document.createElement('div');
    if (write(e, part)) notes.push('odd');
    box.append(e);
  }
  view.append(box);
  return [...new Set(notes)];
}

// parts cuts text at line ends, and very long lines, into pieces that the browser
// lays out one by one when they come into view; all at once it would take minutes.
function* parts(text) {
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + PART, text.length);
    if (end < text.length) {
      const line = text.lastIndexOf('\n', end);
      if (line > at) end = line + 1;
      else if (/[\ud800-\udbff]/.test(text[end - 1])) end--; // not between two halves of a character
    }
    yield text.slice(at, end);
    at = end;
  }
}

// write puts text into an element, odd characters marked, and says whether there are any.
function write(e, text) {
  let from = 0;
  let odd = false;
  for (const found of text.matchAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u115f\u1160\u2800\u3164\uffa0\ufffd]/gu)) {
    if ('\t\n'.includes(found[0]) || (found[0] === '\r' && text[found.index + 1] === '\n')) continue;
    const mark = document.createElement('span');
    mark.className = 'odd';
    mark.textContent = 'U+' + found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
    e.append(text.slice(from, found.index), mark);
    from = found.index + found[0].length;
    odd = true;
  }
  e.append(text.slice(from));
  return odd;
}

// decode finds the encoding as XML does: byte order mark, declaration, else UTF-8.
function decode(bytes) {
  const head = String.fromCharCode(...bytes.subarray(0, 200));
  let encoding = 'utf-8';
  if (head.startsWith('\xfe\xff')) encoding = 'utf-16be';
  else if (head.startsWith('\xff\xfe')) encoding = 'utf-16le';
  else encoding = /^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.:-]*)["']/.exec(head)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(encoding, {ignoreBOM: true}).decode(bytes);
  } catch {
    return new TextDecoder('utf-8', {ignoreBOM: true}).decode(bytes); // an encoding that browsers do not know
  }
}
