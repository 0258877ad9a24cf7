import { add, mul, tensor, tensorsOf, valueAndGrad, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { decoder } from "../models/decoder.js";
import { tokenLoss } from "../training/losses.js";
import { packedBatches } from "./packed-batches.js";
import { textExample } from "./text-example.js";

const config = {
  ...{ vocabSize: 17, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 16, normEps: 1e-5, stopIds: [] },
};
const texts = [4, 7, 2, 5, 3, 6, 9].map((length, name) =>
  Array.from({ length }, (_, n) => (name * 5 + n * n) % 17),
);
const examples = texts.map(textExample);

test.each(["rotary", "learned", "alibi"] as const)(
  "loss and gradients of packed rows equal those of each text alone, with %s positions",
  (positions) => {
    const model = decoder({ ...config, positions });
    const params = model.init(1);
    const batch = packedBatches(examples, { batchSize: 3, contextLength: 12, seed: 1 })(0);
    expect(batch.documents.flatMap((row) => [...new Set(row)]).length).toBeGreaterThan(6);
    const [packed, gradients] = valueAndGrad<typeof params, [typeof batch]>(tokenLoss(model))(params, batch);

    // One text per row: the mean of losses, weighted by numbers of targets.
    const alone = valueAndGrad((p: typeof params, batches: (typeof batch)[]) =>
      batches
        .map((singleBatch) => ({
          loss: tokenLoss(model)(p, singleBatch),
          count: singleBatch.targets.data.length,
        }))
        .reduce((sum, { loss, count }) => add(sum, mul(loss, count / 29)), zeros([])),
    );
    const single = texts.map((ids) => {
      const { ids: inputs, targets } = textExample(ids);
      const row = (values: ArrayLike<number>) => tensor([Array.from(values)], { dtype: "int32" });
      return { ids: row(inputs), targets: row(targets) } as unknown as typeof batch;
    });
    const [loss, expectedGradients] = alone(params, single);
    expect(packed.data[0]).toBeCloseTo(loss.data[0]!, 5);
    tensorsOf(expectedGradients).forEach((x, i) =>
      expect(tensorsOf(gradients)[i]!.data).toBeAllclose(x.data, { rtol: 1e-4, atol: 1e-6 }),
    );
  },
);

test("each epoch has every target once, in another order", () => {
  const targets = texts.flatMap((ids) => ids.slice(1)).sort((a, b) => a - b);
  const batchAt = packedBatches(examples, { batchSize: 1, contextLength: 9, seed: 3 });
  const targetsPerEpoch: number[][] = [[]];
  for (let step = 0; targetsPerEpoch.length < 4; step++) {
    const stepTargets = [...batchAt(step).targets.data].filter((target) => target >= 0);
    targetsPerEpoch.at(-1)!.push(...stepTargets);
    if (targetsPerEpoch.at(-1)!.length === targets.length) targetsPerEpoch.push([]);
  }
  const fullEpochs = targetsPerEpoch.slice(0, 3);
  for (const epoch of fullEpochs) expect([...epoch].sort((a, b) => a - b)).toEqual(targets);
  expect(fullEpochs[1]).not.toEqual(fullEpochs[0]);
});

test("a step gives the same batch in any order of calls, and seeds differ", () => {
  const make = () => packedBatches(examples, { batchSize: 2, contextLength: 9, seed: 5 });
  const [first, second] = [make(), make()];
  const inOrder = Array.from({ length: 9 }, (_, step) => first(step).ids.toNested());
  for (const step of [8, 0, 5, 4, 1]) expect(second(step).ids.toNested()).toEqual(inOrder[step]);
  const otherSeed = packedBatches(examples, { batchSize: 2, contextLength: 9, seed: 6 });
  expect(inOrder.map((_, step) => otherSeed(step).ids.toNested())).not.toEqual(inOrder);
});

test("examples without targets are refused", () => {
  const options = { batchSize: 1, contextLength: 4, seed: 1 };
  const withoutTargets = { ids: [1, 2], targets: [-100, -100] };
  expect(() => packedBatches([withoutTargets], options)).toThrow(
    /`examples` is "1 examples without a target".*\nFix: give texts/,
  );
  expect(() => packedBatches([{ ids: [1, 2], targets: [1] }], options)).toThrow(
    /`examples\[0\]` is .* with as many `targets` as `ids`/,
  );
});

test("ids outside int32, invalid targets and invalid steps are refused", () => {
  const options = { batchSize: 1, contextLength: 2, seed: 1 };
  for (const wrong of [0.5, -1, 2 ** 31, "1"])
    expect(() => packedBatches([{ ids: [wrong as number], targets: [1] }], options)).toThrow(
      /^packedBatches: `examples\[0\].ids` is .*, expected .*token ids/,
    );
  expect(() => packedBatches([{ ids: [1], targets: [-1] }], options)).toThrow(
    /^packedBatches: `examples\[0\].targets` is -1, expected .*or -100 where nothing is learned/,
  );
  const batchAt = packedBatches([{ ids: [1], targets: [1] }], options);
  for (const step of [-1, 0.5, NaN])
    expect(() => batchAt(step)).toThrow(/^packedBatches: `step` is .*, expected an integer, 0 or more/);
  expect(() => (batchAt as () => unknown)()).toThrow(/^packedBatches: `step` is undefined/);
});
