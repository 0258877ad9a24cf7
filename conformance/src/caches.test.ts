// Invariants of caches, on the plain device and on wasm: the same text gives the same results through any of them, in
// any chunks.
import {
  and,
  attention,
  causal,
  differential,
  gatedDeltaRule,
  groupedQuery,
  keyNorm,
  keepFirst,
  llama4Temperature,
  mixerLayer,
  or,
  outputGate,
  rope,
  scaleByPosition,
  slidingWindow,
  type AttentionParams,
  type GroupedQueryConfig,
} from "@qkv/attention";
import {
  evictingCache,
  growingCache,
  latentCache,
  mixedCache,
  pagedCache,
  prefixCache,
  quantizedCache,
  rollingCache,
  sharedCache,
  stateCache,
  staticCache,
  type KvCache,
} from "@qkv/kv-cache";
import { type KeyValues, type Mask, denseSegment } from "@qkv/attention-contract";
import {
  add,
  broadcastTo,
  concat,
  einsum,
  js,
  mapTensors,
  randn,
  reshape,
  slice,
  type Device,
  type Tensor,
} from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../scripts/tier.mjs";
import "@qkv/test-support/allclose";

const [C, numLayers] = [16, 2];
const size = (min: number, max: number) => fc.integer({ min, max });
const seed = fc.nat(1000);

/** Attention layers in sequence, without other parts of a model. */
function stackOf(mask: Mask, device: Device, more: Partial<GroupedQueryConfig> = {}) {
  const heads = { embedDim: C, numHeads: 4, numKvHeads: 2, mask, rope: rope({ headDim: 4 }) };
  const layer = groupedQuery({ ...heads, ...more });
  const params = Array.from({ length: numLayers }, (_, i) =>
    mapTensors(layer.init(i + 1), (x) => x.to(device)),
  ) as AttentionParams[];
  return (x: Tensor, cache?: KvCache): Tensor =>
    device.scope(() =>
      params.reduce((y, own, i) => layer.apply(own, y, { layer: i, ...(cache && { cache }) }), x),
    );
}

/** Runs x through a cache in chunks of the given lengths, repeated cyclically. */
function inChunks(
  run: ReturnType<typeof stackOf>,
  x: Tensor,
  cache: KvCache,
  chunks: readonly number[],
): Tensor {
  const T = x.shape[1]!;
  const outputs: Tensor[] = [];
  for (let t = 0, i = 0; t < T; i++) {
    const end = Math.min(T, t + chunks[i % chunks.length]!);
    outputs.push(run(slice(x, 1, t, end), cache));
    t = end;
  }
  return concat(outputs, 1);
}

const devices: [string, () => Promise<Device>][] = [
  ["js", async () => js()],
  ["wasm", () => wasm({ threads: 1 })],
];

