import { tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { entailmentScores } from "./entailment-scores.js";
import { encoder } from "./encoder.js";
import { labelScores, taskLogits, type TaskHeadConfig, type TaskHeadParams } from "./task-head.js";

const sizes = {
  ...{ vocabSize: 11, embedDim: 2, hiddenDim: 4, numLayers: 1, numHeads: 1, contextLength: 16 },
  ...{ numTypes: 0, normEps: 1e-12 },
};
const rows = tensor([
  [
    [1, -2],
    [3, 4],
    [9, 9],
  ],
]);
const output = {
  weight: tensor([
    [1, 0],
    [0, 1],
    [1, 1],
  ]),
  bias: tensor([0, 0, 1]),
};

/** Logits of a head with the given params for the rows above. */
const headLogits = (
  head: TaskHeadConfig,
  headParams: TaskHeadParams,
  attentionMask?: ReturnType<typeof tensor>,
) => {
  const { config, init } = encoder({ ...sizes, head });
  const model = { config, params: { ...init(1), head: headParams } };
  return taskLogits(model, rows, attentionMask && { attentionMask }).toNested();
};
const labels = ["a", "b", "c"];

test("logits of a text are computed from its first token, or from the mean of all tokens", () => {
  expect(headLogits({ task: "sequence", labels }, { output })).toEqual([[1, -2, 0]]);
  expect(headLogits({ task: "sequence", labels, pooling: "mean" }, { output }, tensor([[1, 1, 0]]))).toEqual([
    [2, 1, 4],
  ]);
});

test("token and span heads give logits of each token", () => {
  expect(headLogits({ task: "token", labels }, { output })).toEqual([
    [
      [1, -2, 0],
      [3, 4, 8],
      [9, 9, 19],
    ],
  ]);
  const both = {
    weight: tensor([
      [1, 0],
      [0, 1],
    ]),
  };
  expect(headLogits({ task: "span", labels: ["start", "end"] }, { output: both })).toEqual(rows.toNested());
});

test("a dense layer with activation, and a norm, precede the output projection; a pooler is the dense layer alone", () => {
  const dense = {
    weight: tensor([
      [1, 0],
      [0, 1],
    ]),
    bias: tensor([0, 0]),
  };
  expect(headLogits({ task: "pooler", labels: [], activation: "relu" }, { dense })).toEqual([[1, 0]]);
  expect(headLogits({ task: "sequence", labels, activation: "relu" }, { dense, output })).toEqual([
    [1, 0, 2],
  ]);
  const norm = { weight: tensor([1, 1]) };
  const normed = { task: "sequence", labels, activation: "relu", normEps: 0 } as const;
  expect(headLogits(normed, { dense, norm, output })).toEqual([[1, -1, 1]]);
});

test("with distillation, logits are the mean of both heads", () => {
  const head = { task: "image", labels, distillation: true } as const;
  const distillation = { weight: tensor(output.weight.toNested()), bias: tensor([2, 0, 0]) };
  // By hand: ([1, -2, 0] + [5, 4, 7]) / 2.
  expect(headLogits(head, { output, distillation })).toEqual([[3, 1, 3.5]]);
  expect(() => headLogits({ ...head, task: "sequence" }, { output, distillation })).toThrow(
    /`head.distillation` is true, expected false, as `task` is no image.*\nFix: leave it out/,
  );
  expect(() => headLogits(head, { output })).toThrow(/distillation/);
});

test("initial params have the layers of the head", () => {
  const head = { task: "token", labels, activation: "gelu", normEps: 1e-5 } as const;
  const functions = encoder({ ...sizes, head });
  const params = functions.init(1);
  expect(Object.keys(params.head!)).toEqual(["dense", "norm", "output"]);
  expect(taskLogits({ ...functions, params }, functions.apply(params, [1, 2])).shape).toEqual([1, 2, 3]);
});

test("labelScores applies softmax, sigmoid or nothing, as the head is configured", () => {
  const logits = tensor([[0, 0]]);
  const head = { task: "sequence", labels: ["a", "b"] } as const;
  expect(labelScores(head, logits).toNested()).toEqual([[0.5, 0.5]]);
  expect(labelScores({ ...head, scores: "sigmoid" }, tensor([[0, 50]])).toNested()).toEqual([[0.5, 1]]);
  expect(labelScores({ ...head, scores: "none" }, tensor([[3, 4]])).toNested()).toEqual([[3, 4]]);
});

test("entailmentScores normalizes over candidate labels, or against contradiction with `multiLabel`", () => {
  const head = { task: "sequence", labels: ["ENTAILMENT", "neutral", "contradiction"] } as const;
  const logits = tensor([
    [1, 7, 1],
    [1, 0, 1],
  ]);
  expect(entailmentScores(head, logits).toNested()).toEqual([0.5, 0.5]);
  expect(entailmentScores(head, logits, { multiLabel: true }).toNested()).toEqual([0.5, 0.5]);
  const apart = entailmentScores(head, tensor([[30, 0, 0]]), { multiLabel: true }).toNested();
  expect(apart).toEqual([1]);
});

test("a model without a head, params without an output and labels without entailment are refused", () => {
  const plain = encoder(sizes);
  expect(() => taskLogits({ ...plain, params: plain.init(1) }, rows)).toThrow(
    /`model` is "an encoder without a head/,
  );
  const head: TaskHeadConfig = { task: "sequence", labels };
  const functions = encoder({ ...sizes, head });
  expect(() => taskLogits({ ...functions, params: { ...functions.init(1), head: {} } }, rows)).toThrow(
    /`params.output.weight`/,
  );
  expect(() => entailmentScores(head, tensor([[1, 2, 3]]))).toThrow(/begins with entail/);
  expect(() => entailmentScores(head, tensor([[1, 2]]))).toThrow(/\[N, 3\]/);
});
