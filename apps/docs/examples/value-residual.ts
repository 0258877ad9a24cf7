import { causal, multiHead, valueResidual } from "@qkv/attention";
import { print, slider } from "@qkv/page";
import { full, randn, zeros } from "@qkv/tensor";

const logit = slider("logit of every share", { min: -8, max: 8, value: 0 });
const heads = { embedDim: 16, numHeads: 4, mask: causal() };
const first = multiHead(heads);
const later = multiHead({ ...heads, valueResidual: valueResidual() });
const x = randn([1, 6, 16], { seed: 1 }); // [B, T, C]
const firstValues = first.values(first.init(2), x); // [B, Hkv, T, D]
const params = later.init(3);

function outputWith(value: number) {
  const valueMix = { weight: zeros([4, 16]), bias: full([4], value) };
  return later.apply({ ...params, valueMix }, x, { firstValues }).data;
}
const plain = multiHead(heads).apply(params, x).data;
const distance = (a: ArrayLike<number>) =>
  Math.max(...Array.from(a, (y, i) => Math.abs(y - (plain[i] ?? NaN))));
print(
  "distance from attention without the residual",
  distance(outputWith(logit)),
);

if (!(distance(outputWith(40)) < 1e-5))
  throw new Error("a share of 1 should leave the layer's own values");
if (!(distance(outputWith(0)) > 0.1))
  throw new Error("a share of ½ should mix in the first layer's values");
