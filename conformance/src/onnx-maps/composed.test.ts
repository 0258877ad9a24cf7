// Attention composed of several operators, as exporters write it: weights become outputs, and nothing else changes.
import { attentionWeights, causal, type AttentionOptions } from "@qkv/attention";
import { randn, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { floats, mapped, newGraph, numbers, runGraph, type Graph, type Values } from "./session.js";

const [B, H, T, D] = [2, 4, 5, 8];
const [q, k, v] = [1, 2, 3].map((seed) => randn([B, H, T, D], { seed })) as [Tensor, Tensor, Tensor];
const shared = [4, 5].map((seed) => randn([B, 2, T, D], { seed })) as [Tensor, Tensor];
const tril = Float32Array.from({ length: T * T }, (_, i) => (i % T <= Math.floor(i / T) ? 0 : -1e9));

type Names = { q: string; k: string; v: string };
type Composed = (g: Graph, names: Names) => void;

/** Transposes `[…, T, D]` to `[…, D, T]`. */
const swapped = (g: Graph, x: string) => g.op("Transpose", [x], { perm: [0, 1, 3, 2] });
const finish = (g: Graph, weights: string, v: string) => {
  const mixed = g.op("Transpose", [g.op("MatMul", [weights, v])], { perm: [0, 2, 1, 3] });
  g.op("Reshape", [mixed, g.list(0, 0, H * D)], {}, { to: ["output"] });
};
const scaled = { scale: 1 / Math.sqrt(D) };

const patterns: [string, Composed, AttentionOptions, number?][] = [
  [
    "scores divided, a mask added (BERT, TorchScript)",
    (g, { q, k, v }) => {
      const dots = g.op("Div", [g.op("MatMul", [q, swapped(g, k)]), g.scalar(Math.sqrt(D))]);
      finish(g, g.op("Softmax", [g.op("Add", [dots, g.constant(tril, [1, 1, T, T])])], { axis: -1 }), v);
    },
    { mask: causal() },
  ],
  [
    "scores chosen by Where, a cast and dropout (GPT-2)",
    (g, { q, k, v }) => {
      const dots = g.op("Mul", [g.op("MatMul", [q, swapped(g, k)]), g.scalar(D ** -0.5)]);
      const sees = g.op("Equal", [g.constant(tril, [1, 1, T, T]), g.scalar(0)]);
      const scores = g.op("Where", [sees, dots, g.scalar(-3.4028234663852886e38)]);
      const weights = g.op("Cast", [g.op("Softmax", [scores], { axis: 3 })], { to: 1 });
      finish(g, g.op("Dropout", [weights]), v);
    },
    { mask: causal() },
    12,
  ],
  [
    "the scale before the product, on both sides, and rows of NaN made 0 (scaled_dot_product_attention)",
    (g, { q, k, v }) => {
      const root = g.op("Sqrt", [g.scalar(D ** -0.5)]);
      const dots = g.op("MatMul", [g.op("Mul", [q, root]), g.op("Mul", [swapped(g, k), root])]);
      const weights = g.op("Softmax", [g.op("Add", [dots, g.constant(tril, [T, T])])], { axis: -1 });
      finish(g, g.op("Where", [g.op("IsNaN", [weights]), g.scalar(0), weights]), v);
    },
    { mask: causal() },
  ],
  [
    "softcap",
    (g, { q, k, v }) => {
      const dots = g.op("Mul", [g.op("MatMul", [q, swapped(g, k)]), g.scalar(D ** -0.5)]);
      const capped = g.op("Mul", [g.op("Tanh", [g.op("Div", [dots, g.scalar(0.7)])]), g.scalar(0.7)]);
      finish(g, g.op("Softmax", [capped], { axis: -1 }), v);
    },
    { softcap: 0.7 },
  ],
  [
    "Einsum",
    (g, { q, k, v }) => {
      const dots = g.op("Einsum", [q, k], { equation: "bhqd, bhkd -> bhqk" });
      const weights = g.op("Softmax", [g.op("Mul", [dots, g.scalar(D ** -0.5)])], { axis: -1 });
      const mixed = g.op("Einsum", [weights, v], { equation: "bhqk,bhkd->bqhd" });
      g.op("Reshape", [mixed, g.list(0, 0, H * D)], {}, { to: ["output"] });
    },
    {},
  ],
  [
    "values on the left of transposed weights",
    (g, { q, k, v }) => {
      const dots = g.op("Mul", [g.op("MatMul", [q, swapped(g, k)]), g.scalar(D ** -0.5)]);
      const weights = g.op("Softmax", [dots], { axis: -1 });
      const mixed = g.op("MatMul", [swapped(g, v), swapped(g, weights)]); // [B, H, D, T]
      g.op(
        "Reshape",
        [g.op("Transpose", [mixed], { perm: [0, 3, 1, 2] }), g.list(0, 0, H * D)],
        {},
        { to: ["output"] },
      );
    },
    {},
  ],
  [
    "a softmax that is composed of an exponential and its sum (JAX)",
    (g, { q, k, v }) => {
      const dots = g.op("Mul", [g.op("MatMul", [q, swapped(g, k)]), g.scalar(D ** -0.5)]);
      const masked = g.op("Add", [dots, g.constant(tril, [T, T])]);
      const largest = g.op("ReduceMax", [masked], { axes: [3] });
      const powers = g.op("Exp", [g.op("Sub", [masked, largest])]);
      finish(g, g.op("Div", [powers, g.op("ReduceSum", [powers, g.list(-1)])]), v);
    },
    { mask: causal() },
  ],
  [
    "the exponential of LogSoftmax",
    (g, { q, k, v }) => {
      const dots = g.op("Mul", [g.op("MatMul", [q, swapped(g, k)]), g.scalar(D ** -0.5)]);
      finish(g, g.op("Exp", [g.op("LogSoftmax", [dots], { axis: -1 })]), v);
    },
    {},
  ],
  [
    "FusedMatMul",
    (g, { q, k, v }) => {
      const domain = "com.microsoft";
      const dots = g.op("FusedMatMul", [q, k], { transB: 1, alpha: { float: D ** -0.5 } }, { domain });
      finish(g, g.op("Softmax", [dots], { axis: -1 }), v);
    },
    {},
  ],
  [
    "weights in 8 bits between QuantizeLinear and DequantizeLinear",
    (g, { q, k, v }) => {
      const dots = g.op("Mul", [g.op("MatMul", [q, swapped(g, k)]), g.scalar(D ** -0.5)]);
      const weights = g.op("Softmax", [dots], { axis: -1 });
      const step = g.scalar(1 / 255);
      finish(g, g.op("DequantizeLinear", [g.op("QuantizeLinear", [weights, step]), step]), v);
    },
    {},
  ],
];

async function run(bytes: Uint8Array, inputs: Record<string, Tensor>) {
  const feeds: Values = Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [name, floats(x.data as Float32Array, x.shape)]),
  );
  const model = await mapped(bytes);
  const [before, after] = [await runGraph(model.before, feeds), await runGraph(model.after, feeds)];
  for (const [name, value] of Object.entries(before)) expect(after[name], name).toEqual(value);
  return { model, weights: after["attentions.0"]! };
}

