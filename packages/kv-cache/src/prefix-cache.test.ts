import { tensor } from "@qkv/tensor";
import { denseSegment } from "@qkv/attention-contract";
import { expect, test } from "vitest";
import { growingCache } from "./growing-cache.js";
import { prefixCache, type PrefixCache } from "./prefix-cache.js";
import { rollingCache } from "./rolling-cache.js";
import { stateCache } from "./state-cache.js";

/** Runs a prompt: matches its prefix, appends the remaining tokens, inserts all. Returns the number of matched tokens. */
function ask(cache: PrefixCache, ids: readonly number[]): number {
  const matched = cache.matchPrefix(ids);
  const rest = ids.slice(matched);
  const x = tensor(rest, { shape: [1, 1, rest.length, 1] }); // the key of a token is its id
  cache.update(0, x, x);
  cache.insertPrefix(ids);
  return matched;
}
const keys = (cache: PrefixCache) => [...denseSegment(cache.read(0).key[0]!, 1).data];
/** Token ids of a text: one per letter. */
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

test("a cache and its fork share the pages of a prefix, and neither sees what the other writes", () => {
  const cache = prefixCache({ pages: 20, pageLength: 2 });
  ask(cache, text("abcdef"));
  const other = cache.fork();
  expect(ask(other, text("abcdQRST"))).toBe(4);
  expect(keys(cache)).toEqual(text("abcdef"));
  expect(keys(other)).toEqual(text("abcdQRST"));
  expect(other.table[0]!.slice(0, 2)).toEqual(cache.table[0]!.slice(0, 2));
  // The cache is cropped within a page of the tree and continued differently: the page in the tree is not changed.
  cache.crop(3);
  const y = tensor(text("zz"), { shape: [1, 1, 2, 1] });
  cache.update(0, y, y);
  expect(keys(cache)).toEqual(text("abczz"));
  expect(ask(other, text("abcdef!"))).toBe(6);
});

test("when no page is free, unused pages are evicted, the least recently used first", () => {
  const cache = prefixCache({ pages: 6, pageLength: 2 });
  ask(cache, text("aabb"));
  ask(cache, text("ccdd"));
  ask(cache, text("aabbX")); // aabb is used again, so ccdd is the least recently used; X takes a page that is not in the tree
  expect(cache.freePages).toBe(3); // one free page, and two of ccdd that can be evicted
  ask(cache, text("eeff!")); // needs three pages; X was released, which frees one
  expect(cache.matchPrefix(text("aabb?"))).toBe(4);
  expect(cache.matchPrefix(text("ccdd?"))).toBe(2); // the end of a prefix is evicted before its beginning
});

