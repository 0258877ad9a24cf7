import { isQkvError } from "@qkv/core";
import { randn, tensor, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { growingCache } from "./growing-cache.js";
import { mixedCache } from "./mixed-cache.js";
import { pagedCache } from "./paged-cache.js";
import { prefixCache } from "./prefix-cache.js";
import { quantizedCache } from "./quantized-cache.js";
import { rollingCache } from "./rolling-cache.js";
import { staticCache } from "./static-cache.js";
import { offloadedCache } from "./offloaded-cache.js";
import { fromPastKeyValues, toPastKeyValues } from "./past-key-values.js";

const x = (T: number, B = 1, D = 4) => randn([B, 2, T, D], { seed: T });

test.each([
  [
    () => growingCache({ numLayers: 1.5 }),
    "growingCache: `numLayers` is 1.5, expected an integer number of layers, 1 or more",
  ],
  [
    () => staticCache({ maxLength: 0 }),
    "staticCache: `maxLength` is 0, expected an integer number of tokens, 1 or more",
  ],
  [
    () => rollingCache({ windowSize: 0 }),
    "rollingCache: `windowSize` is 0, expected an integer number of tokens, 1 or more.\nFix: count the query itself",
  ],
  [
    () => rollingCache({ windowSize: 4, keepFirst: -1 }),
    "rollingCache: `keepFirst` is -1, expected an integer number of tokens, 0 or more",
  ],
  [() => rollingCache({ windowSize: 4, room: 0 }), "rollingCache: `room` is 0"],
  [
    () => pagedCache({ pages: 0 }),
    "pagedCache: `pages` is 0, expected an integer number of pages, 1 or more",
  ],
  [() => prefixCache({ pages: 4, pageLength: 0 }), "prefixCache: `pageLength` is 0"],
  [() => quantizedCache({ groupSize: 0 }), "quantizedCache: `groupSize` is 0"],
  [
    () => quantizedCache({ residualLength: -1 }),
    "quantizedCache: `residualLength` is -1, expected an integer number of tokens, 0 or more",
  ],
  [() => mixedCache([]), 'mixedCache: `layers` is "an empty list", expected a cache for each layer'],
  [
    () => mixedCache([growingCache(), growingCache({ unrotatedKeys: true })]),
    'mixedCache: `layers` is "layer 1, whose `unrotatedKeys` differs from the others"',
  ],
  [
    () => mixedCache([growingCache(), growingCache({ numLayers: 2 })]),
    'mixedCache: `layers` is "a cache of 2 layers, listed 1 times", expected each cache as often as it has layers',
  ],
])("%s", (make, message) => {
  expect(make).toThrow(message);
});

test("an update that exceeds the capacity is refused as a whole", () => {
  const cache = staticCache({ maxLength: 4 });
  cache.update(0, x(3), x(3));
  expect(() => cache.update(0, x(2), x(2))).toThrow(
    'update: `key` is "tokens up to place 5", expected at most maxLength = 4 tokens in all.\nFix: make the cache with more room',
  );
  expect(cache.length).toBe(3);

  const paged = pagedCache({ pages: 2, pageLength: 2 });
  const fork = paged.fork();
  paged.update(0, x(3), x(3));
  expect(() => fork.update(0, x(1), x(1))).toThrow(
    'update: `key` is "tokens that need 1 more pages", expected at most 0, what is free of 2 pages of 2 tokens.\nFix: crop or reset a cache of the pool',
  );
  expect([paged.length, fork.length, paged.freePages]).toEqual([3, 0, 0]);
});

test("tokens of another batch size, shape or dtype are refused", () => {
  for (const cache of [growingCache(), pagedCache({ pages: 8 })]) {
    cache.update(0, x(2), x(2));
    expect(() => cache.update(0, x(1, 2), x(1, 2))).toThrow(
      /`key` has shape \[2, 2, 1, 4\], expected float32 \[1, 2, T, 4\], like the cached tokens/,
    );
    expect(() => cache.update(0, x(1, 1, 5), x(1))).toThrow(/`key` has shape \[1, 2, 1, 5\]/);
    expect(() => cache.update(1, x(1), x(1))).toThrow(/`layer` is 1, expected a layer from 0 to 0/);
    expect(() => cache.update(0, randn([1, 2, 1, 4], { seed: 1, dtype: "float64" }), x(1))).toThrow(
      /`key` is "float64", expected float32/,
    );
  }
  expect(() => growingCache().update(0, randn([2, 1, 4], { seed: 1 }), x(1))).toThrow(
    /`key` has shape \[2, 1, 4\], expected float32 or float64 \[B, Hkv, T, D\]/,
  );
  const mixed = mixedCache([growingCache()]);
  expect(() => mixed.update(1, x(1), x(1))).toThrow(/update: `layer` is 1, expected a layer from 0 to 0/);
  expect(() => mixed.read(2)).toThrow(/read: `layer` is 2/);
  expect(() => growingCache().read(0)).toThrow(/read: `layer` is 0, expected a layer that holds tokens/);
});

test("crop to evicted tokens is refused, and so is discard in caches of rotated keys", () => {
  const cache = rollingCache({ windowSize: 4, keepFirst: 1, room: 2 });
  for (let t = 0; t < 20; t++) cache.update(0, x(1), x(1));
  cache.crop(18); // the next query, at 18, sees a window of 4: itself and tokens 15, 16 and 17
  expect(() => cache.crop(17)).toThrow(
    /`length` is 17, expected 18 or more, or at most keepFirst = 1: earlier tokens were evicted.\nFix: make the cache with `room`/,
  );
  expect(cache.length).toBe(18);
  cache.crop(1);
  expect([cache.length, cache.stored]).toEqual([1, 1]);

  for (const one of [growingCache(), pagedCache({ pages: 2 })])
    expect(() => one.discard(0, 1)).toThrow(/`cache` is "one whose keys are stored rotated"/);
  expect(() => rollingCache({ windowSize: 3, unrotatedKeys: true }).discard(0, 0)).toThrow(
    /`cache` is "window of 3/,
  );
  const unrotatedKeys = growingCache({ unrotatedKeys: true });
  unrotatedKeys.update(0, x(3), x(3));
  expect(() => unrotatedKeys.discard(1, 4)).toThrow(
    /`start` is "1 to 4", expected a range of tokens within the first 3/,
  );
});

test("crop takes one length per sequence, and reorder takes existing indices", () => {
  const cache = growingCache();
  cache.update(0, x(4, 2), x(4, 2));
  expect(() => cache.crop([1])).toThrow(/`length` is "1 lengths", expected one, or 2/);
  expect(() => cache.crop([4, 5])).toThrow(
    /`length` is 5, expected an integer number of tokens from -4 to 4/,
  );
  cache.crop([4, 2]);
  expect([...cache.lengths]).toEqual([4, 2]);
  cache.crop(3); // a shorter sequence stays as it is
  expect([...cache.lengths]).toEqual([3, 2]);
  expect(() => cache.reorder([2])).toThrow(/`ids` is 2, expected batch indices from 0 to 1/);
  expect(() => growingCache().reorder([0])).toThrow(/expected none, since the cache is empty/);
});

test("crop(-n) removes n tokens from the end of each sequence, whatever its length", () => {
  const caches = [
    growingCache(),
    staticCache({ maxLength: 8 }),
    pagedCache({ pages: 12, pageLength: 2 }),
    prefixCache({ pages: 12, pageLength: 2 }),
    quantizedCache(),
    rollingCache({ windowSize: 3, room: 8 }),
    mixedCache([growingCache()]),
  ];
  for (const cache of caches) {
    cache.update(0, x(7, 3), x(7, 3));
    cache.crop([7, 4, 2]);
    cache.crop(-2);
    expect([...cache.lengths]).toEqual([5, 2, 0]);
    expect(() => cache.crop(-1)).toThrow(/`length` is -1, expected an integer number of tokens from 0 to 5/);
    expect([...cache.lengths]).toEqual([5, 2, 0]);
    cache.crop([-1, -2, 0]);
    expect([...cache.lengths]).toEqual([4, 0, 0]);
  }
});

test("files of other caches, models and programs are refused with the reason", () => {
  const cache = growingCache({ numLayers: 2 });
  for (const layer of [0, 1]) cache.update(layer, x(3), x(3));
  const file = cache.save();
  expect(() => growingCache({ numLayers: 3 }).restore(file)).toThrow(
    /`saved cache: layers` is "2", expected "3"/,
  );
  expect(() => quantizedCache({ numLayers: 2 }).restore(file)).toThrow(
    /`saved cache: form` is "every token", expected "int8 in groups of 32, 32 floats"/,
  );
  expect(() => growingCache({ numLayers: 2, unrotatedKeys: true }).restore(file)).toThrow(
    /`saved cache: form` is "every token", expected "every token, unrotated keys"/,
  );
  const other = growingCache({ numLayers: 2 });
  for (const layer of [0, 1]) other.update(layer, x(1, 1, 8), x(1, 1, 8));
  expect(() => other.restore(file)).toThrow(
    /`saved cache: key` is "float32 \[1, 2, 3, 4\]", expected float32 \[B, 2, T, 8\]/,
  );
  expect(other.length).toBe(1);
  expect(() => growingCache({ numLayers: 2 }).restore(file, "wasm" as never)).toThrow(
    /restore: `device` is "wasm"/,
  );
  expect(() => staticCache({ numLayers: 2, maxLength: 2 }).restore(file)).toThrow(/tokens up to place 3/);
  const small = pagedCache({ numLayers: 2, pages: 1, pageLength: 2 });
  expect(() => small.restore(file)).toThrow(/tokens that need 2 more pages/);
  expect(small.freePages).toBe(1);
  // Another version, and a safetensors file that is not a cache.
  const text = new TextDecoder("latin1").decode(file);
  const version = file.slice();
  version[text.indexOf('"version":"1"') + 11] = "2".charCodeAt(0);
  expect(() => cache.restore(version)).toThrow(/`saved cache: version` is "2", expected "1"/);
  const foreign = file.slice();
  foreign[text.indexOf("qkv-cache")] = "x".charCodeAt(0);
  expect(() => cache.restore(foreign)).toThrow(/`saved cache: format` is "xkv-cache", expected "qkv-cache"/);
  const damaged = file.slice();
  damaged[damaged.length - 1]! ^= 64;
  expect(() => cache.restore(damaged)).toThrow(
    /`saved cache: checksum` is "[0-9a-f]{8}", expected "[0-9a-f]{8}", the checksum of its bytes/,
  );
  expect(cache.save()).toEqual(file);
});

/** Returns the error of a call. Fails unless it is a qkv error that names `fn`. */
function refusal(fn: string, call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    expect(isQkvError(error), `${fn}: ${String(error)}`).toBe(true);
    expect((error as { fn?: string }).fn, String(error)).toBe(fn);
    return error as Error;
  }
  throw new Error(`${fn} threw no error: ${String(call)}`);
}

