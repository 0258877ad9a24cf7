import { checks } from "@qkv/core";
import { concat, mean, mul, randn, slice, sum, tensor, type Tensor } from "@qkv/tensor";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import "@qkv/test-support/allclose";
import { tensorNames } from "@qkv/transformer/inspection";
import { expect, test } from "vitest";
import { inFloat64 } from "../lens-model.js";
import { resolveHooks, runWithTrace, type TraceNames } from "../run-with-trace.js";
import { ablate, meanAblation, resampleAblation } from "./ablate.js";
import { activationPatching } from "./activation-patching.js";
import { attributionPatching, gradientsAt } from "./attribution-patching.js";
import { logitDifference } from "./metric.js";
import { patch } from "./patch.js";
import { pathPatching } from "./path-patching.js";

const model = inFloat64(randomDecoder("llama", { vocabSize: 13 } as never));
const [one, other] = [
  [3, 1, 4, 1, 5],
  [2, 7, 1, 8, 5],
];
const metric = logitDifference({ token: 4, minus: 9 });
const runLogits = (hooks = {}) => runWithTrace(model, one, { names: [], hooks }).logits;
const source = runWithTrace(model, other);
const own = runWithTrace(model, one);

test("patching all tensors of run B into run A gives the logits of B", () => {
  expect(runLogits(patch(source.tensors)).data).toEqual(source.logits.data);
});

test.each(["layers.0.output", "layers.1.input", "finalInput", "embeddings"])(
  "%s of run B alone gives B",
  (name) => {
    expect(runLogits(patch(source.tensors, [{ name }])).data).toEqual(source.logits.data);
  },
);

test("a patch from the run itself, and an empty list of ablations, leave the logits unchanged", () => {
  expect(runLogits(patch(own.tensors)).data).toEqual(own.logits.data);
  expect(runLogits(ablate([])).data).toEqual(own.logits.data);
  const all = [0, 1].flatMap((layer) => [{ layer }, { layer, head: 2 }, { layer, neuron: 3 }]);
  expect(runLogits(ablate(all, resampleAblation(own.tensors))).data).toEqual(own.logits.data);
});

test("a patch of a head at a position changes nothing else", () => {
  const name = "layers.0.attention.heads";
  const hooks = patch(source.tensors, [{ name, head: 1, position: 2 }]);
  const { tensors } = runWithTrace(model, one, { names: [name] as unknown as TraceNames, hooks });
  const at = (x: Tensor, h: number, t: number) => slice(slice(x, 1, h, h + 1), 2, t, t + 1).data;
  for (const h of [0, 1, 2, 3])
    for (const t of [0, 1, 2, 3, 4])
      expect(at(tensors[name]!, h, t)).toEqual(at((h === 1 && t === 2 ? source : own).tensors[name]!, h, t));
});

test("an ablated head, neuron and part are zeros; mean ablation is the mean over all texts and positions", () => {
  const names = [
    "layers.1.attention.heads",
    "layers.1.feedForwardHidden",
    "layers.0.attentionOutput",
  ] as const;
  const traced = (hooks: object) =>
    runWithTrace(model, one, { names: names as unknown as TraceNames, hooks: hooks as never }).tensors;
  const targets = [
    { layer: 1, head: 3 },
    { layer: 1, neuron: 39 },
    { layer: 0, part: "attention" },
  ] as const;
  const zeros = traced(ablate(targets));
  expect(slice(zeros[names[0]]!, 1, 3, 4).data.every((x) => x === 0)).toBe(true);
  expect(slice(zeros[names[0]]!, 1, 0, 3).data.every((x) => x !== 0)).toBe(true);
  expect(slice(zeros[names[1]]!, 2, 39, 40).data.every((x) => x === 0)).toBe(true);
  expect(zeros[names[2]]!.data.every((x) => x === 0)).toBe(true);
  const means = traced(ablate(targets, meanAblation(source.tensors)));
  const head = slice(source.tensors[names[0]]!, 1, 3, 4);
  expect(slice(means[names[0]]!, 1, 3, 4)).toBeAllclose(
    mul(concat(Array(5).fill(mean(head, { axis: 2, keepDims: true })), 2), 1),
    { rtol: 0, atol: 1e-12 },
  );
});

