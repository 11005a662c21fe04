/**
 * Lets an unchanged web-eid.js work over the eidkit agent: answers the messages
 * that the Web eID extension would answer. Where that extension is installed,
 * it alone answers. Load it before the page's own scripts:
 *
 *     <script type="module" src="web-eid-shim.js"></script>
 */
import { Action, authenticate, config, getSigningCertificate, sign, status, WebEidError } from "./web-eid.js";
import type { ActionOptions } from "./web-eid.js";

interface Message {
  action?: string;
  libraryVersion?: string;
  challengeNonce?: string;
  certificate?: string;
  hash?: string;
  hashFunction?: string;
  options?: ActionOptions;
}

const actions: Record<string, (m: Message) => Promise<object>> = {
  [Action.STATUS]: async (m) => ({ ...(await status()), library: m.libraryVersion ?? config.VERSION }),
  [Action.AUTHENTICATE]: (m) => authenticate(m.challengeNonce ?? "", m.options),
  [Action.GET_SIGNING_CERTIFICATE]: (m) => getSigningCertificate(m.options),
  [Action.SIGN]: (m) => sign(m.certificate ?? "", m.hash ?? "", m.hashFunction ?? "", m.options),
};

/** An error as it travels between windows: only its own values. */
function plain(error: unknown): object {
  const e = error instanceof WebEidError ? error : new WebEidError("UnknownError", "ERR_WEBEID_UNKNOWN_ERROR", String(error));
  return { ...e, name: e.name, code: e.code, message: e.message, stack: e.stack };
}

/**
 * Starts answering; the result ends it. Patience is how long the extension has to
 * show itself, in milliseconds: it does so at once, and the library waits a second.
 */
export function install(target: Window & typeof globalThis = window, patience = 700): () => void {
  const post = (message: object) => target.postMessage(message, target.location.origin);
  let extension = false; // the real one answers
  let probing = true;
  const sent = new Set<string>(); // acknowledgements of ours that have not come by yet
  const waiting: Message[] = [];

  const answer = async (m: Message) => {
    const action = m.action as string;
    sent.add(`${action}-ack`);
    // Before anything else: the browser's question may stay open for minutes.
    post({ action: `${action}-ack` });
    try {
      post({ action: `${action}-success`, ...(await actions[action](m)) });
    } catch (error) {
      post({ action: `${action}-failure`, error: plain(error) });
    }
  };

  const receive = (event: MessageEvent) => {
    const m = event.data as Message | null;
    if (event.source !== target || typeof m?.action !== "string") return;
    if (m.action.endsWith("-ack") && m.action.startsWith("web-eid:")) {
      if (!sent.delete(m.action)) extension = true;
      return;
    }
    if (!Object.hasOwn(actions, m.action) || "eidkitProbe" in m || extension) return;
    if (probing) waiting.push(m);
    else void answer(m);
  };
  target.addEventListener("message", receive);
  post({ action: Action.STATUS, libraryVersion: config.VERSION, eidkitProbe: true });
  const timer = setTimeout(() => {
    probing = false;
    if (!extension) for (const m of waiting.splice(0)) void answer(m);
  }, patience);
  return () => {
    clearTimeout(timer);
    target.removeEventListener("message", receive);
  };
}

export { configure } from "./web-eid.js";

if (typeof window !== "undefined") install();
