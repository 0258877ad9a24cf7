import { print, show, slider } from "@qkv/page";
import {
  arange,
  crossEntropy,
  gelu,
  layerNorm,
  mean,
  mul,
  randn,
  relu,
  silu,
  softmax,
  sub,
  swish,
  tensor,
  variance,
} from "@qkv/tensor";
import { lines } from "@qkv/viz";

const x = mul(sub(arange(61), 30), 0.1); // -3 to 3
const alpha = slider("alpha of swish", {
  min: 0.1,
  max: 4,
  step: 0.1,
  value: 1.7,
});
const bends = [relu(x), gelu(x), silu(x), swish(x, { alpha })];
const labels = ["relu", "gelu", "silu", `swish, alpha ${alpha}`];
const numbers = bends.flatMap(({ data }) => [...data]);
show(lines({ data: numbers, shape: [4, 61] }, { labels, x }));

const rows = mul(randn([2, 64], { seed: 1 }), 50);
const normed = layerNorm(rows); // without learned weight and bias
print("mean:", mean(normed, { axis: -1 }).data);
print("variance:", variance(normed, { axis: -1, correction: 0 }).data);

const logits = tensor([[2, 0, 0]]);
const right = tensor([0], { dtype: "int32" });
const [probability = NaN] = softmax(logits).data;
const [surprise = NaN] = crossEntropy(logits, right).data;
print("softmax:", softmax(logits).data);
print("cross-entropy:", surprise, "nats = −log", probability);
if (!(Math.abs(surprise + Math.log(probability)) <= 1e-6))
  throw new Error("cross-entropy should be −log softmax");
