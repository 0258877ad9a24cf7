import { ArgumentError, ShapeError } from "@qkv/core";
import type { KeyValues, Mask } from "@qkv/attention-contract";
import {
  add,
  broadcastTo,
  cast,
  concat,
  contiguous,
  full,
  mul,
  neg,
  ones,
  permute,
  randn,
  slice,
  take,
  tensor,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { attention, attentionWeights, tracedAttention } from "./attention.js";
import { defineMask } from "./mask.js";
import { and } from "./masks/and.js";
import { causal } from "./masks/causal.js";
import { maskTensor } from "./masks/mask-tensor.js";
import { slidingWindow } from "./masks/sliding-window.js";
import { scoreMod } from "./score-mod.js";

type Case = { query: Tensor; key: Tensor; value: Tensor; seed: number };

const small = (max: number, min = 1) => fc.integer({ min, max });

/** Random query, key and value with matching shapes, and at least as many keys as queries. */
function cases(dtype: "float32" | "float64" = "float32"): fc.Arbitrary<Case> {
  const sizes = { B: small(2), Hkv: small(2), group: small(3), T: small(4), more: small(3, 0) };
  return fc
    .record({ ...sizes, D: small(4), Dv: small(4), seed: fc.nat(1000) })
    .map(({ B, Hkv, group, T, more, D, Dv, seed }) => ({
      query: randn([B, Hkv * group, T, D], { seed, dtype }),
      key: randn([B, Hkv, T + more, D], { seed: seed + 1, dtype }),
      value: randn([B, Hkv, T + more, Dv], { seed: seed + 2, dtype }),
      seed: seed + 3,
    }));
}

const B = (x: Tensor) => x.shape[0]!;
const length = (x: Tensor) => x.shape[2]!;

/** A random bool mask `[T, S]`, the same for all sequences and heads. */
function randomMask(T: number, S: number, seed: number): Tensor {
  const noise = randn([T, S], { seed }).data;
  return tensor(
    Array.from(noise, (number) => number > 0),
    { shape: [T, S] },
  );
}

/** Attention by its formula, softmax(scale · Q Kᵀ) V, in plain float64 arithmetic: the reference for the operation. */
function byFormula({ query, key, value }: Case, { scale = 1 / Math.sqrt(query.shape[3]!) } = {}): number[] {
  type Rank4 = number[][][][];
  const [q, k, v] = [query, key, value].map((x) => x.toNested() as Rank4) as [Rank4, Rank4, Rank4];
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, d) => sum + x * b[d]!, 0);
  return q.flatMap((heads, b) =>
    heads.flatMap((rows, h) => {
      const kvHead = Math.floor(h / (heads.length / k[b]!.length));
      const [keys, values] = [k[b]![kvHead]!, v[b]![kvHead]!];
      return rows.flatMap((row) => {
        const powers = keys.map((one) => Math.exp(scale * dot(row, one)));
        const total = powers.reduce((a, b) => a + b, 0);
        return values[0]!.map((_, d) => powers.reduce((sum, p, s) => sum + (p / total) * values[s]![d]!, 0));
      });
    }),
  );
}

test("property: the output equals the formula, computed in plain float64", () => {
  fc.assert(
    fc.property(cases("float64"), (one) => {
      const output = attention(one.query, one.key, one.value);
      expect(output.dtype).toBe("float64");
      expect(output.shape).toEqual([...one.query.shape.slice(0, 3), one.value.shape[3]]);
      expect(output.data).toBeAllclose(byFormula(one), { rtol: 1e-12, atol: 1e-12 });
      expect(attention(one.query, one.key, one.value, { scale: -2 }).data).toBeAllclose(
        byFormula(one, { scale: -2 }),
        { rtol: 1e-12, atol: 1e-12 },
      );
    }),
  );
  fc.assert(
    fc.property(cases(), (one) => {
      expect(attention(one.query, one.key, one.value).data).toBeAllclose(byFormula(one), {
        rtol: 1e-6,
        atol: 1e-6,
      });
    }),
  );
});

