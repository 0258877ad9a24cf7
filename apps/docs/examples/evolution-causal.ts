import { print, show } from "@qkv/page";
import {
  cast,
  concat,
  linear,
  matmul,
  mul,
  ones,
  randn,
  slice,
  softmax,
  type Tensor,
  transpose,
  tril,
  where,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

type Weights = { query: Tensor; key: Tensor; value: Tensor };
const [T, D] = [6, 8];

function self(x: Tensor, w: Weights) {
  const [asking, source] = [x, x];
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const value = linear(source, w.value); // [S, C]
  const dots = matmul(query, transpose(key)); // [T, S]
  const scores = mul(dots, 1 / Math.sqrt(D));
  const weights = softmax(scores);
  return { weights, output: matmul(weights, value) }; // [T, C]
}

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

const words = "the cat sat on the mat".split(" ");
const x = randn([6, 8], { seed: 1 }); // [T, C]
const w = {
  query: randn([8, 8], { seed: 2 }),
  key: randn([8, 8], { seed: 3 }),
  value: randn([8, 8], { seed: 4 }),
};
const { weights, output } = causal(x, w);
show(attentionMap(weights, { rowLabels: words, columnLabels: words, max: 1 }));

function apart(a: Tensor, b: Tensor) {
  return Math.max(
    ...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))),
  );
}

// The last word saw everything before it, and still does.
const last = (y: Tensor) => slice(y, 0, 5, 6);
const lastRow = apart(last(output), last(self(x, w).output));
// Change the last word: the rows before it do not change.
const other = concat([slice(x, 0, 0, 5), randn([1, 8], { seed: 9 })], 0);
const earlier = (y: Tensor) => slice(y, 0, 0, 5);
const before = apart(earlier(output), earlier(causal(other, w).output));
const beforeMask = apart(
  earlier(self(x, w).output),
  earlier(self(other, w).output),
);
print(
  "change of the last row:",
  `${lastRow};`,
  "of earlier rows when the last word changes:",
  `${before},`,
  "without the mask:",
  beforeMask,
);
if (!(lastRow <= 1e-6) || before !== 0 || !(beforeMask > 0.1))
  throw new Error("not equal");
