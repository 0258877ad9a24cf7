import { attentionResiduals } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { mul, randn, stack, tensor } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const strength = slider("length of the query", {
  min: 0,
  max: 4,
  step: 0.5,
  value: 2,
});
// Six layers, three tokens; layer 4 is ten times as loud as the others.
const outputs = Array.from({ length: 6 }, (_, layer) =>
  mul(randn([3, 8], { seed: layer + 1 }), layer === 4 ? 10 : 1),
);
// The query of the next layer points along what layer 2 says of token 0.
const query = mul(tensor(outputs[2]!.data.slice(0, 8)), strength); // [C]
const { weights } = attentionResiduals(query, stack(outputs, 0)); // [L, T]

const depth = [...weights.data].filter((_, i) => i % 3 === 0); // of token 0
show(
  lines(
    { data: depth, shape: [1, 6] },
    { labels: ["token 0"], xLabel: "layer", yLabel: "weight" },
  ),
);
print("weights over the layers:", depth);
const total = depth.reduce((a, b) => a + b, 0);
check("they sum to 1", Math.abs(total - 1) < 1e-5);
check("layer 2 has the largest", Math.max(...depth) === depth[2]);
