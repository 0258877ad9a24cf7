import { checks, FormatError } from "@qkv/core";
import { characterClass, escapedClass, literal, propertyClass } from "./character-class.js";
import type { PatternNode } from "./pattern-node.js";

/**
 * The regex library of a pattern. They differ in two things: in Oniguruma `{1,3}+` repeats `{1,3}` one or more times, in Rust's
 * `fancy-regex` it is possessive; `^` and `$` match at each line for Oniguruma, at the ends of the text for Rust.
 */
export type Dialect = "oniguruma" | "rust";

/**
 * Reads a regular expression as Oniguruma and Rust's `regex` write it, the two that tokenizer files are made for,
 * and JavaScript's own where the three agree.
 *
 * @param field - Name of the pattern's field, for messages.
 * @throws {FormatError} If it is not a valid pattern, or uses an unsupported feature: backreferences, set
 *   intersections, conditions. Names of groups are ignored.
 */
export function parsePattern(
  pattern: string,
  field: string,
  dialect: Dialect,
  fn = "patternSplit",
): PatternNode {
  let at = 0;
  let depth = 0;
  let lookbehindDepth = 0; // number of enclosing lookbehinds
  let flags = { ignoreCase: false, dotAll: false };

  const fix = "write the pattern without it, or split the text by a function: `defineSplit`.";
  const check = checks(fn, { argument: field, received: pattern, fix }, FormatError);
  const fail = (expected: string): never => check.refuse({ expected: `${expected} at ${at}` });
  const consume = (text: string): boolean => {
    if (!pattern.startsWith(text, at)) return false;
    at += text.length;
    return true;
  };
  const peekCharacter = () => String.fromCodePoint(pattern.codePointAt(at)!);

  const choice = (): PatternNode => {
    const outer = flags;
    const nodes = [sequence()];
    while (consume("|")) nodes.push(sequence());
    flags = outer;
    return nodes.length === 1 ? nodes[0]! : { type: "alternation", nodes };
  };

  const sequence = (): PatternNode => {
    const nodes: PatternNode[] = [];
    while (at < pattern.length && pattern[at] !== "|" && pattern[at] !== ")") {
      const node = atom();
      if (node) nodes.push(quantified(node));
    }
    return nodes.length === 1 ? nodes[0]! : { type: "sequence", nodes };
  };

  const quantified = (node: PatternNode): PatternNode => {
    let result = node;
    for (let count = 0; ; count++) {
      const range = consume("*")
        ? [0, Infinity]
        : consume("+")
          ? [1, Infinity]
          : consume("?")
            ? [0, 1]
            : counted();
      if (!range) return result;
      if (count === 20) fail("at most 20 repetitions of each other");
      if (result.type === "assertion" || result.type === "lookaround")
        fail("something to repeat, not an assertion,");
      const possessive = range.length === 2 || dialect === "rust";
      const mode = consume("?") ? "lazy" : possessive && consume("+") ? "possessive" : "greedy";
      if (mode === "possessive" && lookbehindDepth > 0) fail(notInLookbehind);
      result = { type: "repetition", node: result, min: range[0]!, max: range[1]!, mode };
    }
  };

  /** `{min,max}`. A third number distinguishes it from `*`, `+` and `?`, which are possessive before `+` in both dialects. */
  const counted = (): number[] | undefined => {
    const found = /^\{(\d*)(,?)(\d*)\}/.exec(pattern.slice(at, at + 24));
    if (!found || (found[1] === "" && found[3] === "")) return undefined; // a literal brace
    at += found[0].length;
    const min = Number(found[1] || 0);
    const max = found[2] === "" ? min : found[3] === "" ? Infinity : Number(found[3]);
    if (max < min || (max !== Infinity && max > 1000)) fail("a range that goes up, to 1000 at most,");
    return [min, max, 1];
  };

  const atom = (): PatternNode | undefined => {
    if (consume("(")) return group();
    if (pattern[at] === "[") {
      const set = characterClass(pattern, at, flags.ignoreCase, fail);
      at = set.end;
      return { type: "set", source: set.source };
    }
    if (consume(".")) return { type: "set", source: flags.dotAll ? "[^]" : "[^\\n]" };
    if (consume("^")) return { type: "assertion", source: dialect === "rust" ? "(?<![^])" : "(?<![^\\n])" };
    if (consume("$")) return { type: "assertion", source: dialect === "rust" ? "(?![^])" : "(?![^\\n])" };
    if (consume("\\")) return escape();
    if (/[*+?]/.test(pattern[at]!)) fail("something to repeat");
    const character = peekCharacter();
    at += character.length;
    return { type: "set", source: literal(character, flags.ignoreCase) };
  };

  const group = (): PatternNode | undefined => {
    if (++depth > 100) fail("at most 100 groups in each other");
    const outer = flags;
    const inner = (): PatternNode => {
      const node = choice();
      if (!consume(")")) fail("a closing bracket");
      depth -= 1;
      flags = outer;
      return node;
    };
    if (!consume("?")) return inner();
    for (const [opening, isBehind, negative] of lookarounds) {
      if (!consume(opening)) continue;
      const outerDepth = lookbehindDepth;
      lookbehindDepth = isBehind ? lookbehindDepth + 1 : 0;
      const node = inner();
      lookbehindDepth = outerDepth;
      return { type: "lookaround", node, lookbehind: isBehind, negative };
    }
    if (consume(">")) return lookbehindDepth > 0 ? fail(notInLookbehind) : { type: "atomic", node: inner() };
    const name = /^(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/.exec(pattern.slice(at, at + 80));
    if (name) {
      at += name[0].length;
      return inner();
    }
    const options = /^([a-z]*)(-[a-z]*)?([:)])/.exec(pattern.slice(at, at + 16)) ?? fail("a group");
    at += options[0].length;
    const [on, off] = [options[1]!, options[2] ?? ""];
    if (/[^imsu]/.test(on) || /[^-imsxu]/.test(off)) fail("no flags but i, m, s and u");
    const changed = {
      ignoreCase: (flags.ignoreCase || on.includes("i")) && !off.includes("i"),
      dotAll: (flags.dotAll || /[ms]/.test(on)) && !/[ms]/.test(off),
    };
    flags = changed;
    if (options[3] === ":") return inner();
    depth -= 1;
    return undefined; // (?i) holds to the end of the group around it
  };

  const escape = (): PatternNode => {
    if (at >= pattern.length) fail("a character after the backslash");
    const character = peekCharacter();
    const assertion = assertions.get(character);
    if (assertion !== undefined) {
      at += 1;
      return { type: "assertion", source: assertion };
    }
    if (/[1-9kgRXKG]/.test(character)) fail(`no \\${character}`);
    if (character === "p" || character === "P") {
      const set = propertyClass(pattern, at, fail);
      at = set.end;
      return { type: "set", source: set.source };
    }
    const set = escapedClass(pattern, at, flags.ignoreCase, fail);
    at = set.end;
    return { type: "set", source: set.source };
  };

  if (pattern.length > maxPatternLength) fail(`at most ${maxPatternLength} characters`);
  const tree = choice();
  if (at < pattern.length) fail("no closing bracket without an opening one");
  return tree;
}

const maxPatternLength = 20_000;
const notInLookbehind =
  "no atomic group or possessive repetition in a lookbehind, which matches from right to left,";

const lookarounds = [
  ["<=", true, false],
  ["<!", true, true],
  ["=", false, false],
  ["!", false, true],
] as const;

const assertions = /* @__PURE__ */ createAssertions();

function createAssertions(): ReadonlyMap<string, string> {
  const word = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
  return new Map([
    ["A", "(?<![^])"],
    ["z", "(?![^])"],
    ["Z", "(?=\\n?(?![^]))"],
    ["b", `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`],
    ["B", `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`],
  ]);
}