test("activationPatching has the metrics of single patches", async () => {
  const { names, values, unpatched, source: from } = await activationPatching(model, one, other, { metric });
  expect(names).toEqual(["layers.0.output", "layers.1.output"]);
  expect(unpatched).toBe(metric(own.logits).data[0]);
  expect(from).toBe(metric(source.logits).data[0]);
  names.forEach((name, row) =>
    one.forEach((_, position) =>
      expect(values.data[row * 5 + position]).toBeCloseTo(
        metric(runLogits(patch(source.tensors, [{ name, position }]))).data[0]!,
        5,
      ),
    ),
  );
  const heads = await activationPatching(model, one, other, { metric, names: ["heads"], by: "head" });
  expect(heads.values.shape).toEqual([2, 4]);
});

test("an aborted activationPatching stops, and onProgress counts patches", async () => {
  const seen: number[] = [];
  const controller = new AbortController();
  const onProgress = (done: number, total: number) => {
    seen.push(done, total);
    if (done === 3) controller.abort();
  };
  const run = activationPatching(model, one, other, { metric, onProgress, signal: controller.signal });
  await expect(run).rejects.toThrow(/abort/i);
  expect(seen).toEqual([1, 10, 2, 10, 3, 10]);
});

const traceable = tensorNames(model.config).filter(
  (name) => !/\.(dots|capped|scores|lse|weights)$/.test(name),
);

test.each(traceable)("the gradient at %s is that of central differences", (name) => {
  const { tensors } = runWithTrace(model, one, { names: [name] as unknown as TraceNames });
  const direction = randn(tensors[name]!.shape, { seed: 3, dtype: "float64" });
  const { gradients } = gradientsAt(checks("attributionPatching"), model, one, tensors, metric);
  const moved = (step: number) =>
    metric(
      model.apply(model.params, one, {
        trace: {
          names: [],
          tensors: {},
          interventions: resolveHooks(model, { [name]: (x) => sumWith(x, direction, step) }),
        },
      }),
    ).data[0]!;
  const h = 1e-6;
  const difference = (moved(h) - moved(-h)) / (2 * h);
  const slope = sum(mul(gradients[name]!, direction)).data[0]!;
  expect(Math.abs(slope - difference)).toBeLessThan(1e-6 * Math.max(1, Math.abs(difference)));
});

function sumWith(x: Tensor, direction: Tensor, step: number): Tensor {
  const data = Float64Array.from(x.data, (value, i) => Number(value) + step * Number(direction.data[i]));
  return tensor(data, { shape: [...x.shape], dtype: "float64" });
}

test("attributionPatching is the first-order term of the exact effect", async () => {
  const estimate = await attributionPatching(model, one, other, { metric, names: ["finalInput"] });
  const exact = await activationPatching(model, one, other, { metric, names: ["finalInput"] });
  // Earlier positions do not reach the last logit through the final norm.
  expect(Array.from(estimate.values.data.slice(0, 4))).toEqual(Array.from(exact.values.data.slice(0, 4)));
  expect(estimate.unpatched).toBe(exact.unpatched);
  expect(estimate.source).toBe(exact.source);
});

test("path patching to the logits only, and to all receivers of a head, equals single patches", async () => {
  const from = { name: "layers.1.attention.heads", head: 2 };
  // After the last layer's heads there is the feed-forward layer, which is frozen, and the final norm.
  const direct = await pathPatching(model, one, other, { from, to: [{ name: "finalInput" }], metric });
  const through = await pathPatching(model, one, other, {
    from,
    to: [{ name: "finalInput" }],
    metric,
    frozen: "attention",
  });
  const whole = metric(runLogits(patch(source.tensors, [from]))).data[0]!;
  expect(through.patched).toBeCloseTo(whole, 10);
  expect(direct.patched).not.toBeCloseTo(whole, 6);
  const none = await pathPatching(model, one, one, {
    from,
    to: [{ name: "layers.1.attention.query" }],
    metric,
  });
  expect(none.patched).toBeCloseTo(none.unpatched, 10);
});

test("texts of different lengths, and tensors that were not traced, are refused", async () => {
  await expect(activationPatching(model, one, [1], { metric })).rejects.toThrow(
    /activationPatching: `source` is "1 tokens", expected 5 tokens/,
  );
  expect(() => patch({ embeddings: own.tensors["embeddings"]! }, [{ name: "layers.0.output" }])).toThrow(
    /patch: .*a tensor layers\.0\.output/,
  );
  expect(() => runLogits(ablate([{ layer: 0, head: 4 }]))).toThrow(/ablate: `targets\.head` is 4/);
  await expect(attributionPatching(model, one, other, { metric, by: "head" })).rejects.toThrow(
    /attributionPatching: `names` is "layers\.0\.output", expected tensors with an axis of heads/,
  );
});
