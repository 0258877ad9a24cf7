import { multiHead, summedHeads } from "@qkv/attention";
import { costKinds } from "@qkv/cost";
import { print, show, slider } from "@qkv/page";
import { count, randn, tensorsOf } from "@qkv/tensor";
import { bars, lines } from "@qkv/viz";

const [C, T] = [64, slider("tokens", { min: 8, max: 128, step: 8, value: 64 })];
const heads = [1, 2, 4, 8, 16];
const x = randn([1, T, C], { seed: 1 });

// Count the operations that run; no formula is used for the chart.
const runs = heads.map((numHeads) => {
  const layer = multiHead({ embedDim: C, numHeads });
  const params = layer.init(1);
  const { flops } = count(() => layer.apply(params, x));
  const attending = costKinds.full({
    queryLength: T,
    keyLength: T,
    numHeads,
    headDim: C / numHeads,
  });
  if (flops !== 4 * 2 * T * C * C + attending) throw new Error("another count");
  return {
    products: flops - 5 * numHeads * T * T,
    softmax: 5 * numHeads * T * T,
  };
});
const rows = [
  runs.map(({ products }) => products / 1e6),
  runs.map(({ softmax }) => softmax / 1e6),
];
show(
  lines(
    { data: rows.flat(), shape: [2, heads.length] },
    {
      labels: ["products", "softmax"],
      x: { data: heads, shape: [heads.length] },
      xLabel: "heads",
      yLabel: "million FLOPs",
    },
  ),
);
const [first, last] = [runs[0], runs.at(-1)];
if (first?.products !== last?.products)
  throw new Error("products depend on heads");
if (16 * (first?.softmax ?? NaN) !== last?.softmax)
  throw new Error("softmax does not");
const size = (run = first) => (run ? run.products + run.softmax : NaN);
print(
  `16 heads do ${(size(last) / size(first)).toFixed(3)} times the work of 1 head`,
);

// Parameters of split heads, and of heads that are each as wide as the model
// and are added.
const weights = (params: unknown) =>
  tensorsOf(params).reduce((n, { data }) => n + data.length, 0);
const [split, summed] = [multiHead, summedHeads].map((make) =>
  heads.map((numHeads) => weights(make({ embedDim: C, numHeads }).init(1))),
);
if (!split || !summed) throw new Error("two constructions");
const labels = heads.map((H) => (H === 1 ? "1 head" : `${H} heads`));
const chart = (data: number[], title: string) =>
  bars({ data, shape: [heads.length] }, { labels, title });
show(chart(split, "Parameters, heads share the width"));
show(chart(summed, "Parameters, full-width heads added"));
if (new Set(split).size !== 1 || split[0] !== 4 * C * C)
  throw new Error("not flat");
if (summed.some((n, i) => n !== 3 * (heads[i] ?? NaN) * C * C))
  throw new Error("not 3 · H · C²");
print(
  "at C = 512:",
  4 * 512 ** 2,
  "parameters when heads share the width;",
  3 * 8 * 512 ** 2,
  "with 8 full-width heads,",
  3 * 16 * 512 ** 2,
  "with 16",
);
