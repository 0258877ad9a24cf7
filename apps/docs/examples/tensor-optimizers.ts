import { print, show } from "@qkv/page";
import { mul, sum, tensor, type Tensor, valueAndGrad } from "@qkv/tensor";
import {
  adam,
  clipGradients,
  type Optimizer,
  sgd,
  warmupCosine,
} from "@qkv/tensor/optimizers";
import { lines } from "@qkv/viz";

// A valley that is a hundred times steeper across than along.
const valley = ({ x }: { x: Tensor }) => sum(mul(mul(x, x), tensor([0.5, 50])));
function descend(optimizer: Optimizer) {
  const params = { x: tensor([10, 1]) };
  const state = optimizer.init(params);
  return Array.from({ length: 60 }, () => {
    const [value, gradients] = valueAndGrad(valley)(params);
    optimizer.update(params, gradients, state);
    return Math.log10((value.data[0] ?? 0) + 1e-9);
  });
}
const runs = {
  sgd: descend(sgd({ learningRate: 0.015 })),
  momentum: descend(sgd({ learningRate: 0.015, momentum: 0.9 })),
  adam: descend(adam({ learningRate: 0.3 })),
};
const data = Object.values(runs).flat();
show(
  lines(
    { data, shape: [3, 60] },
    { labels: Object.keys(runs), xLabel: "step", yLabel: "loss, power of 10" },
  ),
);
if ((runs.momentum.at(-1) ?? NaN) >= (runs.sgd.at(-1) ?? NaN))
  throw new Error("momentum should help");

const schedule = warmupCosine({ peak: 0.01, warmupSteps: 5, steps: 40 });
const rates = Array.from({ length: 45 }, (_, step) => schedule(step));
show(
  lines(
    { data: rates, shape: [45] },
    { xLabel: "update", yLabel: "learning rate" },
  ),
);

const { gradients, norm } = clipGradients({ x: tensor([3, 4]) }, 1);
print("norm:", norm.data[0], "clipped to:", gradients.x.data);
