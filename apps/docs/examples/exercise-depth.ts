import { check, print } from "@qkv/page";
import { matmul, mean, mul, randn, sqrt, square } from "@qkv/tensor";
import { add, ones, rmsNorm, type Tensor } from "@qkv/tensor";

const layers = Array.from({ length: 24 }, (_, i) =>
  mul(randn([16, 16], { seed: i + 1 }), 0.25),
);

const normed = (x: Tensor) => rmsNorm(x, ones([16]));

// What a layer does with its input. Change this line: there are add(a, b) and normed(a).
const layer = (x: Tensor, weight: Tensor) => matmul(x, weight);

const input = randn([32, 16], { seed: 99 }); // 32 tokens
const output = layers.reduce(layer, input);

const number = (x: Tensor) => Number(x.toNested());
const size = (x: Tensor) => number(sqrt(mean(square(x))));
const shared = number(mean(mul(input, output))) / size(input) / size(output);
print("size of the numbers at the end:", size(output).toPrecision(3));
print("how much of the input is in the output:", shared.toFixed(2));

check("the numbers stay small", size(output) < 10);
check("each token is still itself, 24 layers later", shared > 0.1);
