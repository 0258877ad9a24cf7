import { growingCache } from "@qkv/kv-cache";
import { concat, mul, randn, slice, tensor, tensorsOf, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import type { DecoderConfig } from "./decoder-config.js";
import { decoder } from "./decoder.js";
import { encoder } from "./encoder.js";

const config: DecoderConfig = {
  vocabSize: 11,
  embedDim: 8,
  hiddenDim: 12,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 16,
  normEps: 1e-5,
  ropeBase: 10000,
  ropeLayout: "half",
  stopIds: [],
};
const model = decoder(config);
const params = model.init(1);

const ids = (length: number) => fc.array(fc.nat(10), { minLength: length, maxLength: 8 });

test("property: logits of chunks with a cache are bit-identical to those of one call", () => {
  fc.assert(
    fc.property(
      fc.array(ids(1), { minLength: 1, maxLength: 4 }),
      fc.constantFrom("half", "interleaved"),
      (chunks, ropeLayout) => {
        const model = decoder({ ...config, ropeLayout });
        const cache = growingCache({ numLayers: 2 });
        const parts = chunks.map((chunk) => model.apply(params, chunk, { cache }));
        expect(concat(parts, 1).data).toEqual(model.apply(params, chunks.flat()).data);
        expect(cache.length).toBe(chunks.flat().length);
      },
    ),
    { numRuns: 40 },
  );
});

test("property: causal: later tokens do not affect the logits of a token", () => {
  fc.assert(
    fc.property(ids(1), ids(1), ids(1), (before, one, other) => {
      const [a, b] = [one, other].map((after) =>
        slice(model.apply(params, [...before, ...after]), 1, 0, before.length),
      ) as [Tensor, Tensor];
      expect(a.data).toEqual(b.data);
    }),
    { numRuns: 40 },
  );
  const last = (ids: number[]) => slice(model.apply(params, ids), 1, -1).data;
  expect(last([1, 2, 3])).not.toEqual(last([2, 1, 3])); // the order does matter
});

test("logits of a batch equal those of each row alone", () => {
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  const both = model.apply(params, tensor(rows, { dtype: "int32" }));
  expect(both.shape).toEqual([2, 3, 11]);
  rows.forEach((row, b) => expect(slice(both, 0, b, b + 1).data).toEqual(model.apply(params, row).data));
});

test("a trace refuses unknown tensor names and suggests the nearest", () => {
  const run = (names: readonly string[], more = {}) =>
    model.apply(params, [1, 2], { trace: { names: names as [], tensors: {}, ...more } });
  expect(() => run(["wieghts"])).toThrow(
    /^decoder\.apply: `trace\.names` is "wieghts", expected weights, … \(the reference of `ModelTrace` lists all \d+\), or one of these in one layer, such as layers\.0\.input\.\nFix: did you mean `weights`\?/,
  );
  expect(() => run(["layers.2.output"])).toThrow(
    /"layers\.2\.output".*such as layers\.0\..*\nFix: did you mean/,
  );
  expect(() => run(["model.layers.0.output"])).toThrow(/`trace\.names` is "model\.layers\.0\.output"/);
  expect(() => run([], { interventions: { "layers.0.heads": (x: Tensor) => x } })).toThrow(
    /`trace\.interventions` is "layers\.0\.heads", expected full names of tensors/,
  );
  expect(() => run("weights" as unknown as [])).toThrow(
    /`trace\.names` is "weights", expected a list of names/,
  );
  const named = ["heads", "layers.1.attention.lse", "0.output", "embeddings"];
  expect(() => run(named)).not.toThrow();
  expect(() => run([...named, "model.layers.0.output"], { path: "model" })).not.toThrow();
  const bert = encoder({
    vocabSize: 11,
    embedDim: 8,
    hiddenDim: 12,
    numLayers: 1,
    numHeads: 2,
    contextLength: 8,
    numTypes: 0,
    normEps: 1e-5,
  });
  expect(() =>
    bert.apply(bert.init(1), [1, 2], { trace: { names: ["outputs"] as unknown as [], tensors: {} } }),
  ).toThrow(/^encoder\.apply: `trace\.names` is "outputs".*\nFix: did you mean `output`\?/);
});

test("names of traced tensors have the path of the trace and the layer", () => {
  const tensors: Record<string, Tensor> = {};
  const output = model.apply(params, [1, 2, 3], { trace: { names: ["weights", "lse"], tensors } });
  model.apply(params, [1, 2, 3], { trace: { names: ["weights"], tensors, path: "model" } });
  expect(Object.keys(tensors)).toEqual([
    "layers.0.attention.weights",
    "layers.0.attention.lse",
    "layers.1.attention.weights",
    "layers.1.attention.lse",
    "model.layers.0.attention.weights",
    "model.layers.1.attention.weights",
  ]);
  expect(tensors["layers.1.attention.weights"]!.shape).toEqual([1, 4, 3, 3]);
  expect(tensors["layers.1.attention.weights"]!.data).not.toEqual(
    tensors["layers.0.attention.weights"]!.data,
  );
  expect(output.data).toEqual(model.apply(params, [1, 2, 3]).data);
});

test("golden: without layers, logits are the normed embedding times the output matrix", () => {
  const bare = decoder({
    ...config,
    vocabSize: 2,
    embedDim: 2,
    numLayers: 0,
    numHeads: 1,
    numKvHeads: 1,
    normEps: 0,
  });
  const weights = {
    embedding: {
      weight: tensor([
        [3, 4],
        [1, 0],
      ]),
    },
    layers: [],
    norm: { weight: tensor([1, 2]) },
  };
  // [3, 4] over its root mean square √12.5, times [1, 2].
  const [a, b] = [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)];
  const tied = bare.apply(weights, [0]).data;
  expect(tied[0]).toBeCloseTo(3 * a + 4 * b, 5);
  expect(tied[1]).toBeCloseTo(a, 5);
  const untied = bare.apply(
    {
      ...weights,
      output: {
        weight: tensor([
          [0, 1],
          [1, 1],
        ]),
      },
    },
    [0],
  ).data;
  expect(untied[0]).toBeCloseTo(b, 5);
  expect(untied[1]).toBeCloseTo(a + b, 5);
});

