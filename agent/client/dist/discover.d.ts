import { EidError } from "./errors.js";
import type { Environment } from "./socket.js";
/** The agent's port, and the one at which it speaks TLS where `eid agent tls install` was run. */
export declare const PORT = 24340;
export declare const TLS_PORT = 24341;
export declare const PATH = "/v1";
export declare const SUBPROTOCOL = "eidkit.v1";
export interface Address {
    host: string;
    port: number;
    tls: boolean;
}
export interface DiscoverOptions {
    env: Environment;
    addresses: Address[];
    /** Milliseconds for a connection, once the browser lets it through. */
    timeout: number;
    /** Milliseconds that the browser's question may stay open. */
    promptTimeout: number;
    signal?: AbortSignal;
    /** Told once when the browser asks its question. */
    onPrompt?: (error: EidError) => void;
    /** For programs: the token of a pairing. */
    token?: string;
}
type Permission = PermissionState | "unknown";
/** What the browser says of Local Network Access; "unknown" where it has no such permission. */
export declare function permission(env: Environment): Promise<Permission>;
/** Opens a socket to the agent, or says in an EidError why there is none. */
export declare function discover(o: DiscoverOptions): Promise<WebSocket>;
export {};
