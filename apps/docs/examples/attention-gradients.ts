import { alibi, attention, causal } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import {
  checkGradient,
  grad,
  mul,
  randn,
  sum,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { bars } from "@qkv/viz";

const random = (seed: number) =>
  randn([1, 2, 6, 4], { seed, dtype: "float64" }); // [B, H, T, D]
const params = {
  query: random(1),
  key: random(2),
  value: random(3),
  slopes: tensor(new Float64Array([0.5, 0.1])), // of the bias, [H]
  sinks: tensor(new Float64Array([0.3, -0.2])), // [H]
};
const direction = random(4);
const f = ({ query, key, value, slopes, sinks }: typeof params) =>
  sum(
    mul(
      direction,
      attention(query, key, value, {
        mask: causal(),
        bias: alibi(slopes),
        sinks,
        softcap: 5,
      }),
    ),
  );

// Compare every gradient with central differences; this throws where they
// disagree.
checkGradient(f, params);
const slopes = grad(f)(params);
print(
  "gradient of the ALiBi slopes:",
  slopes.slopes.data,
  " of the sinks:",
  slopes.sinks.data,
);

// With a causal mask, the output of token 3 depends only on tokens up to 3.
const third = (value: Tensor) => {
  const only = tensor(
    Float64Array.from({ length: 48 }, (_, i) =>
      Number(Math.floor(i / 4) % 6 === 3),
    ),
    { shape: [1, 2, 6, 4] },
  );
  return sum(
    mul(only, attention(params.query, params.key, value, { mask: causal() })),
  );
};
const reached = grad(third)(params.value).data;
const sums = Array.from({ length: 6 }, (_, t) => reached[t * 4] ?? NaN);
show(
  bars(
    { data: sums, shape: [6] },
    { title: "Gradient of token 3 for each value, head 0", meaning: "value" },
  ),
);
check(
  "token 3 depends on no later token",
  sums.slice(4).every((slope) => slope === 0),
);
const weights = sums.reduce((a, b) => a + b);
if (!(Math.abs(weights - 1) <= 1e-12))
  throw new Error(
    "the gradients for the values should be weights and sum to 1",
  );
