/** A source text and its target text. */
export type TextPair = { source: string; target: string };

/** Returns the pair at an index of an endless list. The same index gives the same pair. */
export type TextPairs = (index: number) => TextPair;
