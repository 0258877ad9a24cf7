// Microsoft's fused operators, decomposed: ONNX Runtime gives the same outputs for the operator and for its
// decomposition, and the weights equal ours.
import {
  attention,
  attentionWeights,
  causal,
  padding,
  slidingWindow,
  type AttentionOptions,
} from "@qkv/attention";
import { add, concat, mul, permute, randn, reshape, slice, tensor, type Tensor } from "@qkv/tensor";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import {
  floats,
  int32,
  int64,
  mapped,
  newGraph,
  numbers,
  runGraph,
  type Value,
  type Values,
} from "./session.js";

type Attributes = Record<string, number | { float: number } | number[]>;

/** A graph with one operator of Microsoft's. Its inputs have dynamic dimensions but a fixed rank. */
function graphOf(
  type: string,
  inputs: Record<string, Value | undefined>,
  outputs: readonly (string | undefined)[],
  attributes: Attributes,
  opset = 17,
) {
  const g = newGraph({ opset });
  const names = Object.entries(inputs).map(([name, value]) => {
    if (!value) return "";
    return g.input(
      name,
      value.dims.map((_, axis) => `${name}_${axis}`),
      value.type,
    );
  });
  const axes: Record<string, number> = { present: 5, output: 3 };
  const to = outputs.map((name) =>
    name === undefined
      ? ""
      : g.output(
          name,
          Array.from({ length: axes[name] ?? 4 }, (_, axis) => `${name}_${axis}`),
        ),
  );
  g.op(type, names, attributes, { domain: "com.microsoft", to });
  return g.bytes();
}

/** Runs the operator and its decomposition, compares all outputs, and returns the weights. */
async function decomposedWeights(
  type: string,
  inputs: Record<string, Value | undefined>,
  outputs: readonly (string | undefined)[],
  attributes: Attributes,
  { opset, means = () => true }: { opset?: number; means?: (name: string, index: number) => boolean } = {},
): Promise<Value> {
  const model = await mapped(graphOf(type, inputs, outputs, attributes, opset));
  expect(model.skipped).toEqual([]);
  expect(model.maps).toMatchObject([
    { name: "attentions.0", how: "decomposed", operator: `com.microsoft.${type}` },
  ]);
  const feeds = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value)) as Values;
  const [before, after] = [await runGraph(model.before, feeds), await runGraph(model.after, feeds)];
  for (const [name, value] of Object.entries(before)) {
    expect(after[name]!.dims, name).toEqual(value.dims);
    const [got, wanted] = [after[name]!, value].map((each) =>
      Array.from(numbers(each)).filter((_, i) => means(name, i)),
    ) as [number[], number[]];
    expect(got, name).toBeAllclose(wanted, { rtol: 1e-5, atol: 1e-5, scaled: true });
  }
  return after["attentions.0"]!;
}

const close = (weights: Value, ours: Tensor) => {
  expect(weights.dims).toEqual(ours.shape);
  expect(numbers(weights)).toBeAllclose(ours.data, { rtol: 0, atol: 1e-5 });
};

const [B, T, H, D] = [2, 5, 4, 8];
const C = H * D;
let seed = 1;
const random = (...shape: number[]) => randn(shape, { seed: seed++ });
const value = (x: Tensor): Value => floats(x.data as Float32Array, x.shape);
/** `[B, T, heads · D]` to `[B, heads, T, D]` */
const split = (x: Tensor, heads: number): Tensor =>
  permute(reshape(x, [x.shape[0]!, x.shape[1]!, heads, -1]), [0, 2, 1, 3]);