test.each(patterns)("%s", async (_, compose, options, opset = 17) => {
  const g = newGraph({ opset });
  const axes = ["batch", H, "length", D];
  const names = { q: g.input("q", axes), k: g.input("k", axes), v: g.input("v", axes) };
  g.output("output", ["batch", "length", H * D]);
  compose(g, names);
  const { model, weights } = await run(g.bytes(), { q, k, v });
  expect(model.maps).toMatchObject([{ name: "attentions.0", how: "exposed" }]);
  expect(model.skipped).toEqual([]);
  const ours = attentionWeights(q, k, { ...scaled, ...options });
  expect(weights.dims).toEqual(ours.shape);
  expect(numbers(weights)).toBeAllclose(ours.data, { rtol: 0, atol: 1e-5 });
});

test("shared keys that Expand repeats for query heads", async () => {
  const g = newGraph({ opset: 17 });
  const axes = ["batch", 2, "length", D];
  const [query, key, value] = [
    g.input("q", ["batch", H, "length", D]),
    g.input("k", axes),
    g.input("v", axes),
  ];
  g.output("output", ["batch", "length", H * D]);
  const repeated = (x: string) => {
    const wide = g.op("Unsqueeze", [x, g.list(2)]);
    const shape = g.op("Concat", [g.list(1, 1, 2, 1), g.list(1)], { axis: 0 });
    return g.op("Reshape", [g.op("Expand", [wide, shape]), g.list(0, H, -1, D)]);
  };
  const dots = g.op("Mul", [g.op("MatMul", [query, swapped(g, repeated(key))]), g.scalar(D ** -0.5)]);
  finish(g, g.op("Softmax", [dots], { axis: -1 }), repeated(value));
  const { weights } = await run(g.bytes(), { q, k: shared[0], v: shared[1] });
  expect(numbers(weights)).toBeAllclose(attentionWeights(q, shared[0]).data, { rtol: 0, atol: 1e-5 });
});

