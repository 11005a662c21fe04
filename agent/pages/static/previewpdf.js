// Draws a PDF file on canvases with pdf.js. Of the file only what is drawn is
// used: no scripts, no forms, no XFA, no links, no layers to switch, no attached
// files, and its fonts are drawn as outlines, so that the browser's font code
// never sees them.

const MAX_PAGES = 2000;
const MAX_PIXELS = 16_000_000; // of a page's canvas
const KEEP = 6; // canvases kept beside those in view
const ABOVE = 80; // pixels left above the place that is shown first
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];

// showPDF shows the file, from place {page, rect} on where there is one, and gives {notes, pages}.
export async function showPDF({bytes, place, view, tools, state, words, tell}) {
  const pdfjs = await import('./pdfjs/pdf.min.mjs');
  const worker = await startWorker();
  pdfjs.GlobalWorkerOptions.workerPort = worker;
  const notes = new Set();
  const note = (what) => {
    if (notes.has(what)) return;
    notes.add(what);
    tell('note', {notes: [...notes]});
  };
  const file = await pdfjs.getDocument({
    data: bytes,
    isEvalSupported: false,
    enableXfa: false,
    disableFontFace: true,
    useSystemFonts: false,
    useWasm: false,
    useWorkerFetch: false,
    disableRange: true,
    disableStream: true,
    disableAutoFetch: true,
    stopAtErrors: false,
    maxImageSize: 100_000_000,
    canvasMaxAreaInBytes: 4 * MAX_PIXELS,
    isOffscreenCanvasSupported: false,
    wasmUrl: new URL('./pdfjs/', import.meta.url).href,
    BinaryDataFactory: class {
      fetch(wanted) {
        return data(wanted, note);
      }
    },
    verbosity: 0,
  }).promise;
  const count = Math.min(file.numPages, MAX_PAGES);
  if (count < file.numPages) note('cut');
  state.textContent = '';
  const pages = new Pages(file, view, words, note, pdfjs.AnnotationMode.ENABLE);
  await pages.lay(count);
  if (place) await pages.goTo(place);
  buttons(tools, words, pages);
  return {notes: [...notes], pages: file.numPages};
}

// startWorker makes the worker out of a blob, as this frame has no origin that a
// worker's address could share; and a worker that is no module, as Chromium makes
// none out of the blob of such a frame.
function startWorker() {
  const address = new URL('./pdfjs/pdf.worker.min.mjs', import.meta.url).href;
  const url = URL.createObjectURL(new Blob([`import(${JSON.stringify(address)}).catch((e) => setTimeout(() => { throw e; }));`], {type: 'text/javascript'}));
  return new Promise((done, failed) => {
    const worker = new Worker(url);
    worker.addEventListener('error', failed, {once: true});
    worker.addEventListener('message', function ready() { // the worker speaks first; what comes before it is lost
      worker.removeEventListener('message', ready);
      worker.removeEventListener('error', failed);
      done(worker);
    });
  });
}

// data gives the standard fonts; tables for East Asian fonts that are not in the file are not here.
async function data({kind, filename}, note) {
  if (kind === 'standardFontDataUrl') {
    const fonts = (await import('./pdfjs/fonts.js')).default;
    if (Object.hasOwn(fonts, filename)) return Uint8Array.from(atob(fonts[filename]), (c) => c.charCodeAt(0));
  }
  note('parts');
  throw new Error('not here: ' + kind);
}

// Pages are the pages of a file, one below the other, drawn when they come into view.
class Pages {
  constructor(file, view, words, note, annotationMode) {
    Object.assign(this, {file, view, words, note, annotationMode});
    this.zoom = 1;
    this.boxes = [];
    this.drawn = []; // boxes with a canvas, the latest last
    this.seen = new IntersectionObserver((entries) => {
      for (const e of entries) if (e.isIntersecting) this.draw(e.target);
    }, {root: view, rootMargin: '50%'});
  }

