import { EidError } from "./errors.js";
import type { Connection } from "./socket.js";
import type { DocumentInfo } from "./types.js";
/** How far a document has come, in bytes. */
export type OnProgress = (done: number, total: number) => void;
export interface TransferOptions {
    signal?: AbortSignal;
    onProgress?: OnProgress;
}
type Call = <T>(method: string, params: object) => Promise<T>;
/** Sends the bytes of an opened document and waits until the agent has them all; failed is asked whether it gave up. */
export declare function upload(connection: Connection, call: Call, documentId: string, content: Blob, o: TransferOptions, failed: () => EidError | undefined): Promise<DocumentInfo>;
/** Fetches a document of the agent piece by piece. */
export declare function download(connection: Connection, call: Call, documentId: string, size: number, o: TransferOptions): ReadableStream<Uint8Array<ArrayBuffer>>;
export {};
