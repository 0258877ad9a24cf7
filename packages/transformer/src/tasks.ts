/** Small tasks with seeded generators, on which training can be watched. */
export { lookupBatches, type LookupBatch, type LookupOptions } from "./tasks/lookups.js";
