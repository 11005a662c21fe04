import type { ConnectOptions, HashSignature, SigningCertificate, Token } from "./eidkit.js";
export type LibraryAuthenticateResponse = Token;
export type LibraryGetSigningCertificateResponse = SigningCertificate;
export type LibrarySignResponse = HashSignature;
export interface LibraryStatusResponse {
    library: string;
    extension: string;
    nativeApp: string;
}
export interface ActionOptions {
    /** Milliseconds that the user has; two minutes. */
    userInteractionTimeout?: number;
    /** Taken and not used: the dialogs speak the language of the computer. */
    lang?: string;
}
export declare const config: Readonly<{
    VERSION: "2.1.0";
    EXTENSION_HANDSHAKE_TIMEOUT: 1000;
    NATIVE_APP_HANDSHAKE_TIMEOUT: 5000;
    DEFAULT_USER_INTERACTION_TIMEOUT: 120000;
    MAX_EXTENSION_LOAD_DELAY: 1000;
}>;
export declare const ErrorCode: {
    readonly ERR_WEBEID_ACTION_TIMEOUT: "ERR_WEBEID_ACTION_TIMEOUT";
    readonly ERR_WEBEID_USER_TIMEOUT: "ERR_WEBEID_USER_TIMEOUT";
    readonly ERR_WEBEID_VERSION_MISMATCH: "ERR_WEBEID_VERSION_MISMATCH";
    readonly ERR_WEBEID_VERSION_INVALID: "ERR_WEBEID_VERSION_INVALID";
    readonly ERR_WEBEID_EXTENSION_UNAVAILABLE: "ERR_WEBEID_EXTENSION_UNAVAILABLE";
    readonly ERR_WEBEID_NATIVE_UNAVAILABLE: "ERR_WEBEID_NATIVE_UNAVAILABLE";
    readonly ERR_WEBEID_UNKNOWN_ERROR: "ERR_WEBEID_UNKNOWN_ERROR";
    readonly ERR_WEBEID_CONTEXT_INSECURE: "ERR_WEBEID_CONTEXT_INSECURE";
    readonly ERR_WEBEID_USER_CANCELLED: "ERR_WEBEID_USER_CANCELLED";
    readonly ERR_WEBEID_NATIVE_INVALID_ARGUMENT: "ERR_WEBEID_NATIVE_INVALID_ARGUMENT";
    readonly ERR_WEBEID_NATIVE_FATAL: "ERR_WEBEID_NATIVE_FATAL";
    readonly ERR_WEBEID_ACTION_PENDING: "ERR_WEBEID_ACTION_PENDING";
    readonly ERR_WEBEID_MISSING_PARAMETER: "ERR_WEBEID_MISSING_PARAMETER";
};
export type ErrorCode = keyof typeof ErrorCode;
/** The messages between a page and the Web eID extension; web-eid-shim answers them. */
export declare const Action: {
    readonly WARNING: "web-eid:warning";
    readonly STATUS: "web-eid:status";
    readonly STATUS_ACK: "web-eid:status-ack";
    readonly STATUS_SUCCESS: "web-eid:status-success";
    readonly STATUS_FAILURE: "web-eid:status-failure";
    readonly AUTHENTICATE: "web-eid:authenticate";
    readonly AUTHENTICATE_ACK: "web-eid:authenticate-ack";
    readonly AUTHENTICATE_SUCCESS: "web-eid:authenticate-success";
    readonly AUTHENTICATE_FAILURE: "web-eid:authenticate-failure";
    readonly GET_SIGNING_CERTIFICATE: "web-eid:get-signing-certificate";
    readonly GET_SIGNING_CERTIFICATE_ACK: "web-eid:get-signing-certificate-ack";
    readonly GET_SIGNING_CERTIFICATE_SUCCESS: "web-eid:get-signing-certificate-success";
    readonly GET_SIGNING_CERTIFICATE_FAILURE: "web-eid:get-signing-certificate-failure";
    readonly SIGN: "web-eid:sign";
    readonly SIGN_ACK: "web-eid:sign-ack";
    readonly SIGN_SUCCESS: "web-eid:sign-success";
    readonly SIGN_FAILURE: "web-eid:sign-failure";
};
/** What the errors below have in common. */
export declare class WebEidError extends Error {
    readonly code: ErrorCode;
    constructor(name: string, code: ErrorCode, message: string, cause?: unknown);
}
export declare class ActionPendingError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class ActionTimeoutError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class ContextInsecureError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class ExtensionUnavailableError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class MissingParameterError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class NativeFatalError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class NativeInvalidArgumentError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class NativeUnavailableError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class UnknownError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class UserCancelledError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class UserTimeoutError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class VersionInvalidError extends WebEidError {
    constructor(message?: string, cause?: unknown);
}
export declare class VersionMismatchError extends WebEidError {
    requiresUpdate?: {
        extension: boolean;
        nativeApp: boolean;
    };
    constructor(message?: string, cause?: unknown);
}
/** Not in web-eid.js: how to connect, as for eidkit's connect. Ends a connection that there is. */
export declare function configure(options: ConnectOptions): void;
/** Versions: extension and app are both the agent, told as a Web eID version that this library goes with. */
export declare function status(): Promise<LibraryStatusResponse>;
/** Logs in: a Web eID token for this page's origin and the nonce of its server. */
export declare function authenticate(challengeNonce: string, options?: ActionOptions): Promise<LibraryAuthenticateResponse>;
export declare function getSigningCertificate(options?: ActionOptions): Promise<LibraryGetSigningCertificateResponse>;
/** Signs a hash (base64) with the signing key of the card that has the certificate. */
export declare function sign(certificate: string, hash: string, hashFunction: string, options?: ActionOptions): Promise<LibrarySignResponse>;