describe("MultiHeadAttention", () => {
  const attributes = { num_heads: H };
  const outputs = ["output"];
  test.each<[string, Attributes, AttentionOptions]>([
    ["plain", {}, {}],
    ["scaled", { scale: { float: 0.3 } }, { scale: 0.3 }],
    ["causal", { unidirectional: 1 }, { mask: causal() }],
  ])("%s", async (_, own, options) => {
    const [q, k, v] = [random(B, T, C), random(B, T, C), random(B, T, C)];
    const inputs = { query: value(q), key: value(k), value: value(v) };
    const weights = await decomposedWeights("MultiHeadAttention", inputs, outputs, { ...attributes, ...own });
    close(weights, attentionWeights(split(q, H), split(k, H), options));
  });

  test("more keys than queries, values of another width, a bias of projections", async () => {
    const [S, Cv] = [7, H * 6];
    const [q, k, v, bias] = [random(B, T, C), random(B, S, C), random(B, S, Cv), random(2 * C + Cv)];
    const inputs = { query: value(q), key: value(k), value: value(v), bias: value(bias) };
    const weights = await decomposedWeights("MultiHeadAttention", inputs, outputs, attributes);
    const added = (x: Tensor, start: number) =>
      tensor(
        Float32Array.from(x.data, (each, i) => each + bias.data[start + (i % C)]!),
        { shape: x.shape },
      );
    close(weights, attentionWeights(split(added(q, 0), H), split(added(k, C), H)));
  });

  test("causal with more keys than queries: aligned so that the last query sees all keys", async () => {
    const [S, P] = [7, 2];
    const [q, k, v] = [random(B, T, C), random(B, S, C), random(B, S, C)];
    const inputs = {
      ...{
        query: value(q),
        key: value(k),
        value: value(v),
        bias: undefined,
        mask: undefined,
        added: undefined,
      },
      ...{ pastKey: value(random(B, H, P, D)), pastValue: value(random(B, H, P, D)) },
    };
    const presents = ["output", "present_key", "present_value"];
    const weights = await decomposedWeights("MultiHeadAttention", inputs, presents, {
      ...attributes,
      unidirectional: 1,
    });
    const seen = Array.from({ length: T }, (_, row) =>
      Array.from(numbers(weights))
        .slice(row * (P + S), (row + 1) * (P + S))
        .filter((x) => x > 0),
    );
    expect(seen.map((row) => row.length)).toEqual([3, 4, 5, 6, 9]);
  });

  test.each([
    ...["[B] lengths", "[3 · B + 2] lengths and their sums"],
    ...["[B, S] numbers", "[B, T, S] numbers"],
  ])("padding as %s", async (kind) => {
    const [q, k, v] = [random(B, T, C), random(B, T, C), random(B, T, C)];
    const lengths = [5, 3];
    const row = lengths.map((n) => Array.from({ length: T }, (_, i) => (i < n ? 1 : 0)));
    const mask = kind.startsWith("[B]")
      ? int32(lengths, [B])
      : kind.startsWith("[3")
        ? int32([...lengths, 0, T, 2 * T, 0, 5, 8], [3 * B + 2])
        : kind.startsWith("[B, S]")
          ? int32(row.flat(), [B, T])
          : int32(
              row.flatMap((each) => Array<number[]>(T).fill(each).flat()),
              [B, T, T],
            );
    const inputs = { query: value(q), key: value(k), value: value(v), bias: undefined, mask };
    const weights = await decomposedWeights("MultiHeadAttention", inputs, outputs, attributes);
    close(weights, attentionWeights(split(q, H), split(k, H), { mask: padding(lengths) }));
  });

  test("a bias of scores, and a past", async () => {
    const P = 3;
    const [q, k, v, bias] = [random(B, T, C), random(B, T, C), random(B, T, C), random(1, H, T, P + T)];
    const [pastKey, pastValue] = [random(B, H, P, D), random(B, H, P, D)];
    const inputs = {
      ...{ query: value(q), key: value(k), value: value(v), bias: undefined, mask: undefined },
      ...{ added: value(bias), pastKey: value(pastKey), pastValue: value(pastValue) },
    };
    const presents = ["output", "present_key", "present_value"];
    const weights = await decomposedWeights("MultiHeadAttention", inputs, presents, attributes);
    close(weights, attentionWeights(split(q, H), concat([pastKey, split(k, H)], 2), { bias }));
  });

  test("packed QKV and packed KV, which ONNX Runtime only supports on GPUs", async () => {
    const of = (x: Tensor, place: number, count: number): Tensor =>
      permute(
        reshape(slice(reshape(x, [B, -1, H, count * D]), 3, place * D, (place + 1) * D), [B, -1, H, D]),
        [0, 2, 1, 3],
      );
    const run = async (inputs: Values) => {
      const { before, after } = await mapped(graphOf("MultiHeadAttention", inputs, outputs, attributes));
      await expect(runGraph(before, inputs)).rejects.toThrow(/not implemented for CPU/);
      return runGraph(after, inputs);
    };
    const all = random(B, T, H, 3, D);
    const packed = await run({ query: value(all) });
    const [q, k, v] = [of(all, 0, 3), of(all, 1, 3), of(all, 2, 3)];
    close(packed["attentions.0"]!, attentionWeights(q, k));
    const joined = reshape(permute(attention(q, k, v), [0, 2, 1, 3]), [B, T, C]);
    expect(numbers(packed["output"]!)).toBeAllclose(joined.data, { rtol: 1e-5, atol: 1e-5 });
    const [query, both] = [random(B, T, C), random(B, 6, H, 2, D)];
    const pairs = await run({ query: value(query), key: value(both) });
    close(pairs["attentions.0"]!, attentionWeights(split(query, H), of(both, 0, 2)));
  });

  test("keys and values of cross-attention as [B, H, S, D], with their bias already added", async () => {
    const [q, k, v] = [random(B, T, C), random(B, H, 6, D), random(B, H, 6, D)];
    const inputs = { query: value(q), key: value(k), value: value(v) };
    close(
      await decomposedWeights("MultiHeadAttention", inputs, outputs, attributes),
      attentionWeights(split(q, H), k),
    );
    const bias = random(3 * C);
    const shifted = add(q, slice(bias, 0, 0, C));
    close(
      await decomposedWeights("MultiHeadAttention", { ...inputs, bias: value(bias) }, outputs, attributes),
      attentionWeights(split(shifted, H), k),
    );
  });
});

