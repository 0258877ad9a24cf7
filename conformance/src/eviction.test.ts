// Caches with eviction by attention scores, through an attention layer on the plain device and on wasm.
import {
  and,
  causal,
  expectedAttention,
  groupedQuery,
  h2o,
  keyNorm,
  latent,
  maskMod,
  rope,
  snapKV,
  tova,
  tracedAttention,
  type AttentionParams,
  type LatentLayer,
  type LatentParams,
} from "@qkv/attention";
import type { EvictionScore, KeyValues } from "@qkv/attention-contract";
import { kvCache, formats } from "@qkv/cost";
import { evictingCache, growingCache, mixedCache, stateCache, type KvCache } from "@qkv/kv-cache";
import {
  concat,
  js,
  linear,
  mapTensors,
  permute,
  randn,
  reshape,
  rmsNorm,
  slice,
  sum,
  zeros,
  type Device,
  type Tensor,
} from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";

const [C, H, Hkv] = [16, 4, 2];
const rotary = rope({ headDim: 4 });
const scores: [string, () => EvictionScore][] = [
  ["keyNorm", keyNorm],
  ["h2o", h2o],
  ["tova", tova],
  ["snapKV", () => snapKV({ window: 3, kernelSize: 3 })],
  ["expectedAttention", () => expectedAttention({ rope: rotary, window: 4, futureLength: 8 })],
];
const devices: [string, () => Promise<Device>][] = [
  ["js", async () => js()],
  ["wasm", () => wasm({ threads: 1 })],
];

/** Positions in each head of a cache of one sequence, in order. */
function heldByHead({ positions, key }: KeyValues): number[][] {
  const [, heads, S] = (key[0] as Tensor).shape as [number, number, number];
  const position = (head: number, s: number) =>
    "start" in positions ? positions.start + s : positions[positions.length === S ? s : head * S + s]!;
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: S }, (_, s) => position(head, s))
      .filter((p) => p >= 0)
      .sort((a, b) => a - b),
  );
}
const held = (read: KeyValues): number[] => heldByHead(read)[0]!;

/** Weights of latent attention summed over the heads, [T][S], by definition: with queries and keys of every head. */
function weightsOfHeads({ config }: LatentLayer, params: LatentParams, x: Tensor, scale: number): number[][] {
  const { numHeads, kvRank, nopeDim, ropeDim } = config;
  const T = x.shape[1]!;
  const rows = (weight: Tensor, from: Tensor = x) => linear(from, weight);
  const split = (y: Tensor, heads: number) =>
    permute(reshape(y, [1, T, heads, y.shape[2]! / heads]), [0, 2, 1, 3]);
  const rotate = (y: Tensor) => config.rope!.apply(y, { start: 0 });
  const query = split(rows(params.query.weight), numHeads);
  const both = rows(params.latent.weight);
  const latent = rmsNorm(slice(both, 2, 0, kvRank), params.latentNorm.weight, { eps: 1e-6 });
  const shared = rotate(split(slice(both, 2, kvRank), 1));
  const key = concat(
    [split(rows(params.key.weight, latent), numHeads), concat(new Array<Tensor>(numHeads).fill(shared), 1)],
    3,
  );
  const rotated = concat([slice(query, 3, 0, nopeDim), rotate(slice(query, 3, nopeDim))], 3);
  expect(rotated.shape[3]).toBe(nopeDim + ropeDim);
  const { weights } = tracedAttention(rotated, key, key, { mask: causal(), scale }, ["weights"]);
  return (sum(weights, { axis: 1 }).toNested() as number[][][])[0]!;
}