const constructors = {
  growingCache,
  staticCache,
  rollingCache,
  pagedCache,
  prefixCache,
  quantizedCache,
  offloadedCache,
} as unknown as Readonly<Record<string, (options?: unknown) => unknown>>;
const requiredOptions: Readonly<Record<string, object>> = {
  staticCache: { maxLength: 4 },
  rollingCache: { windowSize: 4 },
  pagedCache: { pages: 4 },
  prefixCache: { pages: 4 },
  offloadedCache: { folder: "." },
};

test.each(Object.keys(constructors))("%s refuses invalid options with errors that name it", (fn) => {
  const make = constructors[fn]!;
  for (const wrong of [null, 4, "4", true, [4], tensor([4]), new Map(), () => 4, Promise.resolve({})])
    refusal(fn, () => make(wrong));
  if (requiredOptions[fn]) {
    refusal(fn, () => make());
    refusal(fn, () => make({}));
  }
  const of = (options: object) => () => make({ ...requiredOptions[fn], ...options });
  expect(refusal(fn, of({ depth: 4 })).message).toMatch(/`depth` is 4, expected one of the options/);
  expect(refusal(fn, of({ num_layers: 4 })).message).toMatch(/Fix: write `numLayers`/);
  for (const numLayers of [0, -1, 1.5, NaN, Infinity, "2", null, 1e9]) refusal(fn, of({ numLayers }));
  if (!["pagedCache", "prefixCache", "offloadedCache"].includes(fn))
    for (const unrotatedKeys of [1, "yes", null]) refusal(fn, of({ unrotatedKeys }));
});

