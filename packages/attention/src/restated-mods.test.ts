// Built-in masks, biases and the softcap, written as score mods: the same attention either way.
import { checkGradient, mul, randn, sum, tensor, type Tensor } from "@qkv/tensor";
import { lookup, type Expr, type ScoreIndices } from "@qkv/attention-contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { attention, type AttentionOptions } from "./attention.js";
import { alibi, alibiSlopes } from "./biases/alibi.js";
import { learnedRelative } from "./biases/learned-relative.js";
import { and } from "./masks/and.js";
import { causal } from "./masks/causal.js";
import { chunked } from "./masks/chunked.js";
import { documents } from "./masks/documents.js";
import { prefix } from "./masks/prefix.js";
import { slidingWindow } from "./masks/sliding-window.js";
import { plainAttention } from "./plain-attention.js";

const [H, T, S] = [3, 5, 9];
const ids = [0, 0, 0, 1, 1, 2, 2, 2, 2];

const hideUnless = (sees: (at: ScoreIndices) => Expr) => (score: Expr, at: ScoreIndices) =>
  sees(at).where(score, -Infinity);
const distance = ({ query, key }: ScoreIndices) => query.sub(key);

const restated: Readonly<
  Record<string, (dtype: "float32" | "float64") => [AttentionOptions, AttentionOptions]>
> = {
  causal: () => [{ mask: causal() }, { scoreMod: hideUnless((at) => at.key.lessEqual(at.query)) }],
  "top-left": () => [
    { mask: causal({ align: "top-left" }) },
    { scoreMod: hideUnless((at) => at.key.lessEqual(at.query.sub(S - T))) },
  ],
  window: () => [
    { mask: slidingWindow(3) },
    { scoreMod: hideUnless((at) => distance(at).greaterEqual(0).and(distance(at).less(3))) },
  ],
  "two-sided window": () => [
    { mask: slidingWindow({ before: 2, after: 1 }) },
    { scoreMod: hideUnless((at) => distance(at).greaterEqual(-1).and(distance(at).lessEqual(2))) },
  ],
  prefix: () => [
    { mask: prefix(6) },
    { scoreMod: hideUnless((at) => at.key.less(6).or(at.key.lessEqual(at.query))) },
  ],
  chunks: () => [
    { mask: chunked(4) },
    {
      scoreMod: hideUnless((at) =>
        at.key.div(4).floor().equal(at.query.div(4).floor()).and(at.key.lessEqual(at.query)),
      ),
    },
  ],
  documents: (dtype) => {
    const table = tensor(ids, { dtype });
    return [
      { mask: and(causal(), documents(ids)) },
      {
        scoreMod: hideUnless((at) =>
          lookup(table, at.query).equal(lookup(table, at.key)).and(at.key.lessEqual(at.query)),
        ),
      },
    ];
  },
  ALiBi: (dtype) => {
    const slopes = tensor(alibiSlopes(H), { dtype });
    return [
      { mask: causal(), bias: alibi(H) },
      {
        mask: causal(),
        scoreMod: (score, at) => score.sub(distance(at).abs().mul(lookup(slopes, at.head))),
      },
    ];
  },
  "learned distances": (dtype) => {
    const table = randn([5, H], { seed: 9, dtype });
    return [
      { bias: learnedRelative(table) },
      { scoreMod: (score, at) => score.add(lookup(table, at.key.sub(at.query).add(2), at.head)) },
    ];
  },
  softcap: () => [{ softcap: 2 }, { scoreMod: (score) => score.div(2).tanh().mul(2) }],
};

function inputs(seed: number, dtype: "float32" | "float64"): [Tensor, Tensor, Tensor] {
  return [T, S, S].map((length, n) => randn([2, H, length, 4], { seed: seed + n, dtype })) as [
    Tensor,
    Tensor,
    Tensor,
  ];
}

test.each(Object.keys(restated))(
  "property: %s written as a score mod gives the same as the built-in",
  (name) => {
    fc.assert(
      fc.property(fc.nat(1000), fc.constantFrom("float32", "float64"), (seed, dtype) => {
        const [builtIn, asMod] = restated[name]!(dtype);
        const x = inputs(seed, dtype);
        const expected = attention(...x, builtIn).data;
        const digits = dtype === "float32" ? 6 : 12;
        expect(attention(...x, asMod).data).toBeAllclose(expected, { rtol: 0, atol: 0.5 * 10 ** -digits });
        const [query, key, value] = x;
        const plain = plainAttention(query, { key: [key], value: [value], positions: { start: 0 } }, asMod);
        expect(plain.output.data).toBeAllclose(expected, { rtol: 0, atol: 0.5 * 10 ** -(digits - 1) });
      }),
      { numRuns: 20 },
    );
  },
);

test.each(Object.keys(restated))(
  "gradients of %s, built in and as a score mod, equal central differences",
  (name) => {
    const [builtIn, asMod] = restated[name]!("float64");
    const [query, key, value] = inputs(1, "float64").map((x) =>
      tensor(x.data.slice(0, x.data.length / 2), {
        shape: [1, ...x.shape.slice(1)],
        dtype: "float64",
      }),
    ) as [Tensor, Tensor, Tensor];
    const dy = randn([1, H, T, 4], { seed: 5, dtype: "float64" });
    for (const options of [builtIn, asMod]) {
      checkGradient((p) => sum(mul(attention(p.query, p.key, p.value, options), dy)), { query, key, value });
    }
  },
);