test("property: the weights of a query sum to 1, so values of 1 give outputs of 1", () => {
  fc.assert(
    fc.property(cases(), ({ query, key, value }) => {
      const { data } = attentionWeights(query, key, { mask: causal() });
      const S = length(key);
      for (let row = 0; row < data.length; row += S) {
        const sum = [...data.subarray(row, row + S)].reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(1, 6);
      }
      for (const number of attention(query, key, ones(value.shape), { mask: causal() }).data) {
        expect(number).toBeCloseTo(1, 6);
      }
    }),
  );
});

test("property: each output is between the smallest and the largest visible value", () => {
  fc.assert(
    fc.property(cases(), ({ query, key, value }) => {
      const output = attention(query, key, value).toNested() as number[][][][];
      const values = value.toNested() as number[][][][];
      output.forEach((heads, b) =>
        heads.forEach((rows, h) => {
          const seen = values[b]![Math.floor((h * values[b]!.length) / heads.length)]!;
          rows.flat().forEach((number, i) => {
            const column = seen.map((row) => row[i % rows[0]!.length]!);
            expect(number).toBeGreaterThanOrEqual(Math.min(...column) - 1e-6);
            expect(number).toBeLessThanOrEqual(Math.max(...column) + 1e-6);
          });
        }),
      );
    }),
  );
});

test("property: the output does not change if keys are permuted, or if a constant is added to a row of scores", () => {
  fc.assert(
    fc.property(cases("float64"), ({ query, key, value, seed }) => {
      const plain = attention(query, key, value).data;
      const order = Array.from({ length: length(key) }, (_, s) => s).sort(
        (a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5),
      );
      const shuffle = (x: Tensor) => take(x, 2, tensor(order, { dtype: "int32" }));
      expect(attention(query, shuffle(key), shuffle(value)).data).toBeAllclose(plain, {
        rtol: 1e-12,
        atol: 1e-12,
      });
      const bias = mul(randn([...query.shape.slice(0, 3), 1], { seed, dtype: "float64" }), 10);
      expect(attention(query, key, value, { bias }).data).toBeAllclose(plain, { rtol: 1e-12, atol: 1e-12 });
    }),
  );
});

test("property: grouped-query attention equals repeat_interleave of key-value heads, not tiling", () => {
  fc.assert(
    fc.property(cases(), ({ query, key, value }) => {
      const [H, Hkv] = [query.shape[1]!, key.shape[1]!];
      const repeat = (x: Tensor) =>
        take(
          x,
          1,
          tensor(
            Array.from({ length: H }, (_, h) => Math.floor(h / (H / Hkv))),
            { dtype: "int32" },
          ),
        );
      const whole = attention(query, repeat(key), repeat(value), { mask: causal() });
      expect(attention(query, key, value, { mask: causal() }).data).toEqual(whole.data);
    }),
  );
  // Four query heads, two key-value heads that hold 1 and 2.
  const value = tensor([1, 2], { shape: [1, 2, 1, 1] });
  expect([...attention(ones([1, 4, 1, 1]), value, value).data]).toEqual([1, 1, 2, 2]);
});

test("property: the contents of a masked key and its value never reach the output", () => {
  const poison = fc.constantFrom(NaN, Infinity, -Infinity);
  fc.assert(
    fc.property(cases(), poison, fc.nat(3), fc.boolean(), ({ query, key, value, seed }, bad, at, masked) => {
      const S = length(key);
      const hidden = at % S;
      const visible = tensor(
        Array.from({ length: S }, (_, s) => s !== hidden),
        { shape: [1, S] },
      );
      const clean = Array.from({ length: S }, (_, s) => (s === hidden ? -Infinity : 0));
      const options = masked ? { mask: maskTensor(visible) } : { bias: tensor(clean, { shape: [S] }) };
      const poisoned = (x: Tensor) =>
        concat(
          [
            slice(x, 2, 0, hidden),
            mul(ones([...x.shape.slice(0, 2), 1, x.shape[3]!]), bad),
            slice(x, 2, hidden + 1),
          ],
          2,
        );
      const names = ["scores", "weights", "lse"] as const;
      for (const softcap of [0, 3 + (seed % 3)]) {
        const expected = tracedAttention(query, key, value, { ...options, softcap }, names);
        const actual = tracedAttention(query, poisoned(key), poisoned(value), { ...options, softcap }, names);
        for (const name of ["output", ...names] as const) {
          expect(actual[name].data, name).toEqual(expected[name].data);
          if (name === "output") expect([...actual[name].data].every(Number.isFinite)).toBe(true);
        }
      }
    }),
  );
});

