import { js, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import type { Operator } from "../operator.js";
import { causalConvWithStateOperator } from "./causal-conv-with-state.js";
import { einsumOperator } from "./einsum.js";
import { logSoftmaxOperator } from "./log-softmax.js";
import { swigluOperator } from "./swiglu.js";
import { swishOperator } from "./swish.js";
import { tensorScatterOperator } from "./tensor-scatter.js";

// Operators that are one function of the packages: each attribute has an effect.
async function run(operator: Operator, inputs: Record<string, Tensor>, attributes: object = {}, opset = 27) {
  const outputs = await operator.run({
    inputs,
    attributes: { ...operator.attributes, ...attributes },
    opset,
    device: js(),
    wanted: [true, true],
  });
  return outputs.map((y) => y!.toNested());
}

test("Einsum: one operand and three", async () => {
  const [a, b] = [
    tensor([
      [1, 2],
      [3, 4],
    ]),
    tensor([1, 10]),
  ];
  expect(await run(einsumOperator, { Inputs: a }, { equation: "ij->ji" })).toEqual([
    [
      [1, 3],
      [2, 4],
    ],
  ]);
  expect(await run(einsumOperator, { Inputs: b, Inputs1: a, Inputs2: b }, { equation: "i,ij,j" })).toEqual([
    451,
  ]);
});

test("LogSoftmax: all axes from the second on, before opset 13", async () => {
  const input = tensor([[[0], [0]]]);
  expect(await run(logSoftmaxOperator, { input }, {}, 13)).toEqual([[[[0], [0]]]]);
  const half = Math.fround(-Math.LN2);
  expect(await run(logSoftmaxOperator, { input }, {}, 11)).toEqual([[[[half], [half]]]]);
});

test("Swish and SwiGLU: alpha", async () => {
  const X = tensor([2]);
  expect(await run(swishOperator, { X }, { alpha: 0 })).toEqual([[1]]);
  expect(await run(swigluOperator, { A: X, B: tensor([5]) }, { alpha: 0 })).toEqual([[5]]);
});

test("CausalConvWithState: bias, past and activation", async () => {
  const weight = tensor([[[1, 10]]]);
  const [input, bias, past_state] = [tensor([[[0, -1000]]]), tensor([3]), tensor([[[-3]]])];
  expect(await run(causalConvWithStateOperator, { input, weight })).toEqual([[[[0, -10000]]], [[[-1000]]]]);
  const all = await run(
    causalConvWithStateOperator,
    { input, weight, bias, past_state },
    { activation: "swish" },
  );
  expect(all.map((y) => JSON.stringify(y))).toEqual(["[[[0,0]]]", "[[[-1000]]]"]);
});

test("TensorScatter: mode, axis, and no indices", async () => {
  const past_cache = tensor([[1, 2, 3]]);
  const update = tensor([[8, 9]]);
  const write_indices = tensor([2], { dtype: "int32" });
  expect(await run(tensorScatterOperator, { past_cache, update }, { axis: 1 })).toEqual([[[8, 9, 3]]]);
  const around = { axis: -1, mode: "circular" };
  expect(await run(tensorScatterOperator, { past_cache, update, write_indices }, around)).toEqual([
    [[9, 2, 8]],
  ]);
});
