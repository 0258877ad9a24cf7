import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { add } from "../ops/add.js";
import { crossEntropy } from "../ops/cross-entropy.js";
import { logSoftmax } from "../ops/log-softmax.js";
import { mul } from "../ops/mul.js";
import { sigmoid } from "../ops/sigmoid.js";
import { softmax } from "../ops/softmax.js";
import { sub } from "../ops/sub.js";
import { sum } from "../ops/sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { binaryCrossEntropyWithLogits } from "./binary-cross-entropy-with-logits.js";
import { cosineEmbeddingLoss } from "./cosine-embedding-loss.js";
import { cosineSimilarity } from "./cosine-similarity.js";
import { huberLoss } from "./huber-loss.js";
import { infoNce } from "./info-nce.js";
import { klDivergence } from "./kl-divergence.js";
import { l1Loss } from "./l1-loss.js";
import { mseLoss } from "./mse-loss.js";
import type { LossOptions } from "./reduce-losses.js";
import { tripletMarginLoss } from "./triplet-margin-loss.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const signs = tensor([1, -1, 1, -1], { dtype: "int32" });
type Pair = { a: Tensor; b: Tensor };
const pair: Pair = { a: random([4, 3]), b: random([4, 3], 2) };

const losses: Record<string, (pair: Pair, options?: LossOptions) => Tensor> = {
  mseLoss: ({ a, b }, options) => mseLoss(a, b, options),
  l1Loss: ({ a, b }, options) => l1Loss(a, b, options),
  huberLoss: ({ a, b }, options) => huberLoss(a, b, { delta: 0.8, ...options }),
  binaryCrossEntropyWithLogits: ({ a, b }, options) =>
    binaryCrossEntropyWithLogits(a, sigmoid(b), {
      weight: random([4, 1], 5),
      positiveWeight: random([3], 6),
      ...options,
    }),
  klDivergence: ({ a, b }, options) => klDivergence(logSoftmax(a), softmax(b), options),
  "klDivergence of logarithms": ({ a, b }, options) =>
    klDivergence(logSoftmax(a), logSoftmax(b), { logTarget: true, ...options }),
  cosineEmbeddingLoss: ({ a, b }, options) => cosineEmbeddingLoss(a, b, signs, { margin: -0.2, ...options }),
  tripletMarginLoss: ({ a, b }, options) => tripletMarginLoss(a, b, mul(b, a), options),
  "tripletMarginLoss, swapped": ({ a, b }, options) =>
    tripletMarginLoss(a, b, mul(b, a), { swap: true, margin: 2, ...options }),
  infoNce: ({ a, b }, options) => infoNce(a, b, { temperature: 0.5, negatives: mul(a, b), ...options }),
};

test.each(Object.entries(losses))("the gradient of %s equals central differences", (_, loss) => {
  expect(() => checkGradient((p: Pair) => loss(p), pair)).not.toThrow();
  const weighed = (p: Pair) => {
    const each = loss(p, { reduction: "none" });
    return sum(mul(each, random([...each.shape], 9)));
  };
  expect(() => checkGradient(weighed, pair)).not.toThrow();
});

test.each(Object.entries(losses))("%s: sum and mean equal those of the unreduced losses", (_, loss) => {
  const each = [...loss(pair, { reduction: "none" }).data];
  const total = each.reduce((a, b) => a + b, 0);
  expect(loss(pair, { reduction: "sum" }).data[0]).toBeCloseTo(total, 12);
  expect(loss(pair, { reduction: "mean" }).data[0]).toBeCloseTo(total / each.length, 12);
});

test("property: Huber's loss is ½ d² up to delta, and delta · (|d| − ½ delta) beyond", () => {
  const number = fc.double({ min: -5, max: 5, noNaN: true });
  fc.assert(
    fc.property(number, number, fc.double({ min: 0.1, max: 4, noNaN: true }), (a, b, delta) => {
      const [x, y] = [a, b].map((value) => tensor([value], { dtype: "float64" })) as [Tensor, Tensor];
      const error = Math.abs(a - b);
      const expected = error < delta ? error ** 2 / 2 : delta * (error - delta / 2);
      expect(huberLoss(x, y, { delta }).data[0]).toBeCloseTo(expected, 12);
      expect(mseLoss(x, y).data[0]).toBeCloseTo(error ** 2, 12);
      expect(l1Loss(x, y).data[0]).toBeCloseTo(error, 12);
    }),
  );
});

