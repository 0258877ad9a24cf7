import { tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { crossEntropyFunction } from "./cross-entropy.js";

const logits = tensor([
  [0, 1, 2],
  [2, 0, 1],
  [1, 1, 0],
]);
const weight = tensor([0.5, 1, 2]);
const classes = tensor([2, 0, 1], { dtype: "int32" });

async function loss(inputs: Record<string, Tensor>, own: object = {}): Promise<number[]> {
  const attributes = { ...crossEntropyFunction.attributes, ...own };
  const { output } = await crossEntropyFunction.run({ logits, ...inputs }, attributes);
  return [...output!.data];
}

// Expected values from PyTorch 2.6.
test("class weights with label smoothing and ignored targets: the mean is over the weights of counted targets", async () => {
  const smoothed = { label_smoothing: 0.1, ignore_index: 1 };
  const none = await loss({ target: classes, weight }, { ...smoothed, reduction: "none" });
  [0.8479114318517291, 0.3643100465184822, 0].forEach((x, i) => expect(none[i]).toBeCloseTo(x, 6));
  expect((await loss({ target: classes, weight }, smoothed))[0]).toBeCloseTo(0.48488859134808454, 6);
  expect((await loss({ target: classes, weight }, { reduction: "sum" }))[0]).toBeCloseTo(
    1.8810097151692022,
    6,
  );
});

test("targets may be class probabilities", async () => {
  const target = tensor([
    [0.2, 0.3, 0.5],
    [1, 0, 0],
    [0, 0.5, 0.5],
  ]);
  expect((await loss({ target, weight }, { label_smoothing: 0.1 }))[0]).toBeCloseTo(1.2243466567296715, 6);
});
