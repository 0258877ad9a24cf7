// Mixers that are special cases of one another (MECHANISMS: what pins each).
import { randomInputs } from "@qkv/test-support/random-mixers";
import { withMistake, wrongScans } from "@qkv/test-support/wrong-scans";
import {
  div,
  expandDims,
  mul,
  neg,
  norm,
  ones,
  randn,
  repeat,
  reshape,
  slice,
  stack,
  tensor,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { expect, test } from "vitest";
import { chunkwise } from "./chunkwise.js";
import { based } from "./based.js";
import { deltaProduct } from "./delta-product.js";
import { deltaRule } from "./delta-rule.js";
import { dplr } from "./dplr.js";
import { gatedDeltaRule } from "./gated-delta-rule.js";
import { gla } from "./gla.js";
import { impliedWeights } from "./implied-weights.js";
import { kda } from "./kda.js";
import { lightningAttention } from "./lightning-attention.js";
import { linearAttention } from "./linear-attention.js";
import { mix, type MixOptions } from "./mix.js";
import type { Mixer } from "./mixer.js";
import { preconditionedDeltaRule } from "./preconditioned-delta-rule.js";
import { rebased } from "./rebased.js";
import { retention } from "./retention.js";
import { rwkv7 } from "./rwkv7.js";
import { selectiveScan } from "./selective-scan.js";
import { simpleGla } from "./simple-gla.js";
import { ssd } from "./ssd.js";

const sizes = { B: 2, H: 2, T: 7, K: 3, V: 4 };
const given = randomInputs(kda(), sizes, 1); // query, key, value, decay [B, H, T, K], beta [B, H, T]
const { query, key, value, beta } = given as Record<"query" | "key" | "value" | "beta", Tensor>;
const decay = mul(beta, -1); // [B, H, T]
const perChannel = repeat(expandDims(decay, 3), sizes.K, 3);
const qkv = { query, key, value };

function expectEqual(
  [mixer, inputs, options]: [Mixer<never, never>, Record<string, Tensor>, MixOptions?],
  [other, otherInputs, otherOptions]: [Mixer<never, never>, Record<string, Tensor>, MixOptions?],
  digits = 10,
): void {
  const [ours, theirs] = [mix(mixer, inputs, options), mix(other, otherInputs, otherOptions)];
  for (const name of ["output", "state"] as const) {
    expect(ours[name].shape).toEqual(theirs[name].shape);
    ours[name].data.forEach((x, i) => expect(x).toBeCloseTo(theirs[name].data[i]!, digits));
  }
}
const pair = (mixer: unknown, inputs: Record<string, Tensor>, options?: MixOptions) =>
  [mixer as Mixer<never, never>, inputs, options] as [
    Mixer<never, never>,
    Record<string, Tensor>,
    MixOptions?,
  ];

const cases: [string, ReturnType<typeof pair>, ReturnType<typeof pair>][] = [
  [
    "GLA with equal gates = simple GLA",
    pair(gla(), { ...qkv, decay: perChannel }),
    pair(simpleGla(), { ...qkv, decay }),
  ],
  [
    "simple GLA without decay = linear attention",
    pair(simpleGla(), { ...qkv, decay: zeros([2, 2, 7], { dtype: "float64" }) }),
    pair(linearAttention(), qkv),
  ],
  [
    "retention = simple GLA with ln(1 − 2^(−5 − h))",
    pair(retention(), qkv),
    pair(simpleGla(), { ...qkv, decay: constant([Math.log(31 / 32), Math.log(63 / 64)]) }),
  ],
  [
    "lightning attention = simple GLA with its slopes: none for head 0",
    pair(lightningAttention({ layer: 1, numLayers: 4 }), qkv),
    pair(simpleGla(), { ...qkv, decay: constant([0, -3]) }),
  ],
  [
    "gated delta rule without decay = delta rule",
    pair(gatedDeltaRule(), { ...qkv, beta, decay: mul(decay, 0) }),
    pair(deltaRule(), { ...qkv, beta }),
  ],
  [
    "KDA with equal gates = gated delta rule",
    pair(kda(), { ...qkv, beta, decay: perChannel }),
    pair(gatedDeltaRule(), { ...qkv, beta, decay }),
  ],
  [
    "DeltaProduct with one step = gated delta rule",
    pair(deltaProduct(), { ...qkv, beta, decay }),
    pair(gatedDeltaRule(), { ...qkv, beta, decay }),
  ],
  [
    "DPLR with a = b = 0 = GLA",
    pair(dplr(), { ...qkv, a: mul(key, 0), b: key, decay: perChannel }),
    pair(gla(), { ...qkv, decay: perChannel }),
  ],
  [
    "DPLR with a = k, b = −beta k = delta rule",
    pair(dplr(), {
      query,
      key,
      value: mul(value, expandDims(beta, 3)),
      a: key,
      b: mul(key, expandDims(neg(beta), 3)),
    }),
    pair(deltaRule(), { ...qkv, beta }),
  ],
  [
    "RWKV-7 = DPLR with a = −κ, b = κ ⊙ rate",
    pair(rwkv7(), { ...qkv, decay: perChannel, removalKey: query, rate: key }),
    pair(dplr(), { ...qkv, decay: perChannel, a: neg(query), b: mul(query, key) }, { scale: 1 }),
  ],
  [
    "SSD = simple GLA with decay Δ A and values Δ x",
    pair(ssd(), { ...qkv, deltaTime: beta, A: tensor([-1, -2], { dtype: "float64" }) }),
    pair(
      simpleGla(),
      {
        query,
        key,
        value: mul(value, expandDims(beta, 3)),
        decay: mul(beta, tensor([[[-1], [-2]]], { dtype: "float64" })),
      },
      { scale: 1 },
    ),
  ],
  [
    "selective scan with equal A = SSD",
    pair(selectiveScan(), {
      ...qkv,
      deltaTime: beta,
      A: tensor(
        [
          [-1, -1, -1],
          [-2, -2, -2],
        ],
        { dtype: "float64" },
      ),
    }),
    pair(ssd(), { ...qkv, deltaTime: beta, A: tensor([-1, -2], { dtype: "float64" }) }),
  ],
];

/** One decay for each head at every token. */
function constant([first, second]: [number, number]): Tensor {
  const heads = tensor([first, second], { shape: [1, 2, 1], dtype: "float64" });
  return mul(heads, ones([2, 1, 7], { dtype: "float64" }));
}

test.each(cases)("%s", (_, ours, theirs) => expectEqual(ours, theirs));

test.each(cases)(
  "negative controls: %s, but not with a wrong scan",
  (_, [mixer, inputs, options], [other, others, otherOptions]) => {
    const right = mix(other, others, otherOptions);
    const seen = wrongScans.filter((wrong) => {
      let changes = 0;
      const form = withMistake(wrong, chunkwise(), () => changes++);
      const { output } = mix(mixer, inputs, { ...options, form });
      const error = Math.max(...output.data.map((x, i) => Math.abs(x - right.output.data[i]!)));
      if (changes > 0) expect(error, `a scan that ${wrong.name} is seen`).toBeGreaterThan(1e-6);
      return changes > 0;
    });
    expect(seen.length).toBeGreaterThanOrEqual(3);
  },
);

test("with a preconditioner of 1, it is the gated delta rule", () => {
  const gates = { beta, decay, momentDecay: decay, momentBeta: beta };
  const mixed = mix(preconditionedDeltaRule({ bound: 1 + 1e-13 }), { ...qkv, ...gates });
  const plain = mix(gatedDeltaRule(), { ...qkv, beta, decay });
  mixed.output.data.forEach((x, i) => expect(x).toBeCloseTo(plain.output.data[i]!, 10));
});

test("with beta = 0, the state does not change", () => {
  const initialState = randn([2, 2, 3, 4], { seed: 9, dtype: "float64" });
  const { state } = mix(deltaRule(), { ...qkv, beta: mul(beta, 0) }, { initialState });
  expect(state.data).toEqual(initialState.data);
});

test("with beta = 1 and a key of unit norm, reading the key gives the value written last, whatever the state", () => {
  const unit = div(key, norm(key, { axis: -1, keepDims: true }));
  const initialState = randn([2, 2, 3, 4], { seed: 9, dtype: "float64" });
  const one = ones([2, 2, 7], { dtype: "float64" });
  const { output } = mix(
    deltaRule(),
    { query: unit, key: unit, value, beta: one },
    { initialState, scale: 1 },
  );
  output.data.forEach((x, i) => expect(x).toBeCloseTo(value.data[i]!, 10));
});

test("with orthonormal keys and beta = 1, the delta rule equals linear attention", () => {
  const identity = tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], { shape: [1, 1, 3, 3], dtype: "float64" });
  const v = randn([1, 1, 3, 2], { seed: 3, dtype: "float64" });
  const inputs = { query: randn([1, 1, 3, 3], { seed: 4, dtype: "float64" }), key: identity, value: v };
  expectEqual(
    pair(deltaRule(), { ...inputs, beta: ones([1, 1, 3], { dtype: "float64" }) }),
    pair(linearAttention(), inputs),
  );
});

