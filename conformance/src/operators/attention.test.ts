import { js, randn, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { attentionOperator } from "./attention.js";

type Inputs = Record<string, Tensor | undefined>;
type Attributes = Record<string, unknown>;

const run = (inputs: Inputs, attributes: Attributes = {}, wanted = [true, true, true, true]) =>
  attentionOperator.run({
    inputs,
    attributes: { ...attentionOperator.attributes, ...attributes },
    opset: 25,
    device: js(),
    wanted,
  });

/** The operator's definition, element by element, for 4-D inputs. Returns Y and the four matrices of the modes. */
function reference(inputs: Inputs, attributes: Attributes) {
  const { is_causal, left_window_size, right_window_size, softcap, scale } = {
    ...attentionOperator.attributes,
    ...attributes,
  } as { [name: string]: number };
  const { Q, K, V, attn_mask, past_key, past_value, nonpad_kv_seqlen } = inputs as { [name: string]: Tensor };
  const [B, H, T, D] = Q!.shape as [number, number, number, number];
  const [, Hkv, fresh, Dv] = V!.shape as [number, number, number, number];
  const past = past_key?.shape[2] ?? 0;
  const S = past + fresh;
  const at = (x: Tensor, ...place: number[]) =>
    x.data[place.reduce((sum, i, axis) => sum * x.shape[axis]! + i, 0)]!;
  const row = (before: Tensor | undefined, now: Tensor, b: number, h: number, s: number, d: number) =>
    s < past ? at(before!, b, h, s, d) : at(now, b, h, s - past, d);
  const result = { y: [] as number[], modes: [[], [], [], []] as [number[], number[], number[], number[]] };
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let t = 0; t < T; t++) {
        const kv = Math.floor(h / (H / Hkv));
        const position = t + (past_key ? past : nonpad_kv_seqlen ? nonpad_kv_seqlen.data[b]! - T : 0);
        const scores: number[] = [];
        for (let s = 0; s < S; s++) {
          let dot = 0;
          for (let d = 0; d < D; d++) dot += at(Q!, b, h, t, d) * row(past_key, K!, b, kv, s, d);
          dot *= scale ?? 1 / Math.sqrt(D);
          const capped = softcap! > 0 ? softcap! * Math.tanh(dot / softcap!) : dot;
          let score = capped;
          if (attn_mask) {
            const place = [b, h, t, s].slice(4 - attn_mask.shape.length);
            const inside = s < attn_mask.shape.at(-1)!;
            // An axis of length 1 broadcasts, but a last axis shorter than S ends there.
            const shared = place.map((i, axis) => (attn_mask.shape[axis] === 1 ? 0 : i));
            const value = inside ? at(attn_mask, ...shared) : attn_mask.dtype === "bool" ? 0 : -Infinity;
            score = attn_mask.dtype === "bool" ? (value ? score : -Infinity) : score + value;
          }
          if (is_causal && s > position) score = -Infinity;
          if (left_window_size! >= 0 && s < position - left_window_size!) score = -Infinity;
          if (right_window_size! >= 0 && s > position + right_window_size!) score = -Infinity;
          if (nonpad_kv_seqlen && s >= nonpad_kv_seqlen.data[b]!) score = -Infinity;
          result.modes[0].push(dot);
          result.modes[1].push(capped);
          scores.push(score);
        }
        const exps = scores.map((score) => Math.exp(score));
        const total = exps.reduce((sum, e) => sum + e, 0);
        const weights = exps.map((e) => (total === 0 ? 0 : e / total));
        result.modes[2].push(...scores);
        result.modes[3].push(...weights);
        for (let d = 0; d < Dv; d++) {
          result.y.push(weights.reduce((sum, w, s) => sum + w * row(past_value, V!, b, kv, s, d), 0));
        }
      }
  return result;
}

const size = fc.integer({ min: 1, max: 4 });
const none = fc.constant(undefined);

