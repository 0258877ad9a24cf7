import { impliedWeights, mix, recurrent, ssd } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { full, ones, tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const step = slider("step size Δ", { min: 0.1, max: 2, step: 0.1, value: 0.5 });
const one = ones([1, 1, 12, 1]); // C, B and x: [B, H, T, 1]
const inputs = {
  query: one, // C, what is read
  key: one, // B, where it is written
  value: one, // x
  deltaTime: full([1, 1, 12], step),
  A: tensor([-1]), // [H]
};
const weights = impliedWeights(ssd(), inputs); // [B, H, T, T]
show(attentionMap(weights));

const memory = (weights.data[12] ?? 0) / (weights.data[0] ?? 1);
print("one token later, this part of a write is left:", memory);
check("it is exp(Δ A)", Math.abs(memory - Math.exp(-step)) < 1e-5);

// As a recurrence, which is how a token is decoded.
const chunks = mix(ssd(), inputs).output.data;
const steps = mix(ssd(), inputs, { form: recurrent }).output.data;
const difference = Math.max(
  ...chunks.map((y, i) => Math.abs(y - (steps[i] ?? NaN))),
);
check("the scan and the map give the same", difference < 1e-5);
