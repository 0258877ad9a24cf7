import { permute, reshape, transpose, type Tensor } from "@qkv/tensor";
import type { DecoderConfig } from "@qkv/transformer";

/** A tensor of TransformerLens, and the tensor of our params with the same elements. */
export type TableEntry = {
  /** `blocks.0.attn.W_Q` */
  readonly theirs: string;
  /** Shape in TransformerLens. */
  readonly shape: readonly number[];
  /** Path in our params: `layers.0.attention.query.weight`. */
  readonly ours: string;
  toOurs(x: Tensor): Tensor;
  toTheirs(x: Tensor): Tensor;
};

export type TableOptions = {
  /** Number of outputs: rows of the unembedding. */
  readonly numOutputs: number;
  /** False: norms have neither gains nor biases. */
  readonly normsHaveWeights: boolean;
};

type Layout = Pick<TableEntry, "shape" | "toOurs" | "toTheirs">;

const same = (shape: readonly number[]): Layout => ({ shape, toOurs: (x) => x, toTheirs: (x) => x });
/** A linear map: `[in, out]` in TransformerLens, `[out, in]` here. */
const transposed = (inside: number, out: number): Layout => ({
  shape: [inside, out],
  toOurs: (x) => transpose(x),
  toTheirs: (x) => transpose(x),
});
/** A projection to heads: `[H, C, D]` in TransformerLens, `[H · D, C]` here. */
const intoHeads = (H: number, C: number, D: number): Layout => ({
  shape: [H, C, D],
  toOurs: (x) => reshape(permute(x, [0, 2, 1]), [H * D, C]),
  toTheirs: (x) => permute(reshape(x, [H, D, C]), [0, 2, 1]),
});
/** The output projection: `[H, D, C]` in TransformerLens, `[C, H · D]` here. */
const outOfHeads = (H: number, C: number, D: number): Layout => ({
  shape: [H, D, C],
  toOurs: (x) => reshape(permute(x, [2, 0, 1]), [C, H * D]),
  toTheirs: (x) => permute(reshape(x, [C, H, D]), [1, 2, 0]),
});
/** A bias of heads: `[H, D]` in TransformerLens, `[H · D]` here. */
const byHead = (H: number, D: number): Layout => ({
  shape: [H, D],
  toOurs: (x) => reshape(x, [H * D]),
  toTheirs: (x) => reshape(x, [H, D]),
});

/** All tensors of a HookedTransformer, in the order of its layers. */
export function tensorTable(config: DecoderConfig, options: TableOptions): TableEntry[] {
  const { vocabSize: V, embedDim: C, hiddenDim: F, numHeads: H, numKvHeads: Hkv, contextLength } = config;
  const D = config.headDim ?? C / H;
  const table: TableEntry[] = [];
  const add = (theirs: string, ours: string, layout: Layout) => table.push({ theirs, ours, ...layout });
  const norm = (theirs: string, ours: string) => {
    if (!options.normsHaveWeights) return;
    add(`${theirs}.w`, `${ours}.weight`, same([C]));
    if (config.norm === "layer") add(`${theirs}.b`, `${ours}.bias`, same([C]));
  };

  add("embed.W_E", "embedding.weight", same([V, C]));
  if (config.embeddingNorm) norm("embed.ln", "embeddingNorm");
  if (config.positions === "learned") add("pos_embed.W_pos", "positions.weight", same([contextLength, C]));
  for (let i = 0; i < config.numLayers; i++) {
    const [theirs, ours] = [`blocks.${i}`, `layers.${i}`];
    norm(`${theirs}.ln1`, `${ours}.attentionNorm`);
    // Shared keys and values have names with an underscore, `_W_K`.
    const shared = Hkv < H ? "_" : "";
    const heads = { Q: ["", "query", H], K: [shared, "key", Hkv], V: [shared, "value", Hkv] } as const;
    for (const [letter, [mark, name, count]] of Object.entries(heads)) {
      add(`${theirs}.attn.${mark}W_${letter}`, `${ours}.attention.${name}.weight`, intoHeads(count, C, D));
      add(`${theirs}.attn.${mark}b_${letter}`, `${ours}.attention.${name}.bias`, byHead(count, D));
    }
    add(`${theirs}.attn.W_O`, `${ours}.attention.output.weight`, outOfHeads(H, C, D));
    add(`${theirs}.attn.b_O`, `${ours}.attention.output.bias`, same([C]));
    if (config.placement === "both") norm(`${theirs}.ln1_post`, `${ours}.attentionOutNorm`);
    if (config.feedForwardLayers?.[i] === false) continue;
    norm(`${theirs}.ln2`, `${ours}.feedForwardNorm`);
    if (config.gated) add(`${theirs}.mlp.W_gate`, `${ours}.feedForward.gate.weight`, transposed(C, F));
    add(`${theirs}.mlp.W_in`, `${ours}.feedForward.up.weight`, transposed(C, F));
    add(`${theirs}.mlp.b_in`, `${ours}.feedForward.up.bias`, same([F]));
    add(`${theirs}.mlp.W_out`, `${ours}.feedForward.down.weight`, transposed(F, C));
    add(`${theirs}.mlp.b_out`, `${ours}.feedForward.down.bias`, same([C]));
    if (config.placement === "both") norm(`${theirs}.ln2_post`, `${ours}.feedForwardOutNorm`);
  }
  norm("ln_final", "norm");
  add("unembed.W_U", "output.weight", transposed(C, options.numOutputs));
  add("unembed.b_U", "output.bias", same([options.numOutputs]));
  return table;
}

/** Paths of a decoder's norms in its params. */
export function normPaths(config: DecoderConfig): string[] {
  const normsOnBothSides = config.placement === "both";
  const ofLayer = (i: number) => [
    `layers.${i}.attentionNorm`,
    ...(normsOnBothSides ? [`layers.${i}.attentionOutNorm`] : []),
    ...(config.feedForwardLayers?.[i] === false ? [] : [`layers.${i}.feedForwardNorm`]),
    ...(normsOnBothSides && config.feedForwardLayers?.[i] !== false
      ? [`layers.${i}.feedForwardOutNorm`]
      : []),
  ];
  const layers = Array.from({ length: config.numLayers }, (_, i) => ofLayer(i));
  return [...(config.embeddingNorm ? ["embeddingNorm"] : []), ...layers.flat(), "norm"];
}
