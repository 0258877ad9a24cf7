import { clone, embedding, mapTensors, randn, tensor, valueAndGrad, type Tensor } from "@qkv/tensor";
import { sgd } from "@qkv/tensor/optimizers";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { preferenceBatches } from "../data/preference-batches.js";
import { decoder } from "../models/decoder.js";
import { distillationLoss } from "./distillation-loss.js";
import { tokenLoss } from "./losses.js";
import { preferenceLoss } from "./preference-loss.js";
import { sequenceLogProbs } from "./sequence-log-probs.js";
import { train } from "./train.js";

const bigram = { apply: ({ table }: { table: Tensor }, ids: Tensor) => embedding(table, ids) };
const logSoftmax = (row: number[]) => {
  const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
  return row.map((x) => x - total);
};
const ids = tensor(
  [
    [0, 1, 2],
    [0, 2, 0],
  ],
  { dtype: "int32" },
);
const targets = tensor(
  [
    [-100, 2, 1],
    [-100, 0, -100],
  ],
  { dtype: "int32" },
);
const [params, before] = [1, 2].map((seed) => ({ table: randn([3, 3], { seed }) }));
const rows = ({ table }: { table: Tensor }) => (table.toNested() as number[][]).map(logSoftmax);

test("sequenceLogProbs sums the log-probabilities of the targets of each row", () => {
  const [a, b] = [rows(params!)[1]![2]! + rows(params!)[2]![1]!, rows(params!)[2]![0]!];
  expect(sequenceLogProbs(bigram.apply(params!, ids), targets).data).toBeAllclose([a, b], {
    rtol: 1e-6,
    atol: 1e-6,
  });
});

test("golden: preferenceLoss equals -log σ(β · margin)", () => {
  const logProb = (p: { table: Tensor }) => [rows(p)[1]![2]! + rows(p)[2]![1]!, rows(p)[2]![0]!];
  const [now, was] = [logProb(params!), logProb(before!)];
  const margin = now[0]! - was[0]! - (now[1]! - was[1]!);
  const loss = preferenceLoss(bigram, { reference: before!, beta: 0.3 })(params!, { ids, targets });
  expect(loss.data[0]).toBeCloseTo(Math.log(1 + Math.exp(-0.3 * margin)), 5);
});

test("training with preferenceLoss lowers the loss from log 2, and does not change the reference", async () => {
  const sizes = { vocabSize: 8, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 };
  const model = decoder({ ...sizes, contextLength: 8, normEps: 1e-5, stopIds: [] });
  const params = model.init(1);
  const reference = mapTensors(params, clone);
  const start = reference.embedding.weight.data.slice();
  const pairs = [1, 2, 3].map((n) => ({
    chosen: { ids: [n, 4], targets: [-100, 5] },
    rejected: { ids: [n, 4, 6], targets: [-100, 6, 7] },
  }));
  const losses: number[] = [];
  for await (const { loss } of train({
    params,
    loss: preferenceLoss(model, { reference }),
    optimizer: sgd({ learningRate: 1 }),
    batchAt: preferenceBatches(pairs, { batchSize: 3, seed: 1 }),
    steps: 30,
  }))
    losses.push(loss);
  expect(losses[0]).toBeCloseTo(Math.log(2), 5);
  expect(losses.at(-1)).toBeLessThan(0.4);
  expect(reference.embedding.weight.data).toEqual(start);
});

test("preferenceBatches has each pair once per epoch, with chosen rows before rejected ones", () => {
  const pairs = Array.from({ length: 6 }, (_, n) => ({
    chosen: { ids: [n, n], targets: [-100, n] },
    rejected: { ids: [n], targets: [n + 10] },
  }));
  const batchAt = preferenceBatches(pairs, { batchSize: 2, seed: 1 });
  const promptIds = [0, 1, 2].flatMap((step) => {
    const { ids, targets } = batchAt(step);
    const rows = ids.toNested() as number[][];
    expect(rows.slice(2).map(([id]) => id)).toEqual(rows.slice(0, 2).map(([id]) => id));
    expect((targets.toNested() as number[][]).slice(2)).toEqual(
      rows.slice(2).map(([id]) => [id! + 10, -100]),
    );
    return rows.slice(0, 2).map(([id]) => id);
  });
  expect([...promptIds].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(batchAt(0).ids.toNested()).not.toEqual(batchAt(3).ids.toNested());
  expect(() => preferenceBatches(pairs, { batchSize: 7, seed: 1 })).toThrow(
    /`pairs` is "6 pairs", expected 7 or more/,
  );
});

test("an odd number of rows is refused", () => {
  const oneRow = { ids: tensor([[0]], { dtype: "int32" }), targets: tensor([[1]], { dtype: "int32" }) };
  expect(() => preferenceLoss(bigram, { reference: before! })(params!, oneRow)).toThrow(
    /`batch.ids` is "1 rows", expected an even number/,
  );
});

test("golden: distillationLoss equals its formula over targets, and has no gradient of the teacher", () => {
  const [tau, weight] = [3, 0.25];
  const soft = (p: { table: Tensor }) =>
    (p.table.toNested() as number[][]).map((row) => logSoftmax(row.map((x) => x / tau)));
  const [student, teacher] = [soft(params!), soft(before!)];
  const kl = (row: number) =>
    teacher[row]!.reduce((sum, log, v) => sum + Math.exp(log) * (log - student[row]![v]!), 0);
  // Tokens 1, 2 and 2 have targets.
  const divergence = (kl(1) + kl(2) + kl(2)) / 3;
  const hard = -(rows(params!)[1]![2]! + rows(params!)[2]![1]! + rows(params!)[2]![0]!) / 3;
  const batch = { ids, targets };
  const loss = (p: { student: { table: Tensor }; teacher: { table: Tensor } }) =>
    distillationLoss(bigram, { teacher: () => bigram.apply(p.teacher, ids), temperature: tau, weight })(
      p.student,
      batch,
    );
  const [value, gradient] = valueAndGrad(loss)({ student: params!, teacher: before! });
  expect(value.data[0]).toBeCloseTo(weight * tau ** 2 * divergence + (1 - weight) * hard, 5);
  expect([...gradient.teacher.table.data].every((x) => x === 0)).toBe(true);
  expect([...gradient.student.table.data].some((x) => x !== 0)).toBe(true);
});

test("training with distillationLoss gives the probabilities of the teacher", async () => {
  const student = { table: randn([3, 3], { seed: 4 }) };
  const teacher = { table: randn([3, 3], { seed: 5 }) };
  const batch = {
    ids: tensor([[0, 1, 2]], { dtype: "int32" }),
    targets: tensor([[0, 0, 0]], { dtype: "int32" }),
  };
  const loss = distillationLoss(bigram, {
    teacher: ({ ids }) => bigram.apply(teacher, ids),
    temperature: 1,
    weight: 1,
  });
  const optimizer = sgd({ learningRate: 2 });
  for await (const _ of train({ params: student, loss, optimizer, batchAt: () => batch, steps: 400 }));
  rows(student).forEach((row, n) => expect(row).toBeAllclose(rows(teacher)[n]!, { rtol: 0, atol: 0.02 }));
  expect(tokenLoss(bigram)(student, batch).data[0]).toBeCloseTo(
    tokenLoss(bigram)(teacher, batch).data[0]!,
    1,
  );
});
