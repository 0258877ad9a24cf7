import { matmul, randn, softmax, tensor, tril, transpose, zeros, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { gatedSlotAttention } from "./gated-slot-attention.js";
import { mix } from "./mix.js";

const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const near = (a: Tensor, b: Tensor) => a.data.forEach((x, i) => expect(x).toBeCloseTo(b.data[i]!, 10));

test("with one slot per token and no decay, it is softmax over slots, and unwritten slots are zero", () => {
  const [T, K, V] = [5, 3, 2];
  const [query, key, value] = [random([1, 1, T, K], 1), random([1, 1, T, K], 2), random([1, 1, T, V], 3)];
  const write = tensor(
    Array.from({ length: T * T }, (_, i) => (i % (T + 1) === 0 ? 1 : 0)),
    { shape: [1, 1, T, T], dtype: "float64" },
  );
  const decay = zeros([1, 1, T, T], { dtype: "float64" });
  const mixer = gatedSlotAttention({ chunkSize: 2 });
  const { output, state } = mix(mixer, { query, key, value, write, decay }, { scale: 1 });
  near(output, matmul(tril(softmax(tril(matmul(query, transpose(key))))), value));
  near(state.slotKeys, transpose(key));
  near(state.slotValues, value);
});

test("golden: one slot with decay, by hand", () => {
  const one = (values: number[]) => tensor(values, { shape: [1, 1, 2, 1] });
  const inputs = { query: one([1, 1]), key: one([3, 5]), value: one([2, 4]) };
  const gates = { write: one([1, 0.5]), decay: one([0, Math.log(0.5)]) };
  const { output, state } = mix(gatedSlotAttention(), { ...inputs, ...gates });
  // 2, then 0.5 · 2 + 0.5 · 4: softmax over one slot is 1.
  expect([...output.data]).toEqual([2, 3]);
  expect([...state.slotKeys.data]).toEqual([4]);
});

test("invalid options, and a gate for another number of slots, are refused", () => {
  expect(() => gatedSlotAttention({ chunkSize: 0 })).toThrow(/gatedSlotAttention: `chunkSize` is 0/);
  const x = randn([1, 1, 4, 3], { seed: 1 });
  const inputs = { query: x, key: x, value: x, write: x, decay: zeros([1, 1, 4, 2]) };
  expect(() => mix(gatedSlotAttention(), inputs)).toThrow(
    /mix: `decay` has shape \[1, 1, 4, 2\], expected \[1, H, 4, 3\]/,
  );
});
