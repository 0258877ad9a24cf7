import {
  and,
  attention,
  attentionWeights,
  causal,
  gatedDeltaRule,
  impliedWeights,
  latent,
  linearAttention,
  mix,
  mobaBlocks,
  rope,
  selectedKeys,
} from "@qkv/attention";
import { check, choice, print, show } from "@qkv/page";
import {
  add,
  div,
  full as filled,
  matmul,
  norm,
  randn,
  slice,
  softplus,
  sum,
  transpose,
  tril,
  type Tensor,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const words = "the cat sat on the mat".split(" ");
const query = randn([1, 2, 6, 8], { seed: 1 }); // [B, H, T, D]
const key = randn([1, 2, 6, 8], { seed: 2 });
const value = randn([1, 2, 6, 8], { seed: 3 });
const [decay, beta] = [filled([1, 2, 6], -0.1), filled([1, 2, 6], 0.8)];
const unitOf = (x: Tensor) => div(x, norm(x, { axis: -1, keepDims: true }));
const apart = (a: Tensor, b: Tensor) =>
  Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!)));

function linearStep() {
  const positive = { query: softplus(query), key: softplus(key), value };
  const linear = linearAttention({ normalize: true });
  const { output, state } = mix(linear, positive);
  print("numbers in the states, for any length:", state.data.length);

  // In the other order the same products are a map.
  const scores = tril(matmul(softplus(query), transpose(softplus(key))));
  const weights = div(scores, sum(scores, { axis: -1, keepDims: true }));
  const difference = apart(output, matmul(weights, value));
  check("the state answers as a map without softmax", difference < 1e-4);
  return impliedWeights(linear, positive);
}

function gatedDeltaStep() {
  const unit = { query: unitOf(query), key: unitOf(key), value };
  const delta = gatedDeltaRule();
  const { output, state } = mix(delta, { ...unit, decay, beta });
  print("numbers in the states, for any length:", state.data.length);
  const weights = impliedWeights(delta, { ...unit, decay, beta });
  const difference = apart(output, matmul(weights, value));
  check("its map times the values is its output", difference < 1e-5);

  // The last word is read back at once: beta 1 replaces what its key held.
  const [last, one] = [slice(unit.key, 2, 5, 6), filled([1, 2, 6], 1)];
  const replaced = mix(delta, { ...unit, decay, beta: one }).state;
  const read = matmul(last, replaced);
  check(
    "with beta 1 a key reads exactly what was written",
    apart(read, slice(value, 2, 5, 6)) < 1e-5,
  );
  return weights;
}

function latentStep() {
  const [embedDim, numHeads] = [16, 2];
  const ranks = { kvRank: 4, nopeDim: 6, ropeDim: 2, valueDim: 8 };
  const rotate = rope({ headDim: ranks.ropeDim, layout: "interleaved" });
  const sizes = { embedDim, numHeads, ...ranks, rope: rotate };
  const x = randn([1, 6, embedDim], { seed: 4 }); // [B, T, C]
  const layer = latent({ ...sizes, mask: causal() });
  const params = layer.init(1);
  const output = layer.absorbed(params, x);
  const cached = ranks.kvRank + ranks.ropeDim;
  print("cached numbers per word:", cached, "instead of", 2 * 2 * 8);
  const naive = layer.naive(params, x);
  check("latents read as they are give the same", apart(output, naive) < 1e-5);
}

function sparseStep() {
  const blocks = mobaBlocks(query, key, { blockSize: 2, topK: 2 });
  const mask = and(causal(), selectedKeys(blocks, 2));
  const every = mobaBlocks(query, key, { blockSize: 2, topK: 3 });
  const all = { mask: and(causal(), selectedKeys(every, 2)) };
  const dense = attention(query, key, value, { mask: causal() });
  const difference = apart(attention(query, key, value, all), dense);
  check("all three blocks are causal attention", difference === 0);
  return attentionWeights(query, key, { mask });
}

function hybridStep() {
  type Layer = (x: Tensor) => Tensor;
  const full: Layer = (x) => attention(x, x, x, { mask: causal() });
  const state: Layer = (x) => {
    const unit = { query: unitOf(x), key: unitOf(x), value: x };
    return mix(gatedDeltaRule(), { ...unit, decay, beta }).output;
  };
  const stack = [state, state, state, full];
  const run = (x: Tensor) => stack.reduce((x, layer) => add(x, layer(x)), x);
  const early = (x: Tensor) => slice(run(x), 2, 0, 5);
  const changed = add(query, filled([1, 1, 6, 1], 0));
  changed.data[5 * 8] = 100; // the last word of the first head
  check(
    "a later word changes no earlier row",
    apart(early(query), early(changed)) < 1e-5,
  );
}

const steps = {
  "linear attention": linearStep,
  "the gated delta rule": gatedDeltaStep,
  latents: latentStep,
  "sparse choice": sparseStep,
  "a hybrid stack": hybridStep,
};
const names = Object.keys(steps) as (keyof typeof steps)[];
const chosen = choice("show", names);
for (const name of names) {
  const weights = steps[name]();
  if (!weights || name !== chosen) continue;
  const options = { rowLabels: words, columnLabels: words, max: 1, min: -1 };
  show(attentionMap(weights, { ...options, title: name }));
}
