import type { Checks } from "@qkv/core";
import { embedding, mul, reshape, slice, tensor, type Tensor } from "@qkv/tensor";
import { layerAttention, norm, type DecoderLayerParams } from "@qkv/transformer";
import { checkModel, type LensModel } from "../lens-model.js";

/** A head of a model. */
export type HeadPlace = {
  /** From 0. */
  readonly layer: number;
  /** Query head, from 0. */
  readonly head: number;
};

/** Checks a head, and returns the attention of its layer. */
export function attentionOfHead(check: Checks, model: LensModel, layer: number, head: number) {
  checkModel(check, model);
  const { numLayers } = model.config;
  check.whole({ layer }, { min: 0, max: numLayers - 1, fix: "count layers from 0." });
  const attentionLayer = layerAttention(model.config, layer);
  if (!attentionLayer) {
    const expected = "a layer with attention of the decoder's own";
    check.refuse({ argument: "layer", received: layer, expected, fix: "choose another layer." });
  }
  check.whole({ head }, { min: 0, max: attentionLayer.config.numHeads - 1, fix: "count heads from 0." });
  return { attentionLayer, params: model.params.layers[layer]! };
}

/** Input of a layer's attention, `[1, n, C]`, if the residual stream holds only the embeddings of these tokens. */
export function tokenRows(model: LensModel, layer: DecoderLayerParams, tokens: readonly number[]): Tensor {
  const { config, params } = model;
  const { norm: kind = "rms", embedDim, normEps: eps } = config;
  const { device } = params.embedding.weight;
  const embeddingNorm = norm({ kind, embedDim, eps });
  const ids = tensor([...tokens], { shape: [1, tokens.length], dtype: "int32", device });
  const embedded = mul(embedding(params.embedding.weight, ids), config.embeddingScale ?? 1);
  const rows = config.embeddingNorm ? embeddingNorm.apply(params.embeddingNorm!, embedded) : embedded;
  return attentionRows(model, layer, rows);
}

/** Input of a layer's attention from rows of the stream `[1, n, C]`: their norm, unless the norm comes after attention. */
export function attentionRows({ config }: LensModel, layer: DecoderLayerParams, rows: Tensor): Tensor {
  const { placement = "pre", norm: kind = "rms", embedDim, normEps: eps } = config;
  if (placement === "post" || placement === "after") return rows;
  return norm({ kind, embedDim, eps }).apply(layer.attentionNorm, rows);
}

/** The rows `[n, D]` that a query head reads of `[1, heads, n, D]`, whose heads may be shared by groups of query heads. */
export function headRows(x: Tensor, head: number, numHeads: number): Tensor {
  const [, heads, n, D] = x.shape as [number, number, number, number];
  const headIndex = Math.floor((head * heads) / numHeads);
  return reshape(slice(x, 1, headIndex, headIndex + 1), [n, D]);
}

/** Checks a list of token ids. */
export function checkTokens(check: Checks, model: LensModel, tokens: unknown): void {
  const { vocabSize } = model.config;
  const isToken = (id: unknown) => Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  check.list({ tokens }, `token ids from 0 to ${vocabSize - 1}`, isToken);
  check.each({ tokens }, (list) => (list as unknown[]).length > 0, "one token or more");
}
