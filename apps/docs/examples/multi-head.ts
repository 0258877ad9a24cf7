import {
  multiHead,
  perHead,
  splitHeads,
  summedHeads,
  toSummedHeads,
} from "@qkv/attention";
import { print, show } from "@qkv/page";
import { randn, tensorsOf, type Tensor } from "@qkv/tensor";
import { attentionMap, bars } from "@qkv/viz";

const config = { embedDim: 16, numHeads: 4 }; // D is 4
const x = randn([1, 6, 16], { seed: 1 }); // [B, T, C]

// 1. Project, then split. 2. One matrix per head. 3. Full-size heads, added.
const [fused, single] = [
  multiHead(config),
  perHead({ ...config, numKvHeads: 4 }),
];
const summed = summedHeads({ ...config, scale: 1 / Math.sqrt(4) });
const params = fused.init(1);
const byHead = splitHeads(params, fused.config);

const tensors: Record<string, Tensor> = {};
const one = fused.apply(params, x, {
  trace: { names: ["scores", "weights"], tensors },
});
const two = single.apply(byHead, x);
const three = summed.apply(toSummedHeads(byHead), x);
const { scores, weights } = tensors;
if (scores && weights) show(attentionMap(weights, { scores }));

const apart = (a: Tensor, b: Tensor) =>
  Math.max(...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))));
print(
  "1 and 2 differ by",
  apart(one, two),
  "and 1 and 3 by",
  apart(one, three),
);
if (apart(one, two) !== 0 || !(apart(one, three) < 1e-5))
  throw new Error("the three constructions differ");

const count = (p: unknown) =>
  tensorsOf(p).reduce((n, { data }) => n + data.length, 0);
const sizes = [params, byHead, summed.init(1)].map(count);
show(
  bars(
    { data: sizes, shape: [3] },
    { labels: ["split", "per head", "summed"], unit: "weights" },
  ),
);
