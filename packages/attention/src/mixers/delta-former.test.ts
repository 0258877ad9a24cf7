import { full, randn, zeros, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { deltaFormer } from "./delta-former.js";
import { mix } from "./mix.js";

const [B, H, T, K, V] = [1, 2, 6, 3, 2];
const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const [query, key, value] = [random([B, H, T, K], 1), random([B, H, T, K], 2), random([B, H, T, V], 3)];
const near = (a: Tensor, b: Tensor) => a.data.forEach((x, i) => expect(x).toBeCloseTo(b.data[i]!, 10));

test("with beta 0, it equals causal softmax attention", () => {
  const beta = zeros([B, H, T], { dtype: "float64" });
  const { output, state } = mix(deltaFormer({ blockSize: 2 }), { query, key, value, beta });
  near(output, attention(query, key, value, { mask: causal() }));
  near(state.value, value);
});

test("property: the values in the state equal u_i of the formula, computed one by one", () => {
  const { state } = mix(deltaFormer({ blockSize: 4 }), {
    query,
    key,
    value,
    beta: full([B, H, T], 0.7, { dtype: "float64" }),
  });
  const at = (x: Tensor, h: number, t: number, width: number) => [
    ...x.data.slice((h * T + t) * width, (h * T + t + 1) * width),
  ];
  for (let h = 0; h < H; h++) {
    const rewritten: number[][] = [];
    for (let i = 0; i < T; i++) {
      const scores = rewritten.map((_, j) =>
        Math.exp(at(query, h, i, K).reduce((dot, q, c) => dot + q * at(key, h, j, K)[c]!, 0) / Math.sqrt(K)),
      );
      const total = scores.reduce((a, b) => a + b, 0);
      const u = at(value, h, i, V).map(
        (v, c) => v - 0.7 * scores.reduce((read, s, j) => read + (s / total) * rewritten[j]![c]!, 0),
      );
      rewritten.push(u);
      at(state.value, h, i, V).forEach((x, c) => expect(x).toBeCloseTo(u[c]!, 10));
    }
  }
});

test("with beta 1 and a repeated key, the earlier value is erased, as by the delta rule", () => {
  // Far apart, so that softmax picks the key that is equal.
  const far = full([1, 1, 2, 1], 40, { dtype: "float64" });
  const values = randn([1, 1, 2, V], { seed: 4, dtype: "float64" });
  const { state } = mix(deltaFormer(), {
    query: far,
    key: far,
    value: values,
    beta: full([1, 1, 2], 1, { dtype: "float64" }),
  });
  [0, 1].forEach((c) =>
    expect(state.value.data[V + c]).toBeCloseTo(values.data[V + c]! - values.data[c]!, 10),
  );
});

test("an invalid block size is refused", () => {
  expect(() => deltaFormer({ blockSize: 0 })).toThrow(
    /deltaFormer: `blockSize` is 0, expected an integer number of tokens/,
  );
});
