import { attention, attentionWeights, learnedRelative } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import {
  mean,
  randn,
  slice,
  square,
  sub,
  tensor,
  type Tensor,
  valueAndGrad,
  zeros,
} from "@qkv/tensor";
import { sgd } from "@qkv/tensor/optimizers";
import { attentionMap, lines } from "@qkv/viz";

// Learn to return the value from two tokens back, using distances alone.
const same = zeros([1, 1, 10, 4]); // queries and keys carry no information
const value = randn([1, 1, 10, 4], { seed: 1 });
const wanted = slice(value, 2, 0, 8); // for the queries 2 to 9
const params = { table: zeros([7, 1]) }; // [2 K + 1, H], K = 3

const loss = valueAndGrad(({ table }: { table: Tensor }) => {
  const output = attention(same, same, value, { bias: learnedRelative(table) });
  return mean(square(sub(slice(output, 2, 2, 10), wanted)));
});
const optimizer = sgd({ learningRate: 5, momentum: 0.9 });
const state = optimizer.init(params);
const losses = Array.from({ length: 100 }, () => {
  const [value, gradients] = loss(params);
  optimizer.update(params, gradients, state);
  return value.data[0] ?? NaN;
});
show(lines({ data: losses, shape: [100] }, { xLabel: "step", yLabel: "loss" }));
show(
  attentionMap(
    attentionWeights(same, same, { bias: learnedRelative(params.table) }),
    { max: 1 },
  ),
);
print(
  "3 or more back, 2, 1, itself, 1, 2, 3 or more ahead:",
  tensor(params.table.data, { shape: [7] }).toNested(),
);
const best = params.table.data.indexOf(Math.max(...params.table.data));
if (!((losses.at(-1) ?? 1) < 0.01)) throw new Error("the loss did not fall");
check("the largest bias is for two tokens back", best === 1);
