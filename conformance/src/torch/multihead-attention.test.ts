import { tensor, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { multiheadAttention } from "./multihead-attention.js";

const inProjection = [[1, 0], [0, 1], [1, 1], [0, 2], [1, -1], [2, 0]]; // prettier-ignore
const eye = tensor([[1, 0], [0, 1]]); // prettier-ignore
const params = { "param.in_proj_weight": tensor(inProjection), "param.out_proj.weight": eye };

async function run(inputs: Record<string, Tensor>, own: object = {}) {
  const attributes = { ...multiheadAttention.attributes, embed_dim: 2, ...own };
  return multiheadAttention.run({ ...params, ...inputs }, attributes);
}

const numbers = (x: Tensor | undefined): number[] => [...x!.data];

// Expected values from PyTorch 2.6, without a batch.
test("bias_k and a zero key are appended, and never masked", async () => {
  const { output, _weights } = await run(
    {
      x: eye,
      attn_mask: tensor([[0, 1], [0, 0]], { dtype: "bool" }), // prettier-ignore
      "param.bias_k": tensor([[[1, -1]]]),
      "param.bias_v": tensor([[[3, 5]]]),
    },
    { add_bias_kv: true, add_zero_attn: true },
  );
  expect([output!.shape, _weights!.shape]).toEqual([
    [2, 2],
    [1, 2, 4],
  ]);
  expect(numbers(output)).toBeAllclose(
    [1.6044483707191437, 2.8077846487585014, -0.24734565303899864, 0.6759200410306206],
    { rtol: 0, atol: 5e-7 },
  );
  expect(numbers(_weights)).toBeAllclose(
    [
      0.4011120926797859, 0, 0.4011120926797859, 0.19777581464042818, 0.15137022438321782, 0.6226236327807274,
      0.074635918452837, 0.15137022438321782,
    ],
    { rtol: 0, atol: 5e-7 },
  );
});

test("the batch axis is second, first or absent; weights are per head or their mean", async () => {
  const alone = await run({ x: eye }, { num_heads: 2 });
  const second = await run({ x: tensor([[[1, 0]], [[0, 1]]]) }, { num_heads: 2 });
  const first = await run({ x: tensor([[[1, 0], [0, 1]]]) }, { num_heads: 2, batch_first: true }); // prettier-ignore
  expect([alone, second, first].map(({ output }) => output!.shape)).toEqual([
    [2, 2],
    [2, 1, 2],
    [1, 2, 2],
  ]);
  for (const other of [second, first]) {
    expect(numbers(other.output)).toEqual(numbers(alone.output));
    expect(numbers(other._weights)).toEqual(numbers(alone._weights));
  }
  const { _weights: mean } = await run({ x: eye }, { num_heads: 2, average_attn_weights: true });
  const [a, b] = [numbers(alone._weights).slice(0, 4), numbers(alone._weights).slice(4)];
  expect(mean!.shape).toEqual([2, 2]);
  expect(numbers(mean)).toBeAllclose(
    a.map((weight, i) => (weight + b[i]!) / 2),
    { rtol: 0, atol: 5e-7 },
  );
});