test("pages in use are never evicted: the next token is refused, and the content is unchanged", () => {
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

test("eviction skips pages in use, even if they are the least recently used", () => {
  const cache = prefixCache({ pages: 5, pageLength: 2 });
  ask(cache, text("aabb")); // the least recently used, but in use until the end
  const other = cache.fork();
  ask(other, text("ccdd"));
  ask(other, text("eeff")); // one page is free, so one of ccdd is evicted
  expect(keys(cache)).toEqual(text("aabb"));
  expect(keys(other)).toEqual(text("eeff"));
  expect(cache.fork().matchPrefix(text("aabb!"))).toBe(4);
  expect([cache.freePages, cache.prefixPages]).toEqual([1, 5]);
});

test("more ids than cached tokens, and a batch of several sequences, are refused", () => {
  const cache = prefixCache({ pages: 8, pageLength: 2 });
  ask(cache, [1, 2, 3]);
  expect(() => cache.insertPrefix([1, 2, 3, 4])).toThrow(
    /insertPrefix: `ids` is "4 tokens", expected at most the 3 that the cache holds.\nFix: give the ids of the tokens whose keys are in the cache/,
  );
  cache.repeat(2);
  expect(() => cache.insertPrefix([1])).toThrow(/expected a cache of one sequence, and it has 2/);
});

test("a page that was computed twice can be evicted once: no more pages are allocated than the pool has", () => {
  const cache = prefixCache({ pages: 4, pageLength: 2 });
  ask(cache, text("aabb"));
  const other = cache.fork();
  ask(other, text("aabb")); // its last page is computed again, since the model needs the logits of the last token
  const x = tensor(text("cc"), { shape: [1, 1, 2, 1] });
  other.update(0, x, x);
  other.insertPrefix(text("aabbcc")); // a child of the tree's page of bb, which the first cache releases
  cache.reset();
  expect(cache.freePages).toBe(1); // the tree's page of bb; aa is in use, as are the other's bb and cc
  cache.update(0, x, x); // evicts that page together with its descendants
  expect(() => cache.update(0, x, x)).toThrow("tokens that need 1 more pages");
  expect([keys(other), keys(cache)]).toEqual([text("aabbcc"), text("cc")]);
  expect([cache.freePages, cache.prefixPages]).toEqual([0, 1]);
});

// A hybrid model: the state of the first and the last layer is the sum of the ids so far; the keys of the second are the ids.
const sumOf = (ids: readonly number[]) => ids.reduce((sum, id) => sum + id, 0);
function compute(cache: PrefixCache, ids: readonly number[]): void {
  if (ids.length === 0) return;
  const x = tensor(ids, { shape: [1, 1, ids.length, 1] });
  cache.update(1, x, x);
  for (const layer of [0, 2]) {
    const before = cache.state(layer)?.["sum"]?.data[0] ?? 0;
    cache.advance(layer, { sum: tensor([Number(before) + sumOf(ids)]) }, ids.length);
  }
}
function askHybrid(cache: PrefixCache, ids: readonly number[]): number {
  const known = cache.matchPrefix(ids);
  expect([cache.length, cache.state(0)?.["sum"]?.data[0] ?? 0]).toEqual([known, sumOf(ids.slice(0, known))]);
  compute(cache, ids.slice(known));
  cache.insertPrefix(ids);
  expect([0, 2].map((layer) => cache.state(layer)!["sum"]!.data[0])).toEqual([sumOf(ids), sumOf(ids)]);
  expect([...denseSegment(cache.read(1).key[0]!, 1).data]).toEqual(ids);
  return known;
}
const hybridCache = (pages = 20, checkpoints?: number) => {
  const states = stateCache({ numLayers: 2 });
  const most = checkpoints === undefined ? {} : { checkpoints };
  return prefixCache({ pages, pageLength: 4, layers: [states, "paged", states], ...most });
};

test("states: a match ends at the last checkpoint, even within a page, and later tokens are computed again", () => {
  const cache = hybridCache();
  expect(askHybrid(cache, text("You are kind."))).toBe(0);
  expect(askHybrid(cache, text("You are kind. Who?"))).toBe(13);
  expect(askHybrid(cache, text("You are kind. How far?"))).toBe(13); // the pages match up to 14, but there is no state there
  expect(askHybrid(cache, text("You are kind. Who? Me?"))).toBe(18);
  expect(askHybrid(cache, text("You are kind."))).toBe(0); // the last token is never matched
  expect(askHybrid(cache, text("You are"))).toBe(0); // the pages are cached, but no state within them
  expect(askHybrid(cache, text("You are kind!"))).toBe(7);
});

test("states: continuing, cropping or resetting a cache or its fork changes no checkpoint", () => {
  const cache = hybridCache();
  askHybrid(cache, text("abcdef"));
  compute(cache, text("XYZ"));
  const fork = cache.fork();
  compute(fork, text("!"));
  expect(fork.matchPrefix(text("abcdef?"))).toBe(6);
  expect(fork.state(2)!["sum"]!.data[0]).toBe(sumOf(text("abcdef")));
  compute(fork, text("?"));
  expect(cache.state(2)!["sum"]!.data[0]).toBe(sumOf(text("abcdefXYZ")));
  cache.crop(6); // the state before the last step
  expect(cache.state(0)!["sum"]!.data[0]).toBe(sumOf(text("abcdef")));
  const restored = hybridCache();
  restored.restore(fork.save());
  expect([restored.length, restored.state(0)!["sum"]!.data[0]]).toEqual([7, sumOf(text("abcdef?"))]);
  for (const one of [cache, fork]) one.reset();
  expect(cache.matchPrefix(text("abcdef!"))).toBe(6);
});

test("states: a checkpoint is released with its page, and when there are more than `checkpoints`", () => {
  const short = hybridCache(4);
  askHybrid(short, text("aaaabb"));
  askHybrid(short, text("cccc"));
  askHybrid(short, text("ddddee")); // evicts pages of the least recently used prefix, from its end
  expect(short.matchPrefix(text("aaaabb!"))).toBe(0);
  expect(short.matchPrefix(text("cccc!"))).toBe(4);
  const two = hybridCache(20, 2);
  for (const word of ["aaaabb", "cccc", "dd"]) askHybrid(two, text(word));
  expect(two.prefixPages).toBe(3); // aaaa, cccc, dd: a partly filled page is removed together with its state
  expect(["aaaabb!", "cccc!", "dd!"].map((word) => two.fork().matchPrefix(text(word)))).toEqual([0, 4, 2]);
});

test("states: `bytes` includes the checkpoints of the tree until clearPrefixes", () => {
  const cache = hybridCache();
  const pool = 20 * 4 * 2 * 4;
  const [step, layers] = [4, 2]; // one float a layer
  compute(cache, text("abc"));
  expect(cache.bytes).toBe(pool + layers * step);
  cache.insertPrefix(text("abc"));
  expect(cache.bytes).toBe(pool + 2 * layers * step);
  cache.reset();
  expect(cache.bytes).toBe(pool + layers * step);
  cache.clearPrefixes();
  expect([cache.bytes, cache.freePages, cache.prefixPages]).toEqual([pool, 20, 0]);
});

test("checkpoints include rolling and growing caches", () => {
  const cache = prefixCache({
    ...{ pages: 9, pageLength: 2 },
    layers: ["paged", rollingCache({ windowSize: 3 }), growingCache()],
  });
  const append = (ids: readonly number[]) => {
    const x = tensor(ids, { shape: [1, 1, ids.length, 1] });
    for (const layer of [0, 1, 2]) cache.update(layer, x, x);
  };
  append(text("abcde"));
  cache.insertPrefix(text("abcde"));
  append(text("XYZ"));
  expect(cache.matchPrefix(text("abcdef"))).toBe(5);
  append(text("f"));
  const held = [0, 2].map((layer) => [...denseSegment(cache.read(layer).key[0]!, 1).data]);
  expect(held).toEqual([text("abcdef"), text("abcdef")]);
  const next = cache.read(1); // what the next token sees
  expect(next.positions).toEqual({ start: 4 });
  expect([...denseSegment(next.key[0]!, 1).data]).toEqual(text("ef"));
});

test("ids after whose last token a layer has no state are refused, and change nothing", () => {
  const cache = hybridCache();
  compute(cache, text("abcd"));
  compute(cache, text("efg"));
  cache.insertPrefix(text("abcd")); // the state before the last step
  compute(cache, text("h"));
  expect(() => cache.insertPrefix(text("abcdef"))).toThrow(
    /insertPrefix: `ids` is "6 tokens", expected all 8 that the cache holds, or a length of which each layer has a state.\nFix: insert a prefix when its last token was computed/,
  );
  expect([cache.length, cache.prefixPages]).toEqual([8, 1]);
});

test.each([
  [
    () => prefixCache({ pages: 4, layers: ["paged", "paged"] }),
    /prefixCache: `layers` is "2 layers of one kind", expected layers of which some are "paged".*\nFix: write `layers: \[stateCache\(\), "paged"\]`/,
  ],
  [() => prefixCache({ pages: 4, layers: [stateCache()] }), /`layers` is "1 layers of one kind"/],
  [
    () => prefixCache({ pages: 4, numLayers: 2, layers: ["paged", stateCache()] }),
    /`layers` is "given beside `numLayers`"/,
  ],
  [
    () => prefixCache({ pages: 4, layers: ["paged", "states" as never] }),
    /`layers` is "states", expected caches and "paged", one for each layer/,
  ],
  [
    () => prefixCache({ pages: 4, layers: ["paged", stateCache({ numLayers: 2 })] }),
    /prefixCache: `layers` is "a cache of 2 layers, listed 1 times"/,
  ],
  [
    () => prefixCache({ pages: 4, checkpoints: 2 }),
    /prefixCache: `checkpoints` is 2, expected none without `layers`/,
  ],
  [
    () => prefixCache({ pages: 4, checkpoints: 0, layers: ["paged", stateCache()] }),
    /prefixCache: `checkpoints` is 0, expected an integer number of checkpoints, 1 or more/,
  ],
])("refused: %s", (call, message) => {
  expect(call).toThrow(message);
});
