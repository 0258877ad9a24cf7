export { offloadedCache, type OffloadedOptions } from "./offloaded-cache.js";