test("Based implies the weights 1 + s + s² / 2, ReBased s²; with `normalize`, rows sum to 1", () => {
  const s = (i: number, j: number) => {
    const row = (x: Tensor, t: number) => rows(x)[t]!;
    return row(query, i).reduce((sum, q, k) => sum + q * row(key, j)[k]!, 0) / Math.sqrt(3);
  };
  const rows = (x: Tensor) => reshape(slice(slice(x, 0, 0, 1), 1, 0, 1), [7, 3]).toNested() as number[][];
  for (const [mixer, weight] of [
    [based({ normalize: false }), (s: number) => 1 + s + s ** 2 / 2],
    [rebased({ normalize: false }), (s: number) => s ** 2],
  ] as const) {
    const weights = impliedWeights(mixer, qkv).data;
    for (let i = 0; i < 7; i++)
      for (let j = 0; j < 7; j++) expect(weights[i * 7 + j]).toBeCloseTo(j <= i ? weight(s(i, j)) : 0, 10);
  }
  const sums = impliedWeights(based(), qkv).data;
  expect(Array.from(sums.slice(42, 49)).reduce((a, b) => a + b)).toBeCloseTo(1, 4);
});

test("DeltaProduct decays before the first step of a token: with second steps that write nothing it is the gated delta rule", () => {
  const steps = (first: Tensor, second: Tensor) => {
    const [B, H, T, ...rest] = first.shape as [number, number, number, ...number[]];
    return reshape(stack([first, second], 3), [B, H, 2 * T, ...rest]);
  };
  const inputs = {
    query,
    key: steps(key, query),
    value: steps(value, value),
    beta: steps(beta, mul(beta, 0)),
  };
  expectEqual(pair(deltaProduct(), { ...inputs, decay }), pair(gatedDeltaRule(), { ...qkv, beta, decay }));
});