  // lay makes a box for each page, of the first page's size until it is drawn.
  async lay(count) {
    const first = (await this.file.getPage(1)).getViewport({scale: 1});
    this.fit = Math.min(1.5, Math.max(0.25, (this.view.clientWidth - 40) / first.width));
    for (let n = 1; n <= count; n++) {
      const box = document.createElement('div');
      box.className = 'page';
      box.dataset.page = String(n);
      box.setAttribute('role', 'img');
      box.setAttribute('aria-label', this.words.page.replace('{n}', n).replace('{all}', this.file.numPages));
      this.size(box, first);
      this.boxes.push(box);
      this.seen.observe(box);
    }
    this.view.replaceChildren(...this.boxes);
    await this.draw(this.boxes[0]);
  }

  size(box, viewport) {
    box.style.width = Math.round(viewport.width * this.fit * this.zoom) + 'px';
    box.style.height = Math.round(viewport.height * this.fit * this.zoom) + 'px';
  }

  // goTo brings a rectangle on a page, in points from the lower left, into view.
  async goTo({page, rect}) {
    const box = this.boxes[page - 1];
    if (!box) return;
    await this.draw(box);
    const {height} = (await this.file.getPage(page)).getViewport({scale: 1});
    const top = box.getBoundingClientRect().top - this.view.getBoundingClientRect().top + this.view.scrollTop;
    this.view.scrollTop = top + (height - rect[3]) * this.fit * this.zoom - ABOVE;
  }

  // draw puts a page on its canvas at the present zoom.
  async draw(box) {
    if (box.dataset.zoom === String(this.zoom)) return;
    box.dataset.zoom = String(this.zoom);
    try {
      const page = await this.file.getPage(Number(box.dataset.page));
      if (!page.ref) this.note('parts'); // pdf.js shows an empty page where the file has none
      const natural = page.getViewport({scale: 1});
      this.size(box, natural);
      const wish = this.fit * this.zoom * Math.min(2, window.devicePixelRatio || 1);
      const scale = Math.min(wish, Math.sqrt(MAX_PIXELS / (natural.width * natural.height)));
      const viewport = page.getViewport({scale});
      const canvas = document.createElement('canvas');
      canvas.width = Math.max(1, Math.floor(viewport.width));
      canvas.height = Math.max(1, Math.floor(viewport.height));
      await page.render({canvas, viewport, annotationMode: this.annotationMode}).promise;
      box.replaceChildren(canvas);
      page.cleanup();
      this.keep(box);
    } catch {
      box.textContent = this.words.pageFailed;
      this.note('parts');
    }
  }

  // keep forgets the canvases longest drawn.
  keep(box) {
    this.drawn = [...this.drawn.filter((b) => b !== box), box];
    while (this.drawn.length > KEEP) {
      const old = this.drawn.find((b) => !this.near(b));
      if (!old) return;
      this.drawn.splice(this.drawn.indexOf(old), 1);
      old.replaceChildren();
      delete old.dataset.zoom;
      this.seen.unobserve(old);
      this.seen.observe(old);
    }
  }

  near(box) {
    const at = box.getBoundingClientRect();
    return at.bottom > -window.innerHeight && at.top < 2 * window.innerHeight;
  }

  turn(step) {
    const at = ZOOMS.indexOf(this.zoom) + step;
    if (at < 0 || at >= ZOOMS.length) return;
    this.zoom = ZOOMS[at];
    for (const box of this.boxes) {
      this.seen.unobserve(box);
      this.seen.observe(box);
    }
  }
}

function buttons(tools, words, pages) {
  const add = (sign, label, step) => {
    const b = document.createElement('button');
    b.type = 'button';
    b.textContent = sign;
    b.setAttribute('aria-label', label);
    b.title = label;
    b.addEventListener('click', () => pages.turn(step));
    tools.append(b);
  };
  const count = document.createElement('span');
  count.className = 'grow';
  count.textContent = words.pages.replace('{n}', pages.file.numPages);
  tools.setAttribute('aria-label', words.document);
  tools.append(count);
  add('−', words.smaller, -1);
  add('+', words.larger, 1);
  tools.hidden = false;
}
