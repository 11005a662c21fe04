/**
 * In the place of web-eid.js (version 2): the same functions, values and errors,
 * over the eidkit agent, without a browser extension. A site changes one import.
 *
 *     import * as webeid from "./web-eid.js";
 *     const token = await webeid.authenticate(challengeNonce, { lang: "nl" });
 *
 * What the agent has to say beyond Web eID's codes is in the cause of an error:
 * an EidError with a text for the user in four languages.
 */
import { connect, EidError } from "./eidkit.js";
import type { Agent, ConnectOptions, HashSignature, SigningCertificate, Token } from "./eidkit.js";

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

export const config = Object.freeze({
  VERSION: "2.1.0",
  EXTENSION_HANDSHAKE_TIMEOUT: 1000,
  NATIVE_APP_HANDSHAKE_TIMEOUT: 5000,
  DEFAULT_USER_INTERACTION_TIMEOUT: 120_000,
  MAX_EXTENSION_LOAD_DELAY: 1000,
});

export const ErrorCode = {
  ERR_WEBEID_ACTION_TIMEOUT: "ERR_WEBEID_ACTION_TIMEOUT",
  ERR_WEBEID_USER_TIMEOUT: "ERR_WEBEID_USER_TIMEOUT",
  ERR_WEBEID_VERSION_MISMATCH: "ERR_WEBEID_VERSION_MISMATCH",
  ERR_WEBEID_VERSION_INVALID: "ERR_WEBEID_VERSION_INVALID",
  ERR_WEBEID_EXTENSION_UNAVAILABLE: "ERR_WEBEID_EXTENSION_UNAVAILABLE",
  ERR_WEBEID_NATIVE_UNAVAILABLE: "ERR_WEBEID_NATIVE_UNAVAILABLE",
  ERR_WEBEID_UNKNOWN_ERROR: "ERR_WEBEID_UNKNOWN_ERROR",
  ERR_WEBEID_CONTEXT_INSECURE: "ERR_WEBEID_CONTEXT_INSECURE",
  ERR_WEBEID_USER_CANCELLED: "ERR_WEBEID_USER_CANCELLED",
  ERR_WEBEID_NATIVE_INVALID_ARGUMENT: "ERR_WEBEID_NATIVE_INVALID_ARGUMENT",
  ERR_WEBEID_NATIVE_FATAL: "ERR_WEBEID_NATIVE_FATAL",
  ERR_WEBEID_ACTION_PENDING: "ERR_WEBEID_ACTION_PENDING",
  ERR_WEBEID_MISSING_PARAMETER: "ERR_WEBEID_MISSING_PARAMETER",
} as const;
export type ErrorCode = keyof typeof ErrorCode;

/** The messages between a page and the Web eID extension; web-eid-shim answers them. */
export const Action = {
  WARNING: "web-eid:warning",
  STATUS: "web-eid:status",
  STATUS_ACK: "web-eid:status-ack",
  STATUS_SUCCESS: "web-eid:status-success",
  STATUS_FAILURE: "web-eid:status-failure",
  AUTHENTICATE: "web-eid:authenticate",
  AUTHENTICATE_ACK: "web-eid:authenticate-ack",
  AUTHENTICATE_SUCCESS: "web-eid:authenticate-success",
  AUTHENTICATE_FAILURE: "web-eid:authenticate-failure",
  GET_SIGNING_CERTIFICATE: "web-eid:get-signing-certificate",
  GET_SIGNING_CERTIFICATE_ACK: "web-eid:get-signing-certificate-ack",
  GET_SIGNING_CERTIFICATE_SUCCESS: "web-eid:get-signing-certificate-success",
  GET_SIGNING_CERTIFICATE_FAILURE: "web-eid:get-signing-certificate-failure",
  SIGN: "web-eid:sign",
  SIGN_ACK: "web-eid:sign-ack",
  SIGN_SUCCESS: "web-eid:sign-success",
  SIGN_FAILURE: "web-eid:sign-failure",
} as const;

/** What the errors below have in common. */
export class WebEidError extends Error {
  readonly code: ErrorCode;

