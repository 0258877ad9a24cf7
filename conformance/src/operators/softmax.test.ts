import { js, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { softmaxOperator } from "./softmax.js";

const zeros = tensor(new Float32Array(6), { shape: [1, 2, 3] });

async function first(opset: number, axis?: number): Promise<number> {
  const [y] = await softmaxOperator.run({
    inputs: { input: zeros },
    attributes: { axis },
    opset,
    device: js(),
    wanted: [true],
  });
  expect(y!.shape).toEqual([1, 2, 3]);
  return y!.data[0]!;
}

test("since opset 13 one axis sums to 1, by default the last", async () => {
  expect(await first(13)).toBeCloseTo(1 / 3, 6);
  expect(await first(13, 1)).toBeCloseTo(1 / 2, 6);
  expect(await first(13, -3)).toBeCloseTo(1, 6);
});

test("before opset 13 all axes from one on sum to 1, by default from the second", async () => {
  expect(await first(11)).toBeCloseTo(1 / 6, 6);
  expect(await first(11, 2)).toBeCloseTo(1 / 3, 6);
  expect(await first(11, 0)).toBeCloseTo(1 / 6, 6);
  expect(await first(11, -1)).toBeCloseTo(1 / 3, 6);
});
