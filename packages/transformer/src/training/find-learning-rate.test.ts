import { mean, mul, sub, sum, tensor, tensorsOf, type Tensor } from "@qkv/tensor";
import { adamW, sgd, type Schedule } from "@qkv/tensor/optimizers";
import { expect, test } from "vitest";
import { decoder } from "../models/decoder.js";
import { findLearningRate } from "./find-learning-rate.js";
import { tokenLoss } from "./losses.js";
import { nextTokenBatches } from "./next-token-batches.js";

const squares = ({ w }: { w: Tensor }, goal: number) => sum(mul(sub(w, goal), sub(w, goal)));
const plain = (learningRate: Schedule) => sgd({ learningRate });

test("learning rates grow by a constant factor until the loss diverges, and params do not change", async () => {
  const params = { w: tensor([0]) };
  const search = {
    params,
    loss: squares,
    optimizer: plain,
    batchAt: () => 4,
    from: 1e-3,
    to: 100,
    steps: 51,
  };
  const { rows, learningRate } = await findLearningRate(search);
  rows.slice(1).forEach((row, i) => {
    expect(row.learningRate / rows[i]!.learningRate).toBeCloseTo(10 ** 0.1, 10);
  });
  // Gradient descent on (w - goal)² diverges at learning rates above 1, and the moving average lags.
  expect(rows.length).toBeLessThan(51);
  expect(rows.at(-1)!.learningRate).toBeGreaterThan(1);
  expect(learningRate).toBeGreaterThan(0.01);
  expect(learningRate).toBeLessThan(1);
  expect(params.w.toNested()).toEqual([0]);
});

test("golden: bias-corrected moving averages of losses, by hand", async () => {
  const losses = [8, 4, 2, 1];
  const loss = ({ w }: { w: Tensor }, value: number) => sum(mul(w, value));
  const { rows, learningRate } = await findLearningRate({
    params: { w: tensor([1]) },
    loss,
    optimizer: () => ({
      init: () => ({ step: 0, moments: {} }),
      update: (_, __, state) => void state.step++,
    }),
    batchAt: (step) => losses[step]!,
    ...{ from: 1, to: 8, steps: 4 },
  });
  expect(rows.map(({ loss }) => loss)).toEqual(losses);
  // (0.98 · 8 + 4) / 1.98, and so on.
  const smooth = [8, 5.979798, 4.626309, 3.692077];
  rows.forEach(({ smoothLoss }, i) => expect(smoothLoss).toBeCloseTo(smooth[i]!, 5));
  expect(learningRate).toBeCloseTo(2, 10);
});

test("a loss that never falls gives no learning rate", async () => {
  const { learningRate } = await findLearningRate({
    params: { w: tensor([1]) },
    loss: ({ w }, step: number) => mean(mul(w, 1 + step / 10)),
    optimizer: () => ({
      init: () => ({ step: 0, moments: {} }),
      update: (_, __, state) => void state.step++,
    }),
    batchAt: (step) => step,
    steps: 5,
  });
  expect(learningRate).toBeUndefined();
});

test("for a decoder, the learning rate is between 1e-4 and 1, and params do not change", async () => {
  const model = decoder({
    ...{ vocabSize: 11, embedDim: 16, hiddenDim: 32, numLayers: 1, numHeads: 2, numKvHeads: 1 },
    ...{ contextLength: 16, normEps: 1e-5, stopIds: [] },
  });
  const text = Array.from({ length: 300 }, (_, i) => (i * i + (i >> 2)) % 11);
  const batchAt = nextTokenBatches(text, { batchSize: 4, contextLength: 12, seed: 1 });
  const params = model.init(1);
  const before = tensorsOf(params).map(({ data }) => data.slice());
  const { rows, learningRate } = await findLearningRate({
    ...{ params, batchAt, loss: tokenLoss(model), from: 1e-5, to: 10, steps: 60 },
    optimizer: (rate) => adamW({ learningRate: rate }),
    maxNorm: 1,
  });
  tensorsOf(params).forEach(({ data }, i) => expect(data).toEqual(before[i]));
  expect(Math.min(...rows.map(({ loss }) => loss))).toBeLessThan(rows[0]!.loss - 0.2);
  expect(learningRate).toBeGreaterThan(1e-4);
  expect(learningRate).toBeLessThan(1);
});

test("invalid options are refused", async () => {
  const search = { params: { w: tensor([0]) }, loss: squares, optimizer: plain, batchAt: () => 4 };
  await expect(findLearningRate({ ...search, from: 1, to: 0.5 })).rejects.toThrow(
    /^findLearningRate: `to` is 0.5, expected .*\nFix: the rate grows from `from` to `to`/,
  );
  await expect(findLearningRate({ ...search, steps: 2 })).rejects.toThrow(/`steps` is 2/);
  await expect(findLearningRate({ ...search, optimizer: sgd({ learningRate: 1 }) as never })).rejects.toThrow(
    /`optimizer` is/,
  );
  const signal = AbortSignal.abort(new Error("stopped"));
  await expect(findLearningRate({ ...search, signal })).rejects.toThrow("stopped");
});
