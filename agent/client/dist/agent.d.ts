import type { DiscoverOptions } from "./discover.js";
import type { TransferOptions } from "./documents.js";
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
    page?: {
        code: string;
    } | {
        token: string;
    };
    /** The key that the installation must prove, or "remember": the one of the first visit. */
    key?: string;
    reconnect: boolean;
}
type Listener<K extends keyof T.Events> = (event: T.Events[K]) => void;
/** A connection to the agent that comes back by itself when it breaks. Made by connect. */
export declare class Agent {
    private readonly options;
    /** What agent.info said at the last (re)connection. */
    info: T.Info;
    /** Readers and cards, kept up to date once subscribe was called. */
    readers: T.Reader[];
    state: T.State;
    /** The token of a page's session, with which a reloaded page comes back: connect({page: {token}}). */
    session: {
        token: string;
        user?: string;
        language?: string;
    } | undefined;
    private connection;
    private ready;
    private readonly stop;
    private readonly listeners;
    private readonly running;
    private subscribed;
    private constructor();
    /** Connects; used by connect, which has the defaults. */
    static open(options: AgentOptions): Promise<Agent>;
    private attach;
    private openSession;
    private proveKey;
    private lost;
    /** Tries again, each time later, until the agent is back, refuses for good, or close is called. */
    private comeBack;
    /**
     * Calls a method of docs/protocol.md. While the connection is away the request
     * waits for it. A request that was under way when it broke fails with
     * CONNECTION_LOST and is never repeated by itself: it may have cost a PIN.
     */
    call<R = unknown>(method: string, params?: object, options?: CallOptions): Promise<R>;
    /** Calls a function at each event of a kind; the result ends that. */
    on<K extends keyof T.Events>(kind: K, listener: Listener<K>): () => void;
    /** Asks to be told of readers and cards, now and after each reconnection. The user may be asked first. */
    subscribe(options?: CallOptions): Promise<T.Reader[]>;
    unsubscribe(): Promise<void>;
    listReaders(options?: CallOptions): Promise<T.Reader[]>;
    /** Reads the fields asked for from the card, after the user or a policy allowed it. */
    identity(params: T.IdentityParams, options?: CallOptions): Promise<T.Identity>;
    insurability(params: T.InsurabilityParams, options?: CallOptions): Promise<T.Insurability>;
    /** A Web eID token for this page's origin and the server's nonce. */
    login(params: {
        challengeNonce: string;
        cardId?: string;
    }, options?: CallOptions): Promise<{
        token: T.Token;
        cardId: string;
    }>;
    signingCertificate(params?: {
        cardId?: string;
    }, options?: CallOptions): Promise<T.SigningCertificate>;
    signHash(params: {
        hash: string;
        hashFunction: string;
        certificate: string;
    }, options?: CallOptions): Promise<T.HashSignature>;
    signDocument(params: T.SignDocumentParams, options?: CallOptions): Promise<T.SignedDocument>;
    verifyDocument(params: T.VerifyParams, options?: CallOptions): Promise<Record<string, unknown>>;
    pinStatus(params?: {
        cardId?: string;
    }, options?: CallOptions): Promise<{
        triesLeft: number | null;
    }>;
    changePIN(params?: {
        cardId?: string;
    }, options?: CallOptions): Promise<void>;
    /** Hands a document to the agent; its id is for signDocument and verifyDocument, until closeDocument or the end of the connection. */
    openDocument(content: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>, about?: {
        name?: string;
        mediaType?: string;
    }, options?: TransferOptions): Promise<T.DocumentInfo>;
    /** Fetches a document from the agent; size saves a request where it is known. */
    readDocument(document: string | {
        documentId: string;
        size?: number;
    }, options?: TransferOptions & {
        type?: string;
    }): Promise<Blob>;
    /** The same as a stream, which holds a part of it at a time. */
    streamDocument(document: string | {
        documentId: string;
        size?: number;
    }, options?: TransferOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
    closeDocument(documentId: string): Promise<void>;
    /** Ends the connection for good; requests under way fail with CLOSED. */
    close(): void;
    private emit;
    private setState;
    private setReaders;
    private notified;
}
export {};