test("property: a query that sees no key gives zeros, weights 0 and lse -Infinity", () => {
  const nothing: Mask = defineMask({ name: "nothing", sees: (query) => query % 2 === 1 });
  fc.assert(
    fc.property(cases(), fc.boolean(), ({ query, key, value }, byBias) => {
      const first = length(key) - length(query);
      const rows = Array.from({ length: length(query) }, (_, t) => ((first + t) % 2 === 1 ? 0 : -Infinity));
      const hide = byBias ? { bias: tensor(rows, { shape: [rows.length, 1] }) } : { mask: nothing };
      const traced = tracedAttention(query, key, value, hide, ["scores", "weights", "lse"]);
      rows.forEach((row, t) => {
        const at = (x: Tensor) => [...slice(x, 2, t, t + 1).data];
        const empty = row === -Infinity;
        expect(at(traced.output).every((number) => number === 0)).toBe(empty);
        expect(at(traced.weights).every((number) => number === 0)).toBe(empty);
        expect(at(traced.scores).every((number) => number === -Infinity)).toBe(empty);
        expect(at(traced.lse).every((number) => number === -Infinity)).toBe(empty);
      });
    }),
  );
  const none = attention(ones([1, 1, 2, 3]), zeros([1, 1, 0, 3]), zeros([1, 1, 0, 2]));
  expect(none.toNested()).toEqual([
    [
      [
        [0, 0],
        [0, 0],
      ],
    ],
  ]);
});

test("property: the softcap limits dot products, before bias and mask are applied", () => {
  fc.assert(
    fc.property(
      cases(),
      fc.double({ min: 2, max: 20, noNaN: true }),
      ({ query, key, value, seed }, softcap) => {
        const visible = randomMask(length(query), length(key), seed);
        const bias = randn([length(key)], { seed });
        const options = { softcap, bias, mask: maskTensor(visible) };
        const names = ["dots", "capped", "scores"] as const;
        const { dots, capped, scores } = tracedAttention(query, key, value, options, names);
        capped.data.forEach((number) => expect(Math.abs(number)).toBeLessThan(softcap));
        const bent = Array.from(dots.data, (dot) => softcap * Math.tanh(dot / softcap));
        expect(capped.data).toBeAllclose(bent, { rtol: 0, atol: 5e-6 });
        const seen = broadcastTo(visible, scores.shape).data;
        const sums = add(capped, bias).data.map((sum, i) => (seen[i] === 1 ? sum : -Infinity));
        expect(scores.data).toBeAllclose(sums, { rtol: 0, atol: 5e-6 });
        const mirrored = tracedAttention(neg(query), key, value, { softcap }, ["capped"]).capped;
        expect(mirrored.data).toEqual(neg(capped).data);
        const wide = attention(query, key, value, { softcap: 1e6 });
        expect(wide.data).toBeAllclose(attention(query, key, value).data, { rtol: 1e-5, atol: 1e-5 });
      },
    ),
  );
});

test("property: a bias is added before the mask is applied, and is broadcast", () => {
  fc.assert(
    fc.property(cases(), fc.nat(15), fc.nat(4), ({ query, key, value, seed }, ones, dropped) => {
      const all = [B(query), query.shape[1]!, length(query), length(key)];
      const kept = all.map((length, axis) => ((ones >> axis) & 1 ? 1 : length)).slice(dropped);
      const bias = randn(kept, { seed });
      const whole = attention(query, key, value, { bias: broadcastTo(bias, all) });
      expect(attention(query, key, value, { bias }).data).toEqual(whole.data);

      const visible = randomMask(length(query), length(key), seed);
      const mask = maskTensor(visible);
      const huge = tensor(
        Array.from(visible.data, (bit) => (bit === 1 ? 0 : 1000)),
        { shape: visible.shape },
      );
      const hidden = attention(query, key, value, { mask, bias: huge });
      expect(hidden.data).toEqual(attention(query, key, value, { mask }).data);
    }),
  );
});

