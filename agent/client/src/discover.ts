import { EidError } from "./errors.js";
import type { Environment } from "./socket.js";

/** The agent's port, and the one at which it speaks TLS where `eid agent tls install` was run. */
export const PORT = 24340;
export const TLS_PORT = 24341;
export const PATH = "/v1";
export const SUBPROTOCOL = "eidkit.v1";

export interface Address {
  host: string;
  port: number;
  tls: boolean;
}

export interface DiscoverOptions {
  env: Environment;
  addresses: Address[];
  /** Milliseconds for a connection, once the browser lets it through. */
  timeout: number;
  /** Milliseconds that the browser's question may stay open. */
  promptTimeout: number;
  signal?: AbortSignal;
  /** Told once when the browser asks its question. */
  onPrompt?: (error: EidError) => void;
  /** For programs: the token of a pairing. */
  token?: string;
}

type Permission = PermissionState | "unknown";

/** What the browser says of Local Network Access; "unknown" where it has no such permission. */
export async function permission(env: Environment): Promise<Permission> {
  for (const name of ["loopback-network", "local-network-access"]) {
    try {
      const status = await env.permissions?.query({ name: name as PermissionName });
      if (status) return status.state;
    } catch {
      // Another browser, or another name in this one.
    }
  }
  return "unknown";
}

function url(a: Address, scheme: "ws" | "http"): string {
  return `${scheme}${a.tls ? "s" : ""}://${a.host}:${a.port}`;
}

/**
 * Opens one socket; rejects with undefined when it fails, with a reason when it was
 * given up. What the page's own Content-Security-Policy forbids is put into blocked:
 * such a socket may hang.
 */
function open(a: Address, o: DiscoverOptions, blocked: Set<Address>, signal: AbortSignal): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    let socket: WebSocket | undefined;
    const settle = () => {
      signal.removeEventListener("abort", abort);
      o.env.document?.removeEventListener("securitypolicyviolation", violated);
      if (socket) socket.onopen = socket.onclose = null;
    };
    const give = (reason?: unknown) => {
      settle();
      socket?.close();
      reject(reason);
    };
    const abort = () => give(signal.reason);
    const violated = (event: Event) => {
      if (!((event as SecurityPolicyViolationEvent).blockedURI ?? "").startsWith(url(a, "ws"))) return;
      blocked.add(a);
      give();
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    o.env.document?.addEventListener("securitypolicyviolation", violated);
    try {
      // Node's own WebSocket takes headers, which no browser lets a page set.
      socket = new o.env.WebSocket(url(a, "ws") + PATH, o.token === undefined ? [SUBPROTOCOL]
        : { protocols: [SUBPROTOCOL], headers: { Authorization: `Bearer ${o.token}` } });
    } catch (error) {
      return give(error);
    }
    const opening = socket;
    opening.onopen = () => {
      settle();
      resolve(opening);
    };
    opening.onerror = () => {};
    opening.onclose = () => {
      settle();
      reject(undefined);
    };
  });
}

const headStart = 300; // ms that an address has before the next one is tried beside it

/**
 * Tries the addresses in their order, the next one when the one before failed or
 * takes long; the first open socket wins. Undefined: none opened.
 */
function race(o: DiscoverOptions, blocked: Set<Address>, giveUp: AbortSignal, patient: () => boolean): Promise<WebSocket | undefined> {
  const rest = new AbortController();
  let next = 0, failed = 0;
  let timer: ReturnType<typeof setInterval>;
  return new Promise<WebSocket | undefined>((resolve, reject) => {
    const start = () => {
      const address = o.addresses[next];
      if (!address || rest.signal.aborted) return;
      next++;
      open(address, o, blocked, rest.signal).then(
        (socket) => (rest.signal.aborted ? socket.close() : resolve(socket)),
        () => (++failed === o.addresses.length ? resolve(undefined) : failed === next && start()),
      );
    };
    giveUp.addEventListener("abort", () => reject(giveUp.reason), { once: true });
    if (giveUp.aborted) return reject(giveUp.reason);
    // While the browser asks its question, a second connection would only ask it twice.
    timer = setInterval(() => patient() || start(), headStart);
    start();
  }).finally(() => {
    clearInterval(timer);
    rest.abort();
  });
}