test("a separate axis for the query heads that share keys is merged into one axis of heads", async () => {
  const g = newGraph({ opset: 17 });
  const axes = ["batch", 2, "length", D];
  const [query, key, value] = [
    g.input("q", ["batch", H, "length", D]),
    g.input("k", axes),
    g.input("v", axes),
  ];
  g.output("output", ["batch", 2, 2, "length", D]);
  const groups = g.op("Reshape", [query, g.list(0, 2, 2, -1, D)]);
  const wide = (x: string) => g.op("Unsqueeze", [x, g.list(2)]);
  const keys = g.op("Transpose", [wide(key)], { perm: [0, 1, 2, 4, 3] });
  const weights = g.op("Softmax", [g.op("MatMul", [groups, keys])], { axis: -1 });
  g.op("MatMul", [weights, wide(value)], {}, { to: ["output"] });
  const { model, weights: found } = await run(g.bytes(), { q, k: shared[0], v: shared[1] });
  expect(model.maps[0]!.shape!.slice(1, 2)).toEqual([H]);
  expect(found.dims).toEqual([B, H, T, T]);
  expect(numbers(found)).toBeAllclose(attentionWeights(q, shared[0], { scale: 1 }).data, {
    rtol: 0,
    atol: 1e-5,
  });
});

test("with 4-bit projections", async () => {
  const g = newGraph({ opset: 17 });
  const [C, N, blocks] = [32, 32, 1];
  const x = g.input("x", ["batch", "length", C]);
  g.output("output", ["batch", "length", C]);
  const project = (seed: number) => {
    const packed = Uint8Array.from({ length: (N * C) / 2 }, (_, i) => (i * 37 + seed * 11) % 256);
    const weight = g.constant(packed, [N, blocks, 16], "uint8");
    const scales = g.constant(new Float32Array(N * blocks).fill(0.05), [N * blocks]);
    const attributes = { K: C, N, bits: 4, block_size: 32 };
    const rows = g.op("MatMulNBits", [x, weight, scales], attributes, { domain: "com.microsoft" });
    return g.op("Transpose", [g.op("Reshape", [rows, g.list(0, 0, H, D)])], { perm: [0, 2, 1, 3] });
  };
  const [query, key, value] = [project(1), project(2), project(3)];
  const dots = g.op("Mul", [g.op("MatMul", [query, swapped(g, key)]), g.scalar(D ** -0.5)]);
  finish(g, g.op("Softmax", [dots], { axis: -1 }), value);
  const { model, weights } = await run(g.bytes(), { x: randn([B, T, C], { seed: 9 }) });
  expect(model.maps).toMatchObject([{ how: "exposed", shape: ["batch", H, "length", "length"] }]);
  const rows = Array.from({ length: B * H * T }, (_, row) =>
    Array.from(numbers(weights))
      .slice(row * T, (row + 1) * T)
      .reduce((a, b) => a + b),
  );
  expect(rows).toBeAllclose(
    rows.map(() => 1),
    { rtol: 0, atol: 1e-5 },
  );
});