test("property: keys and values in several segments give the same as in one tensor", () => {
  const cuts = fc.array(small(4, 0), { maxLength: 3 });
  fc.assert(
    fc.property(cases(), cuts, small(5, 0), ({ query, key, value }, cuts, start) => {
      const mask = and(causal(), slidingWindow(3));
      const S = length(key);
      const places = [0, ...cuts.map((cut) => Math.min(cut, S)).sort((a, b) => a - b), S];
      const parts = (x: Tensor) => places.slice(1).map((end, i) => slice(x, 2, places[i]!, end));
      const keyValues: KeyValues = { key: parts(key), value: parts(value), positions: { start } };
      const names = ["weights", "lse"] as const;
      const whole = tracedAttention(query, key, value, { mask }, names);
      const parted = tracedAttention(query, keyValues, { mask }, names);
      for (const name of ["output", ...names] as const) expect(parted[name].data).toEqual(whole[name].data);
      expect(attention(query, keyValues, { mask }).data).toEqual(whole.output.data);
    }),
  );
});

test("property: masks and biases use the positions of the keys, not their index", () => {
  fc.assert(
    fc.property(cases(), small(5, 0), ({ query, key, value, seed }, start) => {
      const S = length(key);
      const options = { mask: and(causal(), slidingWindow(3)) };
      const at = (positions: number[], k = key, v = value): Tensor =>
        attention(query, { key: [k], value: [v], positions: Int32Array.from(positions) }, options);
      const one = Array.from({ length: S }, (_, s) => start + s);
      const plain = attention(query, key, value, options).data;
      expect(at(one).data).toEqual(plain);
      expect(at(Array.from({ length: B(key) }, () => one).flat()).data).toEqual(plain);

      // In any order, as a ring holds them.
      const order = one.map((_, s) => (s + seed) % S);
      const roll = (x: Tensor) => take(x, 2, tensor(order, { dtype: "int32" }));
      expect(
        at(
          order.map((s) => start + s),
          roll(key),
          roll(value),
        ).data,
      ).toBeAllclose(plain, { rtol: 1e-6, atol: 1e-6 });
    }),
  );
  // Each batch its own: the last of four positions sees two of three keys in one batch, all in the other.
  const x = ones([2, 1, 3, 1]);
  const positions = Int32Array.from([0, 2, 3, 1, 2, 3]);
  const keyValues: KeyValues = { key: [x], value: [x], positions };
  const { data } = tracedAttention(ones([2, 1, 1, 1]), keyValues, { mask: slidingWindow(3) }, [
    "weights",
  ]).weights;
  expect(data).toBeAllclose([0, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3], { rtol: 1e-7, atol: 1e-7 });
});

test("property: with different positions per key-value head, each head gives the same as by itself", () => {
  const holds = {
    B: small(2),
    Hkv: small(3),
    group: small(2),
    S: small(70),
    T: small(4),
    seed: fc.nat(1000),
  };
  fc.assert(
    fc.property(fc.record(holds), ({ B, Hkv, group, S, T: most, seed }) => {
      const T = Math.min(S, most);
      const query = randn([B, Hkv * group, T, 4], { seed, dtype: "float64" });
      const key = randn([B, Hkv, S, 4], { seed: seed + 1, dtype: "float64" });
      const value = randn([B, Hkv, S, 3], { seed: seed + 2, dtype: "float64" });
      // Gaps between positions, others for each head, and all end at the same place.
      const list = (row: number) =>
        Int32Array.from({ length: S }, (_, s) => (s === S - 1 ? 3 * S : 2 * s + ((seed + row * s) % 2)));
      const lists = Array.from({ length: B * Hkv }, (_, row) => list(row));
      const positions = Int32Array.from(lists.flatMap((own) => [...own]));
      const options = {
        mask: and(causal(), slidingWindow(2 * S)), // about half of the keys
        scoreMod: scoreMod((score, at) => score.mul(at.key.sub(at.query).mul(0.1).exp())),
      };
      const part = (x: Tensor, b: number, h: number, heads: number) =>
        slice(slice(x, 0, b, b + 1), 1, h * heads, (h + 1) * heads);
      const alone = Array.from({ length: B }, (_, b) =>
        concat(
          Array.from({ length: Hkv }, (_, h) => {
            const own = { key: [part(key, b, h, 1)], value: [part(value, b, h, 1)] };
            return attention(part(query, b, h, group), { ...own, positions: lists[b * Hkv + h]! }, options);
          }),
          1,
        ),
      );
      const together = attention(query, { key: [key], value: [value], positions }, options);
      expect(together.data).toEqual(concat(alone, 0).data);
    }),
  );
});

