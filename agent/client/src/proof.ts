import { EidError } from "./errors.js";
import type { Environment } from "./socket.js";

const storageKey = "eidkit.installation";

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** The installation's key that this site remembers; null when none. */
export function rememberedKey(env: Environment): string | null {
  try {
    return env.storage?.getItem(storageKey) ?? null;
  } catch {
    return null; // storage is forbidden in this frame
  }
}

export function rememberKey(env: Environment, key: string | undefined): void {
  try {
    if (key === undefined) env.storage?.removeItem(storageKey);
    else env.storage?.setItem(storageKey, key);
  } catch {
    // The key is asked for anew at the next visit.
  }
}

/**
 * Has the agent prove that it holds the key of its installation: it signs a new
 * nonce and this page's origin. Gives the key; expected is the one it must be.
 */
export async function prove(env: Environment, call: (nonce: string) => Promise<{ key: string; signature: string }>, expected?: string): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const { key, signature } = await call(toBase64(nonce));
  if (expected !== undefined && key !== expected) {
    throw EidError.local("AGENT_UNPROVEN", "the agent has another key than the one that is remembered");
  }
  const text = new TextEncoder();
  const message = Uint8Array.from([...text.encode("eidkit agent proof v1\0"), ...text.encode(env.origin ?? ""), 0, ...nonce]);
  const subtle = env.subtle ?? globalThis.crypto?.subtle;
  let good = false;
  try {
    const imported = await subtle.importKey("raw", fromBase64(key), { name: "Ed25519" }, false, ["verify"]);
    good = await subtle.verify({ name: "Ed25519" }, imported, fromBase64(signature), message);
  } catch (error) {
    throw EidError.local("AGENT_UNPROVEN", `the agent's proof could not be checked: ${String(error)}`);
  }
  if (!good) throw EidError.local("AGENT_UNPROVEN", "the agent's proof is not signed by its key");
  return key;
}
