export type { KvCache } from "./cache.js";
export { growingCache, type GrowingOptions } from "./growing-cache.js";
export { mixedCache } from "./mixed-cache.js";
export { pagedCache, type PagedOptions } from "./paged-cache.js";
export type { PagedCache } from "./create-paged-cache.js";
export { prefixCache, type PrefixCache } from "./prefix-cache.js";
export { quantizedCache, type QuantizedOptions } from "./quantized-cache.js";
export { rollingCache, type RollingOptions } from "./rolling-cache.js";
export { staticCache, type StaticOptions } from "./static-cache.js";