describe.each(devices)("on %s", async (_, open) => {
  const device = await open();
  const layer = groupedQuery({ embedDim: C, numHeads: H, numKvHeads: Hkv, mask: causal(), rope: rotary });
  const params = mapTensors(layer.init(1), (x) => x.to(device)) as AttentionParams;
  const text = (T: number, seed: number, B = 1) => randn([B, T, C], { seed }).to(device);
  /** Runs a text through the layer and a cache, in chunks. */
  const through = (cache: KvCache, x: Tensor, chunks: readonly number[]) => {
    const outputs: Tensor[] = [];
    for (let t = 0, i = 0; t < x.shape[1]!; i++) {
      const end = Math.min(x.shape[1]!, t + chunks[i % chunks.length]!);
      const own = slice(x, 1, t, end);
      outputs.push(device.scope(() => layer.apply(params, own, { cache })));
      t = end;
    }
    return concat(outputs, 1);
  };
  const size = (min: number, max: number) => fc.integer({ min, max });
  const kept = fc.constantFrom("layer", "head");
  const chunked = fc.array(size(1, 12), { minLength: 1, maxLength: 4 });

  test.each(scores)(
    "property: a budget for all tokens equals the full cache, in any chunks: %s",
    (_, score) => {
      fc.assert(
        fc.property(size(1, 2), size(1, 24), chunked, fc.nat(99), kept, (B, T, chunks, seed, keptPer) => {
          const x = text(T, seed, B);
          const cache = evictingCache({ budget: 24, score: score(), keptPer });
          const full = through(growingCache(), x, chunks);
          expect(through(cache, x, chunks).data).toEqual(full.data);
          expect([cache.length, cache.stored]).toEqual([T, T]);
        }),
        { numRuns: 10 },
      );
    },
  );

  test.each(scores)(
    "property: as many stay as the budget says, the protected ones among them: %s",
    (_, score) => {
      fc.assert(
        fc.property(
          size(0, 3),
          size(4, 10),
          size(1, 40),
          chunked,
          fc.nat(99),
          kept,
          (keepFirst, more, T, chunks, seed, keptPer) => {
            const budget = keepFirst + more;
            const cache = evictingCache({ budget, keepFirst, score: score(), keptPer });
            through(cache, text(T, seed), chunks);
            for (const positions of heldByHead(cache.read(0))) {
              expect(positions.length).toBe(Math.min(T, budget));
              expect(cache.stored).toBe(positions.length);
              const last = Math.max(1, score().queryWindow);
              for (let p = 0; p < T; p++) if (p < keepFirst || p >= T - last) expect(positions).toContain(p);
            }
          },
        ),
        { numRuns: 10 },
      );
    },
  );

  test("property: eviction equals masking the evicted tokens", () => {
    fc.assert(
      fc.property(size(4, 8), size(9, 30), fc.nat(99), kept, (budget, T, seed, keptPer) => {
        const x = text(T + 1, seed);
        const cache = evictingCache({ budget, score: h2o(), keptPer });
        through(cache, slice(x, 1, 0, T), [7, 1]);
        const sets = heldByHead(cache.read(0)).map((positions) => new Set(positions));
        const full = growingCache();
        through(full, slice(x, 1, 0, T), [T]);
        const keeps = (head: number, key: number) => sets[Math.floor(head / (H / Hkv))]!.has(key);
        const mask = maskMod((_batch, head, _query, key) => key === T || keeps(head, key));
        const next = slice(x, 1, T);
        const masked = layer.apply(params, next, { cache: full, mask });
        expect(layer.apply(params, next, { cache })).toBeAllclose(masked, { rtol: 1e-5, atol: 1e-5 });
      }),
      { numRuns: 10 },
    );
  });

  test("the retained tokens are those with the highest traced weights of the prompt, as tova and h2o define them", () => {
    const [T, budget] = [20, 6];
    const [query, key, value] = [1, 2, 3].map((seed) =>
      randn([1, seed === 1 ? H : Hkv, T, 4], { seed }).to(device),
    ) as [Tensor, Tensor, Tensor];
    const { weights } = tracedAttention(query, key, value, { mask: causal() }, ["weights"]);
    const rows = (weights.toNested() as number[][][][])[0]!;
    const overHeads = (f: (head: number) => number) => rows.reduce((total, _, head) => total + f(head), 0);
    for (const [score, wanted] of [
      [tova(), (s: number) => overHeads((h) => rows[h]![T - 1]![s]!)],
      [h2o(), (s: number) => overHeads((h) => rows[h]!.reduce((total, row) => total + row[s]!, 0))],
    ] as const) {
      const cache = evictingCache({ budget, score });
      cache.update(0, key, value, query);
      const ranked = Array.from({ length: T - 1 }, (_, s) => s).sort((a, b) => wanted(b) - wanted(a));
      expect(held(cache.read(0))).toEqual([...ranked.slice(0, budget - 1), T - 1].sort((a, b) => a - b));
    }
  });

  test("each head retains tokens by its own traced weights, as h2o and snapKV define it, in prefill and decoding", () => {
    const [T, more, budget, window] = [8, 24, 7, 3];
    const inputs = [1, 2, 3].map((seed) =>
      randn([1, seed === 1 ? H : Hkv, T + more, 4], { seed }).to(device),
    );
    const [query, key, value] = inputs as [Tensor, Tensor, Tensor];
    const part = (x: Tensor, from: number, to: number) => slice(x, 2, from, to);
    // Attention weights of a token from the query heads of a group: summed over all queries so far, or over the last
    // ones.
    const given = (rows: number[][][], kvHead: number, p: number) =>
      rows
        .slice(2 * kvHead, 2 * kvHead + 2)
        .flat()
        .reduce((sum, row) => sum + row[p]!, 0);
    const definitions = [
      [h2o(), 1],
      [snapKV({ window, kernelSize: 1 }), window],
    ] as const;
    for (const [score, last] of definitions) {
      const cache = evictingCache({ budget, score, keepLast: last, keptPer: "head" });
      let kept = Array.from({ length: Hkv }, (): number[] => []);
      const sums = kept.map(() => new Map<number, number>());
      for (let end = T; end <= T + more; end = end === T ? end + 2 : end + 1) {
        const start = cache.length;
        cache.update(0, part(key, start, end), part(value, start, end), part(query, start, end));
        // Weights over the retained tokens of each head, by a mask per head.
        const candidates = kept.map((own) => [
          ...own,
          ...Array.from({ length: end - start }, (_, t) => start + t),
        ]);
        const sets = candidates.map((own) => new Set(own));
        const mask = and(
          causal(),
          maskMod((_b, head, _q, p) => sets[Math.floor(head / 2)]!.has(p)),
        );
        const from = score.accumulates ? start : Math.max(0, end - window);
        const chunkQuery = part(query, from, end);
        const held = [part(key, 0, end), part(value, 0, end)] as const;
        const { weights } = tracedAttention(chunkQuery, ...held, { mask }, ["weights"]);
        const rows = (weights.toNested() as number[][][][])[0]!;
        kept = candidates.map((own, head) => {
          const scores = new Map(
            own.map((p) => {
              const before = score.accumulates ? (sums[head]!.get(p) ?? 0) : 0;
              return [p, before + given(rows, head, p)];
            }),
          );
          for (const [p, sum] of scores) sums[head]!.set(p, sum);
          const others = own.filter((p) => p < end - last);
          others.sort((a, b) => scores.get(b)! - scores.get(a)!);
          const stay = others.slice(0, Math.max(0, Math.min(own.length, budget) - last));
          return [...stay, ...own.filter((p) => p >= end - last)].sort((a, b) => a - b);
        });
        expect(heldByHead(cache.read(0))).toEqual(kept);
      }
      expect(kept[0]).not.toEqual(kept[1]);
    }
  });

  test("property: latents are evicted by the traced weights of the heads, from absorbed queries", () => {
    const [nopeDim, ropeDim, kvRank] = [3, 2, 5];
    const config = { embedDim: C, numHeads: H, kvRank, nopeDim, ropeDim, valueDim: 3, mask: causal() };
    const latents = latent({ ...config, rope: rope({ headDim: ropeDim }) });
    const weights = mapTensors(latents.init(2), (x) => x.to(device)) as LatentParams;
    const scale = 1 / Math.sqrt(nopeDim + ropeDim);
    fc.assert(
      fc.property(size(2, 8), size(9, 24), fc.nat(99), (budget, T, seed) => {
        const x = text(T, seed);
        for (const [score, last] of [
          [h2o({ mask: causal(), scale }), 0],
          [tova({ mask: causal(), scale }), T - 1],
        ] as const) {
          for (const form of ["absorbed", "naive"] as const) {
            const all = evictingCache({ budget: T, score });
            const few = evictingCache({ budget, score });
            const full = latents[form](weights, x, { cache: growingCache() });
            expect(latents[form](weights, x, { cache: all }).data).toEqual(full.data);
            latents[form](weights, x, { cache: few });
            // The weights of the naive form: keys of each head, computed from the latents.
            const sums = weightsOfHeads(latents, weights, x, scale);
            const wanted = (s: number) => sums.reduce((sum, row, t) => sum + (t >= last ? row[s]! : 0), 0);
            const ranked = Array.from({ length: T - 1 }, (_, s) => s).sort((a, b) => wanted(b) - wanted(a));
            expect(held(few.read(0))).toEqual([...ranked.slice(0, budget - 1), T - 1].sort((a, b) => a - b));
          }
        }
      }),
      { numRuns: 10, seed: 1 }, // another seed may generate weights that only differ by rounding
    );
  });

  test.each(scores)(
    "forks part, files go on with the same numbers, batches are as each alone: %s",
    (_, score) => {
      for (const keptPer of ["layer", "head"] as const) {
        const make = () => evictingCache({ budget: 6, keepFirst: 1, score: score(), keptPer });
        const [x, y] = [text(15, 1, 2), text(6, 2, 2)];
        const cache = make();
        through(cache, x, [9, 1]);
        const [fork, restored] = [cache.fork(), make()];
        restored.restore(cache.save());
        through(fork, text(5, 3, 2), [2]);
        const output = through(cache, y, [1]);
        expect(through(restored, y.to(device), [1]).data).toEqual(output.data);
        expect([fork.length, cache.length, restored.length]).toEqual([20, 21, 21]);
        for (const b of [0, 1]) {
          const alone = make();
          const own = (z: Tensor) => slice(z, 0, b, b + 1);
          through(alone, own(x), [9, 1]);
          expect(through(alone, own(y), [1])).toBeAllclose(own(output), { rtol: 1e-5, atol: 1e-5 });
        }
        cache.reorder([1, 0]);
        expect(() => make().restore(growingCache().save())).toThrow("form");
        const others = keptPer === "head" ? { budget: 6 } : ({ budget: 7, keptPer } as const);
        expect(() =>
          evictingCache({ ...others, keepFirst: 1, score: score() }).restore(cache.save()),
        ).toThrow("form");
      }
    },
  );

  test.each(["layer", "head"] as const)(
    "buffers are on the device, and as large as cost says for a window of budget and room, per %s",
    (keptPer) => {
      const cache = evictingCache({ budget: 10, room: 2, score: keyNorm(), keptPer });
      through(cache, text(30, 1), [11, 1]);
      expect(cache.bytes).toBe(
        kvCache([{ numbersPerToken: 2 * Hkv * 4, reach: { kind: "window", size: 12 } }], {
          ...{ contextLength: 30, format: formats.float32 },
        }).bytes,
      );
      expect((cache.read(0).key[0] as Tensor).device).toBe(device);
    },
  );
});

