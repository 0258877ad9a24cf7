import {
  additive,
  attention,
  luongConcat,
  luongDot,
  luongGeneral,
} from "@qkv/attention";
import { check, print } from "@qkv/page";
import {
  concat,
  expandDims,
  randn,
  squeeze,
  tensor,
  type Tensor,
} from "@qkv/tensor";

const source = randn([1, 5, 4], { seed: 1 }); // [B, S, C], keys and values
const asking = randn([1, 3, 4], { seed: 2 }); // [B, T, C]
function apart(a: Tensor, b: Tensor) {
  return Math.max(
    ...a.data.map((value, i) => Math.abs(value - (b.data[i] ?? NaN))),
  );
}

// dot: q · k, without weights and without a scale.
const dot = luongDot(asking, source, source);
const head = (x: Tensor) => expandDims(x, 1); // [B, 1, T, C]
const plain = squeeze(
  attention(head(asking), head(source), head(source), { scale: 1 }),
  1,
);
print("dot and attention differ by", apart(dot, plain));

// general: q W k. With W = 1 it equals dot.
const eye = Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0));
const general = luongGeneral({ queryDim: 4, keyDim: 4 });
const same = general.apply(
  { weight: tensor(eye, { shape: [4, 4] }) },
  asking,
  source,
  source,
);
print("general with W = 1 and dot differ by", apart(same, dot));

// concat: v tanh(W [q; k]). It equals additive attention with W = [W_q | U_k].
const sizes = { queryDim: 4, keyDim: 4, hiddenDim: 6 };
const params = additive(sizes).init(3);
const joined = {
  hidden: { weight: concat([params.query.weight, params.key.weight], 1) },
  score: params.score,
};
const concatenated = luongConcat(sizes).apply(joined, asking, source, source);
const added = additive(sizes).apply(params, asking, source, source);
print("concat and additive differ by", apart(concatenated, added));

check("dot is attention with scale 1", apart(dot, plain) < 1e-6);
check("general with W = 1 is dot", apart(same, dot) < 1e-6);
check("concat is additive attention", apart(concatenated, added) < 1e-6);
