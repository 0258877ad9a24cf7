import type { PagedBlocks, KeyValues } from "@qkv/attention-contract";
import { grad, randn, slice, sum, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { attention, tracedAttention, type AttentionOptions } from "./attention.js";
import { alibi } from "./biases/alibi.js";
import { and } from "./masks/and.js";
import { causal } from "./masks/causal.js";
import { keepFirst } from "./masks/keep-first.js";
import { or } from "./masks/or.js";
import { slidingWindow } from "./masks/sliding-window.js";
import { plainAttention } from "./plain-attention.js";
import { scoreMod } from "./score-mod.js";

const size = (max: number, min = 1) => fc.integer({ min, max });

/** The rows of x `[B, Hkv, S, D]` in blocks, in an order of their own, with blocks of other text between. */
function inBlocks(x: Tensor, blockLength: number, seed: number, lengths?: readonly number[]): PagedBlocks {
  const [B, Hkv, S, D] = x.shape as [number, number, number, number];
  const columns = Math.ceil(S / blockLength);
  const blocks = B * columns + 2;
  const order = Array.from({ length: blocks }, (_, i) => i).sort(
    (a, b) => ((a * 7919 + seed) % 31) - ((b * 7919 + seed) % 31),
  );
  const table = Int32Array.from(order.slice(0, B * columns));
  const data = new Float32Array(blocks * Hkv * blockLength * D).fill(NaN);
  for (let b = 0; b < B; b++)
    for (let h = 0; h < Hkv; h++)
      for (let s = 0; s < (lengths?.[b] ?? S); s++)
        for (let d = 0; d < D; d++) {
          const block = table[b * columns + Math.floor(s / blockLength)]!;
          const to = ((block * Hkv + h) * blockLength + (s % blockLength)) * D + d;
          data[to] = x.data[((b * Hkv + h) * S + s) * D + d]!;
        }
  const length = lengths ? Int32Array.from(lengths) : S;
  return { data: tensor(data, { shape: [blocks, Hkv, blockLength, D] }), table, blockLength, length };
}

const options = fc.constantFrom<AttentionOptions>(
  {},
  { mask: causal() },
  { mask: slidingWindow(5), softcap: 2 },
  { mask: and(causal(), or(keepFirst(1), slidingWindow(2))), bias: alibi(4) },
  { scoreMod: scoreMod((s, at) => s.add(at.query.mul(0.1)).sub(at.key.mul(0.2))) },
  { mask: causal(), weightMod: scoreMod((w, at) => w.mul(at.key.add(1))) },
);

const cases = fc.record({
  B: size(3),
  T: fc.constantFrom(1, 2, 5),
  more: fc.constantFrom(0, 1, 9, 70),
  blockLength: fc.constantFrom(1, 3, 4, 16),
  seed: fc.nat(1000),
  options,
});

test("property: keys in blocks of any length and order give the same as keys in one tensor, bit for bit", () => {
  fc.assert(
    fc.property(cases, ({ B, T, more, blockLength, seed, options }) => {
      const S = T + more;
      const [query, key, value] = [
        randn([B, 4, T, 6], { seed }),
        randn([B, 2, S, 6], { seed: seed + 1 }),
        randn([B, 2, S, 3], { seed: seed + 2 }),
      ];
      const whole = tracedAttention(query, key, value, options, ["weights", "lse"]);
      const at = seed % (S + 1);
      const [head, tail] = [slice(key, 2, 0, at), slice(key, 2, at)];
      const [headValue, tailValue] = [slice(value, 2, 0, at), slice(value, 2, at)];
      const paged: KeyValues = {
        key: [inBlocks(head, blockLength, seed), tail],
        value: [inBlocks(headValue, blockLength, seed + 3), tailValue],
        positions: { start: 0 },
      };
      const blocks = tracedAttention(query, paged, options, ["weights", "lse"]);
      expect(blocks.output.data).toEqual(whole.output.data);
      expect(blocks.weights.data).toEqual(whole.weights.data);
      expect(blocks.lse.data).toEqual(whole.lse.data);
    }),
  );
});

test("property: sequences of different lengths give the same as each by itself", () => {
  fc.assert(
    fc.property(cases, fc.array(fc.nat(70), { minLength: 3, maxLength: 3 }), (one, more) => {
      const { B, T, blockLength, seed, options } = one;
      const lengths = more.slice(0, B).map((n) => T + n);
      const S = Math.max(...lengths);
      const [query, key, value] = [
        randn([B, 4, T, 6], { seed }),
        randn([B, 2, S, 6], { seed: seed + 1 }),
        randn([B, 2, S, 3], { seed: seed + 2 }),
      ];
      const places = Int32Array.from({ length: B * S }, (_, n) =>
        n % S < lengths[Math.floor(n / S)]! ? n % S : -1,
      );
      const asBlocks: KeyValues = {
        key: [inBlocks(key, blockLength, seed, lengths)],
        value: [inBlocks(value, blockLength, seed, lengths)],
        positions: { start: 0 },
      };
      const asTensors: KeyValues = { key: [key], value: [value], positions: places };
      const outputs = [asBlocks, asTensors].map((given) => attention(query, given, options));
      const plain = plainAttention(query, asTensors, options).output;
      for (let b = 0; b < B; b++) {
        const own = (x: Tensor) => slice(x, 0, b, b + 1);
        const cut = (x: Tensor) => slice(own(x), 2, 0, lengths[b]!);
        const alone = attention(own(query), cut(key), cut(value), options);
        for (const output of outputs) expect(own(output).data).toEqual(alone.data);
        expect(own(plain).data).toBeAllclose(alone.data, { rtol: 0, atol: 5e-5 });
      }
    }),
  );
});

test("the rows of a dense bias start at the first query of each sequence", () => {
  const [query, key] = [randn([2, 1, 2, 4], { seed: 1 }), randn([2, 1, 5, 4], { seed: 2 })];
  const bias = randn([2, 1, 2, 5], { seed: 3 });
  const positions = Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2, -1, -1);
  const given: KeyValues = { key: [key], value: [key], positions };
  const output = attention(query, given, { bias });
  const short = slice(slice(key, 0, 1), 2, 0, 3);
  const alone = attention(slice(query, 0, 1), short, short, { bias: slice(slice(bias, 0, 1), 3, 0, 3) });
  expect(slice(output, 0, 1).data).toEqual(alone.data);
  const plain = plainAttention(query, given, { bias }).output;
  expect(plain.data).toBeAllclose(output.data, { rtol: 0, atol: 5e-6 });
});