test("property: strided views give the same as contiguous copies", () => {
  fc.assert(
    fc.property(cases(), ({ query, key, value, seed }) => {
      const byToken = (x: Tensor) => permute(contiguous(permute(x, [0, 2, 1, 3])), [0, 2, 1, 3]); // stored [B, T, H, D]
      const strided = (x: Tensor) => permute(contiguous(permute(x, [3, 1, 2, 0])), [3, 1, 2, 0]);
      const bias = slice(randn([length(query) + 1, length(key)], { seed }), 0, 1);
      const packed = attention(query, key, value, { bias }).data;
      expect(
        attention(byToken(query), strided(key), byToken(value), {
          bias: permute(contiguous(permute(bias, [1, 0])), [1, 0]),
        }).data,
      ).toEqual(packed);
      expect(attention(strided(query), byToken(key), strided(value), { bias }).data).toEqual(packed);
    }),
  );
});

test("property: tracing does not change the output, and the traced tensors are consistent with each other", () => {
  fc.assert(
    fc.property(cases("float64"), ({ query, key, value, seed }) => {
      const options = { mask: maskTensor(randomMask(length(query), length(key), seed)), softcap: 2 };
      const names = ["dots", "capped", "scores", "weights", "lse"] as const;
      const traced = tracedAttention(query, key, value, options, names);
      expect(traced.output.data).toEqual(attention(query, key, value, options).data);
      expect(attentionWeights(query, key, options).data).toEqual(traced.weights.data);
      const S = length(key);
      traced.lse.data.forEach((lse, row) => {
        const scores = [...traced.scores.data.subarray(row * S, (row + 1) * S)];
        const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
        expect(lse === -Infinity ? 0 : Math.exp(lse)).toBeCloseTo(total, 10);
        const weights = traced.weights.data.subarray(row * S, (row + 1) * S);
        scores.forEach((score, s) =>
          expect(weights[s]).toBeCloseTo(total === 0 ? 0 : Math.exp(score) / total, 12),
        );
      });
    }),
  );
});

test("golden: one query, two keys", () => {
  // Dots 2 and 0, divided by √4; e/(e + 1) = 0.731059; 10 · 0.731059 − 10 · 0.268941; ln(e + 1) = 1.313262.
  const query = tensor([2, 0, 0, 0], { shape: [1, 1, 1, 4] });
  const key = tensor([1, 0, 0, 0, 0, 1, 0, 0], { shape: [1, 1, 2, 4] });
  const value = tensor([10, -10], { shape: [1, 1, 2, 1] });
  const traced = tracedAttention(query, key, value, {}, ["dots", "weights", "lse"]);
  expect(traced.dots.data).toBeAllclose([1, 0], { rtol: 1e-6, atol: 1e-6 });
  expect(traced.weights.data).toBeAllclose([0.731059, 0.268941], { rtol: 1e-6, atol: 1e-6 });
  expect(traced.lse.data).toBeAllclose([1.313262], { rtol: 1e-6, atol: 1e-6 });
  expect(traced.output.data).toBeAllclose([4.621172], { rtol: 1e-6, atol: 1e-6 });
});

