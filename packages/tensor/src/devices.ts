/** Building blocks of a device: scopes, and typed arrays by element type. */
export { allocateResident } from "./allocate-resident.js";
export { allocateArray, checkAlive, viewArray } from "@qkv/core";
export { scopes, type ScopedStorage, type Scopes } from "./scopes.js";
