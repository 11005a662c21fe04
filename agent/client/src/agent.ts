import { EidError } from "./errors.js";
import { discover } from "./discover.js";
import type { DiscoverOptions } from "./discover.js";
import { download, upload } from "./documents.js";
import type { TransferOptions } from "./documents.js";
import { prove, rememberKey, rememberedKey } from "./proof.js";
import { Connection } from "./socket.js";
import type * as T from "./types.js";

/** How one request goes. */
export interface CallOptions {
  /** Ends the dialog or reading that runs for the request; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
  onProgress?: (progress: T.Progress) => void;
  /** Told what the operation waits for: the user, the card, its turn. */
  onWaiting?: (waiting: T.Waiting) => void;
}

/** What connect made of its options. */
export interface AgentOptions {
  discover: DiscoverOptions;
  /** For the agent's own pages: how they prove who opened them. */
  page?: { code: string } | { token: string };
  /** The key that the installation must prove, or "remember": the one of the first visit. */
  key?: string;
  reconnect: boolean;
}

/** Events of this library, which no notification can pretend to be. */
const ownEvents = new Set(["readers", "state", "error"]);

type Listener<K extends keyof T.Events> = (event: T.Events[K]) => void;

const firstDelay = 250, longestDelay = 10_000; // ms between attempts to reconnect

/** A connection to the agent that comes back by itself when it breaks. Made by connect. */
export class Agent {
  /** What agent.info said at the last (re)connection. */
  info!: T.Info;
  /** Readers and cards, kept up to date once subscribe was called. */
  readers: T.Reader[] = [];
  state: T.State = "reconnecting";
  /** The token of a page's session, with which a reloaded page comes back: connect({page: {token}}). */
  session: { token: string; user?: string; language?: string } | undefined;

  private connection!: Connection;
  private ready: Promise<void> | undefined;
  private readonly stop = new AbortController();
  private readonly listeners = new Map<string, Set<(event: never) => void>>();
  private readonly running = new Map<number, CallOptions>();
  private subscribed = false;

  private constructor(private readonly options: AgentOptions) {}

  /** Connects; used by connect, which has the defaults. */
  static async open(options: AgentOptions): Promise<Agent> {
    const agent = new Agent(options);
    await agent.attach(options.discover);
    return agent;
  }

  private async attach(o: DiscoverOptions): Promise<void> {
    const connection = new Connection(await discover(o));
    const call = <R>(method: string, params: object) => connection.call(method, params) as Promise<R>;
    const cancel = () => connection.close(EidError.local("CLOSED"));
    o.signal?.addEventListener("abort", cancel);
    try {
      connection.onNotification = (method, params) => this.notified(method, params);
      await this.openSession(call);
      const info = await call<T.Info>("agent.info", {});
      await this.proveKey(call);
      if (this.subscribed) this.setReaders((await call<{ readers: T.Reader[] }>("events.subscribe", {})).readers);
      if (connection.ended) throw connection.ended;
      this.info = info;
    } catch (error) {
      connection.close(EidError.local("CLOSED"));
      o.signal?.throwIfAborted();
      throw error;
    } finally {
      o.signal?.removeEventListener("abort", cancel);
    }
    connection.onClose = (error) => this.lost(error);
    this.connection = connection;
    this.setState("open");
  }

  private async openSession(call: <R>(method: string, params: object) => Promise<R>): Promise<void> {
    const page = this.session ?? this.options.page;
    if (!page) return;
    this.session = await ("code" in page ? call<{ token: string }>("session.start", { code: page.code }) : call<{ token: string }>("session.resume", { token: page.token }));
  }

  private async proveKey(call: <R>(method: string, params: object) => Promise<R>): Promise<void> {
    const wanted = this.options.key;
    if (wanted === undefined) return;
    // The agent signs the origin that it sees: none for its own pages.
    const env = { ...this.options.discover.env, ...(this.options.page && { origin: "" }) };
    const expected = wanted === "remember" ? rememberedKey(env) ?? undefined : wanted;
    const key = await prove(env, (nonce) => call("agent.prove", { nonce }), expected);
    if (wanted === "remember") rememberKey(env, key);
  }

  private lost(error: EidError): void {
    if (this.stop.signal.aborted) return;
    this.emit("error", error);
    if (!this.options.reconnect) {
      this.stop.abort(error);
      this.setState("closed");
      return;
    }
    this.setState("reconnecting");
    this.ready = this.comeBack();
    this.ready.catch(() => {});
  }

