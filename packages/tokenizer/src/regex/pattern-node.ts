/** A regular expression as a tree. A `set` matches one character and is written as JavaScript writes it. */
export type PatternNode =
  | { readonly type: "set"; readonly source: string }
  | { readonly type: "sequence"; readonly nodes: readonly PatternNode[] }
  | { readonly type: "choice"; readonly nodes: readonly PatternNode[] }
  | {
      readonly type: "repeat";
      readonly node: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly mode: "greedy" | "lazy" | "possessive";
    }
  | {
      readonly type: "look";
      readonly node: PatternNode;
      readonly behind: boolean;
      readonly negative: boolean;
    }
  | { readonly type: "atomic"; readonly node: PatternNode }
  /** A place, such as a word's edge, as JavaScript writes it. */
  | { readonly type: "place"; readonly source: string };
