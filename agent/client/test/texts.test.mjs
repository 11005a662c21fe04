import assert from "node:assert/strict";
import test from "node:test";
import { EidError } from "../dist/eidkit.js";

const codes = ["AGENT_ABSENT", "AGENT_UNPROVEN", "PERMISSION_DENIED", "PERMISSION_PROMPT", "ORIGIN_REFUSED", "CONTEXT_INSECURE", "CONTENT_POLICY", "CONNECTION_LOST", "CLOSED"];

test("four languages means four", () => {
  for (const code of codes) {
    const { text, webEid } = EidError.local(code);
    assert.deepEqual(Object.keys(text).sort(), ["de", "en", "fr", "nl"], code);
    assert.equal(new Set(Object.values(text)).size, 4, `${code}: two languages are the same`);
    for (const [language, words] of Object.entries(text)) assert.match(words, /^.{20,}[.]$/, `${code} ${language}`);
    assert.match(webEid, /^ERR_WEBEID_/);
  }
});