describe("Attention", () => {
  const projection = () => [random(B, T, 24), mul(random(24, 3 * C), 0.1), random(3 * C)] as const;
  test.each<[string, Attributes, number, AttentionOptions]>([
    ["plain", {}, 17, {}],
    ["causal, of operators of version 12", { unidirectional: 1 }, 12, { mask: causal() }],
    ["scaled", { scale: { float: 0.2 } }, 17, { scale: 0.2 }],
  ])("%s", async (_, own, opset, options) => {
    const [x, matrix, bias] = projection();
    const inputs = { input: value(x), matrix: value(matrix), bias: value(bias) };
    const weights = await decomposedWeights(
      "Attention",
      inputs,
      ["output"],
      { num_heads: H, ...own },
      { opset },
    );
    const { q, k } = projected(x, matrix, bias);
    close(weights, attentionWeights(q, k, options));
  });

  test("a past with keys and values in one tensor", async () => {
    const P = 3;
    const [x, matrix, bias] = projection();
    const past = random(2, B, H, P, D);
    const inputs = {
      ...{ input: value(x), matrix: value(matrix), bias: value(bias), mask: undefined, past: value(past) },
    };
    const attributes = { num_heads: H, unidirectional: 1 };
    const weights = await decomposedWeights("Attention", inputs, ["output", "present"], attributes);
    const { q, k } = projected(x, matrix, bias);
    const pastKey = reshape(slice(past, 0, 0, 1), [B, H, P, D]);
    close(weights, attentionWeights(q, concat([pastKey, k], 2), { mask: causal() }));
  });

  test.each(["numbers", "ends", "ends and starts"])("padding as %s", async (kind) => {
    const [x, matrix, bias] = projection();
    const mask =
      kind === "numbers"
        ? int32([1, 1, 1, 1, 1, 0, 1, 1, 1, 0], [B, T])
        : kind === "ends"
          ? int32([5, 4], [B])
          : int32([5, 4, 0, 1], [2 * B]);
    const inputs = { input: value(x), matrix: value(matrix), bias: value(bias), mask };
    const weights = await decomposedWeights("Attention", inputs, ["output"], { num_heads: H });
    const seen = numbers(weights);
    const first = kind === "ends" ? 0 : 1; // of the second sequence, whose last key is masked too
    for (let i = H * T * T; i < 2 * H * T * T; i++) {
      const isSeen = i % T >= first && i % T < 4;
      if (isSeen) expect(seen[i]).toBeGreaterThan(0);
      else expect(seen[i]).toBe(0);
    }
  });

  test("after EmbedLayerNormalization, with its token counts as the mask, and norms with skip connections", async () => {
    const g = newGraph({ opset: 17 });
    const domain = "com.microsoft";
    const numbersOf = (...shape: number[]) =>
      g.constant(mul(random(...shape), 0.3).data as Float32Array, shape);
    const ids = g.input("ids", ["batch", "length"], "int32");
    const mask = g.input("mask", ["batch", "length"], "int32");
    g.output("output", ["batch", "length", C]);
    const embedded = g.op(
      "EmbedLayerNormalization",
      [ids, "", numbersOf(11, C), numbersOf(8, C), "", numbersOf(C), numbersOf(C), mask],
      {},
      { domain, to: ["x", "counts"] },
    );
    let [x] = embedded;
    for (const [i, sum] of ["", "sum"].entries()) {
      const inputs = [x!, numbersOf(C, 3 * C), numbersOf(3 * C), "counts"];
      const attended = g.op("Attention", inputs, { num_heads: H }, { domain });
      const to = [i === 1 ? "output" : "y", "", "", sum];
      x = g.op("SkipLayerNormalization", [attended, x!, numbersOf(C), numbersOf(C)], {}, { domain, to })[0];
    }
    const model = await mapped(g.bytes());
    expect(model.skipped).toEqual([]);
    expect(model.maps.map(({ how, shape }) => [how, shape])).toEqual(
      [0, 1].map(() => ["decomposed", ["batch", H, "length", "?"]]),
    );
    const feeds = {
      ids: int32([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]),
      mask: int32([1, 1, 1, 1, 1, 1, 0, 0], [2, 4]),
    };
    const [before, after] = [await runGraph(model.before, feeds), await runGraph(model.after, feeds)];
    expect(numbers(after["output"]!)).toBeAllclose(numbers(before["output"]!), { rtol: 1e-5, atol: 1e-5 });
    const weights = numbers(after["attentions.1"]!);
    for (let i = 0; i < weights.length; i++) expect(weights[i]! > 0).toBe(i < H * 16 || i % 4 < 2);
  });

  const projected = (x: Tensor, matrix: Tensor, bias: Tensor) => {
    const rows = new Float32Array(B * T * 3 * C);
    for (let r = 0; r < B * T; r++)
      for (let o = 0; o < 3 * C; o++) {
        let sum = bias.data[o]!;
        for (let i = 0; i < 24; i++) sum += x.data[r * 24 + i]! * matrix.data[i * 3 * C + o]!;
        rows[r * 3 * C + o] = sum;
      }
    const all = tensor(rows, { shape: [B, T, 3 * C] });
    return { q: split(slice(all, 2, 0, C), H), k: split(slice(all, 2, C, 2 * C), H) };
  };
});

