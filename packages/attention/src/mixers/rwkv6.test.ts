import { neg, ones, randn, sigmoid, tensor, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { gla } from "./gla.js";
import { mix } from "./mix.js";
import { rwkv6 } from "./rwkv6.js";

// Chunks, segments, documents, padding, gradients and the implied map are tested with all mixers of the catalogue
// (every-mixer.test.ts).

test("with a bonus of 1 and no decay, it equals gated linear attention, which reads after the write", () => {
  const [query, key, value] = [1, 2, 3].map((seed) => randn([1, 2, 6, 3], { seed, dtype: "float64" }));
  const inputs = {
    query: query!,
    key: key!,
    value: value!,
    decay: zeros([1, 2, 6, 3], { dtype: "float64" }),
  };
  const ours = mix(rwkv6(), { ...inputs, bonus: ones([2, 3], { dtype: "float64" }) });
  const theirs = mix(gla(), inputs);
  ours.output.data.forEach((x, i) => expect(x).toBeCloseTo(theirs.output.data[i]!, 12));
});

test("the state equals that of gated linear attention", () => {
  const x = randn([1, 2, 6, 3], { seed: 1 });
  const inputs = { query: x, key: x, value: x, decay: neg(sigmoid(x)) };
  const { state } = mix(rwkv6(), { ...inputs, bonus: zeros([2, 3]) });
  expect(state.data).toEqual(mix(gla(), inputs).state.data);
});

test("golden: two tokens, by hand", () => {
  const key = tensor([[[[1], [2]]]]);
  const inputs = { query: key, key, value: tensor([[[[4], [10]]]]), decay: tensor([[[[0], [-Infinity]]]]) };
  // 0.5 · 1 · 4; then 2 · (4 + 0.5 · 2 · 10), whose decay comes after the read; the state is 2 · 10.
  const { output, state } = mix(rwkv6(), { ...inputs, bonus: tensor([[0.5]]) });
  expect([...output.data, ...state.data]).toEqual([2, 28, 20]);
});

test("a bonus per token is refused", () => {
  const x = zeros([1, 2, 5, 3]);
  expect(() => mix(rwkv6(), { query: x, key: x, value: x, decay: x, bonus: x })).toThrow(
    /mix: `bonus` has shape \[1, 2, 5, 3\], expected \[H, 3\]/,
  );
});
