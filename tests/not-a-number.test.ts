// NaN and infinity behave as documented in apps/docs/reference/tensor/not-a-number.mdx, on every device of the host.
import { attention, attentionWeights, causal, scoreMod, tracedAttention } from "@qkv/attention";
import {
  argmax,
  cast,
  clamp,
  crossEntropy,
  div,
  embedding,
  exp,
  js,
  layerNorm,
  less,
  linear,
  log,
  logSumExp,
  matmul,
  max,
  maximum,
  mean,
  min,
  mul,
  ones,
  randn,
  relu,
  sort,
  softmax,
  sqrt,
  sub,
  sum,
  tensor,
  topK,
  where,
  type Device,
  type Tensor,
} from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";

const [inf, nan] = [Infinity, NaN];
const devices: [string, Device][] = [
  ["js", js()],
  ["wasm", await wasm({ threads: 1 })],
  ["wasm on two threads", await wasm({ threads: 2 })],
];

describe.each(devices)("on %s", (_, device) => {
  const on = (values: number[] | number[][], dtype: "float32" | "int32" = "float32"): Tensor =>
    tensor(values as number[], { dtype }).to(device);
  /** The elements of a tensor, without the sign of zeros, on which devices may disagree. */
  const numbers = (x: Tensor) => Array.from(x.data, (value) => value + 0);
  // Longer than a kernel's vectorized loop, so that the loop and its remainder both see NaN or infinity.
  const rowWith = (value: number, at: number, length = 37) =>
    Array.from({ length }, (_, i) => (i === at ? value : Math.sin(i)));
  const places = [0, 3, 17, 36];

  test("arithmetic follows IEEE 754: NaN propagates, infinity gives the limit", () => {
    const x = on([nan, inf, -inf, 0, -1]);
    expect(numbers(mul(x, 2))).toEqual([nan, inf, -inf, 0, -2]);
    expect(numbers(sub(x, x))).toEqual([nan, nan, nan, 0, 0]);
    expect(numbers(div(1, x))).toEqual([nan, 0, 0, inf, -1]);
    expect(numbers(exp(x))).toEqual([nan, inf, 0, 1, expect.closeTo(Math.exp(-1), 6)]);
    expect(numbers(log(x))).toEqual([nan, inf, nan, -inf, nan]);
    expect(numbers(sqrt(x))).toEqual([nan, inf, nan, 0, nan]);
    expect(numbers(relu(x))).toEqual([nan, inf, 0, 0, 0]);
    expect(numbers(clamp(x, { min: -1, max: 1 }))).toEqual([nan, 1, -1, 0, -1]);
    expect(numbers(exp(on([89, -104])))).toEqual([inf, 0]); // overflow and underflow of float32
  });

  test("comparisons with NaN are false, min and max return NaN, and sort puts NaN last", () => {
    expect(numbers(less(on([nan, 1]), on([1, nan])))).toEqual([0, 0]);
    expect(numbers(maximum(on([nan, 1]), on([1, nan])))).toEqual([nan, nan]);
    for (const at of places) {
      const x = on(rowWith(nan, at));
      expect(numbers(max(x))).toEqual([nan]);
      expect(numbers(min(x))).toEqual([nan]);
      expect(numbers(argmax(x))).toEqual([at]);
      expect(sort(x).data.at(-1)).toBeNaN();
      const row = rowWith(-inf, at);
      expect(numbers(topK(on(row), 1).values)).toEqual([Math.fround(Math.max(...row))]);
    }
  });

  test("where does not propagate NaN of elements that it does not select", () => {
    expect(numbers(where(less(on([0, 1]), 1), on([5, nan]), on([nan, 7])))).toEqual([5, 7]);
  });

  test("one NaN makes the sum, the product, the norm or the softmax of its row NaN, and of no other row", () => {
    for (const at of places) {
      const rows = on([rowWith(nan, at), rowWith(0.5, at)]);
      for (const y of [sum(rows, { axis: 1 }), mean(rows, { axis: 1 }), logSumExp(rows, { axis: 1 })])
        expect(numbers(y).map(Number.isNaN)).toEqual([true, false]);
      for (const y of [softmax(rows), layerNorm(rows, ones([37]).to(device))]) {
        expect(numbers(y).slice(0, 37), "NaN reaches every number of its row").toEqual(Array(37).fill(NaN));
        expect(numbers(y).slice(37), "NaN stays in its row").not.toContain(NaN);
      }
      for (const y of [matmul(rows, on(rowWith(1, 0).map((x) => [x]))), linear(rows, on([rowWith(1, 0)]))])
        expect(numbers(y).map(Number.isNaN)).toEqual([true, false]);
    }
    expect(numbers(matmul(on([[0]]), on([[inf]])))).toEqual([nan]); // products with 0 are not skipped
  });

  test("softmax: -Infinity gives 0; a row of only -Infinity, or with +Infinity, gives NaN", () => {
    expect(numbers(softmax(on([0, -inf, 0])))).toEqual([0.5, 0, 0.5]);
    expect(numbers(softmax(on([-inf, -inf])))).toEqual([nan, nan]);
    expect(numbers(softmax(on([0, inf]))), "∞ / ∞ is NaN, as in PyTorch").toEqual([NaN, NaN]);
    expect(numbers(logSumExp(on([-inf, -inf])))).toEqual([-inf]);
    expect(numbers(crossEntropy(on([[1, -inf]]), on([1], "int32")))).toEqual([inf]);
  });

  test("attention ignores NaN and infinity in masked keys and values, and a query without keys gives zeros", () => {
    for (const [T, D] of [
      [6, 4],
      [70, 16],
    ] as const) {
      const make = (seed: number, odd?: number) => {
        const x = randn([1, 2, T, D], { seed }).data.slice();
        // Only the last query sees the last key.
        if (odd !== undefined) for (let h = 1; h <= 2; h++) x.fill(odd, (h * T - 1) * D, h * T * D);
        return tensor(x, { shape: [1, 2, T, D] }).to(device);
      };
      const [query, key, value] = [make(1), make(2), make(3)];
      const seenBefore = (x: Tensor) => numbers(x).filter((_, i) => Math.floor(i / D) % T < T - 1);
      const expected = seenBefore(attention(query, key, value, { mask: causal() }));
      for (const odd of [nan, inf]) {
        for (const [k, v] of [
          [make(2, odd), value],
          [key, make(3, odd)],
        ] as const) {
          const output = attention(query, k, v, { mask: causal() });
          // A tile with NaN or infinity may be summed in another order.
          expect(seenBefore(output)).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
          if (k !== key && odd === inf) continue; // its dot products are ∞, −∞ or NaN, depending on the query's signs
          // The query that sees it is affected, even if its weight is nearly 0.
          const last = numbers(output).filter((_, i) => Math.floor(i / D) % T === T - 1);
          expect(last.filter(Number.isFinite), "finite numbers where NaN has to be").toEqual([]);
        }
      }
      const blind = scoreMod((score, at) => at.query.less(1).where(-Infinity, score));
      const { output, lse } = tracedAttention(query, key, value, { scoreMod: blind }, ["lse"]);
      expect(numbers(output).slice(0, D)).toEqual(new Array(D).fill(0));
      expect(numbers(lse)[0]).toBe(-inf);
      expect(numbers(attentionWeights(query, key, { scoreMod: blind })).slice(0, T)).toEqual(
        new Array(T).fill(0),
      );
    }
  });

  test("casts of NaN and infinity to integers give 0; casts to a shorter float overflow to infinity", () => {
    expect(numbers(cast(on([nan, inf, -inf, 2.7]), "int32"))).toEqual([0, 0, 0, 2]);
    const half = cast(cast(on([nan, inf, 65520, 65504]), "float16"), "float32");
    expect(numbers(half)).toEqual([nan, inf, inf, 65504]);
  });

  test("embedding copies NaN and infinity unchanged", () => {
    expect(numbers(embedding(on([[nan, 1], [2, inf]]), on([1, 0], "int32")))).toEqual([2, inf, nan, 1]); // prettier-ignore
  });
});
