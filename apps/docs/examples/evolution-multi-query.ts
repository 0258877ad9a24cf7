import { print, show } from "@qkv/page";
import {
  cast,
  linear,
  matmul,
  mul,
  ones,
  permute,
  randn,
  reshape,
  softmax,
  type Tensor,
  tile,
  transpose,
  tril,
  where,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

type Weights = { query: Tensor; key: Tensor; value: Tensor; output: Tensor };
const [T, H, D] = [6, 4, 2];

function multiHead(x: Tensor, w: Weights) {
  const [asking, source] = [x, x];
  const cut = (y: Tensor) => permute(reshape(y, [T, -1, D]), [1, 0, 2]);
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const value = linear(source, w.value); // [S, C]
  const dots = matmul(cut(query), transpose(cut(key))); // [T, S]
  const scores = mul(dots, 1 / Math.sqrt(D));
  const visible = cast(tril(ones([T, T])), "bool");
  const weights = softmax(where(visible, scores, -Infinity));
  const attended = permute(matmul(weights, cut(value)), [1, 0, 2]); // [T, H, D]
  return { weights, output: linear(reshape(attended, [T, -1]), w.output) };
}

function multiQuery(x: Tensor, w: Weights) {
  const [asking, source] = [x, x];
  const cut = (y: Tensor) => permute(reshape(y, [T, -1, D]), [1, 0, 2]);
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const value = linear(source, w.value); // [S, C]
  const dots = matmul(cut(query), transpose(key)); // [T, S]
  const scores = mul(dots, 1 / Math.sqrt(D));
  const visible = cast(tril(ones([T, T])), "bool");
  const weights = softmax(where(visible, scores, -Infinity));
  const attended = permute(matmul(weights, value), [1, 0, 2]); // [T, H, D]
  return { weights, output: linear(reshape(attended, [T, -1]), w.output) };
}

const words = "the cat sat on the mat".split(" ");
const x = randn([6, 8], { seed: 1 }); // [T, C]
const w = {
  query: randn([8, 8], { seed: 2 }), // [H · D, C]
  key: randn([2, 8], { seed: 3 }), // [D, C]: one head for all queries
  value: randn([2, 8], { seed: 4 }),
  output: randn([8, 8], { seed: 5 }),
};
const { weights, output } = multiQuery(x, w);
const labels = { rowLabels: words, columnLabels: words };
show(attentionMap(reshape(weights, [1, H, T, T]), { ...labels, max: 1 }));

function apart(a: Tensor, b: Tensor) {
  return Math.max(
    ...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))),
  );
}

// Multi-head attention in which all heads have the same key and value.
const repeated = {
  ...w,
  key: tile(w.key, [H, 1]),
  value: tile(w.value, [H, 1]),
};
const difference = apart(output, multiHead(x, repeated).output);
print("multi-query and multi-head with equal heads differ by", difference);
print("numbers cached per token:", 2 * H * D, "before,", 2 * D, "now");
if (difference !== 0) throw new Error("not equal");
