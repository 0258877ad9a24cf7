// Attention on the WebGPU device, with Node's default adapter, compared with the plain device: masks, expressions,
// sinks, grouped heads, traces, dropout and caches.
import {
  alibi,
  and,
  attention,
  causal,
  padding,
  scoreModFunction,
  slidingWindow,
  tracedAttention,
  type AttentionOptions,
} from "@qkv/attention";
import { growingCache, pagedCache, quantizedCache, rollingCache, type KvCache } from "@qkv/kv-cache";
import { randn, tensor, type Device, type Tensor } from "@qkv/tensor";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
const traces = ["dots", "capped", "scores", "weights", "lse"] as const;

type Options = (on: (x: Tensor) => Tensor) => AttentionOptions;

/** Batch size, query and key-value heads, queries, keys, and the sizes of a key and a value. */
type Sizes = readonly [B: number, H: number, Hkv: number, T: number, S: number, D: number, Dv: number];

const calls: readonly [name: string, sizes: Sizes, options: Options][] = [
  ["no mask, heads of odd sizes", [2, 3, 1, 5, 70, 7, 5], () => ({})],
  [
    "causal with ALiBi and sinks",
    [1, 4, 2, 66, 90, 16, 16],
    (on) => ({ mask: causal(), bias: alibi(4), sinks: on(randn([4], { seed: 9 })) }),
  ],
  ["a window with a softcap", [1, 2, 2, 130, 130, 32, 12], () => ({ mask: slidingWindow(20), softcap: 3 })],
  ["rows that see nothing", [2, 2, 1, 3, 9, 8, 8], () => ({ mask: padding([0, 4]) })],
  [
    "a dense bias with −∞",
    [1, 2, 2, 4, 5, 8, 8],
    (on) => ({
      bias: on(
        tensor(
          Array.from({ length: 20 }, (_, i) => (i % 3 ? i / 7 : -Infinity)),
          { shape: [1, 1, 4, 5] },
        ),
      ),
    }),
  ],
  [
    "an expression that masks",
    [1, 2, 2, 9, 40, 8, 8],
    () => ({ scoreMod: (score, at) => at.query.sub(at.key).less(4).where(score.mul(1.5).tanh(), -Infinity) }),
  ],
  [
    "weights that are modified",
    [1, 2, 1, 9, 40, 8, 8],
    () => ({
      mask: causal(),
      weightMod: (weight, at) => weight.mul(at.key.add(1)).where(weight.mul(2), weight),
    }),
  ],
  [
    "dropout",
    [2, 2, 2, 33, 65, 8, 8],
    () => ({ mask: causal(), dropout: { rate: 0.3, seed: 1234567890123 } }),
  ],
];

describe.skipIf(!(await gpu.requestAdapter()))("webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  test.each(calls)(
    "%s: outputs and traces are the plain device's",
    async (_, [B, H, Hkv, T, S, D, Dv], options) => {
      const inputs = [
        randn([B, H, T, D], { seed: 1 }),
        randn([B, Hkv, S, D], { seed: 2 }),
        randn([B, Hkv, S, Dv], { seed: 3 }),
      ] as const;
      const traced = (on: (x: Tensor) => Tensor) => {
        const [query, key, value] = inputs.map(on) as [Tensor, Tensor, Tensor];
        return {
          ...tracedAttention(query, key, value, options(on), traces),
          plain: attention(query, key, value, options(on)),
        };
      };
      const right = traced((x) => x);
      const ours = traced((x) => x.to(device));
      for (const name of ["output", "plain", ...traces] as const) {
        const numbers = await ours[name].read();
        expect(numbers, name).toBeAllclose(right[name].data, { rtol: 1e-5, atol: 2e-5, equalNan: true });
      }
    },
  );

  test("a masked value does not affect the output, even if it is NaN or infinite", async () => {
    const [q, k] = [
      randn([1, 1, 3, 4], { seed: 1 }),
      tensor([1, 2, 3, 4, 5, 6, 7, 8, NaN, 1, 2, 3], { shape: [1, 1, 3, 4] }),
    ];
    const v = tensor([1, 2, NaN], { shape: [1, 1, 3, 1] });
    const ours = attention(q.to(device), k.to(device), v.to(device), { mask: padding([2]) });
    expect(await ours.read()).toBeAllclose(attention(q, k, v, { mask: padding([2]) }).data, {
      rtol: 0,
      atol: 1e-5,
    });
  });

  const caches: Record<string, () => KvCache> = {
    growing: () => growingCache(),
    rolling: () => rollingCache({ windowSize: 7 }),
    paged: () => pagedCache({ pages: 8, pageLength: 4 }),
    quantized: () => quantizedCache({ groupSize: 2, residualLength: 2 }),
  };

  test.each(Object.keys(caches))(
    "a %s cache holds the same on both devices, token by token",
    async (kind) => {
      const decode = (on: Device | undefined) => {
        const cache = caches[kind]!();
        const move = (x: Tensor) => (on ? x.to(on) : x);
        return [5, 1, 1, 3].map((T, step) => {
          const [q, k, v] = [4, 2, 2].map((heads, i) =>
            move(randn([1, heads, T, 8], { seed: 10 * step + i })),
          ) as [Tensor, Tensor, Tensor];
          return attention(q, cache.update(0, k, v), { mask: and(causal(), slidingWindow(6)) });
        });
      };
      const right = decode(undefined);
      for (const [step, ours] of decode(device).entries())
        expect(await ours.read(), `step ${step}`).toBeAllclose(right[step]!.data, { rtol: 0, atol: 2e-5 });
    },
  );

  test("a JavaScript score mod runs on the host for host data, and throws for GPU data", async () => {
    const q = randn([1, 1, 3, 4], { seed: 1 });
    const options = { scoreMod: scoreModFunction((score) => score * 2, { derivative: () => 2 }) };
    const onHost = randn([1, 1, 3, 4], { seed: 1, device });
    expect(await attention(onHost, onHost, onHost, options).read()).toBeAllclose(
      attention(q, q, q, options).data,
      { rtol: 0, atol: 1e-6 },
    );
    const computed = attention(onHost, onHost, onHost);
    expect(() => attention(computed, onHost, onHost, options)).toThrow(/`await tensor.read\(\)` first/);
  });
});
