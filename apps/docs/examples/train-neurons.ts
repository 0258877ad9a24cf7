import { print, show, slider } from "@qkv/page";
import {
  linear,
  mean,
  randn,
  square,
  sub,
  tanh,
  tensor,
  valueAndGrad,
  zeros,
} from "@qkv/tensor";
import { sgd } from "@qkv/tensor/optimizers";
import { lines } from "@qkv/viz";

// XOR: one of two, but not both.
const inputs = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const wanted = tensor([[-1], [1], [1], [-1]]);

const hidden = slider("hidden neurons", { min: 1, max: 8, value: 4 });
const params = {
  first: { weight: randn([hidden, 2], { seed: 3 }), bias: zeros([hidden]) },
  second: { weight: randn([1, hidden], { seed: 4 }), bias: zeros([1]) },
};
function answer({ first, second }: typeof params) {
  const inner = tanh(linear(inputs, first.weight, first.bias)); // [4, hidden]
  return tanh(linear(inner, second.weight, second.bias)); // [4, 1]
}

const step = valueAndGrad((p: typeof params) =>
  mean(square(sub(answer(p), wanted))),
);
const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 });
const state = optimizer.init(params);
const losses: number[] = [];
for (let i = 0; i < 120; i++) {
  const [loss, gradients] = step(params);
  losses.push(loss.data[0] ?? NaN);
  optimizer.update(params, gradients, state);
}

const picture = {
  title: "Learning XOR: one, but not both",
  xLabel: "step",
  yLabel: "loss",
};
show(lines({ data: losses, shape: [losses.length] }, picture));
print("answers:", answer(params).toNested());
print("loss", losses[0]?.toFixed(3), "to", losses.at(-1)?.toFixed(3));

const last = losses.at(-1) ?? NaN;
if (hidden === 4 && !(last < 0.02))
  throw new Error("four neurons did not learn XOR");
if (hidden === 1 && !(last > 0.6))
  throw new Error("one neuron should not learn XOR");
