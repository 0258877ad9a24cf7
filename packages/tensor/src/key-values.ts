/** Reading what a cache returns: parts of keys and values, in blocks or not, and where they stand. */
export { sizesOf, sortInputs, storedRows, type AttentionInputs } from "./key-values/attention-inputs.js";
export { densePart, isBlocks, partLength } from "./key-values/blocks.js";
export { checkKeyValues, checkSinks, refuseType } from "./key-values/check-key-values.js";
export { givenKeyValues } from "./key-values/given-key-values.js";
export { firstQueryOf, keyLengthsOf, keyPositions, positionsAfter } from "./key-values/positions.js";
export { placesOf, storedParts } from "./key-values/stored-parts.js";
export { StoredRows } from "./key-values/stored-rows.js";