describe("GroupQueryAttention", () => {
  const [Hkv, width] = [2, 16];
  const heads = { num_heads: H, kv_num_heads: Hkv };
  const presents = ["output", "present_key", "present_value"];
  const last = (...lengths: number[]) =>
    int32(
      lengths.map((n) => n - 1),
      [lengths.length],
    );
  const tables = (half: number, rows = 32) => {
    const angle = (i: number) => Math.floor(i / half) * 100 ** (-(i % half) / half);
    const of = (f: (x: number) => number) =>
      floats(
        Array.from({ length: rows * half }, (_, i) => f(angle(i))),
        [rows, half],
      );
    return { cos: of(Math.cos), sin: of(Math.sin) };
  };
  const call = (batch: number, length: number) => ({
    q: random(batch, length, H * width),
    k: random(batch, length, Hkv * width),
    v: random(batch, length, Hkv * width),
  });

  test.each<[string, Attributes, AttentionOptions]>([
    ["causal", {}, {}],
    ["with a window", { local_window_size: 2 }, { mask: slidingWindow(2) }],
    ["softcap and scale", { softcap: { float: 1.5 }, scale: { float: 0.4 } }, { softcap: 1.5, scale: 0.4 }],
    ["smooth", { smooth_softmax: 1 }, { sinks: tensor([0, 0, 0, 0]) }],
  ])("a prompt, %s", async (_, own, options) => {
    const { q, k, v } = call(B, T);
    const inputs = {
      ...{ query: value(q), key: value(k), value: value(v), pastKey: undefined, pastValue: undefined },
      ...{ lengths: last(T, T), total: int32([T], []) },
    };
    const weights = await decomposedWeights("GroupQueryAttention", inputs, presents, { ...heads, ...own });
    close(weights, attentionWeights(split(q, H), split(k, Hkv), { mask: causal(), ...options }));
  });

  test.each([
    ["halves", 0, 8],
    ["neighbours", 1, 8],
    ["halves, part of a head", 0, 4],
  ] as const)("rotated inside: %s; then a token after a past", async (_, interleaved, half) => {
    const { q, k, v } = call(1, T);
    const { cos, sin } = tables(half === 4 ? 8 : half);
    const attributes = { ...heads, do_rotary: 1, rotary_interleaved: interleaved };
    const wide = half === 4; // half of 32 dimensions rotate
    const [qw, kw, vw] = wide
      ? [random(1, T, H * 32), random(1, T, Hkv * 32), random(1, T, Hkv * 32)]
      : [q, k, v];
    const D = wide ? 32 : width;
    const inputs = {
      ...{ query: value(qw), key: value(kw), value: value(vw), pastKey: undefined, pastValue: undefined },
      ...{ lengths: last(T), total: int32([T], []), cos, sin },
    };
    const prompt = await decomposedWeights("GroupQueryAttention", inputs, presents, attributes);
    const rotate = (x: Tensor, first: number) => rotated(x, cos, sin, first, interleaved === 1);
    const [qr, kr] = [rotate(split(qw, H), 0), rotate(split(kw, Hkv), 0)];
    close(prompt, attentionWeights(qr, kr, { mask: causal() }));

    const [next, nextKey, nextValue] = [random(1, 1, H * D), random(1, 1, Hkv * D), random(1, 1, Hkv * D)];
    const decoding = {
      ...{
        query: value(next),
        key: value(nextKey),
        value: value(nextValue),
        pastKey: value(kr),
        pastValue: value(split(vw, Hkv)),
      },
      ...{ lengths: last(T + 1), total: int32([T + 1], []), cos, sin },
    };
    const token = await decomposedWeights("GroupQueryAttention", decoding, presents, attributes);
    const keys = concat([kr, rotate(split(nextKey, Hkv), T)], 2);
    close(token, attentionWeights(rotate(split(next, H), T), keys, { mask: causal() }));
  });

  test("rotated by explicit positions", async () => {
    const { q, k, v } = call(1, T);
    const { cos, sin } = tables(8);
    const inputs = {
      ...{ query: value(q), key: value(k), value: value(v), pastKey: undefined, pastValue: undefined },
      ...{ lengths: last(T), total: int32([T], []), cos, sin },
      positions: int64([3, 4, 5, 6, 7], [1, T]),
    };
    const weights = await decomposedWeights("GroupQueryAttention", inputs, presents, {
      ...heads,
      do_rotary: 1,
    });
    const placed = (x: Tensor) => rotated(x, cos, sin, 3, false);
    close(weights, attentionWeights(placed(split(q, H)), placed(split(k, Hkv)), { mask: causal() }));
  });

  // ONNX Runtime reads the first position of a prompt alone, and counts up from it in all sequences.
  test.each([
    ["that do not count up", [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]],
    ["that count up from another in each sequence", [3, 4, 5, 6, 7, 0, 1, 2, 3, 4]],
  ])("a prompt, rotated by positions %s", async (_, positions) => {
    const { q, k, v } = call(B, T);
    const { cos, sin } = tables(8);
    const inputs = {
      ...{ query: value(q), key: value(k), value: value(v), pastKey: undefined, pastValue: undefined },
      ...{ lengths: last(T, T), total: int32([T], []), cos, sin },
      positions: int64(positions, [B, T]),
    };
    const attributes = { ...heads, do_rotary: 1 };
    const weights = await decomposedWeights("GroupQueryAttention", inputs, presents, attributes);
    const placed = (x: Tensor) => rotated(x, cos, sin, 3, false);
    close(weights, attentionWeights(placed(split(q, H)), placed(split(k, Hkv)), { mask: causal() }));
  });

  test("after a past, rotated by positions that do not count up", async () => {
    const { q, k, v } = call(1, 2); // ONNX Runtime continues one sequence by several tokens
    const [pastKey, pastValue] = [random(1, Hkv, T, width), random(1, Hkv, T, width)];
    const inputs = {
      ...{ query: value(q), key: value(k), value: value(v) },
      ...{ pastKey: value(pastKey), pastValue: value(pastValue) },
      ...{ lengths: last(T + 2), total: int32([T + 2], []), ...tables(8) },
      positions: int64([6, 2], [1, 2]),
    };
    const attributes = { ...heads, do_rotary: 1 };
    await decomposedWeights("GroupQueryAttention", inputs, presents, attributes);
  });

  test("packed QKV", async () => {
    const all = random(B, T, (H + 2 * Hkv) * width);
    const inputs = {
      ...{ query: value(all), key: undefined, value: undefined, pastKey: undefined, pastValue: undefined },
      ...{ lengths: last(T, T), total: int32([T], []) },
    };
    const weights = await decomposedWeights("GroupQueryAttention", inputs, presents, heads);
    const headed = split(all, H + 2 * Hkv);
    close(
      weights,
      attentionWeights(slice(headed, 1, 0, H), slice(headed, 1, H, H + Hkv), { mask: causal() }),
    );
  });

  test("sequences of different lengths, and a past buffer that is partly filled", async () => {
    const P = 8;
    const { q, k, v } = call(B, 1);
    const [pastKey, pastValue] = [random(B, Hkv, P, width), random(B, Hkv, P, width)];
    const inputs = {
      ...{
        query: value(q),
        key: value(k),
        value: value(v),
        pastKey: value(pastKey),
        pastValue: value(pastValue),
      },
      ...{ lengths: last(6, 4), total: int32([6], []) },
    };
    const weights = await decomposedWeights("GroupQueryAttention", inputs, presents, heads);
    const seen = numbers(weights);
    expect(weights.dims).toEqual([B, H, 1, P]);
    for (let i = 0; i < seen.length; i++) expect(seen[i]! > 0).toBe(i % P < (i < H * P ? 6 : 4));
  });

  test("right-padded prompts, rotated", async () => {
    const { q, k, v } = call(B, T);
    const inputs = {
      ...{ query: value(q), key: value(k), value: value(v), pastKey: undefined, pastValue: undefined },
      ...{ lengths: last(T, 3), total: int32([T], []), ...tables(8) },
    };
    // Rows of padding are undefined: ONNX Runtime returns uninitialized memory for them.
    const means = (name: string, i: number) => name !== "output" || i < (T + 3) * H * width;
    const attributes = { ...heads, do_rotary: 1 };
    await decomposedWeights("GroupQueryAttention", inputs, presents, attributes, { means });
  });

  test("a bias of scores, and logits of sinks", async () => {
    const { q, k, v } = call(B, T);
    const [bias, sinks] = [random(B, H, T, T), random(H)];
    const inputs = {
      ...{ query: value(q), key: value(k), value: value(v), pastKey: undefined, pastValue: undefined },
      ...{ lengths: last(T, T), total: int32([T], []), cos: undefined, sin: undefined, positions: undefined },
      ...{ added: value(bias), sinks: value(sinks) },
    };
    const weights = await decomposedWeights("GroupQueryAttention", inputs, presents, heads);
    close(weights, attentionWeights(split(q, H), split(k, Hkv), { mask: causal(), bias, sinks }));
  });
});

/** Rotates `[B, heads, T, D]` by tables whose row is a token's position. */
function rotated(x: Tensor, cos: Value, sin: Value, first: number, interleaved: boolean): Tensor {
  const [, , T = 0, D = 0] = x.shape;
  const half = cos.dims[1]!;
  const [c, s] = [cos.data as Float32Array, sin.data as Float32Array];
  const out = Float32Array.from(x.data);
  for (let row = 0; row < out.length / D; row++) {
    const place = first + (row % T);
    for (let i = 0; i < half; i++) {
      const [a, b] = interleaved ? [2 * i, 2 * i + 1] : [i, i + half];
      const [u, w] = [x.data[row * D + a]!, x.data[row * D + b]!];
      out[row * D + a] = u * c[place * half + i]! - w * s[place * half + i]!;
      out[row * D + b] = w * c[place * half + i]! + u * s[place * half + i]!;
    }
  }
  return tensor(out, { shape: x.shape });
}
