import { slice, tensor, type Device, type DType, type Tensor, type TypedArray } from "@qkv/tensor";
import type { Decoder, DecoderConfig } from "@qkv/transformer";
import { tensorNames, type Interventions } from "@qkv/transformer/inspection";
import type { LensModel } from "../lens-model.js";
import { chained, type AblatedModel } from "../patching/ablated-model.js";
import { watchedInterventions, type Watch } from "./watched-model.js";

/** A copy of a tensor in host memory, which the garbage collector frees. */
export type HostCopy = {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
};

/** Copies a tensor to host memory. */
export function hostCopy(x: Tensor): HostCopy {
  const { data, shape, dtype } = x;
  // For a device with its own memory, `data` is already a copy.
  return { data: data.buffer === x.array.buffer ? data.slice() : data, shape, dtype };
}

/** A tensor of a copy on a device; the current scope frees it. */
export const deviceTensor = ({ data, shape, dtype }: HostCopy, device: Device): Tensor =>
  tensor(data, { shape, dtype, device });

/** True for models whose layers read only the residual stream, so that a pass can start at any layer. */
export function canStartAtAnyLayer({
  altUp,
  perLayerEmbedding,
  layerScale,
  sharedKeyValues,
  bytePatches,
  layerTypes = [],
}: DecoderConfig): boolean {
  const readsMore = altUp ?? perLayerEmbedding ?? layerScale ?? sharedKeyValues ?? bytePatches;
  return !readsMore && !layerTypes.some((type) => typeof type === "object" && "valueResidual" in type);
}

/** A range of layers, and interventions in it. */
export type LayerRun = {
  readonly first: number;
  /** The layer after the last to run. Default: all remaining layers. */
  readonly end?: number;
  /** Interventions by full name. Default: none. */
  readonly interventions?: Interventions;
};

/**
 * Runs a range of layers on the residual stream before them, `[1, T, C]`. Returns the stream after them.
 *
 * @param decoder - Its `rows` applies layers without embeddings, final norm and output projection.
 * @param watch - Called at each tensor of the stream, to report progress and to cancel.
 */
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
  const chainedInterventions = Object.entries(chained(ablated?.interventions ?? {}, interventions));
  const inside = Object.fromEntries(chainedInterventions.filter(([name]) => isInside(name)));
  const watched = watchedInterventions(names, watch, inside);
  return rows(layers, x, { first, trace: { names: [], tensors: {}, interventions: watched } });
}

/** Logits `[1, 1, V]` of the last token, from the stream after the last layer. */
export const lastLogits = (model: LensModel, { logits }: Decoder, x: Tensor): Tensor =>
  logits(model.params, slice(x, 1, x.shape[1]! - 1, x.shape[1]!));
