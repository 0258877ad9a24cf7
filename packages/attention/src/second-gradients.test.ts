import "@qkv/test-support/allclose";
import { lookup } from "@qkv/attention-contract";
import { add, grad, jvp, mul, randn, reshape, slice, stack, sum, type Tensor, vmap } from "@qkv/tensor";
import { expect, test } from "vitest";
import { attention, type AttentionOptions, tracedAttention } from "./attention.js";
import { multiHead } from "./heads/multi-head.js";
import { causal } from "./masks/causal.js";
import { slidingWindow } from "./masks/sliding-window.js";
import { plainAttention } from "./plain-attention.js";
import { scoreMod } from "./score-mod.js";
import { secondGradients } from "./second-gradients.js";

const float = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const near = { rtol: 1e-9, atol: 1e-9 };
const squares = (tree: Record<string, Tensor>) =>
  Object.values(tree)
    .map((x) => sum(mul(x, x)))
    .reduce(add);

type Given = { q: Tensor; k: Tensor; v: Tensor; sinks: Tensor; table: Tensor };
const given: Given = {
  q: float([2, 4, 3, 6], 1),
  k: float([2, 2, 5, 6], 2),
  v: float([2, 2, 5, 3], 3),
  sinks: float([4], 4),
  table: float([4], 5),
};
/** The gradient of the length of a gradient. */
const sharpness = (of: (one: Given) => Tensor) => {
  const slopes = grad((one: Given) => sum(mul(of(one), float([2, 4, 3, 3], 9))));
  return grad((one: Given) => squares(slopes(one)));
};

const cases: [string, (one: Given) => AttentionOptions][] = [
  ["no options", () => ({})],
  ["a causal mask", () => ({ mask: causal() })],
  ["a window, a softcap and a scale", () => ({ mask: slidingWindow(2), softcap: 2, scale: 0.7 })],
  ["sinks", ({ sinks }) => ({ sinks })],
  ["dropout", () => ({ dropout: { rate: 0.3, seed: 1 } })],
  ["a bias", () => ({ bias: float([2, 4, 3, 5], 7) })],
  [
    "a score function with a table",
    ({ table }) => ({ scoreMod: scoreMod((score, at) => score.mul(score).add(lookup(table, at.head))) }),
  ],
];

test.each(cases)("with %s, second gradients equal those of plainAttention", (_, options) => {
  const tiled = (one: Given) => attention(one.q, one.k, one.v, options(one));
  const plain = (one: Given) => plainAttention(one.q, one.k, one.v, options(one)).output;
  const made = secondGradients(() => sharpness(tiled)(given));
  const expected = sharpness(plain)(given);
  for (const name of Object.keys(given) as (keyof Given)[])
    expect(made[name].data).toBeAllclose(expected[name].data, near);
});

test("a Hessian-vector product of a layer equals the difference of gradients, and traces have second gradients", () => {
  const layer = multiHead({ embedDim: 8, numHeads: 2, mask: causal() });
  const [x, dx] = [float([1, 4, 8], 1), float([1, 4, 8], 2)];
  const params = {
    query: { weight: float([8, 8], 4) },
    key: { weight: float([8, 8], 5) },
    value: { weight: float([8, 8], 6) },
    output: { weight: float([8, 8], 7) },
  } as ReturnType<typeof layer.init>;
  const slope = grad((x: Tensor) => squares({ y: layer.apply(params, x) }));
  const { tangent } = secondGradients(() => jvp((x: Tensor) => slope(x), x, dx));
  const step = 1e-5;
  const [up, down] = [slope(add(x, mul(dx, step))), slope(add(x, mul(dx, -step)))];
  tangent.data.forEach((value, i) =>
    expect(value).toBeCloseTo((up.data[i]! - down.data[i]!) / (2 * step), 3),
  );

  const { q, k, v } = given;
  type Seen = { lse: Tensor; weights: Tensor };
  const lengths = (of: (q: Tensor) => Seen) => {
    const slopes = grad((q: Tensor) => {
      const { lse, weights } = of(q);
      return add(sum(mul(lse, lse)), sum(mul(weights, weights)));
    });
    return grad((q: Tensor) => squares({ q: slopes(q) }))(q);
  };
  const traced = (q: Tensor) => tracedAttention(q, k, v, {}, ["weights", "lse"]);
  const made = secondGradients(() => lengths(traced));
  expect(made.data).toBeAllclose(lengths((q) => plainAttention(q, k, v)).data, near);
});

test("secondGradients works with vmap and applies only within its function; outside, the error names it", () => {
  const { k, v } = given;
  const loss = (q: Tensor) => sum(attention(q, k, v, { mask: causal() }));
  const slope = (q: Tensor) => grad((q: Tensor) => squares({ q: grad(loss)(q) }))(q);
  const queries = float([3, 2, 4, 3, 6], 8);
  const made = secondGradients(() => vmap(slope)(queries));
  const each = secondGradients(() =>
    [0, 1, 2].map((n) => slope(reshape(slice(queries, 0, n, n + 1), [2, 4, 3, 6]))),
  );
  expect(made.data).toBeAllclose(stack(each).data, near);
  expect(() => slope(given.q)).toThrow(
    /attention: `gradient` .*\nFix: write `secondGradients\(\(\) => …\)` around/,
  );
});