test("property: every combination of inputs and attributes equals the operator's definition", async () => {
  const calls = fc.record({
    B: fc.integer({ min: 1, max: 2 }),
    Hkv: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 2 }),
    T: size,
    fresh: size,
    D: size,
    Dv: size,
    cache: fc.oneof(none, fc.constant("nonpad"), fc.integer({ min: 0, max: 3 })),
    mask: fc.oneof(
      none,
      fc.record({ bool: fc.boolean(), rank: size, short: fc.boolean(), row: fc.boolean() }),
    ),
    is_causal: fc.integer({ min: 0, max: 1 }),
    softcap: fc.constantFrom(0, 0.5, 2),
    scale: fc.constantFrom(undefined, 0.01, 1),
    left_window_size: fc.integer({ min: -1, max: 2 }),
    right_window_size: fc.integer({ min: -1, max: 2 }),
    qk_matmul_output_mode: fc.integer({ min: 0, max: 3 }),
    seed: fc.integer({ min: 0, max: 1000 }),
  });
  await fc.assert(
    fc.asyncProperty(calls, async ({ B, Hkv, group, T, fresh, D, Dv, cache, mask, seed, ...attributes }) => {
      const H = Hkv * group;
      const past = typeof cache === "number" ? cache : 0;
      const S = past + fresh;
      const make = (shape: number[], n: number) => randn(shape, { seed: seed * 10 + n, dtype: "float64" });
      const inputs: Inputs = {
        Q: make([B, H, T, D], 1),
        K: make([B, Hkv, fresh, D], 2),
        V: make([B, Hkv, fresh, Dv], 3),
      };
      if (typeof cache === "number") {
        inputs["past_key"] = make([B, Hkv, past, D], 4);
        inputs["past_value"] = make([B, Hkv, past, Dv], 5);
      } else if (cache) {
        const lengths = Array.from({ length: B }, (_, b) => (seed + 2 * b) % (S + 1));
        inputs["nonpad_kv_seqlen"] = tensor(lengths, { dtype: "int32" });
      }
      if (mask) {
        const width = mask.short ? Math.max(1, S - 1) : S;
        const shape = [B, H, mask.row ? 1 : T, width].slice(4 - mask.rank);
        const values = make(shape, 6);
        inputs["attn_mask"] = mask.bool
          ? tensor(
              Array.from(values.data, (x) => Number(x > -0.5)),
              { shape, dtype: "bool" },
            )
          : tensor(
              Array.from(values.data, (x) => (x > 1 ? -Infinity : x)),
              { shape, dtype: "float64" },
            );
      }
      const [y, presentKey, presentValue, matrix] = await run(inputs, attributes);
      const expected = reference(inputs, attributes);
      expect(y!).toBeAllclose(expected.y, { rtol: 0, atol: 1e-9, equalNan: true });
      expect(matrix!).toBeAllclose(expected.modes[attributes.qk_matmul_output_mode]!, {
        rtol: 0,
        atol: 1e-9,
        equalNan: true,
      });
      expect(presentKey!.shape).toEqual([B, Hkv, S, D]);
      expect(presentValue!.shape).toEqual([B, Hkv, S, Dv]);
      const [alone] = await run(inputs, attributes, [true]);
      expect(alone!).toBeAllclose(expected.y, { rtol: 0, atol: 1e-9, equalNan: true });
    }),
    { numRuns: 300 },
  );
});

test("3-D inputs have the heads concatenated in the last axis", async () => {
  const inputs = {
    Q: randn([2, 3, 8], { seed: 1 }),
    K: randn([2, 5, 4], { seed: 2 }),
    V: randn([2, 5, 6], { seed: 3 }),
  };
  const [y, key] = await run(inputs, { q_num_heads: 4, kv_num_heads: 2 });
  expect(y!.shape).toEqual([2, 3, 12]);
  expect(key!.shape).toEqual([2, 2, 5, 2]);
  await expect(run(inputs, { q_num_heads: 3, kv_num_heads: 2 })).rejects.toThrow("`q_num_heads` is 3");
});

test("softmax_precision of any float type gives at least that precision", async () => {
  const x = randn([1, 1, 2, 2], { seed: 1 });
  const [expected] = await run({ Q: x, K: x, V: x });
  for (const softmax_precision of [1, 10, 11, 16]) {
    const [y] = await run({ Q: x, K: x, V: x }, { softmax_precision });
    expect(y!.toNested()).toEqual(expected!.toNested());
  }
  await expect(run({ Q: x, K: x, V: x }, { softmax_precision: 7 })).rejects.toThrow("softmax_precision is 7");
});
