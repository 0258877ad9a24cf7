import { tensorsOf, valueAndGrad } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { expect, test } from "vitest";
import { decoder } from "../models/decoder.js";
import type { Batch } from "./batch.js";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { meanLoss, tokenLoss } from "./losses.js";
import { nextTokenBatches } from "./next-token-batches.js";
import { textBatches } from "./text-batches.js";
import { train, type TrainReport } from "./train.js";

const config = {
  vocabSize: 11,
  embedDim: 16,
  hiddenDim: 32,
  numLayers: 2,
  numHeads: 2,
  numKvHeads: 1,
  contextLength: 16,
  normEps: 1e-5,
  stopIds: [],
};
const model = decoder(config);
const text = Array.from({ length: 300 }, (_, i) => (i * i + (i >> 2)) % 11);
const batchAt = nextTokenBatches(text, { batchSize: 4, contextLength: 12, seed: 1 });
const optimizer = adamW({ learningRate: 0.01 });
const common = { loss: tokenLoss(model), optimizer, batchAt };
type Params = ReturnType<typeof model.init>;

async function lossesOf<P>(run: AsyncIterable<TrainReport<P>>): Promise<number[]> {
  const losses: number[] = [];
  for await (const { loss } of run) losses.push(loss);
  return losses;
}

test("a run resumed from a checkpoint equals an uninterrupted run, bit for bit", async () => {
  const uninterrupted = model.init(1);
  const losses = await lossesOf(train({ ...common, params: uninterrupted, steps: 12 }));

  const first = model.init(1);
  const before: number[] = [];
  let saved = new Uint8Array();
  for await (const { loss, state, params } of train({ ...common, params: first, steps: 7 })) {
    before.push(loss);
    if (state.step === 7)
      saved = new Uint8Array(await writeCheckpoint({ params, state, notes: { steps: 12 } }));
  }
  const restored = await readCheckpoint<Params>(saved);
  const after = await lossesOf(
    train({ ...common, params: restored.params, state: restored.state, steps: 12 }),
  );

  expect([...before, ...after]).toEqual(losses);
  const [a, b] = [tensorsOf(uninterrupted), tensorsOf(restored.params)];
  a.forEach((x, i) => expect(b[i]!.data).toEqual(x.data));
});

test("training ends by early stopping, also when resumed, and by an aborted signal", async () => {
  const scores = [3, 2, 2.5, 2.1, 1];
  const evaluations: number[] = [];
  const evaluate = () => {
    evaluations.push(scores[evaluations.length]!);
    return evaluations.at(-1)!;
  };
  const run = train({ ...common, params: model.init(1), steps: 10, evaluate, evaluateEvery: 1, patience: 2 });
  expect(await lossesOf(run)).toHaveLength(4);
  expect(evaluations).toEqual([3, 2, 2.5, 2.1]);

  // A resumed run continues the patience of earlier evaluations.
  const rest = train({
    ...common,
    ...{ params: model.init(1), steps: 10, evaluate: () => 2.1, evaluateEvery: 1, patience: 2 },
    evaluations: [3, 2, 2.5],
  });
  expect(await lossesOf(rest)).toHaveLength(1);

  const controller = new AbortController();
  const params = model.init(1);
  const steps: number[] = [];
  const trainUntilAbort = async () => {
    for await (const { step } of train({ ...common, params, steps: 10, signal: controller.signal })) {
      steps.push(step);
      if (step === 2) controller.abort(new Error("enough"));
    }
  };
  await expect(trainUntilAbort()).rejects.toThrow("enough");
  expect(steps).toEqual([1, 2]);
});

test("a NaN loss throws", async () => {
  const divergingOptimizer = adamW({ learningRate: 1e30 });
  await expect(
    lossesOf(train({ ...common, optimizer: divergingOptimizer, params: model.init(1), steps: 20 })),
  ).rejects.toThrow(
    /`loss` is (NaN|Infinity), expected a number at step \d+\.\nFix: make the learning rate smaller/,
  );
});

