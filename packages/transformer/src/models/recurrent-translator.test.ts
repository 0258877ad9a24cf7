import { additive, luongDot, luongGeneral } from "@qkv/attention";
import { crossEntropy, mapTensors, slice, sum, tensor, valueAndGrad, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { recurrentTranslator, type TranslatorAttention } from "./recurrent-translator.js";
import { ascii } from "../tasks/ascii.js";
import { dates } from "../tasks/dates.js";
import { pairBatches, type PairBatch } from "../training/pair-batches.js";
import { trainStep } from "../training/train-step.js";

const F = 8;
const dot: TranslatorAttention<object> = {
  init: () => ({}),
  apply: (_, q, k, v, options) => luongDot(q, k, v, options),
};
const kinds = {
  bahdanau: {
    attention: additive({ queryDim: F, keyDim: F, hiddenDim: F }),
    queryState: "previous" as const,
  },
  luong: { attention: luongGeneral({ queryDim: F, keyDim: F }), queryState: "current" as const },
  dot: { attention: dot, queryState: "current" as const },
};
const ids = (rows: number[][]) => tensor(rows, { dtype: "int32" });
const makeModel = (kind: keyof typeof kinds) => {
  const { attention, queryState } = kinds[kind];
  const config = {
    vocabSize: 98,
    embedDim: 4,
    hiddenDim: F,
    attention: attention as TranslatorAttention<object>,
    queryState,
  };
  return recurrentTranslator<object>(config);
};
const names = Object.keys(kinds) as (keyof typeof kinds)[];

test.each(names)("%s: padding of a source does not change the logits", (kind) => {
  const model = makeModel(kind);
  const params = model.init(1);
  const target = [95, 3];
  const alone = model.apply(params, model.encode(params, ids([[5, 6]])), ids([target])).data;
  const encoded = model.encode(
    params,
    ids([
      [5, 6, 97, 97],
      [1, 2, 3, 4],
    ]),
    [2, 4],
  );
  const together = model.apply(params, encoded, ids([target, target]));
  expect(slice(together, 0, 0, 1).data).toBeAllclose(alone, { rtol: 0, atol: 5e-6 });
});

test.each(names)("%s: later tokens do not affect a token, and rows of the alignment sum to 1", (kind) => {
  const model = makeModel(kind);
  const params = model.init(2);
  const encoded = model.encode(params, ids([[5, 6, 7]]));
  const tensors: Record<string, Tensor> = {};
  const logits = (target: number[]) =>
    model.apply(params, encoded, ids([target]), { trace: { names: ["weights"], tensors } });
  const first = (x: Tensor) => slice(x, 1, 0, 2).data;
  expect(first(logits([95, 3, 4]))).toEqual(first(logits([95, 3, 9])));
  expect(tensors["weights"]!.shape).toEqual([1, 1, 3, 3]);
  sum(tensors["weights"]!, { axis: 3 }).data.forEach((total) => expect(total).toBeCloseTo(1, 5));
});

test.each(names)("%s: every weight has a gradient, and training fits one batch", (kind) => {
  const model = makeModel(kind);
  const pairs = dates({ seed: 1 });
  const pairAt = (n: number) => ({ source: ascii.encode(pairs(n).source), target: ascii.encode("ab") });
  const batch = pairBatches({ pairAt, batchSize: 3, ...ascii })(0);
  const loss = (
    p: ReturnType<typeof model.init>,
    { source, sourceLengths, decoderInput, targets }: PairBatch,
  ) => crossEntropy(model.apply(p, model.encode(p, source, sourceLengths), decoderInput), targets);
  const params = model.init(3);
  const [, gradients] = valueAndGrad(loss)(params, batch);
  mapTensors(gradients, (x) => {
    expect(x.data.some((slope) => slope !== 0)).toBe(true);
    return x;
  });
  const optimizer = adam({ learningRate: 0.05 });
  const [step, state] = [trainStep({ loss, optimizer }), optimizer.init(params)];
  for (let i = 0; i < 40; i++) step(params, state, [batch]);
  const trained = model.greedyDecode(params, model.encode(params, batch.source, batch.sourceLengths), {
    startId: ascii.startId,
    length: 3,
  });
  expect(trained.map(ascii.decode)).toEqual(["ab", "ab", "ab"]);
});

test("an odd `hiddenDim` and an unknown `queryState` are refused", () => {
  const { attention } = kinds.bahdanau;
  const config = { vocabSize: 9, embedDim: 4, attention };
  expect(() => recurrentTranslator({ ...config, hiddenDim: 7, queryState: "previous" })).toThrow(
    /recurrentTranslator: `hiddenDim` is 7, expected an even integer.*\nFix: each direction/,
  );
  expect(() => recurrentTranslator({ ...config, hiddenDim: 8, queryState: "next" as "current" })).toThrow(
    /`queryState` is "next", expected "previous" or "current"/,
  );
});
