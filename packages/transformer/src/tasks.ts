/** Small tasks with seeded generators, on which training can be watched. */
export { ascii } from "./tasks/ascii.js";
export { bracketBatches, bracketIds, encodeBrackets, type BracketOptions } from "./tasks/brackets.js";
export { dates } from "./tasks/dates.js";
export { lookupBatches, type LookupBatch, type LookupOptions } from "./tasks/lookups.js";
export { numberWords, spellNumber } from "./tasks/number-words.js";
export { palindromeBatches, type PalindromeOptions } from "./tasks/palindromes.js";
export { repeatBatches, type RepeatOptions } from "./tasks/repeats.js";
export { sortBatches, type SortOptions } from "./tasks/sorted-lists.js";
export type { TextPair, TextPairs } from "./tasks/text-pairs.js";