  constructor(name: string, code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = name;
    this.code = code;
  }
}

export class ActionPendingError extends WebEidError {
  constructor(message = "the same action is still under way", cause?: unknown) { super("ActionPendingError", "ERR_WEBEID_ACTION_PENDING", message, cause); }
}
export class ActionTimeoutError extends WebEidError {
  constructor(message = "the action took too long", cause?: unknown) { super("ActionTimeoutError", "ERR_WEBEID_ACTION_TIMEOUT", message, cause); }
}
export class ContextInsecureError extends WebEidError {
  constructor(message = "the page needs https", cause?: unknown) { super("ContextInsecureError", "ERR_WEBEID_CONTEXT_INSECURE", message, cause); }
}
export class ExtensionUnavailableError extends WebEidError {
  constructor(message = "eidkit cannot be reached", cause?: unknown) { super("ExtensionUnavailableError", "ERR_WEBEID_EXTENSION_UNAVAILABLE", message, cause); }
}
export class MissingParameterError extends WebEidError {
  constructor(message = "a parameter is missing", cause?: unknown) { super("MissingParameterError", "ERR_WEBEID_MISSING_PARAMETER", message, cause); }
}
export class NativeFatalError extends WebEidError {
  constructor(message = "eidkit failed", cause?: unknown) { super("NativeFatalError", "ERR_WEBEID_NATIVE_FATAL", message, cause); }
}
export class NativeInvalidArgumentError extends WebEidError {
  constructor(message = "eidkit refused an argument", cause?: unknown) { super("NativeInvalidArgumentError", "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", message, cause); }
}
export class NativeUnavailableError extends WebEidError {
  constructor(message = "eidkit cannot be reached", cause?: unknown) { super("NativeUnavailableError", "ERR_WEBEID_NATIVE_UNAVAILABLE", message, cause); }
}
export class UnknownError extends WebEidError {
  constructor(message = "something unknown went wrong", cause?: unknown) { super("UnknownError", "ERR_WEBEID_UNKNOWN_ERROR", message, cause); }
}
export class UserCancelledError extends WebEidError {
  constructor(message = "the user did not go on", cause?: unknown) { super("UserCancelledError", "ERR_WEBEID_USER_CANCELLED", message, cause); }
}
export class UserTimeoutError extends WebEidError {
  constructor(message = "the user took too long", cause?: unknown) { super("UserTimeoutError", "ERR_WEBEID_USER_TIMEOUT", message, cause); }
}
export class VersionInvalidError extends WebEidError {
  constructor(message = "a version cannot be read", cause?: unknown) { super("VersionInvalidError", "ERR_WEBEID_VERSION_INVALID", message, cause); }
}
export class VersionMismatchError extends WebEidError {
  requiresUpdate?: { extension: boolean; nativeApp: boolean };
  constructor(message = "the versions do not fit", cause?: unknown) { super("VersionMismatchError", "ERR_WEBEID_VERSION_MISMATCH", message, cause); }
}

const classes: Record<ErrorCode, new (message?: string, cause?: unknown) => WebEidError> = {
  ERR_WEBEID_ACTION_TIMEOUT: ActionTimeoutError,
  ERR_WEBEID_USER_TIMEOUT: UserTimeoutError,
  ERR_WEBEID_VERSION_MISMATCH: VersionMismatchError,
  ERR_WEBEID_VERSION_INVALID: VersionInvalidError,
  ERR_WEBEID_EXTENSION_UNAVAILABLE: ExtensionUnavailableError,
  ERR_WEBEID_NATIVE_UNAVAILABLE: NativeUnavailableError,
  ERR_WEBEID_UNKNOWN_ERROR: UnknownError,
  ERR_WEBEID_CONTEXT_INSECURE: ContextInsecureError,
  ERR_WEBEID_USER_CANCELLED: UserCancelledError,
  ERR_WEBEID_NATIVE_INVALID_ARGUMENT: NativeInvalidArgumentError,
  ERR_WEBEID_NATIVE_FATAL: NativeFatalError,
  ERR_WEBEID_ACTION_PENDING: ActionPendingError,
  ERR_WEBEID_MISSING_PARAMETER: MissingParameterError,
};

