import { additive, luongGeneral } from "@qkv/attention";
import { print, show } from "@qkv/page";
import {
  add,
  expandDims,
  linear,
  matmul,
  mean,
  randn,
  softmax,
  squeeze,
  tanh,
  type Tensor,
  transpose,
  zeros,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

type Weights = { query: Tensor; key: Tensor; score: Tensor };

function bahdanau(asking: Tensor, source: Tensor, w: Weights) {
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const met = tanh(add(expandDims(query, 1), key)); // [T, S, A]
  const scores = squeeze(linear(met, w.score), -1); // [T, S]
  const weights = softmax(scores);
  return { weights, output: matmul(weights, source) }; // [T, C]
}

function luong(asking: Tensor, source: Tensor, w: Weights) {
  const query = linear(asking, w.query); // [T, A]
  const key = linear(source, w.key); // [S, A]
  const scores = matmul(query, transpose(key)); // [T, S]
  const weights = softmax(scores);
  return { weights, output: matmul(weights, source) }; // [T, C]
}

const source = randn([6, 8], { seed: 1 }); // [S, C], read
const asking = randn([3, 8], { seed: 2 }); // [T, C], while writing
const w = {
  query: randn([8, 8], { seed: 3 }), // [A, C]
  key: randn([8, 8], { seed: 4 }),
  score: randn([1, 8], { seed: 5 }),
};
const [one, two] = [bahdanau(asking, source, w), luong(asking, source, w)];
show(attentionMap(one.weights, { title: "Bahdanau", max: 1 }));
show(attentionMap(two.weights, { title: "Luong", max: 1 }));

function apart(a: Tensor, b: Tensor) {
  return Math.max(
    ...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))),
  );
}
// If every score is 0, both return the mean of the input.
const nothing = { ...w, query: zeros([8, 8]), score: zeros([1, 8]) };
const average = add(zeros([3, 8]), mean(source, { axis: 0 }));
const batch = (x: Tensor) => expandDims(x, 0);
const layer = additive({ queryDim: 8, keyDim: 8, hiddenDim: 8 });
const general = luongGeneral({ queryDim: 8, keyDim: 8 });
const params = {
  query: { weight: w.query },
  key: { weight: w.key },
  score: { weight: w.score },
};
const joined = { weight: matmul(transpose(w.query), w.key) }; // W of qᵀ W k
const differences = {
  "Bahdanau, equal scores": apart(
    bahdanau(asking, source, nothing).output,
    average,
  ),
  "Luong, equal scores": apart(luong(asking, source, nothing).output, average),
  "Bahdanau and additive": apart(
    one.output,
    layer.apply(params, batch(asking), batch(source), batch(source)),
  ),
  "Luong and luongGeneral": apart(
    two.output,
    general.apply(joined, batch(asking), batch(source), batch(source)),
  ),
};
print("largest differences:", differences);
if (Object.values(differences).some((value) => !(value < 1e-4)))
  throw new Error("not equal");
