import { groupedQuery as layer, slidingWindow as mask } from "@qkv/attention";
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
  squeeze,
  type Tensor,
  transpose,
  tril,
  triu,
  where,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

type Weights = { query: Tensor; key: Tensor; value: Tensor; output: Tensor };
const [T, H, D] = [6, 4, 2];
let W = 3;

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

function slidingWindow(x: Tensor, w: Weights) {
  const [asking, source] = [x, x];
  const cut = (y: Tensor) => permute(reshape(y, [T, -1, D]), [1, 0, 2]);
  const share = (y: Tensor) => repeat(cut(y), (H * D) / y.shape[1]!, 0);
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const value = linear(source, w.value); // [S, C]
  const dots = matmul(cut(query), transpose(share(key))); // [T, S]
  const scores = mul(dots, 1 / Math.sqrt(D));
  const visible = cast(triu(tril(ones([T, T])), 1 - W), "bool");
  const weights = softmax(where(visible, scores, -Infinity));
  const attended = permute(matmul(weights, share(value)), [1, 0, 2]); // [T, H, D]
  return { weights, output: linear(reshape(attended, [T, -1]), w.output) };
}

const words = "the cat sat on the mat".split(" ");
const x = randn([6, 8], { seed: 1 }); // [T, C]
const w = {
  query: randn([8, 8], { seed: 2 }), // [H · D, C]
  key: randn([4, 8], { seed: 3 }), // [Hkv · D, C]
  value: randn([4, 8], { seed: 4 }),
  output: randn([8, 8], { seed: 5 }),
};
const { weights, output } = slidingWindow(x, w);
const labels = { rowLabels: words, columnLabels: words };
show(attentionMap(reshape(weights, [1, H, T, T]), { ...labels, max: 1 }));

function apart(a: Tensor, b: Tensor) {
  return Math.max(
    ...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))),
  );
}

// The package's layer, with a window as its mask.
const { query, key, value, output: out } = w;
const params = {
  query: { weight: query },
  key: { weight: key },
  value: { weight: value },
  output: { weight: out },
};
const config = { embedDim: 8, numHeads: H, numKvHeads: 2, mask: mask(W) };
const packaged = squeeze(layer(config).apply(params, expandDims(x, 0)), 0);
print("this code and @qkv/attention differ by", apart(output, packaged));

// A window as long as the text hides nothing.
W = T;
const wide = apart(slidingWindow(x, w).output, groupedQuery(x, w).output);
print("a window of all six words and grouped-query attention differ by", wide);
if (wide !== 0 || !(apart(output, packaged) < 1e-4))
  throw new Error("not equal");
