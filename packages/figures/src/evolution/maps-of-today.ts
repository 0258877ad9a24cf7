import {
  and,
  attentionWeights,
  causal,
  gatedDeltaRule,
  impliedWeights,
  linearAttention,
  mix,
  mobaBlocks,
  recurrent,
  selectedKeys,
} from "@qkv/attention";
import {
  add,
  div,
  full,
  matmul,
  mul,
  norm,
  randn,
  repeat,
  reshape,
  sigmoid,
  slice,
  softplus,
  sum,
  type Tensor,
} from "@qkv/tensor";
import type { WeightMap } from "@qkv/viz/figures/evolution";

const [H, T, D] = [4, 6, 8]; // heads, words, size of a head

/** Numbers of the mechanisms since 2020, for each head: maps, and states `[K][V]`. */
export type MapsOfToday = {
  readonly linear: { weights: readonly WeightMap[]; states: readonly State[] };
  readonly delta: { weights: readonly WeightMap[]; states: readonly State[] };
  readonly latent: readonly WeightMap[];
  readonly sparse: { weights: readonly WeightMap[]; chosen: readonly (readonly number[])[] };
};
type State = readonly (readonly number[])[];

/**
 * Weight maps of the mechanisms since 2020: implied by states, from latents, and of selected blocks. Pages read these numbers from
 * `numbers.ts`, so that they do not load the mechanisms; `packages/figures/scripts/write-evolution-maps.mjs` writes it.
 */
export function mapsOfToday(): MapsOfToday {
  const query = mul(randn([1, H, T, D], { seed: 121 }), 1.25); // the query and key of the other maps of the figure
  const key = randn([1, H, T, D], { seed: 10121 });
  const headMaps = (weights: Tensor): WeightMap[] =>
    (weights.toNested() as number[][][][])[0]!.map((map) =>
      map.map((row, i) => row.map((weight, j) => (j <= i ? weight : null))),
    );
  const randomValue = () => randn([1, H, T, D], { seed: 20121 });
  const stateMatrices = (state: Tensor) => (slice(state, 3, 0, D).toNested() as number[][][][])[0]!; // without the last column, the normalizer
  const linear = linearAttention({ normalize: true });
  const normalized = (x: Tensor) => div(x, norm(x, { axis: -1, keepDims: true }));
  const delta = gatedDeltaRule();
  const call = { form: recurrent, scale: 1 };
  const linearMaps = () => {
    const positive = { query: softplus(mul(query, 3)), key: softplus(mul(key, 3)), value: randomValue() };
    return {
      weights: headMaps(impliedWeights(linear, positive, call)),
      states: stateMatrices(mix(linear, positive, call).state),
    };
  };
  const deltaMaps = () => {
    const inputs = {
      query: normalized(query),
      key: normalized(key),
      value: randomValue(),
      decay: full([1, H, T], Math.log(0.9)),
      beta: sigmoid(add(randn([1, H, T], { seed: 30121 }), 1)),
    };
    return {
      weights: headMaps(impliedWeights(delta, inputs, call)),
      states: stateMatrices(mix(delta, inputs, call).state),
    };
  };
  const latentMaps = () => {
    const latents = randn([1, 1, T, D / 2], { seed: 40121 });
    const keys = mul(matmul(latents, randn([1, H, D / 2, D], { seed: 50121 })), 0.5);
    return headMaps(attentionWeights(query, keys, { mask: causal() }));
  };
  const sparseMaps = () => {
    const kvHeads = 2;
    const shared = slice(key, 1, 0, kvHeads);
    // Query heads that share a KV head select blocks together, by the sum of their scores.
    const summed = sum(reshape(query, [1, kvHeads, H / kvHeads, T, D]), { axis: 2 });
    const blocks = mobaBlocks(summed, shared, { blockSize: 2, topK: 2 });
    const mask = and(causal(), selectedKeys(repeat(blocks, H / kvHeads, 1), 2));
    const weights = headMaps(attentionWeights(query, shared, { mask })).map((map) =>
      map.map((row) => row.map((weight) => weight || null)),
    );
    const attendedKeys = (h: number) =>
      weights[h]![T - 1]!.flatMap((weight, j) => (weight === null ? [] : [j]));
    return { weights, chosen: [0, H / kvHeads].map(attendedKeys) };
  };
  return { linear: linearMaps(), delta: deltaMaps(), latent: latentMaps(), sparse: sparseMaps() };
}
