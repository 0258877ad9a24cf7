import { causal, groupedQuery as layer } from "@qkv/attention";
import { print, show } from "@qkv/page";
import {
  cast,
  expandDims,
  linear,
  matmul,
  mul,
  ones,
  permute,
  randn,
  repeat,
  reshape,
  softmax,
  slice,
  squeeze,
  type Tensor,
  tile,
  transpose,
  tril,
  where,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

type Weights = { query: Tensor; key: Tensor; value: Tensor; output: Tensor };
const [T, H, D] = [6, 4, 2];

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

function groupedQuery(x: Tensor, w: Weights) {
  const [asking, source] = [x, x];
  const cut = (y: Tensor) => permute(reshape(y, [T, -1, D]), [1, 0, 2]);
  const share = (y: Tensor) => repeat(cut(y), (H * D) / y.shape[1]!, 0);
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const value = linear(source, w.value); // [S, C]
  const dots = matmul(cut(query), transpose(share(key))); // [T, S]
  const scores = mul(dots, 1 / Math.sqrt(D));
  const visible = cast(tril(ones([T, T])), "bool");
  const weights = softmax(where(visible, scores, -Infinity));
  const attended = permute(matmul(weights, share(value)), [1, 0, 2]); // [T, H, D]
  return { weights, output: linear(reshape(attended, [T, -1]), w.output) };
}

const words = "the cat sat on the mat".split(" ");
const x = randn([6, 8], { seed: 1 }); // [T, C]
const w = {
  query: randn([8, 8], { seed: 2 }), // [H · D, C]
  key: randn([4, 8], { seed: 3 }), // [Hkv · D, C]: two heads, each for two queries
  value: randn([4, 8], { seed: 4 }),
  output: randn([8, 8], { seed: 5 }),
};
const { weights, output } = groupedQuery(x, w);
const labels = { rowLabels: words, columnLabels: words };
show(attentionMap(reshape(weights, [1, H, T, T]), { ...labels, max: 1 }));

function apart(a: Tensor, b: Tensor) {
  return Math.max(
    ...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))),
  );
}

const first = {
  ...w,
  key: slice(w.key, 0, 0, D),
  value: slice(w.value, 0, 0, D),
};
const oneGroup = apart(
  groupedQuery(x, first).output,
  multiQuery(x, first).output,
);
// The package's layer, with the same matrices.
const { query, key, value, output: out } = w;
const params = {
  query: { weight: query },
  key: { weight: key },
  value: { weight: value },
  output: { weight: out },
};
const config = { embedDim: 8, numHeads: H, numKvHeads: 2, mask: causal() };
const packaged = squeeze(layer(config).apply(params, expandDims(x, 0)), 0);
print("one group and multi-query attention differ by", oneGroup);
print("this code and @qkv/attention differ by", apart(output, packaged));
if (oneGroup !== 0 || !(apart(output, packaged) < 1e-4))
  throw new Error("not equal");

// Adjacent heads share. Assigning the heads in turn is a different layer.
const dealt = (matrix: Tensor) => tile(matrix, [2, 1]); // as many heads as queries
const wrong = groupedQuery(x, {
  ...w,
  key: dealt(w.key),
  value: dealt(w.value),
});
print(
  "assigning the heads in turn changes the output by",
  apart(output, wrong.output),
);
if (!(apart(output, wrong.output) > 0.1))
  throw new Error("the order of the heads did not matter");