test("a shift of all positions changes nothing, other distances change the logits", () => {
  const plain = model.apply(params, [1, 2, 3]).data;
  const moved = model.apply(params, [1, 2, 3], { positions: { start: 40 } }).data;
  expect(moved).toBeAllclose(plain, { rtol: 0, atol: 5e-4 });
  expect(model.apply(params, [1, 2, 3], { positions: Int32Array.of(0, 5, 9) }).data).not.toEqual(plain);
});

test("`ropeBase` and `normEps` change the logits", () => {
  const wide = { ...config, numHeads: 2, numKvHeads: 1 }; // two rotary pairs per head: the frequency of the first is 1 at any base
  const logits = (changes: Partial<DecoderConfig>) =>
    decoder({ ...wide, ...changes }).apply(params, [1, 2, 3]).data;
  expect(logits({ ropeBase: 10 })).not.toEqual(logits({}));
  expect(logits({ normEps: 1 })).not.toEqual(logits({}));
});

test("initial params are equal for equal seeds, and no two matrices are equal", () => {
  for (const seed of [0, 1, 4]) {
    const first = (x: Tensor) => x.data[0]! * Math.sqrt(x.shape.at(-1)!);
    const matrices = tensorsOf(model.init(seed)).filter(({ shape }) => shape.length === 2);
    expect(matrices.length).toBe(1 + 2 * 7);
    const firsts = matrices.map((x, i) => (i === 0 ? x.data[0]! : first(x)).toFixed(4));
    expect(new Set(firsts).size).toBe(matrices.length);
    expect(tensorsOf(model.init(seed)).map(({ data }) => data)).toEqual(
      tensorsOf(model.init(seed)).map(({ data }) => data),
    );
  }
});

test("invalid ids and head counts are refused, with the fix", () => {
  expect(() => model.apply(params, [1, 2.5])).toThrow(
    /decoder.apply: `ids\[1\]` is 2.5, expected an integer from 0 to 10.*\nFix: give token ids as the tokenizer's `encode`/,
  );
  expect(() => model.apply(params, tensor([1, 2], { dtype: "int32" }))).toThrow(
    /`ids` has shape \[2\], expected \[B, T\].*\nFix: reshape the ids/,
  );
  expect(() => model.apply(params, [11])).toThrow(/`ids` is 11, expected an integer from 0 to 10/);
  expect(() => model.apply(params, [-1])).toThrow(/`ids` is -1/);
  expect(() => model.apply(params, randn([1, 2], { seed: 1 }))).toThrow(
    /is a float32 tensor of shape \[1, 2\], expected token ids/,
  );
  expect(() => decoder({ ...config, numHeads: 3 })).toThrow(
    /decoder: `numHeads` is 3, expected heads of an even size in embedDim = 8/,
  );
});

