import { add, cumsum, div, full, randn, reshape, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { abc } from "./abc.js";
import { mix } from "./mix.js";

const [B, H, T, K, V, M] = [1, 2, 6, 3, 2, 3];
const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const [query, key, value] = [random([B, H, T, K], 1), random([B, H, T, K], 2), random([B, H, T, V], 3)];
const near = (a: Tensor, b: Tensor) => a.data.forEach((x, i) => expect(x).toBeCloseTo(b.data[i]!, 10));

test("with equal logits, every slot and the output are the mean of the tokens so far", () => {
  const slotLogits = full([B, H, T, M], 1.5, { dtype: "float64" });
  const counts = tensor(
    Array.from({ length: T }, (_, t) => t + 1),
    { shape: [T, 1], dtype: "float64" },
  );
  near(mix(abc(), { query, key, value, slotLogits }).output, div(cumsum(value, 2), counts));
});

test("property: adding a constant to all logits of a slot changes nothing, even a large one", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.array(fc.integer({ min: -900, max: 900 }), { minLength: M, maxLength: M }),
      (seed, by) => {
        const slotLogits = random([B, H, T, M], seed);
        const moved = add(slotLogits, reshape(tensor(by, { dtype: "float64" }), [1, 1, 1, M]));
        near(
          mix(abc(), { query, key, value, slotLogits: moved }).output,
          mix(abc(), { query, key, value, slotLogits }).output,
        );
      },
    ),
    { numRuns: 20 },
  );
});

test("one slot equals softmax attention whose weights do not depend on the query", () => {
  const slotLogits = random([B, H, T, 1], 4);
  const { output } = mix(abc({ chunkSize: 4 }), { query, key, value, slotLogits });
  const weights = slotLogits.data.map(Math.exp);
  output.data.forEach((x, i) => {
    const [h, t, v] = [Math.floor(i / (T * V)), Math.floor(i / V) % T, i % V];
    let [sum, total] = [0, 0];
    for (let j = 0; j <= t; j++) {
      sum += weights[h * T + j]!;
      total += weights[h * T + j]! * value.data[(h * T + j) * V + v]!;
    }
    expect(x).toBeCloseTo(total / sum, 10);
  });
});

test("invalid options, and a state without its log-sum, are refused", () => {
  expect(() => abc({ chunkSize: 0 })).toThrow(/abc: `chunkSize` is 0/);
  const inputs = { query, key, value, slotLogits: random([B, H, T, M], 4) };
  const { logSum, ...slots } = mix(abc(), inputs).state;
  expect(logSum.shape).toEqual([B, H, 1, M]);
  expect(() => mix(abc(), inputs, { initialState: slots as never })).toThrow(
    /mix: `initialState.logSum` is undefined/,
  );
});
