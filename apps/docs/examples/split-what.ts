import { groupedQuery, multiHead, perHead, splitHeads } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { concat, randn, slice, tensor, type Tensor } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const [C, H] = [16, 4];
const D = C / H;
const x = randn([1, 6, C], { seed: 1 }); // [B, T, C]

// (a) Project the whole embedding, then split the result into heads.
const a = multiHead({ embedDim: C, numHeads: H });
const params = a.init(1);
const outA = a.apply(params, x);

// (b) One small matrix per head: the same weights, split beforehand.
const b = perHead({ embedDim: C, numHeads: H, numKvHeads: H });
const outB = b.apply(splitHeads(params, a.config), x);

// (c) Split the embedding: each head sees only its own part, through a small
// layer.
const part = groupedQuery({ embedDim: D, numHeads: 1, numKvHeads: 1 });
const partOf = (weight: Tensor, h: number) =>
  slice(slice(weight, 0, h * D, (h + 1) * D), 1, h * D, (h + 1) * D);
const outC = concat(
  Array.from({ length: H }, (_, h) => {
    const of = ({ weight }: { weight: Tensor }) => ({
      weight: partOf(weight, h),
    });
    const own = {
      query: of(params.query),
      key: of(params.key),
      value: of(params.value),
      output: of(params.output),
    };
    return part.apply(own, slice(x, 2, h * D, (h + 1) * D));
  }),
  2,
);

// (c) equals (a) with block-diagonal weights: only head h reads and writes part
// h.
const blocks = ({ weight }: { weight: Tensor }) => {
  const inBlock = (i: number) =>
    Math.floor(i / C / D) === Math.floor((i % C) / D);
  const data = Array.from(weight.data, (w, i) => (inBlock(i) ? w : 0));
  return { weight: tensor(data, { shape: [C, C] }) };
};
const { query, key, value, output } = params;
const diagonal = {
  query: blocks(query),
  key: blocks(key),
  value: blocks(value),
  output: blocks(output),
};
const cAsA = a.apply(diagonal, x);

const apart = (y: Tensor, z: Tensor) =>
  Math.max(...y.data.map((n, i) => Math.abs(n - z.data[i]!)));
const [ab, ac] = [apart(outA, outB), apart(outA, outC)];
print("(a) and (b) differ by", ab);
print("(a) and (c) differ by", ac.toFixed(3));
print("(c) and block-diagonal (a) differ by", apart(outC, cAsA));
show(
  bars(
    { data: [4 * C * C, 4 * C * C, 4 * C * D], shape: [3] },
    { labels: ["(a)", "(b)", "(c)"], title: "Weights", unit: "numbers" },
  ),
);
if (ab !== 0 || ac < 0.01 || apart(outC, cAsA) > 1e-5)
  throw new Error("the constructions do not differ as the page says");
