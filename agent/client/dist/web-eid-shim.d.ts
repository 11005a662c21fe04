/**
 * Starts answering; the result ends it. Patience is how long the extension has to
 * show itself, in milliseconds: it does so at once, and the library waits a second.
 */
export declare function install(target?: Window & typeof globalThis, patience?: number): () => void;
export { configure } from "./web-eid.js";
