/** A text, and what shall be written for it. */
export type TextPair = { source: string; target: string };

/** The pair at each place of an endless list, counted from 0. The same place gives the same pair. */
export type TextPairs = (place: number) => TextPair;
