import { checkGradient, mul, randn, sum, tensor, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { talkingHeads } from "./talking-heads.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const identity = tensor(
  [
    [1, 0],
    [0, 1],
  ],
  { dtype: "float64" },
);

test("property: identity matrices for both stages give multi-head attention", () => {
  const [q, k, v] = [make([2, 2, 4, 3], 1), make([2, 1, 5, 3], 2), make([2, 1, 5, 3], 3)];
  const forms = [talkingHeads(identity), talkingHeads(identity, "weights")];
  const { output } = plainAttention(q, k, v, { mask: causal(), forms });
  expect(output).toBeAllclose(attention(q, k, v, { mask: causal() }), { rtol: 1e-12, atol: 1e-12 });
});

test("golden: swapping the weights of two heads swaps their outputs, for shared values", () => {
  const [q, v] = [make([1, 2, 3, 3], 1), make([1, 1, 3, 3], 2)];
  const swap = tensor(
    [
      [0, 1],
      [1, 0],
    ],
    { dtype: "float64" },
  );
  const [plain, swapped] = [[], [talkingHeads(swap, "weights")]].map(
    (forms) => plainAttention(q, v, v, { forms }).output.data,
  );
  expect([...swapped!.slice(9)]).toEqual([...plain!.slice(0, 9)]);
});

test("gradients of both mixtures, queries, keys and values equal central differences", () => {
  const given = {
    q: make([1, 2, 3, 2], 1),
    k: make([1, 2, 3, 2], 2),
    before: make([2, 2], 3),
    after: make([2, 2], 4),
  };
  const dy = make([1, 2, 3, 2], 5);
  checkGradient(({ q, k, before, after }) => {
    const forms = [talkingHeads(before), talkingHeads(after, "weights")];
    return sum(mul(plainAttention(q, k, k, { mask: causal(), forms }).output, dy));
  }, given);
});

test("a mixture that is not square, or for another number of heads, is refused", () => {
  expect(() => talkingHeads(zeros([2, 3]))).toThrow(
    /talkingHeads: `mixture` has shape \[2, 3\], expected \[H, H\] = \[2, 2\]/,
  );
  const x = zeros([1, 3, 2, 4]);
  expect(() => plainAttention(x, x, x, { forms: [talkingHeads(zeros([2, 2]))] })).toThrow(
    /expected \[H, H\] = \[3, 3\]/,
  );
});
