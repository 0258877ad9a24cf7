import { js, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { layerNormalizationOperator } from "./layer-normalization.js";
import { rmsNormalizationOperator } from "./rms-normalization.js";

const call = (
  inputs: Record<string, Tensor>,
  own: Record<string, unknown>,
  attributes: object,
  wanted: boolean[],
) => ({
  inputs,
  attributes: { ...own, ...attributes },
  opset: 23,
  device: js(),
  wanted,
});
const layer = async (inputs: Record<string, Tensor>, attributes: object = {}, wanted = [true, true, true]) =>
  layerNormalizationOperator.run(call(inputs, layerNormalizationOperator.attributes, attributes, wanted));
const rms = async (inputs: Record<string, Tensor>, attributes: object = {}) =>
  rmsNormalizationOperator.run(call(inputs, rmsNormalizationOperator.attributes, attributes, [true]));

// Rows of mean 2 and 6 and variance 1: [-1, 1] before scale and bias.
const X = tensor([
  [1, 3],
  [7, 5],
]);

test("mean and inverse standard deviation keep the normalized axes, for any axis", async () => {
  const [y, mean, inverse] = await layer({ X, Scale: tensor([2, 2]), B: tensor([0, 1]) }, { epsilon: 0 });
  expect([y, mean, inverse].map((x) => x!.toNested())).toEqual([
    [
      [-2, 3],
      [2, -1],
    ],
    [[2], [6]],
    [[1], [1]],
  ]);
  const [, whole, spread] = await layer(
    {
      X,
      Scale: tensor([
        [1, 1],
        [1, 1],
      ]),
    },
    { axis: 0, epsilon: 0 },
  );
  expect([whole!.toNested(), spread!.shape]).toEqual([[[4]], [1, 1]]);
  expect(spread!.data[0]).toBeCloseTo(1 / Math.sqrt(5), 6);
  expect(await layer({ X, Scale: tensor([1, 1]) }, {}, [true])).toHaveLength(1);
});

test("a scalar scale, a scale per element of a row, and a scale per row", async () => {
  for (const [Scale, expected] of [
    [
      tensor(2),
      [
        [-2, 2],
        [2, -2],
      ],
    ],
    [
      tensor([1, 3]),
      [
        [-1, 3],
        [1, -3],
      ],
    ],
    [
      tensor([[1], [3]]),
      [
        [-1, 1],
        [3, -3],
      ],
    ],
  ] as const) {
    const [y] = await layer({ X, Scale }, { epsilon: 0 }, [true]);
    expect(y!.toNested()).toEqual(expected);
  }
  const pairs = tensor([
    [3, -3],
    [-4, 4],
  ]);
  const [row] = await rms({ X: pairs, Scale: tensor([1, 2]) }, { epsilon: 0 });
  expect(row!.toNested()).toEqual([
    [1, -2],
    [-1, 2],
  ]);
  const [column] = await rms({ X: pairs, Scale: tensor([[1], [2]]) }, { epsilon: 0 });
  expect(column!.toNested()).toEqual([
    [1, -1],
    [-2, 2],
  ]);
});

test("`stash_type` widens the first stage but never narrows it, and is the dtype of its outputs", async () => {
  const X = tensor([1 / 3, 3], { dtype: "float64" });
  const inputs = { X, Scale: tensor([1, 1], { dtype: "float64" }) };
  const [y, mean, inverse] = await layer(inputs, { epsilon: 0 });
  expect([y!.dtype, mean!.dtype, inverse!.dtype]).toEqual(["float64", "float32", "float32"]);
  expect(y!.data[0]).toBeCloseTo(-1, 14);
  expect((await rms(inputs, { epsilon: 0 }))[0]!.data[1]).toBeCloseTo(3 / Math.sqrt((1 / 9 + 9) / 2), 14);
  const narrow = { X: tensor([1e-8, 1]), Scale: tensor([1, 1]) };
  const [y64, mean64] = await layer(narrow, { stash_type: 11 });
  expect([y64!.dtype, mean64!.dtype]).toEqual(["float32", "float64"]);
  expect(mean64!.data[0]).toBeCloseTo((Math.fround(1e-8) + 1) / 2, 14);
});
