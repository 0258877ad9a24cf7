import { multiHead, qkNorm } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { mul, randn, type Tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const times = slider("scale queries and keys by", {
  min: 1,
  max: 20,
  value: 6,
});
const x = randn([1, 6, 16], { seed: 1 }); // [B, T, C]
function weightsOf(config: Parameters<typeof multiHead>[0], factor: number) {
  const layer = multiHead(config);
  const params = layer.init(2);
  for (const one of [params.query, params.key])
    one.weight = mul(one.weight, factor);
  const tensors: Record<string, Tensor> = {};
  layer.apply(params, x, { trace: { names: ["weights"], tensors } });
  return tensors["weights"] ?? x;
}

const mask = { data: [1], shape: [1] }; // a weight that is too small for float32 is not a masked key
const plain = { embedDim: 16, numHeads: 2 };
show(
  attentionMap(weightsOf(plain, times), {
    title: "Without QK-norm",
    max: 1,
    mask,
  }),
);
const normed = { ...plain, qkNorm: qkNorm() };
show(
  attentionMap(weightsOf(normed, times), {
    title: "With QK-norm",
    max: 1,
    mask,
  }),
);

const change = (config: typeof plain) => {
  const [a, b] = [weightsOf(config, 1).data, weightsOf(config, 6).data];
  return Math.max(...a.map((weight, i) => Math.abs(weight - (b[i] ?? NaN))));
};
print(
  "scaling by 6 changes the weights by",
  change(plain),
  "and with QK-norm by",
  change(normed),
);
if (!(change(normed) < 1e-4) || !(change(plain) > 0.1))
  throw new Error("QK-norm should make the weights independent of the scale");