test("property: binary cross-entropy equals the cross-entropy of two classes", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const logits = random([5], seed);
      const yes = Array.from(random([5], seed + 1).data, (x) => Number(x > 0));
      const both = tensor(
        Array.from(logits.data, (x) => [0, x]),
        { dtype: "float64" },
      );
      const expected = crossEntropy(both, tensor(yes, { dtype: "int32" })).data[0]!;
      const target = tensor(yes, { dtype: "float64" });
      expect(binaryCrossEntropyWithLogits(logits, target).data[0]).toBeCloseTo(expected, 12);
    }),
  );
});

test("any finite logit has a finite loss and the gradient sigmoid − target", () => {
  const [logits, target] = [tensor([1e4, -1e4, 1e4, 30]), tensor([1, 0, 0, 1])];
  const none = { reduction: "none" as const };
  expect(binaryCrossEntropyWithLogits(logits, target, none).toNested()).toEqual([
    0,
    0,
    1e4,
    Math.fround(Math.log1p(Math.exp(-30))),
  ]);
  const slope = grad((x: Tensor) => binaryCrossEntropyWithLogits(x, target, { reduction: "sum" }))(logits);
  expect(slope.data).toBeAllclose([...sub(sigmoid(logits), target).data], { rtol: 1e-6, atol: 1e-9 });
});

test("positiveWeight multiplies the losses of positive targets, and weight all losses", () => {
  const float64 = (values: number[]) => tensor(values, { dtype: "float64" });
  const [logits, target] = [float64([2, 2, 2]), float64([1, 0, 0.5])];
  const each = (options = {}) => [
    ...binaryCrossEntropyWithLogits(logits, target, { reduction: "none", ...options }).data,
  ];
  const [yes, no] = [Math.log1p(Math.exp(-2)), Math.log1p(Math.exp(2))];
  const near = (values: number[], expected: number[]) =>
    values.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
  near(each({ positiveWeight: float64([3]) }), [3 * yes, no, (3 * yes + no) / 2]);
  near(each({ weight: float64([2, 5, 1]) }), [2 * yes, 5 * no, (yes + no) / 2]);
});

test("property: the KL divergence is at least 0, and 0 between equal distributions", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [p, q] = [random([2, 5], seed), random([2, 5], seed + 1)];
      expect(klDivergence(logSoftmax(p), softmax(q)).data[0]).toBeGreaterThan(0);
      expect(klDivergence(logSoftmax(p), softmax(p)).data[0]).toBeCloseTo(0, 12);
      const logs = klDivergence(logSoftmax(p), logSoftmax(q), { logTarget: true }).data[0]!;
      expect(logs).toBeCloseTo(klDivergence(logSoftmax(p), softmax(q)).data[0]!, 12);
    }),
  );
});

test("golden: a class of probability 0 adds nothing, and the default divides by the batch size", () => {
  const logs = tensor([
    [Math.log(0.25), Math.log(0.75)],
    [Math.log(0.5), Math.log(0.5)],
  ]);
  const target = tensor([
    [1, 0],
    [0, 1],
  ]);
  const total = Math.log(4) + Math.log(2);
  expect(klDivergence(logs, target).data[0]).toBeCloseTo(total / 2, 6);
  expect(klDivergence(logs, target, { reduction: "mean" }).data[0]).toBeCloseTo(total / 4, 6);
});

test("property: cosineSimilarity does not depend on norms, is 1 for equal vectors, and broadcasts", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [a, b] = [random([3, 4], seed), random([4], seed + 1)];
      const cosines = cosineSimilarity(a, b).data;
      expect(cosines).toHaveLength(3);
      expect(cosineSimilarity(mul(a, 7), mul(b, 0.1)).data).toBeAllclose([...cosines], {
        rtol: 0,
        atol: 1e-12,
      });
      for (const one of cosineSimilarity(a, a).data) expect(one).toBeCloseTo(1, 12);
    }),
  );
  expect(cosineSimilarity(zeros([2]), zeros([2])).toNested()).toBe(0);
});

test("cosineEmbeddingLoss is 1 − cosine for target 1, and the cosine above the margin for target -1", () => {
  const a = tensor([
    [1, 0],
    [1, 0],
    [1, 0],
  ]);
  const b = tensor([
    [0, 3],
    [4, 0],
    [0, -2],
  ]);
  const target = tensor([1, -1, -1], { dtype: "int32" });
  const each = cosineEmbeddingLoss(a, b, target, { margin: 0.25, reduction: "none" });
  expect(each.toNested()).toEqual([1, 0.75, 0]);
});

test("the triplet loss is 0 if the negative is farther than the positive by the margin; with `swap`, the smaller distance to the negative counts", () => {
  const [anchor, positive] = [tensor([[0, 0]]), tensor([[3, 0]])];
  const negative = tensor([[4, 0]]);
  expect(tripletMarginLoss(anchor, positive, negative, { margin: 1 }).data[0]).toBeCloseTo(0, 5);
  expect(tripletMarginLoss(anchor, positive, negative, { margin: 1.5 }).data[0]).toBeCloseTo(0.5, 5);
  expect(tripletMarginLoss(anchor, positive, negative, { swap: true }).data[0]).toBeCloseTo(3, 5);
});

