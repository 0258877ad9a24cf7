import fc from "fast-check";
import type { PatternNode } from "../../tokenizer/src/regex/pattern-node.js";

const word = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
const set = fc
  .constantFrom("a", "b", "[ab]", "[^a]", "[^\\n]", "\\u{1f600}", "\\p{White_Space}", "[^]")
  .map((source): PatternNode => ({ type: "set", source }));
const assertion = fc
  .constantFrom("(?<![^\\n])", "(?![^\\n])", `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`)
  .map((source): PatternNode => ({ type: "assertion", source }));
const counts = fc.constantFrom([0, 1], [0, Infinity], [1, Infinity], [2, 3], [0, 2], [2, Infinity], [3, 3]);

/** Random regular expressions, as syntax trees: every construct, over a few characters. */
export const randomPattern: fc.Arbitrary<PatternNode> = fc.letrec<{
  node: PatternNode;
  lookbehind: PatternNode;
}>((tie) => {
  const nodes = (inner: fc.Arbitrary<PatternNode>) => [
    { weight: 4, arbitrary: set },
    { weight: 1, arbitrary: assertion },
    {
      weight: 3,
      arbitrary: fc
        .array(inner, { minLength: 1, maxLength: 3 })
        .map((nodes): PatternNode => ({ type: "sequence", nodes })),
    },
    {
      weight: 2,
      arbitrary: fc
        .array(inner, { minLength: 2, maxLength: 3 })
        .map((nodes): PatternNode => ({ type: "alternation", nodes })),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(inner, counts, fc.constantFrom("greedy", "greedy", "lazy"))
        .map(([node, [min, max], mode]): PatternNode => ({
          type: "repetition",
          node,
          min: min!,
          max: max!,
          mode: mode as "greedy" | "lazy",
        })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(tie("node"), fc.boolean()).map(([node, negative]): PatternNode => ({
        type: "lookaround",
        node,
        lookbehind: false,
        negative,
      })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie("lookbehind"), fc.boolean())
        .map(([node, negative]): PatternNode => ({ type: "lookaround", node, lookbehind: true, negative })),
    },
  ];
  return {
    // Lookbehind is matched from right to left, without atomic groups and possessive quantifiers.
    lookbehind: fc.oneof({ maxDepth: 3, depthSize: "small" }, ...nodes(tie("lookbehind"))),
    node: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      ...nodes(tie("node")),
      { weight: 1, arbitrary: tie("node").map((node): PatternNode => ({ type: "atomic", node })) },
      {
        weight: 1,
        arbitrary: fc.tuple(tie("node"), counts).map(([node, [min, max]]): PatternNode => ({
          type: "repetition",
          node,
          min: min!,
          max: max!,
          mode: "possessive",
        })),
      },
    ),
  };
}).node;

/** Texts that make such patterns backtrack: a prefix, a part repeated up to `maxRepeats` times, and a suffix. */
export const repeatedText = (maxRepeats: number): fc.Arbitrary<string> => {
  const part = fc.string({ unit: fc.constantFrom("a", "b", "\n", "😀"), maxLength: 3 });
  return fc
    .tuple(part, part, fc.integer({ min: 0, max: maxRepeats }), part)
    .map(([prefix, repeated, count, suffix]) => prefix + repeated.repeat(count) + suffix);
};
