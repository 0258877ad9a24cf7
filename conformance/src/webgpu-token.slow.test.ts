// A token of a GPT-2 on the WebGPU device, while its text grows: dispatches, submissions and shaders, with Node's
// default adapter.
import { growingCache } from "@qkv/kv-cache";
import {
  add,
  concat,
  gelu,
  layerNorm,
  linear,
  mapTensors,
  mul,
  permute,
  randn,
  reshape,
  rmsNorm,
  slice,
  write,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { decoder, generate, type DecoderConfig, type GenerateOptions } from "@qkv/transformer";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
const near = { rtol: 2e-5, atol: 2e-5 };

const config = (numLayers: number): DecoderConfig => ({
  vocabSize: 40,
  embedDim: 16,
  hiddenDim: 32,
  numLayers,
  numHeads: 2,
  numKvHeads: 2,
  contextLength: 1024,
  normEps: 1e-5,
  stopIds: [],
  norm: "layer",
  activation: "geluTanh",
  gated: false,
  positions: "learned",
  bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
});

describe.skipIf(!(await gpu.requestAdapter()))("webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  /** A decoder on the GPU with its cache, and the increase of the counters in one call. */
  function opened(numLayers: number) {
    const model = decoder(config(numLayers));
    const params = model.init(1);
    const moved = mapTensors(params, (x) => x.to(device));
    const cache = growingCache({ numLayers });
    return {
      model,
      params,
      moved,
      cache,
      async read(ids: readonly number[]) {
        const before = device.report().counts;
        const logits = await device.scope(() => model.apply(moved, ids, { cache, last: 1 })).read();
        const after = device.report().counts;
        return {
          logits,
          dispatches: after.dispatches - before.dispatches,
          submissions: after.submissions - before.submissions,
          pipelines: after.pipelines - before.pipelines,
        };
      },
    };
  }

  test("eight dispatches per layer, one submission per token, and the plain device's logits", async () => {
    const dispatches = [];
    for (const numLayers of [1, 3]) {
      const { read, model, params } = opened(numLayers);
      const cache = growingCache({ numLayers });
      for (const [step, ids] of [[1, 2, 3], [4], [5]].entries()) {
        const ours = await read(ids);
        expect(ours.logits).toBeAllclose(model.apply(params, ids, { cache, last: 1 }).data, near);
        if (step < 2) continue;
        expect(ours.submissions).toBe(1);
        dispatches.push(ours.dispatches);
      }
    }
    expect((dispatches[1]! - dispatches[0]!) / 2).toBe(8);
  });

  test("no shader is compiled after a prompt and a token while a text grows to 1,000 tokens", async () => {
    const { cache, read } = opened(1);
    const chunk = (n: number) => Array.from({ length: n }, (_, i) => (7 * i) % 40);
    for (const n of [20, 1, 1]) await read(chunk(n));
    let added = 0;
    for (const [from, to] of [
      [22, 40],
      [62, 67],
      [253, 259],
      [510, 515],
      [997, 1000],
    ] as const) {
      if (cache.length < from) added += (await read(chunk(from - cache.length))).pipelines;
      while (cache.length < to) added += (await read([3])).pipelines;
    }
    expect(cache.length).toBe(1000);
    expect(added).toBe(0);
  });

  test("tokens equal the plain device's, and two numbers are read per token", async () => {
    const { model, params, moved } = opened(1);
    const tokens = async (params: typeof moved, options?: GenerateOptions) => {
      const given = { config: config(1), params, tokenizer: undefined, apply: model.apply };
      const found = [];
      for await (const { id, logprob } of generate(given, [1, 2, 3], { maxTokens: 12, ...options }))
        found.push({ id, logprob });
      return found;
    };
    const right = await tokens(params);
    const fetch = vi.spyOn(device, "fetch");
    const ours = await tokens(moved);
    expect(ours.map(({ id }) => id)).toEqual(right.map(({ id }) => id));
    ours.forEach(({ logprob }, n) => expect(logprob).toBeCloseTo(right[n]!.logprob, 4));
    expect(fetch.mock.calls.map(([{ length }]) => length)).toEqual(new Array(2 * 12).fill(1));
    for (const [sampling, lengths] of [
      [{ temperature: 1, topK: 5, seed: 3 }, new Array(2 * 12).fill(1)],
      [{ temperature: 0.9, topP: 0.8, seed: 4 }, new Array(2 * 12).fill(1)],
      // Penalties need earlier tokens, which only the host has: it reads all logits.
      [{ temperature: 1, topK: 5, repetitionPenalty: 1.2, seed: 3 }, new Array(12).fill(40)],
    ] as const) {
      fetch.mockClear();
      const [expected, sampled] = [await tokens(params, { sampling }), await tokens(moved, { sampling })];
      expect(sampled.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      sampled.forEach(({ logprob }, n) => expect(logprob).toBeCloseTo(expected[n]!.logprob, 4));
      expect(fetch.mock.calls.map(([{ length }]) => length)).toEqual(lengths);
    }
    fetch.mockRestore();
    // Invalid logits are refused as on every device.
    const broken = { ...moved, norm: mapTensors(moved.norm, (x) => mul(x, NaN)) };
    for (const sampling of [{}, { temperature: 1 }])
      await expect(tokens(broken, { sampling })).rejects.toThrow(/^generate: `logits` is "NaN at token 0"/);
  });

  // A freed buffer may be reused for the next result, and a cache is written in place.
  test("property: operations fused with a product equal the plain device's", async () => {
    const size = 8;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(7), fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 12 }),
        fc.constantFrom(1, 3),
        async (steps, M) => {
          const run = (on: (x: Tensor) => Tensor) => {
            const weight = on(randn([size, size], { seed: 1 }));
            const bias = on(randn([size], { seed: 2 }));
            const cache = on(zeros([2, 2, 4, size / 2]));
            const values = [0, 1].map((seed) => add(on(randn([1, M, size], { seed })), 0));
            for (const [kind, a, b] of steps) {
              const [x, y] = [values.at(-1 - (a % values.length))!, values.at(-1 - (b % values.length))!];
              if (kind < 2) values.push(linear(x, weight, bias));
              else if (kind === 2) values.push(gelu(x));
              else if (kind === 3) values.push(mul(x, 0.5));
              else if (kind === 4) values.push(mul(add(x, y), 0.5));
              else if (kind === 5) values.push(layerNorm(x, bias, bias));
              else if (kind === 6) values.push(linear(rmsNorm(x, bias), weight));
              else {
                const heads = permute(reshape(x, [1, M, 2, size / 2]), [0, 2, 1, 3]);
                write(slice(cache, 0, a % 2, (a % 2) + 1), 2, b % 2, heads);
                values.push(reshape(slice(slice(cache, 0, 0, 1), 2, 0, M), [1, M, size]));
              }
              // In a scope, whose temporaries are freed for the next step.
              if (a === 5) values[values.length - 1] = device.scope(() => add(mul(x, 2), values.at(-1)!));
            }
            return concat(
              [...values.slice(-2), reshape(cache, [-1])].map((x) => reshape(x, [-1])),
              0,
            );
          };
          const right = run((x) => x);
          const ours = await device.scope(() => run((x) => x.to(device))).read();
          const largest = [...right.data].reduce((most, x) => Math.max(most, Math.abs(x)), 1);
          expect(ours).toBeAllclose(right.data, { rtol: 0, atol: 1e-5 * largest });
        },
      ),
      { numRuns: 40 },
    );
  });
});
