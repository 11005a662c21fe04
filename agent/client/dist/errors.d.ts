/** The four languages in which there is a text for whoever waits. */
export type Language = "en" | "nl" | "fr" | "de";
/** One text in each language. */
export type Texts = Record<Language, string>;
/** What the agent answers when a request fails: the table in docs/protocol.md. */
export type AgentCode = "NO_READER" | "NO_CARD" | "CARD_UNSUPPORTED" | "CARD_REMOVED" | "CARD_BUSY" | "READER_ERROR" | "PIN_WRONG" | "PIN_BLOCKED" | "PIN_CANCELLED" | "PIN_TIMEOUT" | "CONSENT_DENIED" | "NOT_AUTHORISED" | "ORIGIN_REFUSED" | "BUSY" | "TOO_LARGE" | "RATE_LIMITED" | "NETWORK_UNAVAILABLE" | "SERVICE_FAULT" | "CERTIFICATE_MISSING" | "CERTIFICATE_REVOKED" | "CERTIFICATE_EXPIRED" | "INVALID_ARGUMENT" | "INTERNAL";
/** What this library finds out itself, before or without an answer of the agent. */
export type LocalCode = "AGENT_ABSENT" | "AGENT_UNPROVEN" | "PERMISSION_DENIED" | "PERMISSION_PROMPT" | "ORIGIN_REFUSED" | "CONTEXT_INSECURE" | "CONTENT_POLICY" | "CONNECTION_LOST" | "CLOSED";
export type Code = AgentCode | LocalCode;
interface LocalFault {
    retry: boolean;
    webEid: string;
    text: Texts;
}
/** The texts of what this library finds out itself; the agent sends those of its own errors along. */
export declare const localFaults: Record<LocalCode, LocalFault>;
/** The error object of JSON-RPC as the agent sends it. */
export interface WireError {
    code: number;
    message: string;
    data?: {
        code?: string;
        retry?: boolean;
        webEid?: string;
        text?: Partial<Texts>;
        triesLeft?: number;
        service?: string;
        holder?: string;
    };
}
/** A request that failed, or a connection that could not be made. */
export declare class EidError extends Error {
    /** The stable symbol to branch on. */
    readonly code: Code;
    /** The same request may do better without anybody changing a setting. */
    readonly retry: boolean;
    /** What to tell the user, in four languages. */
    readonly text: Texts;
    /** The code that Web eID has for it. */
    readonly webEid: string;
    /** PIN tries left, with PIN_WRONG. */
    readonly triesLeft?: number;
    /** The service's own code, with SERVICE_FAULT. */
    readonly service?: string;
    /** Who has the card, with CARD_BUSY. */
    readonly holder?: string;
    constructor(code: Code, message: string, more: {
        retry: boolean;
        webEid: string;
        text: Texts;
        triesLeft?: number;
        service?: string;
        holder?: string;
    });
    /** The text in a language such as "nl" or "fr-BE"; English for one that there is not. */
    textIn(language: string): string;
    /** One of the errors that this library finds out itself; detail is English, for developers. */
    static local(code: LocalCode, detail?: string): EidError;
    /** An error as the agent sends it. */
    static fromWire(wire: WireError): EidError;
}
export {};
