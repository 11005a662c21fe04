import { EidError } from "./errors.js";
import type { WireError } from "./errors.js";

/** What this library needs of its surroundings; a browser's own where absent. Tests hand in theirs. */
export interface Environment {
  WebSocket: new (url: string, protocols?: string | string[] | object) => WebSocket;
  fetch?: typeof fetch;
  permissions?: Pick<Permissions, "query">;
  isSecureContext?: boolean;
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** The origin of the page, as the agent sees it. */
  origin?: string;
  /** Where a Content-Security-Policy reports what it forbids. */
  document?: Pick<EventTarget, "addEventListener" | "removeEventListener">;
  subtle?: SubtleCrypto;
}

type Answer = { resolve(result: unknown): void; reject(error: unknown): void };

const chunkHeader = 24;

/** One connection: JSON-RPC in text frames, pieces of documents in binary ones. */
export class Connection {
  private calls = new Map<number, Answer>();
  private sinks = new Map<string, (offset: number, data: Uint8Array) => void>();
  private count = 0;
  private gone: EidError | undefined;

  onNotification: (method: string, params: unknown) => void = () => {};
  onClose: (error: EidError) => void = () => {};

  constructor(private readonly socket: WebSocket) {
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.receive(event.data as string | ArrayBuffer);
    socket.onerror = () => {};
    socket.onclose = (event) => {
      this.end(EidError.local("CONNECTION_LOST", `the agent's connection closed (${event.code}${event.reason ? " " + event.reason : ""})`));
    };
  }

  get bufferedAmount(): number { return this.socket.bufferedAmount; }

  /** Why the connection is no more; undefined while it is. */
  get ended(): EidError | undefined { return this.gone; }

  /** Sends a request. The id is told to `started` before anything is sent. */
  call(method: string, params: object, started?: (id: number) => void): Promise<unknown> {
    if (this.gone) return Promise.reject(this.gone);
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      started?.(id);
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  /** Sends a piece of a document. */
  sendChunk(documentId: string, offset: number, data: Uint8Array): void {
    if (this.gone) throw this.gone;
    const frame = new Uint8Array(chunkHeader + data.length);
    for (let i = 0; i < 16; i++) frame[i] = parseInt(documentId.slice(2 * i, 2 * i + 2), 16);
    new DataView(frame.buffer).setBigUint64(16, BigInt(offset));
    frame.set(data, chunkHeader);
    this.socket.send(frame);
  }

  /** Hands the pieces of a document that arrive to a function; undefined ends that. */
  setSink(documentId: string, sink: ((offset: number, data: Uint8Array) => void) | undefined): void {
    if (sink) this.sinks.set(documentId, sink);
    else this.sinks.delete(documentId);
  }

  /** Ends the connection; requests under way fail with the error. */
  close(error: EidError): void {
    this.end(error);
    this.socket.close(1000);
  }

  private end(error: EidError): void {
    if (this.gone) return;
    this.gone = error;
    const calls = [...this.calls.values()];
    this.calls.clear();
    this.sinks.clear();
    for (const call of calls) call.reject(error);
    this.onClose(error);
  }

  private receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      if (data.byteLength < chunkHeader) return;
      const head = new Uint8Array(data, 0, 16);
      const id = Array.from(head, (b) => b.toString(16).padStart(2, "0")).join("");
      this.sinks.get(id)?.(Number(new DataView(data).getBigUint64(16)), new Uint8Array(data, chunkHeader));
      return;
    }
    let message: { id?: string | number | null; method?: string; params?: unknown; result?: unknown; error?: WireError };
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message === null || typeof message !== "object") return;
    if (typeof message.method === "string") {
      this.onNotification(message.method, message.params ?? {});
      return;
    }
    const id = Number(message.id);
    const call = this.calls.get(id);
    if (!call) return;
    this.calls.delete(id);
    if (message.error) call.reject(EidError.fromWire(message.error));
    else call.resolve(message.result);
  }
}
