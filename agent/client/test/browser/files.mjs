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
