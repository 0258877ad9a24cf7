import { mul, sub, sum, tensor, tensorsOf, type Tensor } from "@qkv/tensor";
import { adamW, sgd } from "@qkv/tensor/optimizers";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decoder } from "../models/decoder.js";
import type { Batch } from "./batch.js";
import { tokenLoss } from "./losses.js";
import { nextTokenBatches } from "./next-token-batches.js";
import { trainStep } from "./train-step.js";

const model = decoder({
  vocabSize: 13,
  embedDim: 8,
  hiddenDim: 16,
  numLayers: 2,
  numHeads: 2,
  numKvHeads: 1,
  contextLength: 16,
  normEps: 1e-5,
  stopIds: [],
});
const text = Array.from({ length: 200 }, (_, i) => (i * i) % 13);
const batchAt = nextTokenBatches(text, { batchSize: 2, contextLength: 6, seed: 1 });
const loss = tokenLoss(model);

const fresh = () => model.init(1);

test("two accumulated batches give the update of one batch with both", () => {
  const [first, second] = [batchAt(0), batchAt(1)];
  const both: Batch = {
    ids: idRows([...first.ids.data, ...second.ids.data], 6),
    targets: idRows([...first.targets.data, ...second.targets.data], 6),
  };
  const [accumulated, joined] = [fresh(), fresh()];
  const optimizer = sgd({ learningRate: 0.5 });
  const step = trainStep({ loss, optimizer });
  const accumulatedLoss = step(accumulated, optimizer.init(accumulated), [first, second]).data[0]!;
  const joinedLoss = step(joined, optimizer.init(joined), [both]).data[0]!;
  expect(accumulatedLoss).toBeCloseTo(joinedLoss, 6);
  const pairs = tensorsOf(joined).map((x, i) => [x.data, tensorsOf(accumulated)[i]!.data] as const);
  for (const [a, b] of pairs) expect(a).toBeAllclose(b, { rtol: 0, atol: 5e-6 });
});

/** A copy of the batch with only the first targets of each row; the others are -100. */
const withTargets = ({ ids, targets }: Batch, numTargets: number): Batch => ({
  ids,
  targets: tensor(
    targets.data.map((target, i) => (i % 6 < numTargets ? target : -100)),
    { shape: targets.shape, dtype: "int32" },
  ),
});

test("property: accumulated batches with different numbers of targets give the update of one batch with all", () => {
  const targetCounts = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(
      targetCounts.filter((counts) => counts.some((count) => count > 0)),
      (counts) => {
        const parts = counts.map((count, i) => withTargets(batchAt(i), count));
        const values = (name: "ids" | "targets") => parts.flatMap((part) => Array.from(part[name].data));
        const joinedBatch = { ids: idRows(values("ids"), 6), targets: idRows(values("targets"), 6) };
        const [accumulated, joined] = [fresh(), fresh()];
        const optimizer = sgd({ learningRate: 0.5 });
        const step = trainStep({ loss, optimizer });
        const accumulatedLoss = step(accumulated, optimizer.init(accumulated), parts).data[0]!;
        const joinedLoss = step(joined, optimizer.init(joined), [joinedBatch]).data[0]!;
        expect(accumulatedLoss).toBeCloseTo(joinedLoss, 5);
        for (const [i, x] of tensorsOf(joined).entries())
          expect(tensorsOf(accumulated)[i]!.data).toBeAllclose(x.data, { rtol: 0, atol: 1e-5 });
      },
    ),
    { numRuns: 20 },
  );
});

test("accumulated losses are averaged equally, or weighted by `loss.count`", () => {
  const square = ({ w }: { w: Tensor }, goal: number) => sum(mul(sub(w, goal), sub(w, goal)));
  const counted = Object.assign(square.bind(undefined), { count: (goal: number) => goal });
  const after = (loss: typeof square) => {
    const params = { w: tensor([0]) };
    const optimizer = sgd({ learningRate: 0.5 });
    const value = trainStep({ loss, optimizer })(params, optimizer.init(params), [1, 3]).toNested();
    return [value, params.w.toNested()];
  };
  expect(after(square)).toEqual([5, [2]]);
  expect(after(counted)).toEqual([7, [2.5]]);
});

test("batches without targets, and an invalid count, are refused", () => {
  const optimizer = sgd({ learningRate: 1 });
  const params = fresh();
  const step = (lossFunction: typeof loss, batches: Batch[]) =>
    trainStep({ loss: lossFunction, optimizer })(params, optimizer.init(params), batches);
  expect(() => step(loss, [withTargets(batchAt(0), 0)])).toThrow(
    /^trainStep: `batches` is "no targets", expected one target or more\./,
  );
  const lossWithNanCount = Object.assign(loss.bind(undefined), { count: () => NaN });
  expect(() => step(lossWithNanCount, [batchAt(0)])).toThrow(/`loss.count\(batch\)` is NaN/);
});

test("40 steps on one batch lower its loss to less than a quarter", () => {
  const params = fresh();
  const optimizer = adamW({ learningRate: 0.01 });
  const state = optimizer.init(params);
  const step = trainStep({ loss, optimizer, maxNorm: 1 });
  const losses = Array.from({ length: 40 }, () => step(params, state, [batchAt(0)]).data[0]!);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 4);
  expect(state.step).toBe(40);
});

test("maxNorm scales the gradients without changing their direction", () => {
  const [unclipped, clipped] = [fresh(), fresh()];
  const optimizer = sgd({ learningRate: 1 });
  trainStep({ loss, optimizer })(unclipped, optimizer.init(unclipped), [batchAt(0)]);
  trainStep({ loss, optimizer, maxNorm: 0.01 })(clipped, optimizer.init(clipped), [batchAt(0)]);
  const start = tensorsOf(fresh());
  const updates = (params: unknown) =>
    tensorsOf(params).flatMap((x, i) => [...x.data].map((value, n) => value - start[i]!.data[n]!));
  const [a, b] = [updates(unclipped), updates(clipped)];
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, n) => sum + value * y[n]!, 0);
  expect(Math.sqrt(dot(b, b))).toBeCloseTo(0.01, 5);
  expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeGreaterThan(0.999);
});

test("a step without batches is refused", () => {
  const optimizer = sgd({ learningRate: 1 });
  const params = fresh();
  expect(() => trainStep({ loss, optimizer })(params, optimizer.init(params), [])).toThrow(
    /`batches` is "empty", expected one batch or more/,
  );
});

function idRows(values: readonly number[], T: number): Batch["ids"] {
  return tensor([...values], { shape: [values.length / T, T], dtype: "int32" });
}
