import type { Environment } from "./socket.js";
export declare function toBase64(bytes: Uint8Array): string;
export declare function fromBase64(text: string): Uint8Array<ArrayBuffer>;
/** The installation's key that this site remembers; null when none. */
export declare function rememberedKey(env: Environment): string | null;
export declare function rememberKey(env: Environment, key: string | undefined): void;
/**
 * Has the agent prove that it holds the key of its installation: it signs a new
 * nonce and this page's origin. Gives the key; expected is the one it must be.
 */
export declare function prove(env: Environment, call: (nonce: string) => Promise<{
    key: string;
    signature: string;
}>, expected?: string): Promise<string>;
