import { slice, tensor, type Device, type DType, type Tensor, type TypedArray } from "@qkv/tensor";
import type { Decoder, DecoderConfig } from "@qkv/transformer";
import { tensorNames, type Interventions } from "@qkv/transformer/inspection";
import type { LensModel } from "../lens-model.js";
import { chained, type AblatedModel } from "../patching/ablated-model.js";
import { watchedInterventions, type Watch } from "./watched-model.js";

/** A copy of a tensor of a pass in memory that the garbage collector frees. */
export type Kept = { readonly data: TypedArray; readonly shape: readonly number[]; readonly dtype: DType };

export function kept(x: Tensor): Kept {
  const { data, shape, dtype } = x;
  // Of what lies in the device's memory it is a copy already.
  return { data: data.buffer === x.array.buffer ? data.slice() : data, shape, dtype };
}

/** A tensor of what was kept: within a scope it is freed at its end. */
export const placed = ({ data, shape, dtype }: Kept, device: Device): Tensor =>
  tensor(data, { shape, dtype, device });

/** True for models whose layers read the residual stream alone, so that a pass can begin at any of them. */
export function beginsAnywhere({
  altUp,
  perLayerEmbedding,
  layerScale,
  sharedKeyValues,
  bytePatches,
  layerTypes = [],
}: DecoderConfig): boolean {
  const readsMore = altUp ?? perLayerEmbedding ?? layerScale ?? sharedKeyValues ?? bytePatches;
  return !readsMore && !layerTypes.some((one) => typeof one === "object" && "valueResidual" in one);
}

/** Layers of a model from one on, until another, applied to the stream before them. */
export type LayerRun = {
  readonly first: number;
  /** Default: after the last. */
  readonly end?: number;
  /** Interventions by full name. Default: none. */
  readonly interventions?: Interventions;
};

/** Runs some layers of a model on the stream before them, `[1, T, C]`: the stream after them. */
export function applyLayers(
  { config, params, ablated }: AblatedModel,
  { rows }: Decoder,
  x: Tensor,
  { first, end = config.numLayers, interventions = {} }: LayerRun,
  watch: Watch,
): Tensor {
  const layers = params.layers.slice(first, end);
  const isInside = (name: string) => {
    const layer = Number(/^layers\.(\d+)\./.exec(name)?.[1] ?? -1);
    return layer >= first && layer < end;
  };
  const names = tensorNames(config).filter(isInside);
  const all = Object.entries(chained(ablated?.interventions ?? {}, interventions));
  const inside = Object.fromEntries(all.filter(([name]) => isInside(name)));
  const watched = watchedInterventions(names, watch, inside);
  return rows(layers, x, { first, trace: { names: [], tensors: {}, interventions: watched } });
}

/** Logits `[1, 1, V]` after the last token of a stream that left the last layer. */
export const lastLogits = (model: LensModel, { logits }: Decoder, x: Tensor): Tensor =>
  logits(model.params, slice(x, 1, x.shape[1]! - 1, x.shape[1]!));
