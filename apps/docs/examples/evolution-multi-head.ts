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
  tensor,
  transpose,
  tril,
  where,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

type Weights = { query: Tensor; key: Tensor; value: Tensor; output: Tensor };
const [T, H] = [6, 4];
let D = 2;

function causal(x: Tensor, w: Weights) {
  const [asking, source] = [x, x];
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const value = linear(source, w.value); // [S, C]
  const dots = matmul(query, transpose(key)); // [T, S]
  const scores = mul(dots, 1 / Math.sqrt(D));
  const visible = cast(tril(ones([T, T])), "bool");
  const weights = softmax(where(visible, scores, -Infinity));
  return { weights, output: matmul(weights, value) }; // [T, C]
}

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

const words = "the cat sat on the mat".split(" ");
const x = randn([6, 8], { seed: 1 }); // [T, C]
const w = {
  query: randn([8, 8], { seed: 2 }), // [H · D, C]
  key: randn([8, 8], { seed: 3 }),
  value: randn([8, 8], { seed: 4 }),
  output: randn([8, 8], { seed: 5 }), // [C, H · D]
};
const weights = reshape(multiHead(x, w).weights, [1, H, T, T]);
show(attentionMap(weights, { rowLabels: words, columnLabels: words, max: 1 }));

function apart(a: Tensor, b: Tensor) {
  return Math.max(
    ...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))),
  );
}

// One head as wide as the model, with the identity as output projection.
D = 8;
const eye = Array.from({ length: 64 }, (_, i) => Number(i % 9 === 0));
const alone = { ...w, output: tensor(eye, { shape: [8, 8] }) };
const difference = apart(multiHead(x, alone).output, causal(x, alone).output);
print("one head and causal attention differ by", difference);
if (difference !== 0) throw new Error("not equal");
