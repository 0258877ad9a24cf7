// Gradients of attention under options that change scores and weights, for the property tests of devices.
import {
  alibi,
  attention,
  causal,
  padding,
  slidingWindow,
  t5Bias,
  type AttentionOptions,
} from "@qkv/attention";
import { lookup } from "@qkv/attention-contract";
import { mul, permute, randn, reshape, slice, sum, type Tensor } from "@qkv/tensor";
import fc from "fast-check";

/** Options that change scores and weights, from tensors that a gradient is taken of. */
const changes: Record<string, (numbers: Tensor, H: number, T: number, S: number) => AttentionOptions> = {
  nothing: () => ({}),
  softcap: () => ({ softcap: 1.5 }),
  alibi: (_numbers, H) => ({ bias: alibi(H) }),
  t5: (numbers, H) => ({ bias: t5Bias(first(numbers, [8, H])) }),
  "dense bias": (numbers, H, T, S) => ({ bias: first(numbers, [1, H, T, S]) }),
  sinks: (numbers, H) => ({ sinks: first(numbers, [H]) }),
  dropout: () => ({ dropout: { rate: 0.3, seed: 2 ** 33 + 5 } }),
  "every step": (numbers, H) => {
    const table = first(numbers, [H, 5]);
    return {
      softcap: 4,
      scoreMod: (score, at) => {
        const near = at.query.sub(at.key).lessEqual(3).or(at.key.equal(0)).and(at.batch.greaterEqual(0));
        const far = score.pow(2).div(score.abs().add(2)).neg().max(-3);
        const bent = score.tanh().add(score.exp().add(1).log()).add(score.abs().add(1).sqrt().pow(1.5));
        const looked = lookup(table, at.head, at.query.sub(at.key).floor()).mul(score.min(1));
        return near.where(bent.add(looked), far.sub(score.less(0).not().where(0.1, 0.2)));
      },
      weightMod: (weight, at) => weight.add(weight.mul(weight).mul(lookup(table, at.head, 0))),
      sinks: first(numbers, [H]),
    };
  },
};

/** Generators of cases. */
export const gradientCases = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  Hkv: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 2 }),
  T: fc.constantFrom(1, 2, 9, 64, 67),
  more: fc.constantFrom(0, 3, 64),
  D: fc.constantFrom(1, 5, 8, 32),
  Dv: fc.constantFrom(1, 8, 12),
  seed: fc.nat(1e6),
  mask: fc.constantFrom("none", "causal", "window", "padding"),
  change: fc.constantFrom(...Object.keys(changes)),
  scale: fc.constantFrom(undefined, 12),
  swapped: fc.boolean(),
});

export type GradientCase = typeof gradientCases extends fc.Arbitrary<infer Value> ? Value : never;

type Inputs = readonly [query: Tensor, key: Tensor, value: Tensor, numbers: Tensor];

/** The inputs of a case, its attention, and a loss for the gradient. */
export function gradientCase(drawn: GradientCase): {
  readonly inputs: Inputs;
  attend(...inputs: Inputs): Tensor;
  loss(inputs: readonly Tensor[]): Tensor;
} {
  const { B, Hkv, group, T, more, D, Dv, seed, mask, change, scale, swapped } = drawn;
  const [H, S] = [Hkv * group, T + more];
  const masks = {
    none: undefined,
    causal: causal(),
    window: slidingWindow(1 + (seed % 70)),
    padding: padding(Array.from({ length: B }, (_, b) => (seed + 7 * b) % (S + 1))),
  }[mask];
  const heads = (h: number, n: number, d: number, seed: number) =>
    swapped ? permute(randn([B, n, h, d], { seed }), [0, 2, 1, 3]) : randn([B, h, n, d], { seed });
  const attend = (query: Tensor, key: Tensor, value: Tensor, numbers: Tensor) =>
    attention(query, key, value, {
      ...changes[change]!(numbers, H, T, S),
      ...(masks && { mask: masks }),
      ...(scale && change === "nothing" && { scale }),
    });
  return {
    inputs: [
      heads(H, T, D, seed),
      heads(Hkv, S, D, seed + 1),
      heads(Hkv, S, Dv, seed + 2),
      randn([Math.max(8 * H, H * T * S)], { seed: seed + 3 }),
    ],
    attend,
    loss(inputs) {
      const y = attend(...(inputs as Inputs));
      return sum(mul(y, randn(y.shape, { seed: seed + 4, device: y.device })));
    },
  };
}

function first(numbers: Tensor, shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return reshape(slice(numbers, 0, 0, size), shape);
}
