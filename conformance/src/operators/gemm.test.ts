import { js, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { gemmOperator } from "./gemm.js";

async function run(inputs: Record<string, Tensor>, attributes: Record<string, unknown> = {}) {
  const [y] = await gemmOperator.run({
    inputs,
    attributes: { ...gemmOperator.attributes, ...attributes },
    opset: 13,
    device: js(),
    wanted: [true],
  });
  return y!.toNested();
}

const A = tensor([[1, 2]]);
const B = tensor([[3], [4]]);

test("alpha, beta, transpositions, and a third input that broadcasts", async () => {
  expect(await run({ A, B })).toEqual([[11]]);
  expect(await run({ A, B, C: tensor(5) }, { alpha: 2, beta: 3 })).toEqual([[37]]);
  expect(await run({ A, B: A, C: tensor([[1, 2]]) }, { transA: 1 })).toEqual([
    [2, 4],
    [3, 6],
  ]);
  expect(await run({ A, B: A }, { transB: 1 })).toEqual([[5]]);
  expect(await run({ A: B, B: A, C: tensor([10, 20]) }, { transA: 1, transB: 1, beta: 0.5 })).toEqual([
    [16, 21],
  ]);
});

test("integer inputs give integers, and a fractional alpha or beta is refused", async () => {
  const whole = tensor([[2]], { dtype: "int32" });
  expect(await run({ A: whole, B: whole, C: whole })).toEqual([[6]]);
  await expect(run({ A: whole, B: whole }, { alpha: 0.5 })).rejects.toThrow(/int32/);
});
