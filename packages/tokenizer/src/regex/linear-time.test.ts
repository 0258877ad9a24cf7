import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs } from "../../../../scripts/tier.mjs";
import { proveLinearTime } from "./linear-time.js";
import { parsePattern } from "./parse-pattern.js";
import type { PatternNode } from "./pattern-node.js";
import { randomPattern, repeatedText } from "@qkv/test-support/random-pattern";

const proof = (pattern: string) => proveLinearTime(parsePattern(pattern, "pattern", "oniguruma"));

/** Steps of a plain backtracking engine for all matches in a text; gives up after `most`. */
function countSteps(tree: PatternNode, text: string, most: number): number {
  let steps = 0;
  type Next = (at: number) => boolean;
  const assertions = new Map<string, RegExp>();
  const look = (source: string, at: number) => {
    const regex = assertions.get(source) ?? new RegExp(source, "uy");
    assertions.set(source, regex);
    regex.lastIndex = at;
    return regex.exec(text);
  };
  const visit = (node: PatternNode, at: number, back: boolean, next: Next): boolean => {
    if ((steps += 1) > most) throw new RangeError("too many steps");
    switch (node.type) {
      case "set": {
        const source = back ? `(?<=(${node.source}))` : `(?=(${node.source}))`;
        const found = look(source, at);
        return found !== null && next(at + (back ? -1 : 1) * found[1]!.length);
      }
      case "assertion":
        return look(node.source, at) !== null && next(at);
      case "lookaround":
        return visit(node.node, at, node.lookbehind, () => true) !== node.negative && next(at);
      case "atomic": {
        let end = -1;
        return visit(node.node, at, back, (to) => ((end = to), true)) && next(end);
      }
      case "sequence": {
        const nodes = back ? [...node.nodes].reverse() : node.nodes;
        const from = (i: number, at: number): boolean =>
          i === nodes.length ? next(at) : visit(nodes[i]!, at, back, (to) => from(i + 1, to));
        return from(0, at);
      }
      case "alternation":
        return node.nodes.some((one) => visit(one, at, back, next));
      case "repetition": {
        const { node: body, min, max, mode } = node;
        if (mode === "possessive")
          return visit({ type: "atomic", node: { ...node, mode: "greedy" } }, at, back, next);
        const from = (count: number, at: number): boolean => {
          const again = () =>
            count < max && visit(body, at, back, (to) => (to !== at || count < min) && from(count + 1, to));
          if (count < min) return again();
          return mode === "lazy" ? next(at) || again() : again() || next(at);
        };
        return from(0, at);
      }
    }
  };
  for (let at = 0; at <= text.length;) {
    let end = -1;
    visit(tree, at, false, (to) => ((end = to), true));
    at = Math.max(end, at + (text.codePointAt(at)! > 0xffff ? 2 : 1));
  }
  return steps;
}

const programSize = (node: PatternNode): number =>
  1 +
  ("nodes" in node
    ? node.nodes.reduce((sum, one) => sum + programSize(one), 0)
    : "node" in node
      ? programSize(node.node)
      : 0) *
    (node.type === "repetition" && node.max !== Infinity ? node.max : 1);

/** The longest run of characters that are in one of the sets. */
const longestRun = (sets: readonly string[], text: string) =>
  sets.length === 0
    ? 0
    : Math.max(0, ...(text.match(new RegExp(`(?:${sets.join("|")})+`, "gu")) ?? []).map((run) => run.length));

test("property: for a proven pattern, the number of steps is bounded per position and per character of a run", () => {
  let proven = 0;
  fc.assert(
    fc.property(randomPattern, repeatedText(80), (tree, text) => {
      const found = proveLinearTime(tree);
      if (!found) return;
      proven += 1;
      const perPlace = 10 * programSize(tree) * (longestRun(found.sets, text) + 10);
      countSteps(tree, text, perPlace * (text.length + 10));
    }),
    { numRuns: runs(5000) },
  );
  expect(proven).toBeGreaterThan(1000);
});

test("the proof contains the sets of the repetitions into which an engine backtracks", () => {
  expect(proof("\\s+(?!\\S)|\\s+|\\p{L}+")).toEqual({ sets: ["\\p{White_Space}"] });
  expect(proof("a(?:b*c)?d*")).toEqual({ sets: ["b"] });
  expect(proof("a+b*+(?>c*)|(?:d|e*)+")).toEqual({ sets: [] });
});

describe("patterns with a proof", () => {
  test.each([
    ["GPT-2", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"],
    [
      "cl100k",
      "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
    ],
    [
      "Llama 3",
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    ],
    [
      "o200k",
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    ],
    [
      "DeepSeek V3",
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    ],
    ["DeepSeek V3, CJK", "[一-龥\u3040-ゟ゠-ヿ]+"],
    ["EXAONE", "[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"],
    ["numbers with commas", "\\p{N}{1,3}(?:,\\p{N}{3})*"],
  ])("%s: JavaScript's engine may have it", (_, pattern) => {
    expect(proof(pattern)).toBeDefined();
  });
});

test.each([
  "a*a*b",
  "(?=a*b)a",
  "(a+)+b",
  "(a|a)*b",
  "(?:(?:a++b?)++c?)++d",
  "अ*अ*ब",
  "x(?:(a+)+b)?",
  `${"a?".repeat(30)}${"a".repeat(30)}`,
  "(?=a?a?a?a?a?a?a?b)a",
  "(((((((a{8}){8}){8}){8}){8}){8}){8})",
])("%s has no proof", (pattern) => {
  expect(proof(pattern)).toBeUndefined();
});

test("the proof of 200 alternatives, and of 100 nested groups, takes little time", () => {
  const alternatives = Array.from({ length: 200 }, (_, i) => `a*${String.fromCharCode(0x4e00 + i)}`);
  expect(proof(`(?:${alternatives.join("|")})*`)).toBeUndefined();
  expect(proof(`${"(".repeat(90)}${"){8}".repeat(90)}`)).toBeUndefined();
  expect(proof("\\p{N}{1,1000}")).toEqual({ sets: [] });
});
