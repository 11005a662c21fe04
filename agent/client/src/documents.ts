import { EidError } from "./errors.js";
import type { Connection } from "./socket.js";
import type { DocumentInfo } from "./types.js";

/** Bytes of a document in one frame, and in one request to read. */
const maxChunk = 256 * 1024;
const maxRead = 8 * 1024 * 1024;
/** Bytes that may wait in the browser's buffer before more are read from the file. */
const highWater = 8 * 1024 * 1024;

/** How far a document has come, in bytes. */
export type OnProgress = (done: number, total: number) => void;

export interface TransferOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

type Call = <T>(method: string, params: object) => Promise<T>;

/** WebSockets tell no one when their buffer drains, so this looks again soon. */
async function drained(connection: Connection, limit: number, signal?: AbortSignal): Promise<void> {
  while (connection.bufferedAmount > limit) {
    if (connection.ended) throw connection.ended;
    signal?.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Sends the bytes of an opened document and waits until the agent has them all; failed is asked whether it gave up. */
export async function upload(connection: Connection, call: Call, documentId: string, content: Blob, o: TransferOptions, failed: () => EidError | undefined): Promise<DocumentInfo> {
  const check = () => {
    const error = failed();
    if (error) throw error;
  };
  const total = content.size;
  for (let at = 0; at < total; at += maxRead) {
    const part = new Uint8Array(await content.slice(at, at + maxRead).arrayBuffer());
    for (let i = 0; i < part.length; i += maxChunk) {
      o.signal?.throwIfAborted();
      connection.sendChunk(documentId, at + i, part.subarray(i, i + maxChunk));
      await drained(connection, highWater, o.signal);
      check();
    }
    o.onProgress?.(at + part.length, total);
  }
  const info = await call<DocumentInfo>("document.info", { documentId }).catch((error: unknown) => {
    check(); // it says more than that the document is not there
    throw error;
  });
  check();
  if (info.received !== total) throw EidError.local("CONNECTION_LOST", `the agent has ${info.received} of ${total} bytes of the document`);
  return info;
}

/** Fetches a document of the agent piece by piece. */
export function download(connection: Connection, call: Call, documentId: string, size: number, o: TransferOptions): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= size) {
        connection.setSink(documentId, undefined);
        controller.close();
        return;
      }
      if (o.signal?.aborted) {
        connection.setSink(documentId, undefined);
        throw o.signal.reason;
      }
      const begin = at;
      const length = Math.min(maxRead, size - begin);
      const part = new Uint8Array(length);
      connection.setSink(documentId, (offset, data) => {
        if (offset !== at || at + data.length > begin + length) return; // not what was asked: the count below shows it
        part.set(data, at - begin);
        at += data.length;
      });
      try {
        await call("document.read", { documentId, offset: begin, length });
      } catch (error) {
        connection.setSink(documentId, undefined);
        throw error;
      }
      if (at !== begin + length) {
        connection.setSink(documentId, undefined);
        throw EidError.local("CONNECTION_LOST", `the agent sent ${at - begin} of ${length} bytes of the document`);
      }
      o.onProgress?.(at, size);
      controller.enqueue(part);
    },
    cancel() {
      connection.setSink(documentId, undefined);
    },
  }, { highWaterMark: 0 });
}