test("crop is refused if it needs evicted tokens or discarded queries, and then changes nothing", () => {
  const x = zeros([1, 2, 1, 4]);
  const norms = evictingCache({ budget: 4, score: keyNorm() });
  for (let t = 0; t < 4; t++) norms.update(0, x, x);
  norms.crop(3);
  for (let t = 0; t < 4; t++) norms.update(0, x, x);
  expect(() => norms.crop(5)).toThrow(
    "crop: `length` is 5, expected 7 or more, or 0: at that length tokens were evicted.\nFix: `fork()` the cache",
  );
  expect([norms.length, norms.stored]).toEqual([7, 4]);
  norms.crop(0);
  expect([norms.length, norms.stored]).toEqual([0, 0]);
  const sums = evictingCache({ budget: 4, score: h2o() });
  sums.update(0, x, x, x);
  sums.update(0, x, x, x);
  expect(() => sums.crop(1)).toThrow("expected 2, or 0: the scores of h2o remember the queries");
  const mixed = mixedCache([sums, stateCache()]);
  for (let t = 0; t < 2; t++) mixed.advance(1, { state: zeros([1, 3]) }, 1);
  expect(() => mixed.crop(1)).toThrow("were evicted");
  expect([mixed.length, sums.length]).toEqual([2, 2]);
});