test("golden: for orthogonal pairs, infoNce is the cross-entropy of a softmax over their cosines", () => {
  const pairs = tensor([
    [2, 0],
    [0, 5],
  ]);
  const expected = (others: number) => Math.log(1 + others * Math.exp(-2));
  expect(infoNce(pairs, pairs, { temperature: 0.5 }).data[0]).toBeCloseTo(expected(1), 6);
  const exchanged = tensor([
    [0, 1],
    [1, 0],
  ]);
  expect(infoNce(pairs, exchanged, { temperature: 0.5 }).data[0]).toBeCloseTo(2 + expected(1), 6);
  const negatives = tensor([[0, 0]]);
  const wider = Math.log(1 + Math.exp(-2) + Math.exp(-2));
  expect(infoNce(pairs, pairs, { temperature: 0.5, negatives }).data[0]).toBeCloseTo(wider, 6);
});

test("invalid arguments are refused, with the fix", () => {
  const [row, column] = [zeros([3]), zeros([3, 1])];
  expect(() => mseLoss(row, column)).toThrow(
    /^mseLoss: `target` is "float32 \[3, 1\]", expected float32 \[3\], as prediction is.\nFix: losses do not broadcast/,
  );
  expect(() => l1Loss(row, zeros([3], { dtype: "float64" }))).toThrow(/^l1Loss: `target`/);
  expect(() => mseLoss(zeros([3], { dtype: "int32" }), row)).toThrow(/expected float32 or float64/);
  expect(() => huberLoss(row, row, { delta: 0 })).toThrow(/`delta` is 0/);
  expect(() => mseLoss(row, row, { reduction: "batch" as never })).toThrow(
    /`reduction` is "batch", expected "mean", "sum" or "none"/,
  );
  expect(() => klDivergence(column, column, { reduction: "batchmean" as never })).toThrow(
    /"batchMean", "mean"/,
  );
  expect(() => cosineEmbeddingLoss(pair.a, pair.b, tensor([1]))).toThrow(/^cosineEmbeddingLoss: `target`/);
  expect(() => cosineSimilarity(zeros([3]), zeros([2]))).toThrow(/has shape \[2\]/);
  expect(() => infoNce(row, row)).toThrow(/`queries` has shape \[3\], expected \[pairs, features\]/);
  expect(() => infoNce(pair.a, pair.b, { negatives: random([2, 4]) })).toThrow(
    /`negatives` is "float64 \[2, 4\]"/,
  );
  expect(() => infoNce(pair.a, pair.b, { temperature: 0 })).toThrow(/`temperature` is 0/);
  expect(() => tripletMarginLoss(row, row, column)).toThrow(/^tripletMarginLoss: `negative`/);
  const { a } = pair;
  expect(() => binaryCrossEntropyWithLogits(a, add(a, 0), { weight: 2 as never })).toThrow(/`weight` is 2/);
  for (const name of ["weight", "positiveWeight"])
    expect(() => binaryCrossEntropyWithLogits(a, add(a, 0), { [name]: random([2, 4, 3]) })).toThrow(
      `binaryCrossEntropyWithLogits: \`${name}\` has shape [2, 4, 3], expected a shape that repeats to that of the logits, [4, 3]`,
    );
  expect(() => cosineEmbeddingLoss(tensor(1), tensor(1), signs)).toThrow(/^cosineEmbeddingLoss: /);
});

test("cosineSimilarity along an axis that is broadcast in one tensor, or that it lacks", () => {
  const a = tensor([[1], [2], [3]]);
  const cosine = 6 / Math.sqrt(14 * 3);
  expect(cosineSimilarity(a, tensor([[5]]), { axis: 0 }).data[0]).toBeCloseTo(cosine, 6);
  expect(cosineSimilarity(tensor([5]), a, { axis: 0 }).data[0]).toBeCloseTo(cosine, 6);
  expect(cosineSimilarity(tensor([1, 2, 3]), tensor(5)).data[0]).toBeCloseTo(cosine, 6);
});

// Expected numbers are from PyTorch 2.6.
test("golden: the gradient of cosineEmbeddingLoss at a zero vector", () => {
  const [a, b] = [zeros([1, 2], { dtype: "float64" }), tensor([[3, 4]], { dtype: "float64" })];
  const one = tensor([1], { dtype: "int32" });
  const slope = grad((x: Tensor) => cosineEmbeddingLoss(x, b, one))(a);
  expect(slope).toBeAllclose(tensor([[-600000, -800000]], { dtype: "float64" }));
});
