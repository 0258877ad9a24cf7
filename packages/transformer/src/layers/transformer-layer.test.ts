import { causal, crossAttention, multiHead } from "@qkv/attention";
import { add, cast, checkGradient, mapTensors, mul, randn, sum, tensorsOf, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { feedForward, type FeedForwardParams } from "./feed-forward.js";
import { norm } from "./norm.js";
import { transformerLayer, type Placement } from "./transformer-layer.js";

const parts = {
  attention: multiHead({ embedDim: 8, numHeads: 2, mask: causal() }),
  crossAttention: crossAttention({ embedDim: 8, numHeads: 2 }),
  feedForward: feedForward({ embedDim: 8, hiddenDim: 12 }),
  norm: norm({ kind: "rms", embedDim: 8 }),
};
const x = randn([1, 4, 8], { seed: 1 });
const memory = randn([1, 3, 8], { seed: 2 });
const { crossAttention: _none, ...alone } = parts;

test("each norm placement equals its formula", () => {
  const { attention, feedForward: feed, norm: n } = parts;
  const expectedOutput: Record<
    Exclude<Placement, "parallel" | "parallelShared">,
    (x: Tensor, f: (x: Tensor) => Tensor, before: Tensor, after: Tensor) => Tensor
  > = {
    pre: (x, f, before) => add(x, f(n.apply({ weight: before }, x))),
    post: (x, f, before) => n.apply({ weight: before }, add(x, f(x))),
    both: (x, f, before, after) => add(x, n.apply({ weight: after }, f(n.apply({ weight: before }, x)))),
    after: (x, f, before) => add(x, n.apply({ weight: before }, f(x))),
    normed: (x, f, before) => add(n.apply({ weight: before }, x), f(n.apply({ weight: before }, x))),
  };
  for (const placement of ["pre", "post", "both", "after", "normed"] as const) {
    const layer = transformerLayer({ ...alone, placement });
    // Different gains, so that swapped norms are detected.
    let seed = 10;
    const params = mapTensors(layer.init(3), (w) =>
      w.shape.length === 1 ? randn(w.shape, { seed: seed++ }) : w,
    );
    const by = expectedOutput[placement];
    const { attentionNorm, feedForwardNorm, attentionOutNorm, feedForwardOutNorm } = params;
    let y = by(
      x,
      (z) => attention.apply(params.attention, z),
      attentionNorm.weight,
      attentionOutNorm?.weight ?? x,
    );
    y = by(
      y,
      (z) => feed.apply(params.feedForward, z),
      feedForwardNorm.weight,
      feedForwardOutNorm?.weight ?? x,
    );
    expect(layer.apply(params, x).data).toEqual(y.data);
    expect("attentionOutNorm" in params).toBe(placement === "both");
  }
});

test("parallel placements: both sublayers read x, with one shared norm or one norm each", () => {
  const { attention, feedForward: feed, norm: n } = parts;
  for (const placement of ["parallel", "parallelShared"] as const) {
    const layer = transformerLayer({ ...alone, placement, residualScale: 0.5 });
    let seed = 10;
    const params = mapTensors(layer.init(3), (w) =>
      w.shape.length === 1 ? randn(w.shape, { seed: seed++ }) : w,
    );
    const { attentionNorm, feedForwardNorm = attentionNorm } = params;
    const added = add(
      attention.apply(params.attention, n.apply(attentionNorm, x)),
      feed.apply(params.feedForward, n.apply(feedForwardNorm, x)),
    );
    expect(layer.apply(params, x).data).toEqual(add(x, mul(added, 0.5)).data);
    expect("feedForwardNorm" in params).toBe(placement === "parallel");
  }
  expect(() => transformerLayer({ ...parts, placement: "parallel" })).toThrow(/placement.*crossAttention/);
});

test("a layer with cross-attention reads `memory`, and is refused without it", () => {
  const layer = transformerLayer(parts);
  const params = layer.init(3);
  const y = layer.apply(params, x, { memory });
  expect(y.shape).toEqual([1, 4, 8]);
  const projected = parts.crossAttention.keyValues(params.crossAttention!, memory);
  expect(layer.apply(params, x, { memory: projected }).data).toEqual(y.data);
  expect(layer.apply(params, x, { memory: mul(memory, 2) }).data).not.toEqual(y.data);
  expect(() => layer.apply(params, x)).toThrow(
    /apply: `memory` is undefined, expected what the layer's attention/,
  );
});

test("initial matrices differ within a layer and between layers", () => {
  const layer = transformerLayer(parts);
  const matrices = [0, 1, 2].flatMap((seed) =>
    tensorsOf(layer.init(seed)).filter(({ shape }) => shape.length === 2),
  );
  const firsts = matrices.map((w) => (w.data[0]! * Math.sqrt(w.shape[1]!)).toFixed(4));
  expect(new Set(firsts).size).toBe(3 * 11);
});

test("tensors are traced by short name, or by full name in the layer of that path", () => {
  const layer = transformerLayer(parts);
  const params = layer.init(3);
  const trace = (names: readonly string[], path?: string) => {
    const tensors: Record<string, Tensor> = {};
    layer.apply(params, x, { memory, trace: { names: names as [], tensors, ...(path && { path }) } });
    return tensors;
  };
  expect(
    Object.keys(trace(["weights", "attentionOutput", "crossAttentionOutput", "feedForwardOutput", "output"])),
  ).toEqual([
    "attention.weights",
    "attentionOutput",
    "crossAttention.weights",
    "crossAttentionOutput",
    "feedForwardOutput",
    "output",
  ]);
  const { feedForwardOutput, output } = trace(["feedForwardOutput", "output"]);
  expect(output!.data).toEqual(layer.apply(params, x, { memory }).data);
  expect(feedForwardOutput!.data).not.toEqual(output!.data);
  const fullNames = ["layers.1.attention.weights", "layers.1.output"];
  expect(Object.keys(trace(fullNames, "layers.1"))).toEqual(fullNames);
  expect(Object.keys(trace(fullNames, "model.layers.1"))).toEqual(fullNames.map((name) => `model.${name}`));
  expect(Object.keys(trace(fullNames, "layers.11"))).toEqual([]);
});

test("gradients equal central differences", () => {
  const small = {
    attention: multiHead({ embedDim: 2, numHeads: 1, mask: causal() }),
    crossAttention: crossAttention({ embedDim: 2, numHeads: 1 }),
    feedForward: feedForward({ embedDim: 2, hiddenDim: 3, activation: "gelu", gated: false }),
    norm: norm({ kind: "rms", embedDim: 2 }),
    placement: "both" as const,
  };
  const layer = transformerLayer(small);
  const tree = {
    params: layer.init(3),
    x: randn([1, 3, 2], { seed: 4 }),
    memory: randn([1, 2, 2], { seed: 5 }),
  };
  const wide = mapTensors(tree, (t: Tensor) => cast(t, "float64"));
  const dy = randn([1, 3, 2], { seed: 6, dtype: "float64" });
  checkGradient(
    ({ params, x, memory }: typeof wide) => sum(mul(layer.apply(params, x, { memory }), dy)),
    wide,
  );
});

test.each(["pre", "post", "both", "after"] as const)(
  "with the placement %s, an attention layer and a feed-forward layer equal one layer with both",
  (placement) => {
    const fullLayer = transformerLayer({ ...alone, placement });
    const params = fullLayer.init(3);
    const { attention, feedForward, norm } = alone;
    const attends = transformerLayer({ attention, norm, placement });
    const feeds = transformerLayer<FeedForwardParams>({ feedForward, norm, placement });
    expect(Object.keys(attends.init(3)).filter((name) => /^feedForward/.test(name))).toEqual([]);
    expect(Object.keys(feeds.init(3)).filter((name) => /^attention/.test(name))).toEqual([]);
    const both = feeds.apply(params, attends.apply(params as never, x));
    expect(both.data).toEqual(fullLayer.apply(params, x).data);
  },
);

test("a layer without sublayers, and a parallel layer with only one, are refused", () => {
  const { attention, norm } = alone;
  expect(() => transformerLayer({ norm })).toThrow(/transformerLayer: `attention`/);
  expect(() => transformerLayer({ attention, norm, placement: "parallel" })).toThrow(/`placement`/);
});

test("an unknown placement is refused", () => {
  expect(() => transformerLayer({ ...alone, placement: "sandwich" as Placement })).toThrow(
    /transformerLayer: `placement` is "sandwich", expected "pre", "post", "both", "after", "parallel", "parallelShared" or "normed"/,
  );
});
