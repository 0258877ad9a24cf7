import {
  alibi,
  attention,
  causal,
  padding,
  slidingWindow,
  t5Bias,
  type AttentionOptions,
} from "@qkv/attention";
import {
  grad,
  mul,
  permute,
  randn,
  reshape,
  slice,
  sum,
  tensor,
  type Device,
  type Tensor,
} from "@qkv/tensor";
import { lookup } from "@qkv/attention-contract";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";

/** Options that change scores and weights, from numbers that a gradient is taken of. */
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

const cases = fc.record({
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

describe.each(["plain", "relaxed"] as const)("gradients of attention on wasm,%s", (build) => {
  let device: Device;
  beforeAll(async () => {
    device = await wasm({ build });
  });

  test("property: output and gradients equal the plain device's, on kernels of its own", () => {
    fc.assert(
      fc.property(cases, ({ B, Hkv, group, T, more, D, Dv, seed, mask, change, scale, swapped }) => {
        const [H, S] = [Hkv * group, T + more];
        const masks = {
          none: undefined,
          causal: causal(),
          window: slidingWindow(1 + (seed % 70)),
          padding: padding(Array.from({ length: B }, (_, b) => (seed + 7 * b) % (S + 1))),
        }[mask];
        const heads = (h: number, n: number, d: number, seed: number) =>
          swapped ? permute(randn([B, n, h, d], { seed }), [0, 2, 1, 3]) : randn([B, h, n, d], { seed });
        const inputs = [
          heads(H, T, D, seed),
          heads(Hkv, S, D, seed + 1),
          heads(Hkv, S, Dv, seed + 2),
          randn([Math.max(8 * H, H * T * S)], { seed: seed + 3 }),
        ] as const;
        const run = (query: Tensor, key: Tensor, value: Tensor, numbers: Tensor) =>
          attention(query, key, value, {
            ...changes[change]!(numbers, H, T, S),
            ...(masks && { mask: masks }),
            ...(scale && change === "nothing" && { scale }),
          });
        const slope = (all: readonly Tensor[]) => {
          const [query, key, value, numbers] = all as [Tensor, Tensor, Tensor, Tensor];
          const y = run(query, key, value, numbers);
          return sum(mul(y, randn(y.shape, { seed: seed + 4, device: y.device })));
        };
        const moved = inputs.map((x) => on(x, device)) as [Tensor, Tensor, Tensor, Tensor];
        const before = plainRuns(device);
        expect(run(...moved).data, "output").toBeAllclose(run(...inputs).data, {
          rtol: 0,
          atol: 3e-5,
          scaled: true,
          equalNan: true,
        });
        const expected = grad(slope)([...inputs]);
        const got = device.scope(() => grad(slope)(moved));
        expected.forEach((x, i) =>
          expect(got[i]!.data, ["query", "key", "value", "numbers"][i]!).toBeAllclose(x.data, {
            rtol: 0,
            atol: 3e-5,
            scaled: true,
            equalNan: true,
          }),
        );
        expect(plainRuns(device)).toBe(before);
      }),
      { numRuns: 60 },
    );
  });

  test("a value that no query sees may hold NaN; a gradient that is none comes from the plain kernel", () => {
    const shape = [1, 1, 70, 8];
    const poison = (x: Tensor) =>
      tensor(
        x.data.map((value, i) => (i >= 69 * 8 ? NaN : value)),
        { shape },
      );
    const inputs = [
      randn(shape, { seed: 1 }),
      poison(randn(shape, { seed: 2 })),
      poison(randn(shape, { seed: 3 })),
    ];
    const slope = (all: readonly Tensor[]) =>
      sum(attention(all[0]!, all[1]!, all[2]!, { mask: slidingWindow(3), softcap: 2 }));
    const hidden = (all: readonly Tensor[]) =>
      sum(attention(all[0]!, all[1]!, all[2]!, { mask: padding([69]) }));
    for (const f of [slope, hidden]) {
      const expected = grad(f)(inputs);
      const got = grad(f)(inputs.map((x) => on(x, device)));
      expected.forEach((x, i) =>
        expect(got[i]!.data, String(i)).toBeAllclose(x.data, {
          rtol: 0,
          atol: 3e-5,
          scaled: true,
          equalNan: true,
        }),
      );
    }
  });
});

function first(numbers: Tensor, shape: readonly number[]): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return reshape(slice(numbers, 0, 0, size), shape);
}

function on(x: Tensor, device: Device): Tensor {
  return tensor(x.data, { shape: x.shape, device });
}

function plainRuns(device: Device): number {
  const { calls } = device.report();
  return (calls["attention"]?.plain ?? 0) + (calls["attentionBackward"]?.plain ?? 0);
}
