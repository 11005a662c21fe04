import { EidError } from "./errors.js";
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
/** One connection: JSON-RPC in text frames, pieces of documents in binary ones. */
export declare class Connection {
    private readonly socket;
    private calls;
    private sinks;
    private count;
    private gone;
    onNotification: (method: string, params: unknown) => void;
    onClose: (error: EidError) => void;
    constructor(socket: WebSocket);
    get bufferedAmount(): number;
    /** Why the connection is no more; undefined while it is. */
    get ended(): EidError | undefined;
    /** Sends a request. The id is told to `started` before anything is sent. */
    call(method: string, params: object, started?: (id: number) => void): Promise<unknown>;
    /** Sends a piece of a document. */
    sendChunk(documentId: string, offset: number, data: Uint8Array): void;
    /** Hands the pieces of a document that arrive to a function; undefined ends that. */
    setSink(documentId: string, sink: ((offset: number, data: Uint8Array) => void) | undefined): void;
    /** Ends the connection; requests under way fail with the error. */
    close(error: EidError): void;
    private end;
    private receive;
}