test("golden: softcap, then bias, then mask", () => {
  // Dots 3, −3, 3 with scale 1; 2 · tanh(1.5) = 1.810297; plus 0.5, 0, 9; the third key is masked.
  const query = ones([1, 1, 1, 1]);
  const key = tensor([3, -3, 3], { shape: [1, 1, 3, 1] });
  const options = {
    scale: 1,
    softcap: 2,
    bias: tensor([0.5, 0, 9]),
    mask: maskTensor(tensor([[true, true, false]])),
  };
  const traced = tracedAttention(query, key, key, options, ["capped", "scores", "weights"]);
  expect(traced.capped.data).toBeAllclose([1.810297, -1.810297, 1.810297], { rtol: 1e-6, atol: 1e-6 });
  expect(traced.scores.data.subarray(0, 2)).toBeAllclose([2.310297, -1.810297], { rtol: 1e-6, atol: 1e-6 });
  expect(traced.scores.data[2]).toBe(-Infinity);
  expect(traced.weights.data).toBeAllclose([0.984024, 0.015976, 0], { rtol: 1e-6, atol: 1e-6 }); // 1 / (1 + e^−4.120593)
});

test("large scores do not overflow", () => {
  const key = tensor([1e4, 9999, -1e4], { shape: [1, 1, 3, 1] });
  const weights = attentionWeights(ones([1, 1, 1, 1]), key, { scale: 1 });
  expect(weights.data).toBeAllclose([0.731059, 0.268941, 0], { rtol: 1e-6, atol: 1e-6 });
});

test("a NaN of a key that is seen reaches the output", () => {
  const x = tensor([NaN, 1], { shape: [1, 1, 2, 1] });
  const options = {
    mask: maskTensor(
      tensor([
        [true, false],
        [true, true],
      ]),
    ),
  };
  expect([...attention(ones([1, 1, 2, 1]), x, ones([1, 1, 2, 1]), options).data]).toEqual([NaN, NaN]);
});

test("zero queries give an empty output", () => {
  const x = randn([2, 2, 3, 4], { seed: 1 });
  const bias = zeros([2, 2, 0, 3]);
  expect(attention(zeros([2, 2, 0, 4]), x, x, { mask: causal(), bias }).shape).toEqual([2, 2, 0, 4]);
});

test("shapes that do not fit are refused, with the fix", () => {
  const x = (...shape: number[]) => zeros(shape);
  const [query, key] = [x(2, 8, 5, 16), x(2, 2, 7, 16)];
  const run = (q: Tensor, k: Tensor, v: Tensor, bias?: Tensor) => () =>
    attention(q, k, v, bias ? { bias } : {});
  expect(run(query, x(2, 3, 7, 16), x(2, 3, 7, 16))).toThrow(
    new ShapeError({
      fn: "attention",
      argument: "key",
      received: [2, 3, 7, 16],
      expected: "[2, numKvHeads, S, 16] with numKvHeads a divisor of numHeads = 8",
      fix: "project keys and values to a number of heads that divides 8.",
    }),
  );
  for (const shape of [
    [1, 2, 7, 16],
    [2, 2, 7, 8],
    [2, 0, 7, 16],
    [2, 7, 16],
  ]) {
    expect(run(query, x(...shape), key)).toThrow(/attention: `key` has shape/);
  }
  expect(run(x(8, 5, 16), key, key)).toThrow(
    /`query` has shape \[8, 5, 16\], expected \[B, H, T, D\].*\nFix: add the axes/,
  );
  for (const shape of [
    [2, 2, 6, 16],
    [2, 1, 7, 16],
    [1, 2, 7, 16],
    [2, 2, 7],
  ]) {
    expect(run(query, key, x(...shape))).toThrow(
      /`value` has shape .*, expected \[2, 2, 7, headDim of your choice\], since key is \[2, 2, 7, 16\].\nFix: give one value for each key/,
    );
  }
  for (const shape of [
    [5, 6],
    [3, 8, 5, 7],
    [1, 2, 8, 5, 7],
    [2, 5, 7],
  ]) {
    expect(run(query, key, key, x(...shape))).toThrow(
      /`bias` has shape .*, expected a shape that broadcasts to \[B, H, T, S\] = \[2, 8, 5, 7\].\nFix: each length must be equal/,
    );
  }
});