test("property: in a bidirectional model the first token depends on the last, in sliding windows only within reach", () => {
  const both = decoder({ ...config, bidirectional: true });
  const near = decoder({ ...config, bidirectional: true, layerTypes: ["sliding", "sliding"], window: 3 });
  const first = (model: typeof both, ids: number[]) => slice(model.apply(params, ids), 1, 0, 1).data;
  fc.assert(
    fc.property(ids(1), fc.nat(10), fc.nat(10), (before, lastId, otherLastId) => {
      fc.pre(lastId !== otherLastId);
      for (const model of [both, near]) {
        const same = first(model, [...before, lastId]).every(
          (x, i) => x === first(model, [...before, otherLastId])[i],
        );
        // A window of 3 sees one token on each side: two layers reach two tokens, and no further.
        expect(same).toBe(model === near && before.length > 2);
      }
    }),
    { numRuns: 40 },
  );
});

test("a bidirectional model refuses a cache and an even window", () => {
  const both = decoder({ ...config, bidirectional: true });
  const cache = growingCache({ numLayers: 2 });
  expect(() => both.apply(params, [1], { cache })).toThrow(
    /`cache` is "a cache", expected none.*bidirectional/,
  );
  const even = { bidirectional: true, layerTypes: ["sliding", "full"], window: 4 } as const;
  expect(() => decoder({ ...config, ...even })).toThrow(/decoder: `window` is 4, expected an odd number/);
});

test("latent attention refuses options of key-value heads, and chunked layers need `chunkSize`", () => {
  const heads = { kvRank: 4, nopeDim: 2, ropeDim: 2, valueDim: 4 };
  const base = { ...config, latent: heads };
  expect(() => decoder({ ...base, qkNorm: true })).toThrow(/decoder: `qkNorm` is true, expected nothing/);
  expect(() => decoder({ ...base, positions: "alibi" })).toThrow(/decoder: `positions` is "alibi"/);
  expect(() => decoder({ ...base, latent: { ...heads, kvRank: 0 } })).toThrow(/`latent.kvRank` is 0/);
  const chunked = Array.from({ length: config.numLayers }, () => "chunked" as const);
  expect(() => decoder({ ...config, layerTypes: chunked })).toThrow(/decoder: `chunkSize` is undefined/);
});

test("`rows` with `first` continues from a traced layer output, with its own trace and interventions", () => {
  const tensors: Record<string, Tensor> = {};
  const logits = model.apply(params, [3, 1, 4], { trace: { names: ["output"], tensors } });
  const before = tensors["layers.0.output"]!;
  const after = model.rows(params.layers.slice(1), before, { first: 1 });
  expect(after.data).toEqual(tensors["layers.1.output"]!.data);
  expect(model.logits(params, after).data).toEqual(logits.data);
  const traced: Record<string, Tensor> = {};
  const interventions = { "layers.1.attentionOutput": (x: Tensor) => mul(x, 0) };
  const trace = { names: ["attentionOutput"] as const, tensors: traced, interventions };
  const changed = model.rows(params.layers.slice(1), before, { first: 1, trace });
  expect(Object.keys(traced)).toEqual(["layers.1.attentionOutput"]);
  const singleCall = model.apply(params, [3, 1, 4], { trace: { names: [], tensors: {}, interventions } });
  expect(model.logits(params, changed).data).toEqual(singleCall.data);
});

test("`rows` refuses more layers than the model has", () => {
  const rows = randn([1, 3, 8], { seed: 2 });
  expect(() => model.rows(params.layers, rows, { first: 1 })).toThrow(
    /^decoder\.rows: `first` is 1, .*\nFix: count layers from 0/,
  );
});

test("an intervention that only reads attention weights does not change the result", () => {
  const shapes: string[] = [];
  const read = (x: Tensor) => (shapes.push(x.shape.join()), x);
  const interventions = { "layers.0.attention.weights": read, "layers.1.attention.weights": read };
  const trace = { names: [], tensors: {}, interventions };
  expect(model.apply(params, [3, 1, 4], { trace }).data).toEqual(model.apply(params, [3, 1, 4]).data);
  expect(shapes).toEqual(["1,4,3,3", "1,4,3,3"]);
});
