import type { EvictionCandidates } from "@qkv/attention-contract";
import { concat, randn, slice, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tracedAttention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { rope } from "../positions/rope.js";
import { expectedAttention } from "./expected-attention.js";
import { h2o } from "./h2o.js";
import { keyNorm } from "./key-norm.js";
import { snapKV } from "./snap-kv.js";
import { tova } from "./tova.js";

const [Hkv, group, D, Dv] = [2, 2, 4, 3];
const H = Hkv * group;
const sizes = { S: fc.integer({ min: 1, max: 12 }), T: fc.integer({ min: 1, max: 12 }), seed: fc.nat(1000) };
const cases = fc.record(sizes).map(({ S, T, seed }) => ({ S, T: Math.min(S, T), seed }));

/** Tokens with gaps between their positions, as after an eviction; the last T are new. */
function candidates(S: number, T: number, seed: number): Required<EvictionCandidates> {
  return {
    key: randn([1, Hkv, S, D], { seed, dtype: "float64" }),
    value: randn([1, Hkv, S, Dv], { seed: seed + 1, dtype: "float64" }),
    query: randn([1, H, T, D], { seed: seed + 2, dtype: "float64" }),
    positions: Int32Array.from({ length: S }, (_, i) => (i < S - T ? 2 * i : 2 * (S - T) + i)),
    newTokens: T,
    previous: randn([1, Hkv, S - T, 1], { seed: seed + 3, dtype: "float64" }),
  };
}
/** Traced weights [H][T][S] of the new queries under a causal mask, by the specification of attention. */
function weightsOf({ query, key, value, positions }: EvictionCandidates): number[][][] {
  const keyValues = { key: [key], value: [value], positions };
  const { weights } = tracedAttention(query!, keyValues, { mask: causal() }, ["weights"]);
  return (weights.toNested() as number[][][][])[0]!;
}
const near = (scores: Tensor, wanted: (h: number, s: number) => number) => {
  const [, heads, S] = scores.shape as [number, number, number];
  expect([heads, scores.shape.length]).toEqual([Hkv, 3]);
  const { data } = scores;
  for (let h = 0; h < Hkv; h++)
    for (let s = 0; s < S; s++) expect(Math.abs(Number(data[h * S + s]) - wanted(h, s))).toBeLessThan(1e-12);
};
const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const heads = (h: number) => Array.from({ length: group }, (_, g) => h * group + g);

test("property: h2o is the sum of the traced weights of all queries, added to the previous scores", () => {
  fc.assert(
    fc.property(cases, ({ S, T, seed }) => {
      const tokens = candidates(S, T, seed);
      const weights = weightsOf(tokens);
      near(h2o().score(tokens), (h, s) => {
        const before = s < S - T ? Number(tokens.previous.data[h * (S - T) + s]) : 0;
        return before + mean(heads(h).map((head) => weights[head]!.reduce((sum, row) => sum + row[s]!, 0)));
      });
    }),
  );
});

test("property: without eviction, h2o of a prompt in one call equals h2o token by token", () => {
  fc.assert(
    fc.property(cases, ({ S, seed }) => {
      const whole = {
        ...candidates(S, S, seed),
        previous: randn([1, Hkv, 0], { seed: 1, dtype: "float64" }),
      };
      const part = (x: Tensor, n: number) => slice(x, 2, 0, n);
      let previous: Tensor | undefined;
      for (let n = 1; n <= S; n++) {
        previous = h2o().score({
          key: part(whole.key, n),
          value: part(whole.value, n),
          query: slice(whole.query, 2, n - 1, n),
          positions: whole.positions.subarray(0, n),
          newTokens: 1,
          ...(previous && { previous }),
        });
      }
      const { data } = h2o().score(whole);
      near(previous!, (h, s) => Number(data[h * S + s]));
    }),
    { numRuns: 20 },
  );
});

test("property: tova is the mean over heads of the last query's traced weights", () => {
  fc.assert(
    fc.property(cases, ({ S, T, seed }) => {
      const tokens = candidates(S, T, seed);
      const weights = weightsOf(tokens);
      near(tova().score(tokens), (_, s) => mean(weights.map((rows) => rows.at(-1)![s]!)));
    }),
  );
});

test("property: snapKV is the pooled mean of the traced weights of the window, and tokens of the window have the highest scores", () => {
  fc.assert(
    fc.property(
      cases,
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom(1, 3, 5),
      ({ S, T, seed }, window, kernelSize) => {
        const tokens = candidates(S, T, seed);
        const weights = weightsOf(tokens).map((rows) => rows.slice(-window));
        const before = S - Math.min(T, window);
        const pooled = (h: number, s: number) => {
          let sum = 0;
          for (let n = s - (kernelSize - 1) / 2; n <= s + (kernelSize - 1) / 2; n++)
            if (n >= 0 && n < before)
              sum += mean(heads(h).map((head) => mean(weights[head]!.map((row) => row[n]!))));
          return sum / kernelSize;
        };
        const highest = Math.max(
          0,
          ...Array.from({ length: Hkv * before }, (_, i) => pooled(Math.floor(i / before), i % before)),
        );
        near(snapKV({ window, kernelSize }).score(tokens), (h, s) => (s < before ? pooled(h, s) : highest));
      },
    ),
  );
});

test("property: keyNorm is the negative norm, whatever the queries", () => {
  fc.assert(
    fc.property(cases, ({ S, T, seed }) => {
      const tokens = candidates(S, T, seed);
      const rows = (tokens.key.toNested() as number[][][][])[0]!;
      near(keyNorm().score(tokens), (h, s) => -Math.hypot(...rows[h]![s]!));
    }),
  );
});

test("property: expected attention is softmax(μk + ½ kᵀΣk) ‖v‖ with the rotation averaged over future positions", () => {
  const rotary = rope({ headDim: D });
  fc.assert(
    fc.property(cases, fc.integer({ min: 1, max: 5 }), ({ S, T, seed }, futureLength) => {
      const tokens = candidates(S, T, seed);
      const plain = tokens.query; // before the rotation, of positions 0 … T - 1
      const query = rotary.apply(plain, { start: 0 });
      const score = expectedAttention({ rope: rotary, window: 12, futureLength });
      // μ and Σ of the queries before their rotation, each rotated by the mean rotation of the next positions.
      const rotated = Array.from({ length: futureLength }, (_, t) => {
        const at = new Int32Array(T).fill(T + t);
        return (rotary.apply(plain, at).toNested() as number[][][][])[0]!;
      });
      const keys = (tokens.key.toNested() as number[][][][])[0]!;
      const values = (tokens.value.toNested() as number[][][][])[0]!;
      const future = (head: number, i: number, d: number) => mean(rotated.map((rows) => rows[head]![i]![d]!));
      const weights = Array.from({ length: H }, (_, head) => {
        const all = Array.from({ length: T }, (_, i) =>
          Array.from({ length: D }, (_, d) => future(head, i, d)),
        );
        const mu = Array.from({ length: D }, (_, d) => mean(all.map((row) => row[d]!)));
        const sigma = (a: number, b: number) =>
          mean(all.map((row) => (row[a]! - mu[a]!) * (row[b]! - mu[b]!)));
        const scores = keys[Math.floor(head / group)]!.map((k) => {
          let square = 0;
          for (let a = 0; a < D; a++) for (let b = 0; b < D; b++) square += k[a]! * sigma(a, b) * k[b]!;
          return k.reduce((sum, number, d) => sum + number * mu[d]!, 0) / Math.sqrt(D) + square / (2 * D);
        });
        const sum = scores.reduce((total, one) => total + Math.exp(one), 0);
        return scores.map((one) => Math.exp(one) / sum);
      });
      near(
        score.score({ ...tokens, query }),
        (h, s) => mean(heads(h).map((head) => weights[head]![s]!)) * Math.hypot(...values[h]![s]!),
      );
    }),
    { numRuns: 30 },
  );
});

test("tova and h2o ignore queries of tokens before the new ones", () => {
  const tokens = candidates(6, 2, 1);
  const longer = {
    ...tokens,
    query: concat([randn([1, H, 2, D], { seed: 9, dtype: "float64" }), tokens.query], 2),
  };
  expect(tova().score(longer).data).toEqual(tova().score(tokens).data);
  expect(h2o().score(longer).data).toEqual(h2o().score(tokens).data);
  expect(tensor(tova().score(tokens).data).shape).toEqual([Hkv * 6]);
});

test.each([
  [() => snapKV({ window: 0 }), "snapKV: `window` is 0, expected an integer number of tokens, 1 or more"],
  [() => snapKV({ kernelSize: 4 }), "snapKV: `kernelSize` is 4, expected an odd number of tokens, 1 or more"],
  [() => expectedAttention({ futureLength: 0 }), "expectedAttention: `futureLength` is 0"],
  [
    () => expectedAttention({ rope: 3 } as never),
    "expectedAttention: `rope` is 3, expected a rotary embedding",
  ],
])("refused: %s", (call, message) => {
  expect(call).toThrow(message);
});