describe.each(casesByTier(devices, ([name]) => name === "js"))("on %s", async (name, open) => {
  const device = await open();
  const plain = name === "js";
  /** Bitwise equal on the plain device; elsewhere the order of sums may differ. */
  const same = (a: Tensor, b: Tensor) => {
    expect(a.shape).toEqual(b.shape);
    if (plain) expect(a.data).toEqual(b.data);
    else expect(a).toBeAllclose(b, { rtol: 2e-5, atol: 2e-5 });
  };
  const textOf = (B: number, T: number, seed: number) => randn([B, T, C], { seed }).to(device);
  const full = stackOf(causal(), device);
  const everything: [string, () => KvCache][] = [
    ["growing", () => growingCache({ numLayers })],
    ["static", () => staticCache({ numLayers, maxLength: 90 })],
    ["rolling, wide enough", () => rollingCache({ numLayers, windowSize: 90 })],
    ["paged", () => pagedCache({ numLayers, pages: 200, pageLength: 3 })],
    ["paged by 16", () => pagedCache({ numLayers, pages: 40 })],
    ["prefix", () => prefixCache({ numLayers, pages: 60, pageLength: 5 })],
    ["unrotated keys", () => growingCache({ numLayers, unrotatedKeys: true })],
    [
      "rolling, unrotated keys",
      () => rollingCache({ numLayers, windowSize: 90, keepFirst: 2, unrotatedKeys: true }),
    ],
    ["mixed", () => mixedCache([pagedCache({ pages: 90, pageLength: 4 }), growingCache()])],
    ["evicting, of nothing", () => evictingCache({ numLayers, budget: 90, score: keyNorm() })],
  ];
  const someRuns = { numRuns: runs(plain ? 15 : 8) };

  test.each(everything)("any chunks through a cache equal the full pass: %s", (_, make) => {
    fc.assert(
      fc.property(
        size(1, 2),
        size(1, 80),
        fc.array(size(1, 40), { minLength: 1, maxLength: 4 }),
        seed,
        (B, T, chunks, seed) => {
          const x = textOf(B, T, seed);
          same(inChunks(full, x, make(), chunks), full(x));
        },
      ),
      someRuns,
    );
  });

  const forms: Record<string, Partial<GroupedQueryConfig>> = {
    gated: { gate: outputGate() },
    differential: { differential: differential({ lambdaInit: 0.2 }) },
    "queries scaled by position": {
      queryScale: scaleByPosition(llama4Temperature({ floorScale: 4, attnScale: 0.5 })),
    },
  };

  test.each(Object.keys(forms))(
    "layers of other forms through every cache give the full pass: %s",
    (form) => {
      const run = stackOf(causal(), device, forms[form]);
      for (const [name, make] of everything) {
        const x = textOf(2, 20, name.length);
        same(inChunks(run, x, make(), [7, 1, 3]), run(x));
      }
    },
  );

  test.each(everything)("the same chunks give the same bits as through a growing cache: %s", (_, make) => {
    for (const [T, chunks] of [
      [70, [33, 1]],
      [20, [1]],
    ] as const) {
      const x = textOf(2, T, T);
      const growing = inChunks(full, x, growingCache({ numLayers }), chunks);
      expect(inChunks(full, x, make(), chunks).data).toEqual(growing.data);
    }
  });

  test("16 bits: rolling, paged and prefix caches equal a growing cache of the same dtype, in any chunks", () => {
    const half = { numLayers, dtype: "float16" } as const;
    const others: (() => KvCache)[] = [
      () => rollingCache({ windowSize: 90, ...half }),
      () => rollingCache({ windowSize: 90, room: 30, ...half }),
      () => pagedCache({ pages: 200, pageLength: 3, ...half }),
      () => prefixCache({ pages: 60, pageLength: 5, ...half }),
    ];
    for (const [T, chunks] of [
      [70, [33, 1]],
      [20, [1]],
    ] as const) {
      const x = textOf(2, T, T);
      const growing = inChunks(full, x, growingCache(half), chunks);
      for (const make of others) expect(inChunks(full, x, make(), chunks).data).toEqual(growing.data);
      // Rounding changes a value by at most 2⁻¹¹ of itself.
      expect(growing).toBeAllclose(full(x), { rtol: 4e-3, atol: 4e-3 });
      expect(growing.data).not.toEqual(full(x).data);
    }
  });

  test.each(everything)("cropping and appending again equals never having cropped: %s", (_, make) => {
    fc.assert(
      fc.property(size(1, 30), size(1, 30), seed, (T, more, seed) => {
        const [cache, straight] = [make(), make()];
        const [x, other, y] = [textOf(1, T, seed), textOf(1, more, seed + 1), textOf(1, more, seed + 2)];
        full(x, cache);
        full(x, straight);
        full(other, cache);
        cache.crop(-more);
        expect(cache.length).toBe(T);
        same(full(y, cache), full(y, straight));
      }),
      someRuns,
    );
  });

  test("a window: a ring buffer equals all keys under the mask, however many tokens came before", () => {
    fc.assert(
      fc.property(
        size(1, 12),
        size(0, 3),
        size(1, 3),
        size(1, 90),
        fc.array(size(1, 20), { minLength: 1, maxLength: 3 }),
        (W, first, room, T, chunks) => {
          const mask = and(causal(), or(keepFirst(first), slidingWindow(W)));
          const run = stackOf(mask, device);
          const cache = rollingCache({ numLayers, windowSize: W, keepFirst: first, room });
          const x = textOf(1, T, W * 100 + T);
          same(inChunks(run, x, cache, chunks), run(x));
          expect(cache.stored).toBeLessThanOrEqual(first + W - 1 + room);
        },
      ),
      someRuns,
    );
  });

  test("hybrid: paged full layers and layers with a window", () => {
    const local = groupedQuery({ embedDim: C, numHeads: 4, numKvHeads: 1, mask: slidingWindow(5) });
    const global = groupedQuery({ embedDim: C, numHeads: 4, numKvHeads: 2, mask: causal() });
    const params = [global, local, global].map((layer, i) => mapTensors(layer.init(i), (x) => x.to(device)));
    const run = (x: Tensor, cache?: KvCache) =>
      [global, local, global].reduce(
        (y, layer, i) => layer.apply(params[i] as AttentionParams, y, { layer: i, ...(cache && { cache }) }),
        x,
      );
    const paged = pagedCache({ pages: 20, pageLength: 4, numLayers: 2 });
    const cache = mixedCache([paged, rollingCache({ windowSize: 5 }), paged]);
    const x = textOf(1, 30, 5);
    same(inChunks(run, x, cache, [7, 1, 1, 9]), run(x));
  });

  test("a cached prefix gives the same results as recomputing it", () => {
    fc.assert(
      fc.property(size(1, 40), size(1, 20), seed, (shared, more, seed) => {
        const cache = prefixCache({ numLayers, pages: 60, pageLength: 4 });
        const beginning = textOf(1, shared, seed);
        const ids = Array.from({ length: shared }, (_, i) => i);
        cache.matchPrefix(ids);
        full(beginning, cache);
        cache.insertPrefix(ids);
        const [y, again] = [textOf(1, more, seed + 1), cache.fork()];
        const known = again.matchPrefix([...ids, ...Array.from({ length: more }, (_, i) => 100 + i)]);
        expect(known).toBe(Math.floor(shared / 4) * 4);
        const whole = concat([beginning, y], 1);
        const rest = full(slice(whole, 1, known), again);
        same(rest, slice(full(whole), 1, known));
      }),
      someRuns,
    );
  });

  test("a cached prefix of recurrent and attention layers gives the same results as recomputing it", () => {
    const recurrent = mixerLayer({ embedDim: C, numHeads: 4, mixer: gatedDeltaRule(), convolution: 4 });
    const attends = groupedQuery({ embedDim: C, numHeads: 4, numKvHeads: 2, mask: causal() });
    const on = <Params extends object>(params: Params) => mapTensors(params, (x) => x.to(device)) as Params;
    const [first, second, third] = [on(recurrent.init(1)), on(attends.init(2)), on(recurrent.init(3))];
    const run = (x: Tensor, cache?: KvCache) => {
      const at = (layer: number) => ({ layer, ...(cache && { cache }) });
      return recurrent.apply(third, attends.apply(second, recurrent.apply(first, x, at(0)), at(1)), at(2));
    };
    const states = () => stateCache({ numLayers: 2 });
    fc.assert(
      fc.property(size(1, 40), size(1, 20), seed, (shared, more, seed) => {
        const held = states();
        const cache = prefixCache({ pages: 60, pageLength: 4, layers: [held, "paged", held] });
        const [beginning, end] = [textOf(1, shared, seed), textOf(1, more, seed + 1)];
        const ids = Array.from({ length: shared + more }, (_, i) => i);
        run(beginning, cache);
        cache.insertPrefix(ids.slice(0, shared));
        run(textOf(1, 3, seed + 2), cache); // another continuation
        expect(cache.matchPrefix(ids)).toBe(shared);
        const rest = run(end, cache);
        const other = states();
        const fresh = mixedCache([other, growingCache(), other]);
        run(beginning, fresh);
        expect(rest.data).toEqual(run(end, fresh).data);
        const whole = slice(run(concat([beginning, end], 1)), 1, shared);
        expect(rest).toBeAllclose(whole, { rtol: 2e-4, atol: 2e-5 });
      }),
      { numRuns: 15 },
    );
  });

  test.each(everything.slice(0, 7))("batches of different lengths go on as each alone: %s", (_, make) => {
    const lengths = [7, 3, 5];
    const x = textOf(3, 7, 1);
    const cache = make();
    full(x, cache);
    cache.crop(lengths);
    expect([...cache.lengths]).toEqual(lengths);
    const alone = lengths.map((length, b) => {
      const own = make();
      full(slice(slice(x, 0, b, b + 1), 1, 0, length), own);
      return own;
    });
    for (let t = 0; t < 4; t++) {
      const y = textOf(3, 1, 10 + t);
      const output = full(y, cache);
      alone.forEach((own, b) => same(slice(output, 0, b, b + 1), full(slice(y, 0, b, b + 1), own)));
    }
  });

  test("StreamingLLM equals the full pass until tokens are evicted; then keys rotate by their index in the cache", () => {
    const layer = groupedQuery({
      embedDim: C,
      numHeads: 4,
      numKvHeads: 2,
      mask: causal(),
      rope: rope({ headDim: 4 }),
    });
    const params = mapTensors(layer.init(1), (x) => x.to(device)) as AttentionParams;
    const cache = rollingCache({ windowSize: 6, keepFirst: 2, unrotatedKeys: true });
    const x = textOf(1, 40, 9);
    for (let t = 0; t < 40; t++) {
      const output = layer.apply(params, slice(x, 1, t, t + 1), { cache });
      // A single layer only sees its inputs: the first two tokens and the last six, as if the text had no others.
      const heard = t < 8 ? slice(x, 1, 0, t + 1) : concat([slice(x, 1, 0, 2), slice(x, 1, t - 5, t + 1)], 1);
      same(output, slice(layer.apply(params, heard), 1, -1));
    }
    expect(cache.stored).toBe(8);
  });

  test("context shift equals a text without the discarded tokens", () => {
    const layer = groupedQuery({
      embedDim: C,
      numHeads: 4,
      numKvHeads: 2,
      mask: causal(),
      rope: rope({ headDim: 4 }),
    });
    const params = mapTensors(layer.init(1), (x) => x.to(device)) as AttentionParams;
    const cache = growingCache({ unrotatedKeys: true });
    const x = textOf(1, 12, 3);
    layer.apply(params, slice(x, 1, 0, 11), { cache });
    cache.discard(2, 8);
    expect(cache.length).toBe(5);
    const output = layer.apply(params, slice(x, 1, 11), { cache });
    const heard = concat([slice(x, 1, 0, 2), slice(x, 1, 8)], 1);
    same(output, slice(layer.apply(params, heard), 1, -1));
  });

  test("latents: absorbed attention reads them in place and equals the naive form, in any chunks", () => {
    const [H, nope, rotary, r, Dv] = [3, 4, 2, 8, 5];
    const random = (shape: number[], seed: number) => randn(shape, { seed }).to(device);
    const toKey = random([H, nope, r], 1); // W_UK
    const toValue = random([H, Dv, r], 2); // W_UV
    const scale = 1 / Math.sqrt(nope + rotary);
    const call = { mask: causal(), scale };
    fc.assert(
      fc.property(
        size(1, 2),
        size(1, 70),
        fc.array(size(1, 30), { minLength: 1 }),
        seed,
        (B, T, chunks, seed) => {
          const latent = random([B, 1, T, r], seed);
          const rotaryKey = random([B, 1, T, rotary], seed + 1);
          const query = random([B, H, T, nope + rotary], seed + 2);
          // Naive: keys and values of each head.
          const rows = reshape(latent, [B, T, r]);
          const shared = broadcastTo(rotaryKey, [B, H, T, rotary]);
          const key = concat([einsum("btr,hnr->bhtn", rows, toKey), shared], 3);
          const naive = attention(query, key, einsum("btr,hvr->bhtv", rows, toValue), call);
          // Absorbed: queries are multiplied with the latents.
          const low = einsum("bhtn,hnr->bhtr", slice(query, 3, 0, nope), toKey);
          const absorbed = concat([low, slice(query, 3, nope)], 3);
          const half = { dtype: "float16" } as const;
          const caches = [
            latentCache({ latentDim: r }),
            growingCache(),
            latentCache({ latentDim: r, ...half }),
            growingCache(half),
          ];
          const outputs = caches.map((cache) => {
            const parts: Tensor[] = [];
            for (let t = 0, i = 0; t < T; i++) {
              const end = Math.min(T, t + chunks[i % chunks.length]!);
              const added = slice(concat([latent, rotaryKey], 3), 2, t, end);
              const held = cache.update(0, added, slice(added, 3, 0, r));
              const read = attention(slice(absorbed, 2, t, end), held, call);
              parts.push(einsum("bhtr,hvr->bhtv", read, toValue));
              t = end;
            }
            return concat(parts, 2);
          });
          // The same values in two separate buffers for keys and values.
          expect(outputs[0]!.data).toEqual(outputs[1]!.data);
          expect(outputs[0]!).toBeAllclose(naive, { rtol: 2e-5, atol: 2e-5 });
          expect(outputs[2]!.data).toEqual(outputs[3]!.data);
          expect(outputs[2]!).toBeAllclose(naive, { rtol: 1e-2, atol: 1e-2 });
          const [own] = [caches[0]!.read(0)];
          expect((own.value[0] as Tensor).storage).toBe((own.key[0] as Tensor).storage);
          expect((own.key[0] as Tensor).device).toBe(device);
        },
      ),
      someRuns,
    );
  });

  test("states: linear attention in any chunks, with forks and an undone step, equals the full pass", () => {
    const [B, H, D] = [2, 2, 4];
    const [key, value, query] = [1, 2, 3].map((seed) => randn([B, H, 30, D], { seed }).to(device)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    /** Tokens `from` to `to - 1`: S ← S + k vᵀ, o = Sᵀ q. */
    const step = (cache: KvCache, from: number, to: number) =>
      device.scope(() => {
        const outputs: Tensor[] = [];
        let state = cache.state(0)?.["state"];
        for (let t = from; t < to; t++) {
          const [k, v, q] = [key, value, query].map((x) => slice(x, 2, t, t + 1)) as [Tensor, Tensor, Tensor];
          const outer = einsum("bhtk,bhtv->bhkv", k, v);
          state = state ? add(state, outer) : outer;
          outputs.push(einsum("bhtk,bhkv->bhtv", q, state));
        }
        cache.advance(0, { state: state! }, to - from);
        return concat(outputs, 2);
      });
    const whole = step(stateCache(), 0, 30);
    const cache = stateCache({ checkpoints: 2 });
    const parts = [step(cache, 0, 7)];
    const fork = cache.fork();
    step(cache, 20, 25);
    cache.crop(7);
    parts.push(step(cache, 7, 8), step(cache, 8, 19));
    const rest = cache.fork();
    parts.push(step(cache, 19, 30));
    same(concat(parts, 2), whole);
    same(step(fork, 7, 30), slice(whole, 2, 7));
    expect(cache.state(0)!["state"]!.device).toBe(device);
    const restored = stateCache();
    restored.restore(rest.save());
    expect(restored.state(0)!["state"]!.data).toEqual(rest.state(0)!["state"]!.data);
  });

  test("layers that share keys and values equal layers that store them separately", () => {
    const layer = groupedQuery({ embedDim: C, numHeads: 4, numKvHeads: 2, mask: causal() });
    const params = mapTensors(layer.init(1), (x) => x.to(device)) as AttentionParams;
    const x = textOf(1, 20, 7);
    const [cache, alone] = [sharedCache(growingCache(), [0, 0]), growingCache()];
    for (const [from, to] of [[0, 9], [9, 10], [10, 20]] as const) {
      const own = slice(x, 1, from, to);
      const first = layer.apply(params, own, { cache });
      const output = layer.apply(params, first, { context: cache.read(1) });
      same(output, layer.apply(params, layer.apply(params, own, { cache: alone }), { context: alone.read(0) }));
    } // prettier-ignore
    expect(cache.bytes).toBe(alone.bytes);
  });

  test("int8: attention is close, and the error of an element is at most half of its scale", () => {
    fc.assert(
      fc.property(size(1, 70), seed, (T, seed) => {
        const cache = quantizedCache({ groupSize: 8, residualLength: 4 });
        const [key, value] = [
          randn([1, 2, T, 8], { seed }).to(device),
          randn([1, 2, T, 8], { seed: seed + 1 }).to(device),
        ];
        const held: KeyValues = cache.update(0, key, value);
        for (const [parts, exact] of [
          [held.key, key],
          [held.value, value],
        ] as const) {
          const got = concat(
            parts.map((part) => denseSegment(part, 1)),
            2,
          ).data;
          const coded = held.key.length > 1 ? parts[0]! : undefined;
          const numbers = exact.data;
          got.forEach((y, n) => {
            const [d, t, h] = [n % 8, Math.floor(n / 8) % T, Math.floor(n / (8 * T))];
            if (!coded || !("table" in coded) || t >= (coded.length as number))
              return expect(y).toBe(numbers[n]);
            const block = coded.table[Math.floor(t / 8)]!;
            const scales = coded.scale!;
            const perToken = scales.shape[3] === 1;
            const scale = scales.data[perToken ? (block * 2 + h) * 8 + (t % 8) : (block * 2 + h) * 8 + d]!;
            // Half of the scale, plus the rounding of float32.
            expect(Math.abs(y - numbers[n]!)).toBeLessThanOrEqual(scale * 0.5 * 1.0001);
          });
        }
        const query = randn([1, 4, 1, 8], { seed: seed + 2 }).to(device);
        expect(attention(query, held)).toBeAllclose(attention(query, key, value), { rtol: 0, atol: 0.06 });
      }),
      someRuns,
    );
  });

  test("a saved cache continues with the same results in any cache without eviction", () => {
    const x = textOf(2, 11, 4);
    const [first, rest] = [slice(x, 1, 0, 9), slice(x, 1, 9)];
    const source = growingCache({ numLayers });
    full(first, source);
    const file = source.save();
    const expected = full(rest, source);
    for (const [, make] of everything.filter(([name]) => /^(growing|static|paged|prefix)/.test(name))) {
      const cache = make();
      cache.restore(file);
      expect([...cache.lengths]).toEqual([9, 9]);
      same(full(rest, cache), expected);
    }
  });

  test("buffers are on the device of the keys, and an update only copies the new tokens", () => {
    const caches = everything.slice(0, 6).map(([, make]) => make());
    for (const cache of caches) {
      full(textOf(1, 20, 1), cache);
      const before = device.report().calls["take"]?.device ?? 0;
      const beforePlain = device.report().calls["take"]?.plain ?? 0;
      const one = randn([1, 2, 1, 4], { seed: 2 }).to(device);
      const { key } = cache.update(0, one, one);
      for (const part of key) expect(("table" in part ? part.data : part).device).toBe(device);
      // No gather: buffers are not concatenated.
      expect(device.report().calls["take"]?.device ?? 0).toBe(before);
      expect(device.report().calls["take"]?.plain ?? 0).toBe(beforePlain);
    }
  });
});
