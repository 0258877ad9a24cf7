import { check, print } from "@qkv/page";
import { matmul, mean, mul, randn, sqrt, square } from "@qkv/tensor";
import { add, ones, rmsNorm, type Tensor } from "@qkv/tensor";

const layers = Array.from({ length: 24 }, (_, i) =>
  mul(randn([16, 16], { seed: i + 1 }), 0.25),
);

const normed = (x: Tensor) => rmsNorm(x, ones([16]));

// Apply one layer to its input. Change this line: you can use add(a, b) and
// normed(a).
const layer = (x: Tensor, weight: Tensor) => matmul(x, weight);

const input = randn([32, 16], { seed: 99 }); // 32 tokens
const output = layers.reduce(layer, input);

const number = (x: Tensor) => Number(x.toNested());
const size = (x: Tensor) => number(sqrt(mean(square(x))));
const shared = number(mean(mul(input, output))) / size(input) / size(output);
print("size of the numbers at the end:", size(output).toPrecision(3));
print("similarity of output and input, 1 at most:", shared.toFixed(2));

check("the numbers stay small", size(output) < 10);
check("each token can still be recognized after 24 layers", shared > 0.1);
