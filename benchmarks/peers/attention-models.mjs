// Attention as ONNX models: composed of products and a softmax, as the standard operator, and as onnxruntime's two
// operators. Each builder returns `{ model, feeds, compared }`; `compared` converts outputs to [H, T, D].
import { swapAxes } from "../heads.mjs";
import { graph } from "./onnx.mjs";

/**
 * Keys and values are inputs or, with `baked`, constants of the model. Masked scores get -1e9 added; a single query sees all
 * keys.
 */
export function composed(shape, { query, key, value }, { causal = false, baked = false } = {}) {
  const { numHeads, numKvHeads, headDim, queryLength: T, keyLength: S } = shape;
  const g = graph();
  const feeds = { query: ["float32", [1, numHeads, T, headDim], query] };
  const q = g.input("query", [1, numHeads, T, headDim]);
  const place = (name, data) => {
    const lengths = [1, numKvHeads, S, headDim];
    if (baked) return g.constant(data, lengths);
    feeds[name] = ["float32", lengths, data];
    return g.input(name, lengths);
  };
  const group = numHeads / numKvHeads;
  const repeated = (x) => {
    if (group === 1) return x;
    const wide = g.op("Expand", [
      g.op("Unsqueeze", [x, g.list(2)]),
      g.list(1, numKvHeads, group, S, headDim),
    ]);
    return g.op("Reshape", [wide, g.list(1, numHeads, S, headDim)]);
  };
  const [k, v] = [repeated(place("key", key)), repeated(place("value", value))];
  const dots = g.op("MatMul", [q, g.op("Transpose", [k], { perm: [0, 1, 3, 2] })]);
  let scores = g.op("Mul", [dots, g.scalar(1 / Math.sqrt(headDim))]);
  if (causal) {
    feeds.mask = ["float32", [T, S], triangle(T, S)];
    scores = g.op("Add", [scores, g.input("mask", [T, S])]);
  }
  const y = g.output("y", [1, numHeads, T, headDim]);
  g.op("MatMul", [g.op("Softmax", [scores], { axis: -1 }), v], {}, { to: [y] });
  return { model: g.bytes(), feeds };
}

/** `Attention` of ONNX, from opset 23 on. */
export function standard(shape, { query, key, value }, { causal = false } = {}) {
  const { numHeads, numKvHeads, headDim, queryLength: T, keyLength: S } = shape;
  const g = graph({ opset: 23 });
  const feeds = {
    query: ["float32", [1, numHeads, T, headDim], query],
    key: ["float32", [1, numKvHeads, S, headDim], key],
    value: ["float32", [1, numKvHeads, S, headDim], value],
  };
  const inputs = Object.entries(feeds).map(([name, [, lengths]]) => g.input(name, lengths));
  const y = g.output("y", [1, numHeads, T, headDim]);
  g.op("Attention", inputs, { is_causal: causal ? 1 : 0 }, { to: [y] });
  return { model: g.bytes(), feeds };
}

/** `MultiHeadAttention` of onnxruntime, over [T, H · D]. */
export function multiHead(shape, { query, key, value }, { causal = false } = {}) {
  const { numHeads, headDim, queryLength: T, keyLength: S } = shape;
  const g = graph();
  const width = numHeads * headDim;
  const feeds = {
    query: ["float32", [1, T, width], swapAxes(query, numHeads, T, headDim)],
    key: ["float32", [1, S, width], swapAxes(key, numHeads, S, headDim)],
    value: ["float32", [1, S, width], swapAxes(value, numHeads, S, headDim)],
  };
  const inputs = Object.entries(feeds).map(([name, [, lengths]]) => g.input(name, lengths));
  const options = { domain: "com.microsoft", to: [g.output("y", [1, T, width])] };
  g.op("MultiHeadAttention", inputs, { num_heads: numHeads, unidirectional: causal ? 1 : 0 }, options);
  return { model: g.bytes(), feeds };
}

/**
 * `GroupQueryAttention` of onnxruntime, always causal: the last `queryLength` positions are appended to those of the past.
 *
 * @param options - `window`: keys that a query sees, itself included.
 */
export function groupQuery(shape, { query, key, value }, { window } = {}) {
  const { numHeads, numKvHeads, headDim, queryLength: T, keyLength: S } = shape;
  const past = S - T;
  const g = graph();
  const cut = (data, from, to) => {
    const out = new Float32Array(numKvHeads * (to - from) * headDim);
    for (let head = 0; head < numKvHeads; head++) {
      const at = head * S * headDim;
      out.set(data.subarray(at + from * headDim, at + to * headDim), head * (to - from) * headDim);
    }
    return out;
  };
  const rows = (data) => [
    "float32",
    [1, T, numKvHeads * headDim],
    swapAxes(cut(data, past, S), numKvHeads, T, headDim),
  ];
  const before = (data) => ["float32", [1, numKvHeads, past, headDim], cut(data, 0, past)];
  const feeds = {
    query: ["float32", [1, T, numHeads * headDim], swapAxes(query, numHeads, T, headDim)],
    key: rows(key),
    value: rows(value),
    past_key: before(key),
    past_value: before(value),
    last: ["int32", [1], Int32Array.of(S - 1)],
    total: ["int32", [], Int32Array.of(S)],
  };
  const inputs = Object.entries(feeds).map(([name, [type, lengths]]) => g.input(name, lengths, type));
  const to = [
    g.output("y", [1, T, numHeads * headDim]),
    g.output("present_key", [1, numKvHeads, "total", headDim]),
    g.output("present_value", [1, numKvHeads, "total", headDim]),
  ];
  const attributes = { num_heads: numHeads, kv_num_heads: numKvHeads };
  if (window !== undefined) attributes.local_window_size = window;
  g.op("GroupQueryAttention", inputs, attributes, { domain: "com.microsoft", to });
  return { model: g.bytes(), feeds };
}

function triangle(T, S) {
  const mask = new Float32Array(T * S);
  for (let i = 0; i < T; i++) mask.fill(-1e9, i * S + (S - T) + i + 1, (i + 1) * S);
  return mask;
}
