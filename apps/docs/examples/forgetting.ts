import { attentionWeights, causal, forgetting } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { tensor, zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const gate = slider("gate of token 6", {
  min: 0.05,
  max: 1,
  step: 0.05,
  value: 0.1,
});
const gates = Array.from({ length: 12 }, (_, token) =>
  token === 6 ? gate : 1,
);
const logGates = tensor([[gates.map(Math.log)]]); // [B, H, S]
const x = zeros([1, 1, 12, 4]); // [B, H, T, D]: all keys match equally
const weights = attentionWeights(x, x, {
  mask: causal(),
  bias: forgetting(logGates),
});
show(attentionMap(weights));

const last = weights.data.slice(11 * 12);
const ratio = (last[5] ?? NaN) / (last[6] ?? NaN);
print("weight of token 5 divided by that of token 6:", ratio);
check("it is the gate of token 6", Math.abs(ratio - gate) < 1e-5);
