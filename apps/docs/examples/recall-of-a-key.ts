import { attention, deltaRule, linearAttention, mix } from "@qkv/attention";
import { check, choice, print, show } from "@qkv/page";
import {
  arange,
  argmax,
  broadcastTo,
  cast,
  concat,
  crossEntropy,
  div,
  embedding,
  equal,
  exp,
  expandDims,
  full,
  matmul,
  mul,
  norm,
  permutation,
  randn,
  sigmoid,
  slice,
  stack,
  uniform,
  type Tensor,
} from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { train } from "@qkv/transformer/training";
import { lines } from "@qkv/viz";

// Store n pairs of a key and a value, then ask for the value of each key.
const D = 8; // numbers in a key, so rows of a state
const [numKeys, numValues, B] = [64, 32, 8];
const stored = choice("each key is stored", ["once", "twice"]);
function drawPairs(n: number, seed: number) {
  const orders = Array.from({ length: B }, (_, b) =>
    permutation(numKeys, { seed: seed * B + b }),
  );
  const drawValues = (draw: number) =>
    cast(uniform([B, n], { seed, draw, high: numValues }), "int32");
  const keys = slice(stack(orders), 1, 0, n); // [B, n], each at most once
  return { keys, values: drawValues(0), oldValues: drawValues(1) };
}
type Pairs = ReturnType<typeof drawPairs>;

// Three layers: one keeps every key, two keep a state of D × 32 numbers.
const initial = () => ({
  keys: randn([numKeys, D], { seed: 3 }),
  sharpness: full([1], 1),
  rate: full([1, 1, 1], 1),
  contrast: full([1], 1),
});
type Params = ReturnType<typeof initial>;
type Layer = (params: Params, q: Tensor, k: Tensor, v: Tensor) => Tensor;
const layers: Record<string, Layer> = {
  softmax: ({ sharpness }, q, k, v) => attention(mul(q, exp(sharpness)), k, v),
  "linear attention": (_, q, k, v) =>
    matmul(q, mix(linearAttention(), { query: k, key: k, value: v }).state),
  "delta rule": ({ rate }, q, k, v) => {
    const beta = broadcastTo(sigmoid(rate), k.shape.slice(0, 3));
    const inputs = { query: k, key: k, value: v, beta };
    return matmul(q, mix(deltaRule(), inputs).state);
  },
};
const values = arange(numValues);
const oneHot = cast(equal(expandDims(values, 1), values), "float32");
function answer(layer: Layer, params: Params, pairs: Pairs) {
  const rows = embedding(params.keys, pairs.keys);
  const unit = div(rows, norm(rows, { axis: -1, keepDims: true }));
  const q = expandDims(unit, 1); // [B, H, n, D]
  const rowsOf = (ids: Tensor) => expandDims(embedding(oneHot, ids), 1);
  const v = rowsOf(pairs.values);
  const twice = stored === "twice"; // first another value, then the right one
  const k = twice ? concat([q, q], 2) : q;
  const vs = twice ? concat([rowsOf(pairs.oldValues), v], 2) : v;
  const read = layer(params, q, k, vs);
  return mul(read, exp(params.contrast)); // logits of the 32 values
}

const lengths = [2, 4, 8, 12, 16, 24, 32, 48, 64];
const steps = 120;
const recall: Record<string, number[]> = {};
for (const [name, layer] of Object.entries(layers)) {
  const start = performance.now();
  const params = initial();
  const run = train({
    params,
    loss: (params: Params, pairs: Pairs) =>
      crossEntropy(answer(layer, params, pairs), expandDims(pairs.values, 1)),
    optimizer: adam({ learningRate: 0.05 }),
    batchAt: (step) => drawPairs([4, 8, 16, 32, 64][step % 5]!, step),
    steps,
  });
  for await (const _ of run);
  const seconds = (performance.now() - start) / 1000;

  // Ask for every key of pairs that training did not see.
  recall[name] = lengths.map((n) => {
    const rounds = Math.ceil(64 / n);
    let right = 0;
    for (let round = 0; round < rounds; round++) {
      const pairs = drawPairs(n, 1000 + round);
      const best = argmax(answer(layer, params, pairs), { axis: -1 }).data;
      pairs.values.data.forEach((id, i) => (right += +(id === best[i])));
    }
    return right / (rounds * B * n);
  });
  print(
    `${name}: recalls ${recall[name].map((part) => `${Math.round(100 * part)}%`).join(" ")}`,
    `(trained in ${seconds.toFixed(1)} s)`,
  );
}
show(
  lines(
    { data: Object.values(recall).flat(), shape: [3, lengths.length] },
    {
      title: `share of keys recalled, D = ${D}`,
      labels: Object.keys(recall),
      meanings: ["weight", "cost", "value"],
      x: { data: lengths, shape: [lengths.length] },
      xLabel: "keys stored",
    },
  ),
);
print("keys stored:", lengths.join(" "));

const at = (name: string, n: number) => recall[name]![lengths.indexOf(n)]!;
const states = ["linear attention", "delta rule"];
if (stored === "once") {
  check("softmax attention recalls every key", at("softmax", 64) > 0.99);
  check(
    `${D} rows hold ${D} keys, with few errors`,
    states.every((name) => at(name, D) > 0.9),
  );
} else check("the delta rule replaces old values", at("delta rule", 8) > 0.85);
