/** A regular expression as a tree. A `set` (character class) matches one character, in JavaScript's syntax. */
export type PatternNode =
  | { readonly type: "set"; readonly source: string }
  | { readonly type: "sequence"; readonly nodes: readonly PatternNode[] }
  | { readonly type: "alternation"; readonly nodes: readonly PatternNode[] }
  | {
      readonly type: "repetition";
      readonly node: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly mode: "greedy" | "lazy" | "possessive";
    }
  | {
      readonly type: "lookaround";
      readonly node: PatternNode;
      readonly lookbehind: boolean;
      readonly negative: boolean;
    }
  | { readonly type: "atomic"; readonly node: PatternNode }
  /** A zero-width assertion, such as a word boundary, in JavaScript's syntax. */
  | { readonly type: "assertion"; readonly source: string };