  /** Tries again, each time later, until the agent is back, refuses for good, or close is called. */
  private async comeBack(): Promise<void> {
    const signal = this.stop.signal;
    for (let delay = firstDelay; ; delay = Math.min(2 * delay, longestDelay)) {
      await pause(delay * (0.75 + Math.random() / 2), signal);
      try {
        await this.attach({ ...this.options.discover, signal, onPrompt: undefined });
        this.ready = undefined;
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.emit("error", error as Error);
        if (error instanceof EidError && !error.retry) {
          this.stop.abort(error);
          this.setState("closed");
          throw error;
        }
      }
    }
  }

  /**
   * Calls a method of docs/protocol.md. While the connection is away the request
   * waits for it. A request that was under way when it broke fails with
   * CONNECTION_LOST and is never repeated by itself: it may have cost a PIN.
   */
  async call<R = unknown>(method: string, params: object = {}, options: CallOptions = {}): Promise<R> {
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.ready) await withSignal(this.ready, signal);
    if (this.stop.signal.aborted) throw this.stop.signal.reason;
    const connection = this.connection;
    let id = 0;
    const answer = connection.call(method, params, (given) => {
      id = given;
      this.running.set(id, options);
    });
    try {
      return (await withSignal(answer, signal)) as R;
    } catch (error) {
      if (signal?.aborted && !connection.ended) connection.call("operation.cancel", { id }).catch(() => {});
      throw error;
    } finally {
      this.running.delete(id);
    }
  }

  /** Calls a function at each event of a kind; the result ends that. */
  on<K extends keyof T.Events>(kind: K, listener: Listener<K>): () => void {
    const all = this.listeners.get(kind) ?? new Set();
    this.listeners.set(kind, all);
    all.add(listener as (event: never) => void);
    return () => void all.delete(listener as (event: never) => void);
  }

  /** Asks to be told of readers and cards, now and after each reconnection. The user may be asked first. */
  async subscribe(options?: CallOptions): Promise<T.Reader[]> {
    const { readers } = await this.call<{ readers: T.Reader[] }>("events.subscribe", {}, options);
    this.subscribed = true;
    this.setReaders(readers);
    return readers;
  }

  async unsubscribe(): Promise<void> {
    this.subscribed = false;
    await this.call("events.unsubscribe");
  }

  async listReaders(options?: CallOptions): Promise<T.Reader[]> {
    return (await this.call<{ readers: T.Reader[] }>("readers.list", {}, options)).readers;
  }

  /** Reads the fields asked for from the card, after the user or a policy allowed it. */
  identity(params: T.IdentityParams, options?: CallOptions): Promise<T.Identity> { return this.call("identity.read", params, options); }

  insurability(params: T.InsurabilityParams, options?: CallOptions): Promise<T.Insurability> { return this.call("insurability.read", params, options); }

  /** A Web eID token for this page's origin and the server's nonce. */
  login(params: { challengeNonce: string; cardId?: string }, options?: CallOptions): Promise<{ token: T.Token; cardId: string }> {
    return this.call("auth.login", params, options);
  }

  signingCertificate(params: { cardId?: string } = {}, options?: CallOptions): Promise<T.SigningCertificate> { return this.call("sign.certificate", params, options); }

  signHash(params: { hash: string; hashFunction: string; certificate: string }, options?: CallOptions): Promise<T.HashSignature> { return this.call("sign.hash", params, options); }

  signDocument(params: T.SignDocumentParams, options?: CallOptions): Promise<T.SignedDocument> { return this.call("sign.document", params, options); }

  async verifyDocument(params: T.VerifyParams, options?: CallOptions): Promise<Record<string, unknown>> {
    return (await this.call<{ report: Record<string, unknown> }>("verify.document", params, options)).report;
  }

  pinStatus(params: { cardId?: string } = {}, options?: CallOptions): Promise<{ triesLeft: number | null }> { return this.call("pin.status", params, options); }

  async changePIN(params: { cardId?: string } = {}, options?: CallOptions): Promise<void> { await this.call("pin.change", params, options); }

  /** Hands a document to the agent; its id is for signDocument and verifyDocument, until closeDocument or the end of the connection. */
  async openDocument(content: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>, about: { name?: string; mediaType?: string } = {}, options: TransferOptions = {}): Promise<T.DocumentInfo> {
    const blob = content instanceof Blob ? content : new Blob([content]);
    const name = about.name ?? (blob as Partial<File>).name ?? "document";
    const mediaType = about.mediaType ?? blob.type;
    const { documentId } = await this.call<{ documentId: string }>("document.open", { name, size: blob.size, ...(mediaType && { mediaType }) }, { signal: options.signal });
    const call = <R>(method: string, params: object) => this.call<R>(method, params, { signal: options.signal });
    let failure: EidError | undefined;
    const off = this.on("document.failed", (e) => {
      if (e.documentId === documentId) failure = EidError.fromWire(e.error);
    });
    try {
      return await upload(this.connection, call, documentId, blob, options, () => failure);
    } catch (error) {
      this.closeDocument(documentId).catch(() => {});
      throw error;
    } finally {
      off();
    }
  }

  /** Fetches a document from the agent; size saves a request where it is known. */
  async readDocument(document: string | { documentId: string; size?: number }, options: TransferOptions & { type?: string } = {}): Promise<Blob> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const reader = (await this.streamDocument(document, options)).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
    return new Blob(parts, options.type ? { type: options.type } : {});
  }

  /** The same as a stream, which holds a part of it at a time. */
  async streamDocument(document: string | { documentId: string; size?: number }, options: TransferOptions = {}): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const documentId = typeof document === "string" ? document : document.documentId;
    const known = typeof document === "string" ? undefined : document.size;
    const call = <R>(method: string, params: object) => this.call<R>(method, params, { signal: options.signal });
    const size = known ?? (await call<T.DocumentInfo>("document.info", { documentId })).size;
    return download(this.connection, call, documentId, size, options);
  }

  async closeDocument(documentId: string): Promise<void> { await this.call("document.close", { documentId }); }

  /** Ends the connection for good; requests under way fail with CLOSED. */
  close(): void {
    if (this.stop.signal.aborted) return;
    const error = EidError.local("CLOSED");
    this.stop.abort(error);
    this.connection.close(error);
    this.setState("closed");
  }

  private emit<K extends keyof T.Events>(kind: K, event: T.Events[K]): void {
    for (const listener of [...(this.listeners.get(kind) ?? [])]) {
      try {
        (listener as Listener<K>)(event);
      } catch (error) {
        queueMicrotask(() => { throw error; }); // the page's own mistake: to its console, and not in our way
      }
    }
  }

  private setState(state: T.State): void {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", state);
  }

  private setReaders(readers: T.Reader[]): void {
    this.readers = readers;
    this.emit("readers", readers);
  }

  private notified(method: string, params: unknown): void {
    const own = params as { id?: unknown };
    if (method === "operation.progress") this.running.get(Number(own.id))?.onProgress?.(params as T.Progress);
    if (method === "operation.waiting") this.running.get(Number(own.id))?.onWaiting?.(params as T.Waiting);
    if (!ownEvents.has(method)) this.emit(method as keyof T.Events, params as never);
    const changed = applied(this.readers, method, params as T.Events["card.inserted"]);
    if (changed) this.setReaders(changed);
  }
}

/** The readers after a notification; undefined when it is about nothing of theirs. */
function applied(readers: T.Reader[], method: string, p: T.Events["card.inserted"]): T.Reader[] | undefined {
  const others = readers.filter((r) => r.name !== p.reader);
  const before = readers.find((r) => r.name === p.reader);
  const entry = (card: T.Card | null): T.Reader => ({ name: p.reader, ...((p.role ?? before?.role) !== undefined && { role: p.role ?? before?.role }), card });
  const replace = (r: T.Reader) => (before ? readers.map((other) => (other === before ? r : other)) : [...readers, r]);
  switch (method) {
    case "reader.added": return before ? undefined : replace(entry(null));
    case "reader.removed": return before ? others : undefined;
    case "card.inserted": return replace(entry({ cardId: p.cardId, kind: p.kind }));
    case "card.removed": return before?.card?.cardId === p.cardId ? replace(entry(null)) : undefined;
  }
  return undefined;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/** The promise, or the signal's reason as soon as it is aborted. */
function withSignal<R>(promise: Promise<R>, signal?: AbortSignal): Promise<R> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