function translated(error: unknown): WebEidError {
  if (error instanceof WebEidError) return error;
  if (!(error instanceof EidError)) return new UnknownError(error instanceof Error ? error.message : undefined, error);
  return new (classes[error.webEid as ErrorCode] ?? UnknownError)(error.message, error);
}

let connectOptions: ConnectOptions = {};
let current: Promise<Agent> | undefined;

/** Not in web-eid.js: how to connect, as for eidkit's connect. Ends a connection that there is. */
export function configure(options: ConnectOptions): void {
  connectOptions = options;
  void current?.then((agent) => agent.close(), () => {});
  current = undefined;
}

async function reach(signal: AbortSignal): Promise<Agent> {
  if (current) {
    const agent = await current.catch(() => undefined);
    if (agent?.state === "open") return agent;
  }
  const mine = (current = connect({ ...connectOptions, reconnect: false, signal }));
  try {
    return await mine;
  } catch (error) {
    if (current === mine) current = undefined;
    throw error;
  }
}

const pending = new Set<string>();

/** Does one action within a time; the agent's dialog goes when the time is over. */
async function act<R>(action: string, userTime: number, run: (agent: Agent, signal: AbortSignal) => Promise<R>): Promise<R> {
  if (pending.has(action)) throw new ActionPendingError();
  pending.add(action);
  const limit = new AbortController();
  const time = config.EXTENSION_HANDSHAKE_TIMEOUT + config.NATIVE_APP_HANDSHAKE_TIMEOUT + userTime;
  const timer = setTimeout(() => limit.abort(new ActionTimeoutError()), time);
  try {
    return await run(await reach(limit.signal), limit.signal);
  } catch (error) {
    throw translated(error);
  } finally {
    clearTimeout(timer);
    pending.delete(action);
  }
}

const userTime = (options?: ActionOptions) => options?.userInteractionTimeout ?? config.DEFAULT_USER_INTERACTION_TIMEOUT;

/** Versions: extension and app are both the agent, told as a Web eID version that this library goes with. */
export async function status(): Promise<LibraryStatusResponse> {
  try {
    // The browser's question may have to be answered first.
    const version = await act("status", config.DEFAULT_USER_INTERACTION_TIMEOUT, async (agent) => `${config.VERSION}+eidkit.${agent.info.version}`);
    return { library: config.VERSION, extension: version, nativeApp: version };
  } catch (error) {
    throw Object.assign(error as WebEidError, { library: config.VERSION });
  }
}

/** Logs in: a Web eID token for this page's origin and the nonce of its server. */
export async function authenticate(challengeNonce: string, options?: ActionOptions): Promise<LibraryAuthenticateResponse> {
  if (!challengeNonce) throw new MissingParameterError("authenticate needs a challengeNonce");
  return act("authenticate", userTime(options), async (agent, signal) => {
    const { unverifiedCertificate, algorithm, signature, format, appVersion } = (await agent.login({ challengeNonce }, { signal })).token;
    return { unverifiedCertificate, algorithm, signature, format, appVersion };
  });
}

export async function getSigningCertificate(options?: ActionOptions): Promise<LibraryGetSigningCertificateResponse> {
  return act("get-signing-certificate", 2 * userTime(options), async (agent, signal) => {
    const { certificate, supportedSignatureAlgorithms } = await agent.signingCertificate({}, { signal });
    return { certificate, supportedSignatureAlgorithms };
  });
}

/** Signs a hash (base64) with the signing key of the card that has the certificate. */
export async function sign(certificate: string, hash: string, hashFunction: string, options?: ActionOptions): Promise<LibrarySignResponse> {
  for (const [name, value] of Object.entries({ certificate, hash, hashFunction })) {
    if (!value) throw new MissingParameterError(`sign needs a ${name}`);
  }
  return act("sign", 2 * userTime(options), async (agent, signal) => {
    const { signature, signatureAlgorithm } = await agent.signHash({ hash, hashFunction, certificate }, { signal });
    return { signature, signatureAlgorithm };
  });
}
