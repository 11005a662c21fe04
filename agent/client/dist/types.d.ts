import type { WireError } from "./errors.js";
export type CardKind = "eid" | "sis" | "unknown" | "mute";
export interface Card {
    /** Opaque; another one at each insertion. */
    cardId: string;
    kind: CardKind;
}
export interface Reader {
    name: string;
    /** What the reader is for, such as "patient" or "provider"; by the agent's configuration. */
    role?: string;
    card: Card | null;
}
export interface Info {
    name: string;
    version: string;
    protocol: number;
    methods: string[];
    /** Consent and PIN can be asked. */
    dialogs: boolean;
    /** The smart-card service of the system is there. */
    pcsc: boolean;
    language: string;
    installation: {
        key: string;
    };
    client: {
        kind: string;
        origin?: string;
        name?: string;
    };
    /** Operations that need no question. */
    allowed: string[];
}
export interface Reading {
    /** How the person was identified: by the card's chip, or from a saved file. */
    mode: "chip" | "file" | "barcode" | "manual";
    documentType?: string;
    cardNumber?: string;
    authenticated?: boolean;
}
export interface IdentityParams {
    cardId?: string;
    /** Names of docs/schema/read.json; "address" is one. */
    fields: string[];
    photo?: boolean;
    /** Shown to the user and written into the log. */
    purpose: string;
}
export interface Identity {
    cardId: string;
    reading: Reading;
    /** The fields that were asked and allowed; those of the card are in card. */
    identity: Record<string, unknown>;
    card?: Record<string, unknown>;
    address?: Record<string, unknown>;
    /** JPEG in base64. */
    photo?: string;
    verified: Record<string, unknown>;
    trusted: boolean;
    testCard: boolean;
    warnings: string[];
}
export interface InsurabilityParams {
    cardId?: string;
    date?: string;
    until?: string;
    service?: string;
    contact?: string;
    purpose: string;
    /** A free number: for programs that the policy names, never for web pages. */
    niss?: string;
    reading?: {
        mode: string;
        documentType?: string;
        documentNumber?: string;
        reason?: string;
    };
}
/** The document of `eid insurability --json`: docs/schema/insurability.json. */
export type Insurability = Record<string, unknown>;
/** A Web eID token, version 1.0. */
export interface Token {
    unverifiedCertificate: string;
    algorithm: string;
    signature: string;
    format: string;
    appVersion: string;
}
export interface SignatureAlgorithm {
    cryptoAlgorithm: string;
    hashFunction: string;
    paddingScheme: string;
}
export interface SigningCertificate {
    certificate: string;
    supportedSignatureAlgorithms: SignatureAlgorithm[];
}
export interface HashSignature {
    signature: string;
    signatureAlgorithm: SignatureAlgorithm;
}
export interface DocumentInfo {
    documentId: string;
    name: string;
    size: number;
    received: number;
    sha256?: string;
}
export interface SignDocumentParams {
    documentIds: string[];
    format: "pades" | "xades" | "cades" | "asice" | (string & {});
    level: "b" | "t" | "lt" | "lta" | (string & {});
    packaging?: string;
    reason?: string;
    location?: string;
    contact?: string;
    role?: string;
    field?: string;
    visible?: {
        page: number;
        rect: [number, number, number, number];
        photo?: boolean;
    };
    /** What may still be changed in a certified PDF: 1 nothing, 2 forms, 3 forms and comments. */
    certify?: number;
    purpose: string;
    cardId?: string;
}
export interface SignedDocument {
    documentId: string;
    name: string;
    size: number;
    sha256: string;
    format: string;
    level: string;
    signingTime: string;
    timestampTime?: string;
    warnings: {
        code: string;
        text: string;
    }[];
}
export interface VerifyParams {
    documentId: string;
    /** The contents of a detached signature. */
    contentIds?: string[];
    /** RFC 3339; now when absent. */
    at?: string;
}
/** A question that waits for the user, on the agent's own pages. */
export type Item = Record<string, unknown> & {
    id: string;
};
export interface Progress {
    /** The request's. */
    id: number | string;
    step: string;
    done: number;
    total: number;
}
export interface Waiting {
    /** The request's. */
    id: number | string;
    /** What the operation waits for. */
    for: "consent" | "pin" | "pinpad" | "choice" | "queue";
    holder?: string;
}
/** Notifications of the agent, and what this library adds. */
export interface Events {
    "reader.added": {
        reader: string;
        role?: string;
    };
    "reader.removed": {
        reader: string;
    };
    "card.inserted": {
        reader: string;
        role?: string;
        cardId: string;
        kind: CardKind;
    };
    "card.removed": {
        reader: string;
        cardId: string;
    };
    "operation.progress": Progress;
    "operation.waiting": Waiting;
    "document.failed": {
        documentId: string;
        error: WireError;
    };
    "desk.changed": Record<string, unknown>;
    /** All readers with their cards, after each change and after a reconnection. */
    "readers": Reader[];
    /** The state of the connection. */
    "state": State;
    /** Why the connection went, or why it does not come back; it is tried again. */
    "error": Error;
}
export type State = "open" | "reconnecting" | "closed";
