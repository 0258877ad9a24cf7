import { print, show } from "@qkv/page";
import {
  linear,
  matmul,
  mul,
  randn,
  softmax,
  type Tensor,
  tensor,
  transpose,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

type Weights = { query: Tensor; key: Tensor; value: Tensor };
const D = 8;

function luong(asking: Tensor, source: Tensor, w: Weights) {
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const scores = matmul(query, transpose(key)); // [T, S]
  const weights = softmax(scores);
  return { weights, output: matmul(weights, source) }; // [T, C]
}

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

const words = "the cat sat on the mat".split(" ");
const x = randn([6, 8], { seed: 1 }); // [T, C]
const w = {
  query: randn([8, 8], { seed: 2 }), // [A, C], and A is D
  key: randn([8, 8], { seed: 3 }),
  value: randn([8, 8], { seed: 4 }),
};
const { weights } = self(x, w);
show(attentionMap(weights, { rowLabels: words, columnLabels: words, max: 1 }));

function apart(a: Tensor, b: Tensor) {
  return Math.max(
    ...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))),
  );
}

// Identity values, and queries scaled up to undo the division.
const eye = Array.from({ length: 64 }, (_, i) => Number(i % 9 === 0));
const same = self(x, {
  ...w,
  query: mul(w.query, Math.sqrt(D)),
  value: tensor(eye, { shape: [8, 8] }),
});
const difference = apart(same.output, luong(x, x, w).output);
print(
  "self-attention and Luong attention of x over itself differ by",
  difference,
);
if (!(difference < 1e-4)) throw new Error("not equal");
