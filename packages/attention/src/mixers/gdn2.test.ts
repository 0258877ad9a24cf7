import { broadcastTo, expandDims, randn, sigmoid, neg, tensor, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { gdn2 } from "./gdn2.js";
import { kda } from "./kda.js";
import { mix } from "./mix.js";

// Chunks, segments, documents, padding, gradients and the implied maps are tested with all mixers of the catalogue
// (every-mixer.test.ts).

test("equals KDA if both gates are beta", () => {
  const [query, key, value] = [1, 2, 3].map((seed) => randn([1, 2, 6, 3], { seed, dtype: "float64" }));
  const beta = sigmoid(randn([1, 2, 6], { seed: 4, dtype: "float64" }));
  const decay = neg(sigmoid(randn([1, 2, 6, 3], { seed: 5, dtype: "float64" })));
  const gate = broadcastTo(expandDims(beta, 3), [1, 2, 6, 3]);
  const inputs = { query: query!, key: key!, value: value!, decay };
  const ours = mix(gdn2(), { ...inputs, erase: gate, write: gate });
  const theirs = mix(kda(), { ...inputs, beta });
  ours.output.data.forEach((x, i) => expect(x).toBeCloseTo(theirs.output.data[i]!, 12));
});

test("golden: two tokens, by hand", () => {
  const key = tensor([[[[1], [1]]]]);
  const inputs = {
    query: key,
    key,
    value: tensor([[[[4], [10]]]]),
    decay: tensor([[[[0], [Math.log(0.5)]]]]),
  };
  const gates = { erase: tensor([[[[1], [0.5]]]]), write: tensor([[[[1], [0.1]]]]) };
  // 4, then half of it, 2, minus 0.5 · 2, plus 0.1 · 10.
  const { output } = mix(gdn2(), { ...inputs, ...gates });
  [4, 2].forEach((x, i) => expect(output.data[i]).toBeCloseTo(x, 6));
});

test("a write gate with the width of the keys is refused", () => {
  const x = zeros([1, 2, 5, 3]);
  const value = zeros([1, 2, 5, 4]);
  expect(() => mix(gdn2(), { query: x, key: x, value, decay: x, erase: x, write: x })).toThrow(
    /mix: `write` has shape \[1, 2, 5, 3\], expected \[1, H, 5, 4\]/,
  );
});