/** Whether something answers HTTP there. The answer itself stays hidden from pages, and the agent shows nothing in it. */
async function healthy(env: Environment, a: Address, milliseconds: number): Promise<boolean> {
  if (!env.fetch) return false;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), milliseconds);
  try {
    await env.fetch(url(a, "http") + "/healthz", { mode: "no-cors", cache: "no-store", credentials: "omit", signal: limit.signal });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** Why no socket opened. A page never hears why a handshake failed, so this asks around it. */
async function diagnose(o: DiscoverOptions, blocked: Set<Address>): Promise<EidError> {
  const where = o.addresses.map((a) => url(a, "ws")).join(", ");
  if (blocked.size === o.addresses.length) return EidError.local("CONTENT_POLICY", `the page's Content-Security-Policy forbids ${where}: add it to connect-src`);
  if ((await permission(o.env)) === "denied") {
    return EidError.local("PERMISSION_DENIED",
      "the browser refuses connections to this computer: permission loopback-network is denied (in a frame: allow=\"loopback-network\" is missing)");
  }
  const answers = await Promise.all(o.addresses.map((a) => healthy(o.env, a, 2000)));
  if (answers.some(Boolean)) {
    return EidError.local("ORIGIN_REFUSED", `something answers at ${where} and refuses the WebSocket of ${o.env.origin ?? "this program"}`);
  }
  if ((await permission(o.env)) === "denied") {
    return EidError.local("PERMISSION_DENIED", "the browser refused the connection to this computer: permission loopback-network is denied");
  }
  return EidError.local("AGENT_ABSENT", `nothing answers at ${where}`);
}

/** Opens a socket to the agent, or says in an EidError why there is none. */
export async function discover(o: DiscoverOptions): Promise<WebSocket> {
  o.signal?.throwIfAborted();
  if (o.env.isSecureContext === false) {
    throw EidError.local("CONTEXT_INSECURE", `the page ${o.env.origin ?? ""} is no secure context: browsers refuse its connections to this computer without a word`);
  }
  const blocked = new Set<Address>();
  const giveUp = new AbortController();
  const cancel = () => giveUp.abort(o.signal?.reason);
  o.signal?.addEventListener("abort", cancel);
  const clock = new Clock(o, giveUp);
  try {
    const socket = await race(o, blocked, giveUp.signal, () => clock.asking);
    if (socket) return socket;
    throw await diagnose(o, blocked);
  } catch (error) {
    if (error === timedOut) throw await diagnose(o, blocked);
    throw error;
  } finally {
    clock.stop();
    o.signal?.removeEventListener("abort", cancel);
  }
}

const timedOut = Symbol("timed out");

/** Watches how long connecting takes, and whether it is the browser's question that takes long. */
class Clock {
  /** The browser is asking the user. */
  asking = false;
  private told = false;
  private readonly began = Date.now();
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(private readonly o: DiscoverOptions, private readonly giveUp: AbortController) {
    void this.look();
    this.timer = setInterval(() => void this.look(), Math.max(10, Math.min(100, o.timeout / 4)));
  }

  stop(): void { clearInterval(this.timer); }

  private async look(): Promise<void> {
    const state = await permission(this.o.env);
    const waited = Date.now() - this.began;
    // Connecting on one computer succeeds or fails at once. What hangs in a browser that has no such permission to
    // look at is taken for its question.
    this.asking = state === "prompt" || (state === "unknown" && this.o.env.document !== undefined && waited >= this.o.timeout);
    if (this.asking && !this.told && waited >= Math.min(headStart, this.o.timeout)) {
      this.told = true;
      this.o.onPrompt?.(EidError.local("PERMISSION_PROMPT"));
    }
    if (this.asking ? waited >= this.o.promptTimeout : waited >= this.o.timeout) {
      this.giveUp.abort(this.asking ? EidError.local("PERMISSION_PROMPT", "nobody has answered the browser's question about this computer") : timedOut);
    }
  }
}