test("pools and buffers that exceed the memory are refused, and the process survives", () => {
  expect(refusal("pagedCache", () => pagedCache({ pages: 1e9 })).message).toMatch(
    /`pages` is 1000000000, expected an integer number of pages, 1 or more and at most 134217728/,
  );
  // Pages that were never allocated take no memory.
  const pool = pagedCache({ pages: 1e8 });
  expect([pool.freePages, pool.bytes]).toEqual([1e8, 0]);
  const token = x(1);
  for (const cache of [
    pool,
    staticCache({ maxLength: 1e12 }),
    rollingCache({ windowSize: 1e12 }),
    quantizedCache({ residualLength: 1e12 }),
  ]) {
    const error = refusal("update", () => cache.update(0, token, token));
    expect([error.name, error.message]).toEqual([
      "DeviceError",
      expect.stringMatching(
        /tokens that need a buffer of [\d.]+ GiB, .*, expected one that fits into the memory of js/,
      ),
    ]);
    expect([cache.length, cache.stored, cache.bytes]).toEqual([0, 0, 0]);
  }
  expect(pool.freePages).toBe(1e8);
});

test("a freed page is allocated again, and no page is allocated twice", () => {
  const cache = pagedCache({ pages: 4, pageLength: 1 });
  cache.update(0, x(4), x(4));
  expect(cache.table[0]).toEqual([0, 1, 2, 3]);
  cache.crop(1);
  expect(cache.freePages).toBe(3);
  cache.update(0, x(3), x(3));
  expect([...cache.table[0]!].sort()).toEqual([0, 1, 2, 3]);
  expect(() => cache.update(0, x(1), x(1))).toThrow(/need 1 more pages/);
});

