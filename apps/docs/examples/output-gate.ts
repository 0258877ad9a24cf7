import { causal, groupedQuery, outputGate } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import {
  full,
  linear,
  mul,
  permute,
  randn,
  reshape,
  sigmoid,
  type Tensor,
  zeros,
} from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const logit = slider("logit of every gate", {
  min: -8,
  max: 8,
  value: 0,
});
const heads = { embedDim: 16, numHeads: 4, numKvHeads: 2, mask: causal() };
const plain = groupedQuery(heads);
const gated = groupedQuery({ ...heads, gate: outputGate() });
const params = gated.init(1);
const x = randn([1, 6, 16], { seed: 2 }); // [B, T, C]

// Gates of random weights: each token closes some numbers of each head.
const logits = linear(x, params.gate?.weight ?? x); // [B, T, H * D]
const gates = permute(reshape(sigmoid(logits), [1, 6, 4, 4]), [0, 2, 1, 3]);
show(
  attentionMap(gates, {
    title: "Gates of each head: tokens down, numbers across",
    max: 1,
  }),
);

// The same gate everywhere: a bias, and a weight of zeros.
function outputWith(value: number): Tensor {
  const gate = { weight: zeros([16, 16]), bias: full([16], value) };
  return gated.apply({ ...params, gate }, x);
}
const whole = plain.apply(params, x);
print(
  "output with the gate",
  outputWith(logit).data[0],
  "and without",
  whole.data[0],
);

const open = outputWith(40).data;
if (!open.every((y, i) => Math.abs(y - (whole.data[i] ?? NaN)) < 1e-6))
  throw new Error("open gates should leave attention as it is");
const half = mul(whole, 0.5).data;
if (!outputWith(0).data.every((y, i) => Math.abs(y - (half[i] ?? NaN)) < 1e-6))
  throw new Error("a logit of 0 should halve the output");
if (!outputWith(-Infinity).data.every((y) => y === 0))
  throw new Error("closed gates should write nothing");