test("property: int8 codes are read as code times scale, with a scale per channel or per token", () => {
  fc.assert(
    fc.property(size(2), size(9), fc.constantFrom(1, 4), fc.nat(1000), (B, S, blockLength, seed) => {
      const columns = Math.ceil(S / blockLength);
      const blocks = B * columns;
      const table = Int32Array.from({ length: blocks }, (_, i) => blocks - 1 - i);
      const made = (D: number, perToken: boolean, s: number) => {
        const codes = Int8Array.from(randn([blocks * 2 * blockLength * D], { seed: s }).data, (x) => x * 50);
        const shape = [blocks, 2, blockLength, D];
        const scale = randn(perToken ? [blocks, 2, blockLength, 1] : [blocks, 2, 1, D], { seed: s + 1 });
        const part: PagedBlocks = {
          data: tensor(codes, { shape, dtype: "int8" }),
          scale,
          table,
          blockLength,
          length: S,
        };
        const dense = new Float64Array(B * 2 * S * D);
        for (let n = 0; n < dense.length; n++) {
          const [d, t, h, b] = [
            n % D,
            Math.floor(n / D) % S,
            Math.floor(n / (D * S)) % 2,
            Math.floor(n / (D * S * 2)),
          ];
          const block = table[b * columns + Math.floor(t / blockLength)]!;
          const row = (block * 2 + h) * blockLength + (t % blockLength);
          dense[n] = codes[row * D + d]! * scale.data[perToken ? row : (block * 2 + h) * D + d]!;
        }
        return { part, dense: tensor(dense, { shape: [B, 2, S, D], dtype: "float64" }) };
      };
      const [key, value] = [made(6, false, seed), made(3, true, seed + 5)];
      const query = randn([B, 4, 1, 6], { seed: seed + 9 });
      const given: KeyValues = { key: [key.part], value: [value.part], positions: { start: 0 } };
      const wide = tensor(Float64Array.from(query.data), { shape: query.shape, dtype: "float64" });
      const exact = attention(wide, key.dense, value.dense);
      for (const output of [attention(query, given), plainAttention(query, given).output])
        expect(output.data).toBeAllclose(exact.data, { rtol: 0, atol: 1e-3 });
    }),
  );
});

test("property: the result does not depend on tile boundaries, bit for bit", () => {
  fc.assert(
    fc.property(size(70), size(70, 0), fc.nat(1000), (windowSize, before, seed) => {
      // A window over all keys, and over those alone that it shows: tiles begin elsewhere.
      const S = before + windowSize;
      const [query, key] = [randn([1, 1, 1, 4], { seed }), randn([1, 1, S, 4], { seed: seed + 1 })];
      const held = slice(key, 2, before);
      const window: KeyValues = { key: [held], value: [held], positions: { start: before } };
      const mask = slidingWindow(windowSize);
      const scale = 20; // scores far apart, so that the reference moves
      expect(attention(query, window, { mask, scale }).data).toEqual(
        attention(query, key, key, { mask, scale }).data,
      );
    }),
  );
});

test("invalid block tables are refused, and so are gradients through blocks", () => {
  const query = randn([2, 2, 1, 4], { seed: 1 });
  const good = inBlocks(randn([2, 1, 5, 4], { seed: 2 }), 2, 1);
  const call = (change: Partial<PagedBlocks>) => () =>
    attention(query, { key: [{ ...good, ...change }], value: [good], positions: { start: 0 } });
  expect(call({})).not.toThrow();
  expect(call({ blockLength: 3 })).toThrow(
    /`key.data` has shape \[8, 1, 2, 4\], expected \[blocks, numKvHeads, 3, headDim\]/,
  );
  expect(call({ table: good.table.subarray(2) })).toThrow(
    /`key.table` is "4 entries", expected B = 2 rows of 3 blocks/,
  );
  expect(call({ table: Int32Array.of(0, 1, 2, 3, 4, 8) })).toThrow(
    /`key.table` is 8, expected blocks from 0 to 7/,
  );
  expect(call({ length: Int32Array.of(1) })).toThrow(/`key.length` is "1 lengths", expected one, or B = 2/);
  expect(call({ scale: randn([8, 1, 2, 4], { seed: 1 }) })).toThrow(
    /`key.scale` has shape .*expected \[8, 1, 1, 4\] or \[8, 1, 2, 1\]/,
  );
  expect(call({ length: 4 })).toThrow(/`value` has shape \[2, 1, 5, 4\], expected \[2, 1, 4, headDim/);
  const through = (q: Tensor) => sum(attention(q, { key: [good], value: [good], positions: { start: 0 } }));
  expect(() => grad(through)(query)).toThrow(/`gradient` is .*blocks.*\nFix: train without a cache/);
});
