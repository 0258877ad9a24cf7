import { multiHead } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { div, mean, randn, sqrt, square, sub, type Tensor } from "@qkv/tensor";
import {
  feedForward,
  norm,
  transformerLayer,
  type Norm,
} from "@qkv/transformer";
import { lines } from "@qkv/viz";

const depth = slider("layers", { min: 8, max: 48, step: 8, value: 24 });
const attention = multiHead({ embedDim: 32, numHeads: 4 });
const fed = feedForward({
  embedDim: 32,
  hiddenDim: 64,
  activation: "gelu",
  gated: false,
});
const layerNorm = norm({ kind: "layer", embedDim: 32 });
const noNorm: Norm = { init: layerNorm.init, apply: (_, x) => x };

// A norm is a value, so a layer without norms gets another value in its place.
// Without residuals, a layer is four calls.
const parts = { attention, feedForward: fed };
const pre = transformerLayer({ ...parts, norm: layerNorm });
const post = transformerLayer({ ...parts, norm: layerNorm, placement: "post" });
const bare = transformerLayer({ ...parts, norm: noNorm });
type Params = ReturnType<typeof pre.init>;
const kinds: Record<string, (params: Params, x: Tensor) => Tensor> = {
  "norm before": (params, x) => pre.apply(params, x),
  "norm after": (params, x) => post.apply(params, x),
  "no norm": (params, x) => bare.apply(params, x),
  "no residual": (params, x) => {
    const y = layerNorm.apply(params.attentionNorm, x);
    const attended = attention.apply(params.attention, y);
    const z = layerNorm.apply(params.feedForwardNorm, attended);
    return fed.apply(params.feedForward, z);
  },
};

const number = (x: Tensor) => Number(x.toNested());
const runs = Object.values(kinds).map((layer) => {
  let x = randn([1, 12, 32], { seed: 1 }); // [B, T, C], twelve tokens
  const [lengths, own]: [number[], number[]] = [[], []];
  for (let i = 0; i < depth; i++) {
    x = layer(pre.init(i + 1), x);
    const all = mean(square(x));
    const apart = mean(square(sub(x, mean(x, { axis: 1, keepDims: true }))));
    lengths.push(Math.log10(number(sqrt(all))));
    own.push(number(div(apart, all)));
  }
  return { lengths, own };
});

const labels = Object.keys(kinds);
const picture = (data: number[], title: string, yLabel: string) =>
  show(
    lines(
      { data, shape: [4, depth] },
      { title, labels, xLabel: "layer", yLabel },
    ),
  );
picture(
  runs.flatMap(({ lengths }) => lengths),
  "Size of the numbers",
  "power of ten",
);
picture(
  runs.flatMap(({ own }) => own),
  "Share of a token that differs from the average token",
  "share",
);

const sizeText = (size: number) =>
  Number(size.toPrecision(2)).toLocaleString("en-US");
runs.forEach(({ lengths, own }, n) =>
  print(
    `${labels[n]}: numbers of size ${sizeText(10 ** (lengths.at(-1) ?? NaN))},`,
    `${(100 * (own.at(-1) ?? NaN)).toFixed(1)}% of each token differs from the average`,
  ),
);
const [before, after, without, cut] = runs.map(({ lengths, own }) => ({
  length: 10 ** (lengths.at(-1) ?? NaN),
  own: own.at(-1) ?? NaN,
}));
if (!before || !after || !without || !cut) throw new Error("four kinds");
if (depth >= 24 && !(without.length > 10 * before.length && after.length < 2))
  throw new Error("the numbers kept their size without norms");
if (depth >= 24 && !(cut.own < 1e-3 && before.own > 0.05))
  throw new Error("tokens stayed different without residuals");