test("weights that are already outputs are listed by name, and the file is unchanged", async () => {
  const g = newGraph({ opset: 17 });
  const axes = ["batch", H, "length", D];
  const [query, key, value] = [g.input("q", axes), g.input("k", axes), g.input("v", axes)];
  g.output("output", ["batch", "length", H * D]);
  const own = g.output("probabilities", ["batch", H, "length", "length"]);
  finish(g, g.op("Softmax", [g.op("MatMul", [query, swapped(g, key)])], { axis: -1 }, { to: [own] }), value);
  const model = await mapped(g.bytes());
  expect(model.maps).toMatchObject([{ name: "probabilities", how: "existing" }]);
  expect(model.after).toEqual(model.before);
});

test("scores without a softmax are left unchanged; the report names their product with the values", async () => {
  const g = newGraph({ opset: 17 });
  const axes = ["batch", H, "length", D];
  const names = { q: g.input("q", axes), k: g.input("k", axes), v: g.input("v", axes) };
  g.output("output", ["batch", "length", H * D]);
  const dots = g.op("MatMul", [names.q, swapped(g, names.k)]);
  finish(g, g.op("Sigmoid", [g.op("Mul", [dots, g.scalar(D ** -0.5)])]), names.v);
  const model = await mapped(g.bytes());
  expect(model.maps).toEqual([]);
  const reason = "its scores are multiplied with values without a softmax";
  expect(model.skipped).toEqual([{ node: dots, operator: "MatMul", reason }]);
  expect(model.after).toEqual(model.before);
});

test("a slice of a weight matrix with a dynamic length is not a key", async () => {
  const g = newGraph({ opset: 17 });
  const x = g.input("x", ["batch", "length", D]);
  g.output("output", ["batch", "length", D]);
  const matrix = g.constant(new Float32Array(2 * D * D), [D, 2 * D]);
  const width = g.op("Gather", [g.op("Shape", [x]), g.list(2)]);
  const part = g.op("Slice", [matrix, g.list(0), width, g.list(1)]);
  const gate = g.op("Softmax", [g.op("MatMul", [x, part])], { axis: -1 });
  g.op("MatMul", [gate, part], {}, { to: ["output"] });
  const { maps } = await mapped(g.bytes());
  expect(maps).toEqual([]);
});

test("other softmaxes and unrecognized attention are left unchanged; the report names the node", async () => {
  const g = newGraph({ opset: 17 });
  const x = g.input("x", ["batch", "length", D]);
  g.output("output", ["batch", "length", D]);
  const weight = g.constant(new Float32Array(D * D), [D, D]);
  // A router, and attention over the wrong axis.
  const router = g.op("Softmax", [g.op("MatMul", [x, weight])], { axis: -1 });
  const dots = g.op("MatMul", [x, g.op("Transpose", [x], { perm: [0, 2, 1] })]);
  const columns = g.op("Softmax", [dots], { axis: 1 });
  g.op("Add", [g.op("MatMul", [columns, x]), router], {}, { to: ["output"] });
  const model = await mapped(g.bytes());
  expect(model.maps).toEqual([]);
  expect(model.skipped).toEqual([
    { node: columns, operator: "Softmax", reason: "it is a softmax over axis 1, which is not the last" },
  ]);
  expect(model.after).toEqual(model.before);
});