test("update refuses tensors without sequences, heads or channels, and values that are not tensors", () => {
  for (const cache of [
    growingCache(),
    staticCache({ maxLength: 4 }),
    rollingCache({ windowSize: 2 }),
    pagedCache({ pages: 4 }),
    prefixCache({ pages: 4 }),
    quantizedCache(),
    mixedCache([growingCache()]),
  ]) {
    for (const shape of [[0, 2, 1, 4], [1, 0, 1, 4], [1, 2, 1, 0], [1, 2, 4], []]) {
      const error = refusal("update", () => cache.update(0, zeros(shape), zeros(shape)));
      expect(error.message).toMatch(
        /^update: `key` has shape \[.*\], expected float32 or float64 \[B, Hkv, T, D\]/,
      );
    }
    for (const wrong of [undefined, null, 1, "key", [1], { shape: [1, 2, 1, 4] }]) {
      refusal("update", () => cache.update(0, wrong as never, x(1)));
      refusal("update", () => cache.update(0, x(1), wrong as never));
    }
    for (const layer of [1, -1, 0.5, NaN, "0", null, undefined])
      refusal("update", () => cache.update(layer as never, x(1), x(1)));
    refusal("update", () => cache.update(x(1) as never, x(1), 0 as never));
    const { message } = refusal("update", () => cache.update(0, x(2), x(3)));
    expect(message).toMatch(
      /`value` has shape \[1, 2, 3, 4\], expected as many tokens as key has, \[1, 2, 2, 4\]/,
    );
    expect([cache.length, cache.bytes]).toEqual([0, 0]);
    cache.update(0, x(0), x(0));
    expect(cache.length).toBe(0);
  }
});

test("methods refuse arguments of wrong types with errors that name them", () => {
  for (const cache of [
    growingCache(),
    pagedCache({ pages: 8 }),
    mixedCache([growingCache()]),
    growingCache({ unrotatedKeys: true }),
  ]) {
    cache.update(0, x(3, 2), x(3, 2));
    for (const wrong of [undefined, null, NaN, 1.5, "2", {}, ["1", "2"], [1, NaN], tensor([1, 2])])
      refusal("crop", () => cache.crop(wrong as never));
    for (const wrong of [undefined, null, 1, "01", [], ["0"], [NaN], [2], {}])
      refusal("reorder", () => cache.reorder(wrong as never));
    for (const wrong of [undefined, null, 0, 1.5, "2", NaN])
      refusal("repeat", () => cache.repeat(wrong as never));
    for (const wrong of [undefined, null, "0", NaN, 1]) refusal("read", () => cache.read(wrong as never));
    for (const wrong of [undefined, null, 0.5, "0"])
      refusal("discard", () => cache.discard(wrong as never, 1));
    for (const wrong of [undefined, null, "file", 7, [1], new ArrayBuffer(8)])
      refusal("restore", () => cache.restore(wrong as never));
    expect([...cache.lengths]).toEqual([3, 3]);
  }
  expect(() => growingCache().crop(NaN)).toThrow(/^crop: `length` is NaN/);
  const prefix = prefixCache({ pages: 4 });
  for (const wrong of [undefined, null, 5, "ids", [1.5], ["1"], [undefined], {}]) {
    refusal("matchPrefix", () => prefix.matchPrefix(wrong as never));
    refusal("insertPrefix", () => prefix.insertPrefix(wrong as never));
  }
  for (const wrong of [undefined, null, 2, "caches", growingCache(), [undefined], [{}], [5]])
    refusal("mixedCache", () => mixedCache(wrong as never));
  for (const wrong of [undefined, null, 2, {}, [], tensor([1])]) {
    refusal("toPastKeyValues", () => toPastKeyValues(wrong as never));
    refusal("fromPastKeyValues", () => fromPastKeyValues(wrong as never, {}));
  }
  for (const wrong of [
    undefined,
    null,
    2,
    "present",
    { "present.0.key": 5 },
    { "present.0.key": { type: "float32" } },
  ])
    refusal("fromPastKeyValues", () => fromPastKeyValues(growingCache(), wrong as never));
  for (const folder of [5, null, "no/such/folder", "a\0b"])
    refusal("offloadedCache", () => offloadedCache({ folder: folder as never }));
});