const x = zeros([1, 2, 3, 4]);
test.each([
  [
    () => evictingCache({ score: keyNorm() } as never),
    "evictingCache: `budget` is undefined, expected an integer number of tokens, 1 or more",
  ],
  [
    () => evictingCache({ budget: 4 } as never),
    "evictingCache: `score` is undefined, expected an eviction score",
  ],
  [
    () => evictingCache({ budget: 4, keepFirst: 4, score: keyNorm() }),
    "evictingCache: `budget` is 4, expected at least keepFirst + keepLast = 5 tokens",
  ],
  [
    () => evictingCache({ budget: 9, keepLast: 2, score: snapKV({ window: 5 }) }),
    "evictingCache: `keepLast` is 2, expected an integer number of tokens, 5 or more",
  ],
  [
    () => evictingCache({ budget: 4, score: keyNorm(), keptPer: "heads" as never }),
    'evictingCache: `keptPer` is "heads", expected "layer" or "head"',
  ],
  [
    () => evictingCache({ budget: 4, score: tova() }).update(0, x, x),
    "update: `query` is undefined, expected a tensor, which tova scores tokens by.\nFix: give the queries of the new tokens as fourth argument",
  ],
  [
    () => evictingCache({ budget: 4, score: tova() }).update(0, x, x, zeros([1, 3, 3, 4])),
    "expected float32 [1, numHeads, 3, 4] with numHeads a multiple of 2",
  ],
  [
    () => evictingCache({ budget: 2, score: { ...keyNorm(), score: () => x } }).update(0, x, x),
    'score: `score` is "[1, 2, 3, 4] of keyNorm", expected scores [1, 2, 3]',
  ],
  [
    () => evictingCache({ budget: 2, score: { ...keyNorm(), score: () => zeros([1, 2, 3]) } }).discard(0, 1),
    "discard: `cache` is",
  ],
])("refused: %s", (call, message) => {
  expect(call).toThrow(message);
});
