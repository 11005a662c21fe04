/**
 * eidkit in a page: connect to the agent on the user's computer, read his
 * identity card, log him in, have him sign.
 *
 *     import { connect, EidError } from "./eidkit.js";
 *     const agent = await connect();
 *     const { identity } = await agent.identity({ fields: ["surname", "givenNames"], purpose: "Opening your file" });
 *
 * Every failure is an EidError with a code to branch on and a text for the user
 * in four languages. docs/protocol.md has the methods.
 */
import { Agent } from "./agent.js";
import { EidError } from "./errors.js";
import type { Environment } from "./socket.js";
export { Agent } from "./agent.js";
export type { CallOptions } from "./agent.js";
export { EidError } from "./errors.js";
export type { AgentCode, Code, Language, LocalCode, Texts } from "./errors.js";
export type { OnProgress, TransferOptions } from "./documents.js";
export type { Environment } from "./socket.js";
export { PORT, TLS_PORT } from "./discover.js";
export type * from "./types.js";
export interface ConnectOptions {
    /** Ports to try; [24340], [24341] with TLS, or the page's own port when the agent serves the page. */
    ports?: number[];
    /** Hosts to try, in order: ["127.0.0.1", "[::1]"]. */
    hosts?: string[];
    /** Connect with TLS, as Safari and strict pages want it (`eid agent tls install`). */
    tls?: boolean;
    /** Milliseconds until the agent counts as absent: 5000. The browser's own question does not count. */
    timeout?: number;
    /** Milliseconds that the browser's question may stay open: 120000. */
    promptTimeout?: number;
    /** Ends connecting. */
    signal?: AbortSignal;
    /** Called once when the browser asks the user whether this page may reach programs on the computer. */
    onPermissionPrompt?: (error: EidError) => void;
    /** The agent's own pages: the code they were launched with, or the token of their session. */
    page?: {
        code: string;
    } | {
        token: string;
    };
    /** The agent must prove to hold this key of its installation (base64), or "remember": the key of this site's first visit. */
    key?: string;
    /** Come back after the connection broke: true. */
    reconnect?: boolean;
    /** Programs outside a browser (Node 22 and later): the token of their pairing. */
    token?: string;
    /** Other surroundings than the browser's, for tests. */
    environment?: Partial<Environment>;
}
/**
 * Connects to the agent. Rejects with an EidError whose code tells what is the
 * matter: AGENT_ABSENT, PERMISSION_DENIED, PERMISSION_PROMPT, ORIGIN_REFUSED,
 * CONTEXT_INSECURE, CONTENT_POLICY or AGENT_UNPROVEN.
 */
export declare function connect(options?: ConnectOptions): Promise<Agent>;
/** Forgets the installation's key that connect({key: "remember"}) kept, as after a new installation that the user confirmed. */
export declare function forgetKey(): void;
