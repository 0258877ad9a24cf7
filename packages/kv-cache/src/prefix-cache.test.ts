import { tensor } from "@qkv/tensor";
import { denseSegment } from "@qkv/attention-contract";
import { expect, test } from "vitest";
import { prefixCache, type PrefixCache } from "./prefix-cache.js";

/** Runs a prompt: matches its prefix, computes the rest, inserts it. Returns the number of cached tokens. */
function ask(cache: PrefixCache, ids: readonly number[]): number {
  const known = cache.matchPrefix(ids);
  const rest = ids.slice(known);
  const x = tensor(rest, { shape: [1, 1, rest.length, 1] });
  cache.update(0, x, x);
  cache.insertPrefix(ids);
  return known;
}
const keys = (cache: PrefixCache) => [...denseSegment(cache.read(0).key[0]!, 1).data];
const text = (letters: string) => [...letters].map((letter) => letter.charCodeAt(0));

test("prefixes match in full pages, and one token is always left to compute", () => {
  const cache = prefixCache({ pages: 20, pageLength: 2 });
  expect(ask(cache, text("abcdef"))).toBe(0);
  expect(ask(cache, text("abcdxy"))).toBe(4);
  expect(keys(cache)).toEqual(text("abcdxy"));
  expect(ask(cache, text("abcdef"))).toBe(4); // its last page holds the last token
  expect(ask(cache, text("abcdefg"))).toBe(6);
  expect(keys(cache)).toEqual(text("abcdefg"));
  expect(ask(cache, text("bcdef"))).toBe(0);
  expect(cache.prefixPages).toBe(6); // ab cd ef, xy, bc de
});

test("ids whose digits join to the same text are different prefixes", () => {
  const cache = prefixCache({ pages: 20, pageLength: 2 });
  ask(cache, [1, 23, 4]);
  expect(cache.matchPrefix([12, 3, 4])).toBe(0);
});

test("two at once share pages, and what one writes the other does not see", () => {
  const cache = prefixCache({ pages: 20, pageLength: 2 });
  ask(cache, text("abcdef"));
  const other = cache.fork();
  expect(ask(other, text("abcdQRST"))).toBe(4);
  expect(keys(cache)).toEqual(text("abcdef"));
  expect(keys(other)).toEqual(text("abcdQRST"));
  expect(other.table[0]!.slice(0, 2)).toEqual(cache.table[0]!.slice(0, 2));
  // A crop into a remembered page, and another end: the page itself stays as it was.
  cache.crop(3);
  const y = tensor(text("zz"), { shape: [1, 1, 2, 1] });
  cache.update(0, y, y);
  expect(keys(cache)).toEqual(text("abczz"));
  expect(ask(other, text("abcdef!"))).toBe(6);
});

test("when pages run short, what nobody uses goes, the longest unused first", () => {
  const cache = prefixCache({ pages: 6, pageLength: 2 });
  ask(cache, text("aabb"));
  ask(cache, text("ccdd"));
  ask(cache, text("aabbX")); // used again, so ccdd is the oldest; one page is its own
  expect(cache.freePages).toBe(3); // one free, two of ccdd to give up
  ask(cache, text("eeff!")); // needs three, and X was let go: one page more
  expect(cache.matchPrefix(text("aabb?"))).toBe(4);
  expect(cache.matchPrefix(text("ccdd?"))).toBe(2); // the end goes before the beginning
});

test("pages in use are never given up: the next token is refused, and all is still there", () => {
  const cache = prefixCache({ pages: 3, pageLength: 2 });
  ask(cache, text("aabb"));
  const fork = cache.fork();
  const x = tensor(text("xyz"), { shape: [1, 1, 3, 1] });
  expect(() => fork.update(0, x, x)).toThrow(/tokens that need 2 more pages/);
  expect([keys(cache), keys(fork)]).toEqual([text("aabb"), text("aabb")]);
  for (const one of [cache, fork]) one.reset();
  expect([cache.freePages, cache.prefixPages]).toEqual([3, 2]);
  cache.clearPrefixes();
  expect([cache.freePages, cache.prefixPages]).toEqual([3, 0]);
});

test("what is in use is passed over, however long ago it was asked for", () => {
  const cache = prefixCache({ pages: 5, pageLength: 2 });
  ask(cache, text("aabb")); // the oldest, and in use until the end
  const other = cache.fork();
  ask(other, text("ccdd"));
  ask(other, text("eeff")); // one page is free, so one of ccdd goes
  expect(keys(cache)).toEqual(text("aabb"));
  expect(keys(other)).toEqual(text("eeff"));
  expect(cache.fork().matchPrefix(text("aabb!"))).toBe(4);
  expect([cache.freePages, cache.prefixPages]).toEqual([1, 5]);
});

test("ids beyond what is held, or of several batches, are refused", () => {
  const cache = prefixCache({ pages: 8, pageLength: 2 });
  ask(cache, [1, 2, 3]);
  expect(() => cache.insertPrefix([1, 2, 3, 4])).toThrow(
    /insertPrefix: `ids` is "4 tokens", expected at most the 3 that the cache holds.\nFix: give the ids of the tokens whose keys are in the cache/,
  );
  cache.repeat(2);
  expect(() => cache.insertPrefix([1])).toThrow(/expected a cache of one sequence, and it has 2/);
});
