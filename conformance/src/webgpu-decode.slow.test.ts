// Attention of few queries on the WebGPU device, with keys split over workgroups, compared with the plain device and
// with the kernel for many queries, in every layout of keys and values.
import {
  alibi,
  and,
  attention,
  causal,
  padding,
  slidingWindow,
  tracedAttention,
  type AttentionOptions,
} from "@qkv/attention";
import type { KeyValues } from "@qkv/attention-contract";
import {
  growingCache,
  latentCache,
  pagedCache,
  quantizedCache,
  rollingCache,
  staticCache,
  type KvCache,
} from "@qkv/kv-cache";
import { randn, slice, tensor, transpose, type Device, type Tensor } from "@qkv/tensor";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
const near = { rtol: 2e-5, atol: 2e-5, equalNan: true };

describe.skipIf(!(await gpu.requestAdapter()))("webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  const caches: Record<string, () => KvCache> = {
    growing: () => growingCache(),
    "growing float16": () => growingCache({ dtype: "float16" }),
    "static bfloat16": () => staticCache({ maxLength: 700, dtype: "bfloat16" }),
    rolling: () => rollingCache({ windowSize: 70 }),
    "rolling float16": () => rollingCache({ windowSize: 70, dtype: "float16" }),
    paged: () => pagedCache({ pages: 64, pageLength: 16 }),
    "paged bfloat16": () => pagedCache({ pages: 64, pageLength: 16, dtype: "bfloat16" }),
    quantized: () => quantizedCache({ groupSize: 32, residualLength: 8 }),
  };

  test.each(Object.keys(caches))("property: a %s cache, read in place by a few queries", async (kind) => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.nat(1000),
          S: fc.constantFrom(1, 63, 64, 65, 257, 600),
          T: fc.constantFrom(1, 8),
          large: fc.boolean(),
          options: fc.constantFrom<((on: (x: Tensor) => Tensor, H: number) => AttentionOptions)[]>(
            () => ({ mask: causal() }),
            () => ({ mask: slidingWindow(50) }),
            (on, H) => ({ mask: causal(), bias: alibi(H), softcap: 5, sinks: on(randn([H], { seed: 9 })) }),
          ),
        }),
        async ({ seed, S, T, large, options }) => {
          const [H, Hkv, D] = [6, 2, 16];
          const scale = large ? 40 : 1;
          const run = (on: Device | undefined) => {
            const move = (x: Tensor) => (on ? x.to(on) : x);
            const cache = caches[kind]!();
            const part = (length: number, heads: number, n: number) =>
              move(
                tensor(
                  randn([1, heads, length, D], { seed: seed + n }).data.map((x) => x * scale),
                  { shape: [1, heads, length, D] },
                ),
              );
            cache.update(0, part(S, Hkv, 0), part(S, Hkv, 1));
            return tracedAttention(
              part(T, H, 2),
              cache.update(0, part(T, Hkv, 3), part(T, Hkv, 4)),
              options(move, H),
              ["lse"],
            );
          };
          const right = run(undefined);
          const ours = run(device);
          // Scores around 10 000 have an absolute error of about 1e-3.
          const tolerance = large ? { rtol: 2e-2, atol: 2e-2 } : near;
          expect(await ours.output.read()).toBeAllclose(right.output.data, tolerance);
          expect(await ours.lse.read()).toBeAllclose(right.lse.data, { rtol: 2e-6, atol: 2e-5 });
        },
      ),
      { numRuns: 6 },
    );
  });

  test("16-bit keys and values are read in place for few queries, and widened for many", async () => {
    const [k, v] = [1, 2].map((seed) => randn([1, 2, 300, 16], { seed })) as [Tensor, Tensor];
    const dispatches = async (f: () => Tensor) => {
      const before = device.report().counts.dispatches;
      const numbers = await f().read();
      return { numbers, count: device.report().counts.dispatches - before };
    };
    const exact = growingCache();
    exact.update(0, k.to(device), v.to(device));
    for (const dtype of ["float16", "bfloat16"] as const) {
      const [plain, ours] = [growingCache({ dtype }), growingCache({ dtype })];
      plain.update(0, k, v);
      ours.update(0, k.to(device), v.to(device));
      expect(2 * ours.bytes).toBe(exact.bytes);
      for (const T of [1, 20]) {
        const q = randn([1, 6, T, 16], { seed: T });
        const inFloats = await dispatches(() => attention(q.to(device), exact.read(0), { mask: causal() }));
        const inHalves = await dispatches(() => attention(q.to(device), ours.read(0), { mask: causal() }));
        expect(inHalves.numbers).toBeAllclose(attention(q, plain.read(0), { mask: causal() }).data, near);
        expect(inHalves.numbers).not.toEqual(inFloats.numbers);
        expect(inHalves.count - inFloats.count).toBe(T === 1 ? 0 : 2);
      }
    }
  });

  test("16-bit latents and pages are read in place, with as many dispatches as float32", async () => {
    const [r, ropeDim, S] = [16, 4, 300];
    const key = randn([1, 1, S, r + ropeDim], { seed: 1 });
    const query = randn([1, 6, 1, r + ropeDim], { seed: 2 });
    const kinds: ((more: { dtype?: "float16" }) => KvCache)[] = [
      (more) => latentCache({ latentDim: r, ...more }),
      (more) => pagedCache({ pages: 20, pageLength: 16, ...more }),
    ];
    for (const make of kinds) {
      const run = async (more: { dtype?: "float16" }, on: (x: Tensor) => Tensor) => {
        const cache = make(more);
        const own = on(key);
        cache.update(0, own, slice(own, 3, 0, r));
        const before = device.report().counts.dispatches;
        const output = attention(on(query), cache.read(0), { mask: causal() });
        return { numbers: await output.read(), count: device.report().counts.dispatches - before };
      };
      const ours = (x: Tensor) => x.to(device);
      const [inFloats, inHalves] = [await run({}, ours), await run({ dtype: "float16" }, ours)];
      const right = await run({ dtype: "float16" }, (x) => x);
      expect(inHalves.numbers).toBeAllclose(right.numbers, near);
      expect(inHalves.numbers).not.toEqual(inFloats.numbers);
      expect(inHalves.count).toBe(inFloats.count);
    }
  });

  // Weights are a trace, which makes the kernel for many queries run.
  test("split keys equal the kernel for many queries, also with fully masked rows and any strides", async () => {
    const on = (x: Tensor) => x.to(device);
    const q = transpose(on(randn([2, 2, 20, 1], { seed: 1 })));
    const k = on(randn([2, 2, 300, 20], { seed: 2 }));
    const v = transpose(on(randn([2, 2, 7, 300], { seed: 3 })));
    for (const mask of [padding([0, 290]), and(causal(), slidingWindow(3)), undefined]) {
      const options = mask ? { mask } : {};
      const split = tracedAttention(q, k, v, options, ["lse"]);
      const forward = tracedAttention(q, k, v, options, ["lse", "weights"]);
      expect(await split.output.read()).toBeAllclose(await forward.output.read(), near);
      expect(await split.lse.read()).toBeAllclose(await forward.lse.read(), near);
    }
  });

  test("several segments, with a length per batch element in pages; masked elements may be NaN", async () => {
    const [B, Hkv, D] = [2, 2, 12];
    const lengths = Int32Array.of(21, 3);
    const table = Int32Array.of(3, 0, 5, 2, -1, -1);
    const data = randn([6, Hkv, 8, D], { seed: 1 });
    const holed = Float32Array.from(data.data);
    // Blocks that are in no table, and the rest of each sequence's last block.
    for (const block of [1, 4]) holed.fill(NaN, block * Hkv * 8 * D, (block + 1) * Hkv * 8 * D);
    for (let h = 0; h < Hkv; h++) holed.fill(NaN, ((2 * Hkv + h) * 8 + 3) * D, (2 * Hkv + h + 1) * 8 * D);
    const run = (numbers: Float32Array, on: (x: Tensor) => Tensor) => {
      const query = on(randn([B, 4, 1, D], { seed: 3 }));
      const pages = {
        data: on(tensor(numbers, { shape: data.shape })),
        table,
        blockLength: 8,
        length: lengths,
      };
      const more = on(randn([B, Hkv, 70, D], { seed: 2 }));
      const keyValues: KeyValues = { key: [pages, more], value: [pages, more], positions: { start: 0 } };
      const before = device.report().counts.dispatches;
      const output = attention(query, keyValues);
      return { output, dispatches: device.report().counts.dispatches - before };
    };
    const right = run(data.data as Float32Array, (x) => x).output;
    const { output, dispatches } = run(holed, (x) => x.to(device));
    // One dispatch per segment, which is read in place, and the merge.
    expect(dispatches).toBe(3);
    expect(await output.read()).toBeAllclose(right.data, near);
  });
});
