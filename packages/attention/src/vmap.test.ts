import { lookup } from "@qkv/attention-contract";
import "@qkv/test-support/allclose";
import { grad, mul, randn, reshape, slice, stack, sum, type Tensor, vmap } from "@qkv/tensor";
import { expect, test } from "vitest";
import { attention, tracedAttention } from "./attention.js";
import { causal } from "./masks/causal.js";
import { multiHead } from "./heads/multi-head.js";
import { scoreMod } from "./score-mod.js";

const N = 3;
const float = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const example = (x: Tensor, n: number) => reshape(slice(x, 0, n, n + 1), x.shape.slice(1));
const each = (f: (n: number) => Tensor) => stack(Array.from({ length: N }, (_, n) => f(n)));
const near = { rtol: 1e-12, atol: 1e-12 };
const query = float([N, 1, 4, 5, 6], 1); // [N, B, H, T, D]
const key = float([N, 1, 2, 5, 6], 2);
const value = float([1, 2, 5, 6], 3); // shared by all examples

test("vmap of attention equals attention of each example, with shared keys and a causal mask", () => {
  const f = (q: Tensor, k: Tensor) => attention(q, k, value, { mask: causal() });
  const made = vmap(f)(query, key);
  expect(made.data).toBeAllclose(each((n) => f(example(query, n), example(key, n))).data, near);
  const traced = vmap((q: Tensor) => tracedAttention(q, value, value, {}, ["weights", "lse"]))(query);
  const one = (n: number) => tracedAttention(example(query, n), value, value, {}, ["weights", "lse"]);
  expect(traced.weights.data).toBeAllclose(each((n) => one(n).weights).data, near);
  expect(traced.lse.data).toBeAllclose(each((n) => one(n).lse).data, near);
});

test("vmap of gradients through attention equals the gradients of each example and of shared inputs", () => {
  const loss = (q: Tensor, k: Tensor, v: Tensor) =>
    sum(mul(attention(q, k, v, { mask: causal() }), float([1, 4, 5, 6], 4)));
  const perExample = vmap(
    grad((v: Tensor, q: Tensor, k: Tensor) => loss(q, k, v)),
    { inAxes: [null, 0, 0] },
  );
  const alone = grad((v: Tensor, q: Tensor, k: Tensor) => loss(q, k, v));
  const expected = each((n) => alone(value, example(query, n), example(key, n)));
  expect(perExample(value, query, key).data).toBeAllclose(expected.data, near);
  const total = grad((v: Tensor) => sum(vmap((q: Tensor, k: Tensor) => loss(q, k, v))(query, key)))(value);
  expect(total.data).toBeAllclose(sum(expected, { axis: 0 }).data, near);
});

test("vmap of the gradients of a layer's params equals the gradients of each example", () => {
  const layer = multiHead({ embedDim: 8, numHeads: 2, mask: causal() });
  const params = layer.init(1);
  const x = randn([N, 1, 3, 8], { seed: 2 });
  const gradients = grad((p: typeof params, x: Tensor) => sum(mul(layer.apply(p, x), layer.apply(p, x))));
  const made = vmap(gradients, { inAxes: [null, 0] })(params, x).query.weight;
  const expected = each((n) => gradients(params, example(x, n)).query.weight);
  expect(made.data).toBeAllclose(expected.data, { rtol: 1e-5, atol: 1e-5 });
});

test("under vmap, a lookup table per example is refused, but a shared one is allowed", () => {
  const f = (table: Tensor) =>
    attention(value, value, value, { scoreMod: scoreMod((score, at) => score.add(lookup(table, at.head))) });
  const shared = vmap((q: Tensor) =>
    attention(q, value, value, {
      scoreMod: scoreMod((score, at) => score.add(lookup(float([4], 6), at.head))),
    }),
  )(query);
  expect(shared.shape).toEqual([N, 1, 4, 5, 6]);
  expect(() => vmap(f)(float([N, 2], 5))).toThrow(/vmap: `f` is .*\nFix: /);
});
