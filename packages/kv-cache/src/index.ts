export type { KvCache } from "./cache.js";
export { growingCache } from "./growing-cache.js";
