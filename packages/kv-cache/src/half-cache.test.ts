import { cast, concat, randn, slice, type HalfType, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import type { KvCache } from "./cache.js";
import { growingCache } from "./growing-cache.js";
import { latentCache } from "./latent-cache.js";
import { pagedCache } from "./paged-cache.js";
import { prefixCache } from "./prefix-cache.js";
import { rollingCache } from "./rolling-cache.js";
import { staticCache } from "./static-cache.js";

const x = randn([1, 1, 5, 4], { seed: 1 });
const half = { dtype: "float16" } as const;
type Options = { dtype?: HalfType };
const caches: [string, (options?: Options) => KvCache][] = [
  ["growing", (options) => growingCache(options)],
  ["static", (options) => staticCache({ maxLength: 12, ...options })],
  ["rolling", (options) => rollingCache({ windowSize: 6, keepFirst: 1, room: 5, ...options })],
  ["paged", (options) => pagedCache({ pages: 8, pageLength: 3, ...options })],
  ["prefix", (options) => prefixCache({ pages: 8, pageLength: 3, ...options })],
  ["latent", (options) => latentCache({ latentDim: 4, ...options })],
];
const tensorOf = (part: Tensor | { readonly data: Tensor }): Tensor =>
  ("table" in part ? part.data : part) as Tensor;

test.each(caches)("%s: 16-bit buffers take half the bytes, and tokens are given in float32", (_, make) => {
  const [exact, small] = [make(), make(half)];
  for (const cache of [exact, small]) cache.update(0, x, x);
  expect(2 * small.bytes).toBe(exact.bytes);
  const { key, value } = small.read(0);
  for (const part of [...key, ...value]) expect(tensorOf(part).dtype).toBe("float16");
  small.update(0, x, x);
  expect(small.length).toBe(10);
  const double = randn([1, 1, 5, 4], { seed: 1, dtype: "float64" });
  expect(() => small.update(0, double, double)).toThrow(
    /`key` is "float64", expected float32 \[1, 1, T, 4\]/,
  );
});

test.each(caches)("%s: only a cache of the same dtype restores a file", (_, make) => {
  const cache = make(half);
  cache.update(0, x, x);
  const saved = cache.save();
  const again = make(half);
  again.restore(saved);
  again.update(0, x, x);
  expect(again.length).toBe(10);
  expect(tensorOf(again.read(0).key[0]!).dtype).toBe("float16");
  again.restore(saved);
  expect(again.save()).toEqual(saved);
  expect(() => make().restore(saved)).toThrow(/`saved cache: form` is ".*, float16"/);
  expect(() => make({ dtype: "bfloat16" }).restore(saved)).toThrow(/expected ".*, bfloat16"/);
});

test("growing, static and paged caches restore each other's files", () => {
  const [growing, ...others] = [
    growingCache(half),
    staticCache({ maxLength: 8, ...half }),
    pagedCache({ pages: 2, ...half }),
  ];
  growing!.update(0, x, x);
  for (const other of others) {
    other.restore(growing!.save());
    expect(other.save()).toEqual(growing!.save());
  }
});

test("tokens of a prompt longer than the ring buffer are read rounded, like those in the ring buffer", () => {
  const [ring, all] = [rollingCache({ windowSize: 3, ...half }), growingCache(half)];
  for (const cache of [ring, all]) cache.update(0, x, x);
  const more = randn([1, 1, 4, 4], { seed: 2 });
  const dense = (cache: KvCache) => {
    const { key } = cache.update(0, more, more);
    return concat(
      key.map((part) => part as Tensor),
      2,
    );
  };
  const [own, right] = [dense(ring), dense(all)];
  const last = own.shape[2]!;
  expect(cast(own, "float32").data).toEqual(cast(slice(right, 2, -last), "float32").data);
});

test("other types, and `dtype` together with `unrotatedKeys`, are refused", () => {
  for (const [name, make] of caches) {
    const fn = `${name}Cache`;
    expect(() => make({ dtype: "int8" as HalfType })).toThrow(
      `${fn}: \`dtype\` is "int8", expected "float16" or "bfloat16"`,
    );
  }
  expect(() => staticCache({ maxLength: 4, unrotatedKeys: true, ...half })).toThrow(
    /staticCache: `dtype` is "float16 with unrotatedKeys"/,
  );
  expect(() => rollingCache({ windowSize: 4, unrotatedKeys: true, ...half })).toThrow(
    /rollingCache: `dtype` is "float16 with unrotatedKeys"/,
  );
});
