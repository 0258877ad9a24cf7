import { randn, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { growingCache } from "./growing-cache.js";
import { mixedCache } from "./mixed-cache.js";
import { rollingCache } from "./rolling-cache.js";
import { sharedCache } from "./shared-cache.js";
import { stateCache } from "./state-cache.js";

const x = (T: number, seed = T) => randn([1, 2, T, 4], { seed });

test("layers that share entries read the same buffers, and `bytes` counts them once", () => {
  const inner = growingCache({ numLayers: 2 });
  const cache = sharedCache(inner, [0, 1, 0, 1, 1]);
  cache.update(0, x(3), x(3));
  cache.update(1, x(3, 9), x(3, 9));
  expect([cache.numLayers, cache.length, cache.bytes]).toEqual([5, 3, 2 * 2 * 3 * 8 * 4]);
  for (const [layer, owner] of [[2, 0], [3, 1], [4, 1]] as const) {
    expect(cache.read(layer).key[0]).toHaveProperty("storage", (inner.read(owner).key[0] as { storage: unknown }).storage);
    expect(() => cache.update(layer, x(1), x(1))).toThrow(`update: \`layer\` is ${layer}, expected 0 or 1, the layers that store entries`);
  } // prettier-ignore
  expect(cache.length).toBe(3);
});

test("if each layer reads itself, the shared cache equals the inner cache", () => {
  const [plain, cache] = [
    growingCache({ numLayers: 2 }),
    sharedCache(growingCache({ numLayers: 2 }), [0, 1]),
  ];
  for (const each of [plain, cache]) for (const layer of [0, 1]) each.update(layer, x(4), x(4));
  expect(cache.read(1)).toEqual(plain.read(1));
  expect([cache.bytes, cache.length, cache.stored]).toEqual([plain.bytes, plain.length, plain.stored]);
});

test("a mixed cache of windows, full attention and states can be shared, as in Gemma 3n, and is cropped as a whole", () => {
  const local = rollingCache({ windowSize: 4, room: 2 });
  const cache = sharedCache(mixedCache([local, growingCache(), stateCache()]), [0, 1, 2, 0, 1, 2]);
  const step = (T: number) => {
    for (const layer of [0, 1]) cache.update(layer, x(T), x(T));
    cache.advance(2, { state: randn([1, 2], { seed: T }) }, T);
  };
  step(6);
  step(1);
  expect([cache.read(3).key.length > 0, cache.length]).toEqual([true, 7]);
  expect(cache.state(5)!["state"]!.data).toEqual(randn([1, 2], { seed: 1 }).data);
  expect(() => cache.advance(5, { state: zeros([1, 2]) }, 1)).toThrow("layer 5 reads those of layer 2");
  const fork = cache.fork();
  fork.crop(6);
  expect([cache.length, fork.length, fork.numLayers]).toEqual([7, 6, 6]);
  const copy = sharedCache(
    mixedCache([rollingCache({ windowSize: 4, room: 2 }), growingCache(), stateCache()]),
    [0, 1, 2, 0, 1, 2],
  );
  copy.restore(fork.save());
  expect(copy.state(5)!["state"]!.data).toEqual(fork.state(2)!["state"]!.data);
  expect(() => growingCache().restore(fork.save())).toThrow(
    'restore: `saved cache: form` is "shared 0,1,2,0,1,2"',
  );
});

test.each([
  [
    () => sharedCache(growingCache(), []),
    'sharedCache: `reads` is "an empty list", expected layers that read themselves',
  ],
  [() => sharedCache(growingCache(), [1, 1]), 'sharedCache: `reads` is "layer 0 reading layer 1"'],
  [() => sharedCache(growingCache(), [0, 0, 1]), 'sharedCache: `reads` is "layer 2 reading layer 1"'],
  [
    () => sharedCache(growingCache(), [0, 1]),
    'sharedCache: `cache` is "one of 1 layers", expected one of 2 layers, those that read themselves: 0, 1',
  ],
  [() => sharedCache({} as never, [0]), "sharedCache: `cache` is an object with no keys, expected a cache"],
  [() => sharedCache(growingCache(), [0]).read(1), "read: `layer` is 1, expected a layer from 0 to 0"],
])("refused: %s", (call, message) => {
  expect(call).toThrow(message);
});