test("segments of keys and values that do not fit together are refused", () => {
  const x = (...shape: number[]) => zeros(shape);
  const run =
    (key: Tensor[], value: Tensor[], positions: KeyValues["positions"] = { start: 0 }) =>
    () =>
      attention(x(2, 2, 1, 4), { key, value, positions });
  const [a, b] = [x(2, 2, 3, 4), x(2, 2, 1, 4)];
  expect(run([a, b], [a])).toThrow(
    /`keyValues` is "2 key and 1 value segments", expected as many of each, at least one.\nFix: give one segment of values/,
  );
  expect(run([], [])).toThrow(/`keyValues` is "0 key and 0 value segments"/);
  expect(run([a, x(2, 1, 1, 4)], [a, x(2, 1, 1, 4)])).toThrow(/`key` has shape \[2, 1, 1, 4\]/);
  expect(run([a, b], [a, x(2, 2, 1, 5)])).toThrow(
    /`value` has shape \[2, 2, 1, 5\], expected \[2, 2, 1, 4\], since key is \[2, 2, 1, 4\]/,
  );
  for (const count of [0, 3, 5, 12]) {
    expect(run([a, b], [a, b], new Int32Array(count))).toThrow(
      /`positions` is ".* positions", expected S = 4 of them, B · S = 8, or B · Hkv · S = 16.\nFix: give the position of each key/,
    );
  }
});

test("invalid numbers, types and option names are refused, each with its fix", () => {
  const x = randn([1, 1, 2, 4], { seed: 1 });
  const run = (options: object) => () => attention(x, x, x, options);
  for (const softcap of [-1, NaN, Infinity]) {
    expect(run({ softcap })).toThrow(
      /attention: `softcap` is .*, expected a finite number, 0 \(off\) or more.\nFix: leave it out for scores without a cap/,
    );
  }
  for (const scale of [NaN, Infinity]) {
    expect(run({ scale })).toThrow(/`scale` is .*, expected a finite number.\nFix: leave it out for 1 \/ √D/);
  }
  expect(run({ bias: tensor([[true, false]]) })).toThrow(
    /`bias` is "a bool tensor", expected numbers that are added to scores.\nFix: pass which keys are seen as `mask: maskTensor\(visible\)`/,
  );
  expect(run({ bias: full([2], 0, { dtype: "float64" }) })).toThrow(
    /`bias` is "float64", expected of type float32.*\nFix: use `cast\(bias, "float32"\)`/,
  );
  const wide = cast(x, "float64");
  expect(() => attention(x, wide, wide)).toThrow(/`key` is "float64", expected of type float32/);
  expect(() => attention(x, x, wide)).toThrow(/`value` is "float64", expected of type float32/);
  expect(() => attention(cast(x, "int32"), x, x)).toThrow(
    /`query` is "int32", expected of type float32 or float64.\nFix: compute in one of them: `cast\(query, "float32"\)`/,
  );
  expect(() => attention(x, x, undefined as never)).toThrow(/`value` is undefined, expected a tensor/);
  expect(() => attentionWeights([1] as never, x)).toThrow(
    /attentionWeights: `query` is \[1\], expected a tensor/,
  );
  expect(() => tracedAttention(x, x, x, {}, ["logits" as "dots"])).toThrow(
    /tracedAttention: `names` is "logits", expected a list of dots, capped, scores, weights, lse/,
  );
  for (const names of [undefined, [undefined], {}]) {
    expect(() => tracedAttention(x, x, x, {}, names as never)).toThrow(ArgumentError);
  }
});

test("order: softcap, then the score mod, then the bias, then the mask", () => {
  const x = tensor([2], { shape: [1, 1, 1, 1] });
  const options = {
    softcap: 3,
    scoreMod: scoreMod((score) => score.mul(10)),
    bias: tensor([[[[7]]]]),
    mask: maskTensor(tensor([[true]])),
  };
  // The dot is 4; bent to 3 tanh(4/3), then ten times that, then 7 more.
  const { dots, capped, scores } = tracedAttention(x, x, x, options, ["dots", "capped", "scores"]);
  expect(dots.data[0]).toBe(4);
  expect(capped.data[0]).toBeCloseTo(3 * Math.tanh(4 / 3), 6);
  expect(scores.data[0]).toBeCloseTo(30 * Math.tanh(4 / 3) + 7, 5);
  const hidden = { ...options, mask: maskTensor(tensor([[false]])) };
  expect(tracedAttention(x, x, x, hidden, ["scores"]).scores.data[0]).toBe(-Infinity);
});
