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

async function all<P>(run: AsyncIterable<TrainReport<P>>): Promise<number[]> {
  const losses: number[] = [];
  for await (const { loss } of run) losses.push(loss);
  return losses;
}

test("a run resumed from a checkpoint equals an uninterrupted run, bit for bit", async () => {
  const whole = model.init(1);
  const losses = await all(train({ ...common, params: whole, steps: 12 }));

  const first = model.init(1);
  const before: number[] = [];
  let saved = new Uint8Array();
  for await (const { loss, state, params } of train({ ...common, params: first, steps: 7 })) {
    before.push(loss);
    if (state.step === 7)
      saved = new Uint8Array(await writeCheckpoint({ params, state, notes: { steps: 12 } }));
  }
  const again = await readCheckpoint<Params>(saved);
  const after = await all(train({ ...common, params: again.params, state: again.state, steps: 12 }));

  expect([...before, ...after]).toEqual(losses);
  const [a, b] = [tensorsOf(whole), tensorsOf(again.params)];
  a.forEach((x, i) => expect(b[i]!.data).toEqual(x.data));
});

test("training ends by early stopping, and by the signal", async () => {
  const scores = [3, 2, 2.5, 2.1, 1];
  const asked: number[] = [];
  const evaluate = () => {
    asked.push(scores[asked.length]!);
    return asked.at(-1)!;
  };
  const run = train({ ...common, params: model.init(1), steps: 10, evaluate, evaluateEvery: 1, patience: 2 });
  expect(await all(run)).toHaveLength(4);
  expect(asked).toEqual([3, 2, 2.5, 2.1]);

  // A run that goes on is as patient as it was.
  const rest = train({
    ...common,
    ...{ params: model.init(1), steps: 10, evaluate: () => 2.1, evaluateEvery: 1, patience: 2 },
    evaluations: [3, 2, 2.5],
  });
  expect(await all(rest)).toHaveLength(1);

  const controller = new AbortController();
  const params = model.init(1);
  const seen: number[] = [];
  const stopped = async () => {
    for await (const { step } of train({ ...common, params, steps: 10, signal: controller.signal })) {
      seen.push(step);
      if (step === 2) controller.abort(new Error("enough"));
    }
  };
  await expect(stopped()).rejects.toThrow("enough");
  expect(seen).toEqual([1, 2]);
});

test("a NaN loss ends the run with an error", async () => {
  const wild = adamW({ learningRate: 1e30 });
  await expect(all(train({ ...common, optimizer: wild, params: model.init(1), steps: 20 }))).rejects.toThrow(
    /`loss` is (NaN|Infinity), expected a number at step \d+\.\nFix: make the learning rate smaller/,
  );
});

test("meanLoss weights all tokens equally, whatever the batches", async () => {
  const params = model.init(3);
  const whole = await meanLoss(
    common.loss,
    params,
    textBatches(text.slice(0, 41), { batchSize: 10, contextLength: 8 }),
  );
  const small = await meanLoss(
    common.loss,
    params,
    textBatches(text.slice(0, 41), { batchSize: 3, contextLength: 8 }),
  );
  expect(small).toBeCloseTo(whole, 5);
});

test("invalid numbers of steps are refused", async () => {
  await expect(all(train({ ...common, params: model.init(1), steps: 1.5 }))).rejects.toThrow(
    "train: `steps` is 1.5, expected an integer, 0 or more.",
  );
});

test("batches may be promises, as from a stream", async () => {
  const [now, later] = [model.init(1), model.init(1)];
  const losses = await all(train({ ...common, params: now, steps: 3, accumulate: 2 }));
  const slow = async (step: number) => {
    await new Promise((done) => setTimeout(done, 1));
    return batchAt(step);
  };
  expect(await all(train({ ...common, params: later, steps: 3, accumulate: 2, batchAt: slow }))).toEqual(
    losses,
  );
});

test("losses and gradients may be computed elsewhere: added in their order, they give the same run, bit for bit", async () => {
  const [here, there] = [model.init(1), model.init(1)];
  const options = { ...common, steps: 3, accumulate: 3, maxNorm: 1 };
  const losses = await all(train({ ...options, params: here }));
  const both = valueAndGrad(common.loss);
  const elsewhere = {
    // The last one is ready first, as with workers that differ in speed.
    gradients: (params: Params, batches: readonly Batch[]) =>
      Promise.all(
        batches.map(async (batch, n) => {
          await new Promise((done) => setTimeout(done, 5 * (batches.length - n)));
          return both(params, batch);
        }),
      ),
  };
  expect(await all(train({ ...options, params: there, loss: elsewhere }))).toEqual(losses);
  tensorsOf(here).forEach((x, i) => expect(tensorsOf(there)[i]!.data).toEqual(x.data));
});

test("a report has the norm of the gradients before clipping, where they are clipped", async () => {
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

test("what is forgotten or of another kind is refused before anything changes", async () => {
  const options = { ...common, params: model.init(1), steps: 1 };
  const refused = (wrong: object, message: RegExp) =>
    expect(all(train({ ...options, ...wrong } as never))).rejects.toThrow(message);
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
