// A stand-in for the agent's WebSocket in tests of the consent page: it has
// questions with documents, takes answers, and writes down what was asked of it.

import {createHash} from 'node:crypto';

const CHUNK = 256 * 1024;

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// words are a text that is told apart in the four languages.
export const words = (text) => ({en: text, nl: text + ' (nl)', fr: text + ' (fr)', de: text + ' (de)'});

// paper is a document of a question and its bytes.
export function paper(name, mediaType, content, more = {}) {
  const bytes = Buffer.from(content);
  return {about: {name, size: bytes.length, sha256: sha256(bytes), mediaType, preview: true, ...more}, bytes};
}

// stub answers for the agent on a page; items are its questions, each with papers; more are further methods, whose results may be promises.
export async function stub(page, {language = 'en', items = [], more = {}} = {}) {
  const agent = {items: [...items], answers: [], calls: [], socket: null, more};
  let waiting = [];
  const settle = () => { waiting = waiting.filter(([condition, done]) => !condition() || done()); };
  // until resolves once condition holds, looked at after each message of the page.
  agent.until = (condition) => (condition() ? Promise.resolve() : new Promise((done) => { waiting.push([condition, done]); }));
  agent.answered = (n) => agent.until(() => agent.answers.length >= n);
  agent.notify = (method, params = {}) => agent.socket?.send(JSON.stringify({jsonrpc: '2.0', method, params}));
  agent.change = () => agent.notify('desk.changed');
  const documents = new Map();
  const methods = {
    'agent.info': () => ({name: 'eidkit', version: 'test', protocol: 1, methods: [], dialogs: true, pcsc: true, language, installation: {key: ''}, client: {kind: 'page'}, allowed: []}),
    'session.start': () => ({token: 'token', user: 'anna', language}),
    'session.resume': () => ({token: 'token', user: 'anna', language}),
    'desk.pending': () => ({items: agent.items.map(({papers, ...item}) => ({...item, documents: papers?.map((p) => p.about)}))}),
    'desk.answer': (params) => {
      agent.answers.push(params);
      agent.items = agent.items.filter((i) => i.id !== params.id);
      setTimeout(agent.change);
      return {};
    },
    'desk.preview': ({id, document}) => {
      const documentId = createHash('md5').update(id + document).digest('hex');
      documents.set(documentId, agent.items.find((i) => i.id === id).papers[document].bytes);
      return {documentId};
    },
    'document.info': ({documentId}) => ({documentId, name: 'x', size: documents.get(documentId).length, received: documents.get(documentId).length}),
    'document.read': ({documentId, offset, length}) => {
      const bytes = documents.get(documentId);
      for (let at = offset; at < Math.min(offset + length, bytes.length); at += CHUNK) {
        const head = Buffer.alloc(24);
        Buffer.from(documentId, 'hex').copy(head);
        head.writeBigUInt64BE(BigInt(at), 16);
        agent.socket.send(Buffer.concat([head, bytes.subarray(at, Math.min(at + CHUNK, offset + length))]));
      }
      return {offset, length};
    },
    'document.close': () => ({}),
  };
  await page.routeWebSocket(/\/v1$/, (socket) => {
    agent.socket = socket;
    socket.onMessage(async (text) => {
      if (typeof text !== 'string') return; // a piece of a document
      const {id, method, params} = JSON.parse(text);
      agent.calls.push({method, params});
      const run = more[method] ?? methods[method];
      const result = run?.(params);
      settle();
      const reply = run ? {result: await result} : {error: {code: -32601, message: method, data: {code: 'INVALID_ARGUMENT', retry: false, text: words('?')}}};
      socket.send(JSON.stringify({jsonrpc: '2.0', id, ...reply}));
    });
  });
  return agent;
}

// question is a consent of a site about papers.
export function question(id, papers, more = {}) {
  return {
    id, kind: 'consent', client: {kind: 'site', origin: 'https://portal.example', user: 'anna'}, operation: 'sign.document',
    says: words('wants you to sign a document.'), reader: 'Reader 0', card: 'eID', triesLeft: 3, papers, expires: '2026-11-22T12:00:00Z', ...more,
  };
}

// pdf makes a PDF file of pages with lines of text; more is put into the catalog, pageMore into each page, objects are further objects from number 100 on.
export function pdf(pages, {catalog = '', pageMore = '', objects = []} = {}) {
  const parts = ['<< /Type /Catalog /Pages 2 0 R ' + catalog + ' >>', '', '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'];
  const kids = [];
  for (const lines of pages) {
    const stream = 'BT /F1 18 Tf 60 760 Td 24 TL ' + lines.map((l) => '(' + l.replace(/[()\\]/g, '\\$&') + ') Tj T*').join(' ') + ' ET';
    parts.push(`<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`);
    parts.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${parts.length} 0 R ${pageMore} >>`);
    kids.push(parts.length + ' 0 R');
  }
  parts[1] = `<< /Type /Pages /Kids [${kids.join(' ')}] /Count ${kids.length} >>`;
  const numbered = [...parts.map((p, i) => [i + 1, p]), ...objects.map((o, i) => [100 + i, o])];
  let out = '%PDF-1.7\n';
  const at = new Map();
  for (const [n, body] of numbered) {
    at.set(n, out.length);
    out += `${n} 0 obj\n${body}\nendobj\n`;
  }
  const xref = out.length;
  out += 'xref\n0 1\n0000000000 65535 f \n';
  for (const [n, offset] of at) out += `${n} 1\n${String(offset).padStart(10, '0')} 00000 n \n`;
  return out + `trailer\n<< /Size ${Math.max(...at.keys()) + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`;
}
