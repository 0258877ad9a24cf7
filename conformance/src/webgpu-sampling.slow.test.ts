// Sampling on the WebGPU device, from logits of all kinds and of a trained model, compared with the float64
// probabilities of `candidates`.
import { tensor, uniform } from "@qkv/tensor";
import { modelTiny } from "@qkv/model-tiny";
import { candidates, decoder, generate, load, type Model, type Sampling } from "@qkv/transformer";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
/** Distance from the boundary between two tokens within which float32 sums may select either. */
const slack = 2e-5;

/** A model with constant logits. */
function modelOf(logits: Float32Array, device: WebGpuDevice): Model {
  const { config, init } = decoder({
    vocabSize: logits.length,
    embedDim: 2,
    hiddenDim: 2,
    numLayers: 1,
    numHeads: 1,
    numKvHeads: 1,
    contextLength: 64,
    normEps: 1e-5,
    stopIds: [],
  });
  const apply = () => tensor(logits, { shape: [1, 1, logits.length] }).to(device);
  return { config, params: init(1), tokenizer: undefined, apply };
}

/**
 * The interval [first, end) of random numbers that select each token: in the order of ids, or of probability with
 * truncation.
 */
function rangeOf(logits: Float32Array, sampling: Sampling, token: number): readonly [number, number] {
  const { topK = Infinity, topP = 1, temperature } = sampling;
  const candidatesLeft = candidates(logits, sampling);
  const cut = topP < 1 || candidates(logits, { temperature: temperature! }).length > topK;
  if (!cut) candidatesLeft.sort((a, b) => a.id - b.id);
  let first = 0;
  for (const { id, probability } of candidatesLeft) {
    if (id === token) return [first, first + probability];
    first += probability;
  }
  return [Infinity, -Infinity];
}

/** True if a random number selects a token, or one with nearly the same logit or cumulative probability. */
function mayChoose(logits: Float32Array, sampling: Sampling, u: number, token: number): boolean {
  const { topP } = sampling;
  const cuts = topP === undefined ? [{}] : [-1, 0, 1].map((s) => ({ topP: topP * (1 + s * slack) }));
  return cuts.some((cut) => {
    const [first, end] = rangeOf(logits, { ...sampling, ...cut }, token);
    return first <= u + slack && u - slack < end;
  });
}

describe.skipIf(!(await gpu.requestAdapter()))("webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  const samplings = fc.record({
    temperature: fc.constantFrom(0.1, 0.7, 1, 3),
    topK: fc.constantFrom(undefined, 1, 2, 5, 40, 1000),
    topP: fc.constantFrom(undefined, 0.05, 0.5, 0.95, 0.999),
    minP: fc.constantFrom(undefined, 0.02, 1),
    seed: fc.nat(1000),
  });
  const kinds: Record<string, (random: number, v: number) => number> = {
    spread: (random) => 12 * random,
    "close to each other": (random) => random,
    "all the same": () => 1.5,
    "few numbers": (random) => Math.round(4 * random) / 2,
    "masked often": (random, v) => (v % 3 === 0 ? 5 * random : -Infinity),
    large: (random) => 3e4 * random,
  };

  test("property: the token that a random number selects, for every kind of truncation", async () => {
    let [tokens, other] = [0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 2, 7, 255, 256, 300, 5003),
        fc.constantFrom(...Object.keys(kinds)),
        samplings,
        async (V, kind, { topK, topP, minP, ...always }) => {
          const sampling: Sampling = {
            ...always,
            ...(topK !== undefined && { topK }),
            ...(topP !== undefined && { topP }),
            ...(minP !== undefined && { minP }),
          };
          const random = uniform([V], { seed: always.seed + 1 }).data;
          const logits = Float32Array.from(random, (r, v) => kinds[kind]!(r, v));
          let n = 0;
          for await (const { id } of generate(modelOf(logits, device), [0], { maxTokens: 8, sampling })) {
            const u = uniform([1], { seed: always.seed, first: n++, dtype: "float64" }).data[0]!;
            tokens += 1;
            const [first, end] = rangeOf(logits, sampling, id);
            if (first <= u && u < end) continue;
            other += 1;
            expect(mayChoose(logits, sampling, u, id)).toBe(true);
          }
          expect(n).toBe(8);
        },
      ),
      { numRuns: 150 },
    );
    expect(tokens).toBeGreaterThanOrEqual(1200);
    expect(other / tokens).toBeLessThan(0.005);
    const { calls } = device.report();
    expect(calls["sampleToken"]).toEqual({ device: tokens, plain: 0 });
  });

  const trained: Sampling[] = [
    { temperature: 0.8, seed: 1 },
    { temperature: 1, topK: 20, seed: 2 },
    { temperature: 1, topK: 50, topP: 0.9, minP: 0.01, seed: 3 },
    { temperature: 1.2, topP: 0.9, seed: 4 },
  ];

  // Logits of the GPU differ from the plain device's by about 1e-6.
  test("a trained model generates the plain device's tokens, unless a random number is at a boundary of two", async () => {
    const files = await modelTiny();
    const [plain, ours] = [await load(files), await load(files, { device })];
    const prompt = plain.tokenizer!.encode("Once upon a time");
    const maxTokens = 24;
    const tokens = async (model: Model, sampling: Sampling) => {
      const ids: number[] = [];
      for await (const { id } of generate(model, prompt, { maxTokens, sampling })) ids.push(id);
      return ids;
    };
    let same = 0;
    for (const sampling of trained) {
      const [right, found] = [await tokens(plain, sampling), await tokens(ours, sampling)];
      const first = right.findIndex((id, n) => found[n] !== id);
      same += first < 0 ? right.length : first;
      if (first < 0) continue;
      const { data, shape } = plain.apply(plain.params, [...prompt, ...right.slice(0, first)], { last: 1 });
      const logits = Float32Array.from(data.slice(-shape.at(-1)!));
      const u = uniform([1], { seed: sampling.seed!, first, dtype: "float64" }).data[0]!;
      expect(mayChoose(logits, sampling, u, found[first]!)).toBe(true);
    }
    expect(same).toBeGreaterThan(60);
  });
});
