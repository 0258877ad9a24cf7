import { ArgumentError } from "@qkv/core";
import { isInsideSurrogatePair } from "./surrogate-pair.js";

/**
 * Finds the longest word of a list that begins at each position of a text, in one pass (Aho–Corasick).
 *
 * The automaton of Aho and Corasick finds the longest word that ends at each position. Words and text are read from
 * right to left, so that this is the longest word that begins there. Symbols are whole characters: a word never matches half
 * a surrogate pair.
 *
 * @returns A function from a text to alternating positions and word numbers, from the last position to the first.
 * @see Aho and Corasick, "Efficient string matching" (1975), Communications of the ACM 18
 */
export function longestMatches(words: readonly string[]): (text: string) => number[] {
  const children = childTable(); // by node and symbol
  const failure = [0]; // for each node, the node of its longest proper suffix
  const longest = [-1]; // for each node, the longest word that is a suffix of it

  const next = (from: number, symbol: number): number => {
    for (let node = from; ; node = failure[node]!) {
      const child = children.get(node, symbol);
      if (child > 0 || node === 0) return child;
    }
  };
  // Level by level: suffixes are shorter, so their nodes are complete already.
  let pending = words.flatMap((word, index) =>
    word === "" ? [] : [{ word, index, node: 0, at: word.length }],
  );
  const lastUnits = unitPattern(pending.map(({ word }) => word.charCodeAt(word.length - 1)));
  while (pending.length > 0) {
    for (const item of pending) {
      const symbol = characterBefore(item.word, item.at);
      item.at -= symbol > 0xffff ? 2 : 1;
      let child = children.get(item.node, symbol);
      if (child === 0) {
        child = failure.length;
        if (child > maxNodes) throw tooMany();
        const suffix = item.node === 0 ? 0 : next(failure[item.node]!, symbol);
        failure.push(suffix);
        longest.push(longest[suffix]!);
        children.set(item.node, symbol, child);
      }
      item.node = child;
      if (item.at === 0) longest[child] = item.index;
    }
    pending = pending.filter(({ at }) => at > 0);
  }

  return (text) => {
    const found: number[] = [];
    const candidates: number[] = []; // possible ends of words, found fastest by the regex engine
    while (lastUnits.test(text)) candidates.push(lastUnits.lastIndex);
    let at = text.length;
    for (let end = candidates.pop(); end !== undefined; end = candidates.pop()) {
      if (isInsideSurrogatePair(text, end)) end += 1;
      if (end > at) continue; // already passed
      at = end;
      let node = 0;
      do {
        const symbol = characterBefore(text, at);
        at -= symbol > 0xffff ? 2 : 1;
        node = next(node, symbol);
        if (longest[node]! >= 0) found.push(at, longest[node]!);
      } while (node > 0 && at > 0);
    }
    return found;
  };
}

/** A pattern for any of these UTF-16 units. */
function unitPattern(units: readonly number[]): RegExp {
  const escaped = Array.from(new Set(units), (unit) => `\\u${unit.toString(16).padStart(4, "0")}`);
  return new RegExp(`[${escaped.join("")}]`, "g");
}

/** A hash table of numbers, since a `Map` of the same size takes several times the time and memory. 0: no child. */
function childTable() {
  let mask = 255;
  let entries = new Int32Array(3 * (mask + 1)); // node, symbol, child
  let count = 0;
  const slot = (node: number, symbol: number): number => {
    const hash = Math.imul(Math.imul(node, 0x9e3779b1) ^ symbol, 0x85ebca6b);
    for (let i = hash ^ (hash >>> 15); ; i++) {
      const at = 3 * (i & mask);
      if (entries[at + 2] === 0 || (entries[at] === node && entries[at + 1] === symbol)) return at;
    }
  };
  const write = (node: number, symbol: number, child: number): void => {
    const at = slot(node, symbol);
    entries[at] = node;
    entries[at + 1] = symbol;
    entries[at + 2] = child;
  };
  const set = (node: number, symbol: number, child: number): void => {
    if (2 * ++count > mask) {
      const old = entries;
      mask = 2 * mask + 1;
      entries = new Int32Array(3 * (mask + 1));
      for (let i = 0; i < old.length; i += 3) if (old[i + 2] !== 0) write(old[i]!, old[i + 1]!, old[i + 2]!);
    }
    write(node, symbol, child);
  };
  return { get: (node: number, symbol: number): number => entries[slot(node, symbol) + 2]!, set };
}

/** Maximum total number of characters of all words, if no two share a prefix. */
const maxNodes = 2 ** 23;

/** The character before a position. */
function characterBefore(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  if (unit < 0xdc00 || unit > 0xdfff) return unit;
  const pair = text.codePointAt(at - 2) ?? unit;
  return pair > 0xffff ? pair : unit;
}

function tooMany(): ArgumentError {
  return new ArgumentError({
    fn: "addedTokenFinder",
    argument: "tokens",
    received: "longer ones",
    expected: `added tokens of ${maxNodes} characters together at most`,
    fix: "keep such tokens in the model's vocabulary.",
  });
}
