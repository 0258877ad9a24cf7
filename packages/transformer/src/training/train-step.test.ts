import { tensor, tensorsOf } from "@qkv/tensor";
import { adamW, sgd } from "@qkv/tensor/optimizers";
import "@qkv/test-support/allclose";
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

test("two batches accumulated are the batch of both", () => {
  const [first, second] = [batchAt(0), batchAt(1)];
  const both: Batch = {
    ids: join(first.ids.data, second.ids.data, 6),
    targets: join(first.targets.data, second.targets.data, 6),
  };
  const [apart, together] = [fresh(), fresh()];
  const optimizer = sgd({ learningRate: 0.5 });
  const step = trainStep({ loss, optimizer });
  const one = step(apart, optimizer.init(apart), [first, second]).data[0]!;
  const other = step(together, optimizer.init(together), [both]).data[0]!;
  expect(one).toBeCloseTo(other, 6);
  const pairs = tensorsOf(together).map((x, i) => [x.data, tensorsOf(apart)[i]!.data] as const);
  for (const [a, b] of pairs) expect(a).toBeAllclose(b, { rtol: 0, atol: 5e-6 });
});

test("the loss falls on one batch that is seen again and again", () => {
  const params = fresh();
  const optimizer = adamW({ learningRate: 0.01 });
  const state = optimizer.init(params);
  const step = trainStep({ loss, optimizer, maxNorm: 1 });
  const losses = Array.from({ length: 40 }, () => step(params, state, [batchAt(0)]).data[0]!);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 4);
  expect(state.step).toBe(40);
});

test("maxNorm shortens the step, and leaves its direction", () => {
  const [free, held] = [fresh(), fresh()];
  const optimizer = sgd({ learningRate: 1 });
  trainStep({ loss, optimizer })(free, optimizer.init(free), [batchAt(0)]);
  trainStep({ loss, optimizer, maxNorm: 0.01 })(held, optimizer.init(held), [batchAt(0)]);
  const start = tensorsOf(fresh());
  const moved = (params: unknown) =>
    tensorsOf(params).flatMap((x, i) => [...x.data].map((value, n) => value - start[i]!.data[n]!));
  const [a, b] = [moved(free), moved(held)];
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

function join(a: ArrayLike<number>, b: ArrayLike<number>, T: number): Batch["ids"] {
  const values = [...Array.from(a), ...Array.from(b)];
  return tensor(values, { shape: [values.length / T, T], dtype: "int32" });
}