test("meanLoss weights all tokens equally, for any batches", async () => {
  const params = model.init(3);
  const largeBatches = await meanLoss(
    common.loss,
    params,
    textBatches(text.slice(0, 41), { batchSize: 10, contextLength: 8 }),
  );
  const small = await meanLoss(
    common.loss,
    params,
    textBatches(text.slice(0, 41), { batchSize: 3, contextLength: 8 }),
  );
  expect(small).toBeCloseTo(largeBatches, 5);
});

test("invalid numbers of steps are refused", async () => {
  await expect(lossesOf(train({ ...common, params: model.init(1), steps: 1.5 }))).rejects.toThrow(
    "train: `steps` is 1.5, expected an integer, 0 or more.",
  );
});

test("batches that are promises give the same losses", async () => {
  const [now, later] = [model.init(1), model.init(1)];
  const losses = await lossesOf(train({ ...common, params: now, steps: 3, accumulate: 2 }));
  const slow = async (step: number) => {
    await new Promise((done) => setTimeout(done, 1));
    return batchAt(step);
  };
  expect(await lossesOf(train({ ...common, params: later, steps: 3, accumulate: 2, batchAt: slow }))).toEqual(
    losses,
  );
});

test("gradients computed by `loss.gradients` give the same run, bit for bit, in any order of completion", async () => {
  const [localParams, externalParams] = [model.init(1), model.init(1)];
  const options = { ...common, steps: 3, accumulate: 3, maxNorm: 1 };
  const losses = await lossesOf(train({ ...options, params: localParams }));
  const both = valueAndGrad(common.loss);
  const elsewhere = {
    // The last batch is ready first.
    gradients: (params: Params, batches: readonly Batch[]) =>
      Promise.all(
        batches.map(async (batch, n) => {
          await new Promise((done) => setTimeout(done, 5 * (batches.length - n)));
          return both(params, batch);
        }),
      ),
  };
  expect(await lossesOf(train({ ...options, params: externalParams, loss: elsewhere }))).toEqual(losses);
  tensorsOf(localParams).forEach((x, i) => expect(tensorsOf(externalParams)[i]!.data).toEqual(x.data));
});

test("reports have the gradient norm before clipping if `maxNorm` is given", async () => {
  const norms: (number | undefined)[] = [];
  const run = (maxNorm?: number) =>
    train({ ...common, params: model.init(1), steps: 1, ...(maxNorm !== undefined && { maxNorm }) });
  for await (const { gradientNorm } of run()) norms.push(gradientNorm);
  for await (const { gradientNorm } of run(1e-3)) norms.push(gradientNorm);
  const [, gradients] = valueAndGrad(common.loss)(model.init(1), batchAt(0));
  const squares = tensorsOf(gradients).flatMap(({ data }) => Array.from(data, (x) => x * x));
  expect(norms[0]).toBeUndefined();
  expect(norms[1]).toBeCloseTo(Math.sqrt(squares.reduce((sum, x) => sum + x, 0)), 4);
});

test("invalid options and batches are refused before params change", async () => {
  const options = { ...common, params: model.init(1), steps: 1 };
  const refused = (wrong: object, message: RegExp) =>
    expect(lossesOf(train({ ...options, ...wrong } as never))).rejects.toThrow(message);
  await refused(
    { optimizer: Promise.resolve(common.optimizer) },
    /^train: `optimizer` is a promise \(`await` it\)/,
  );
  await refused({ evaluations: ["1"] }, /^train: `evaluations` is "1", expected numbers/);
  await refused(
    { params: model.init(1), evaluate: () => undefined },
    /^train: `evaluate\(params\)` is undefined, expected a number.*\nFix: return/,
  );
  const loss = tokenLoss(model);
  for (const batch of [undefined, [1], { ids: batchAt(0).ids }, { ids: [1], targets: [2] }]) {
    await refused(
      { loss, batchAt: () => batch },
      /^tokenLoss: `batch` is .*, expected a batch: the tensors ids and targets/,
    );
    expect(() => loss(options.params, batch as never)).toThrow(/^tokenLoss: `batch`/);
  }
  await expect(meanLoss(loss, options.params, [Promise.resolve(batchAt(0))] as never)).rejects.toThrow(
    /`batch` is a promise/,
  );
  tensorsOf(model.init(1)).forEach((x, i) => expect(tensorsOf(options.params)[i]!.data).toEqual(x.data));
});
