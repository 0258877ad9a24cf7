import type { Tensor } from "@qkv/tensor";
import type { AttentionShape, ModelShape } from "@qkv/cost";
import { decoder, type DecoderConfig } from "@qkv/transformer";
import type { StackMap } from "@qkv/viz/figures/model-stack";

/** Architectures that `load` of `@qkv/transformer` loads as decoders. */
export const runnable: readonly string[] =
  /* @__PURE__ */ "llama mistral qwen2 qwen3 mixtral qwen3_moe gemma gemma2 gemma3_text phi3 gpt2 gpt_bigcode".split(
    " ",
  );

/** A tiny model of the same architecture, and the weight maps of the first layer of each kind. */
export type TinyDecoder = { config: DecoderConfig; maps: readonly (readonly StackMap[])[] };

const tokens = 12;
const seed = 7;

/**
 * Runs a decoder of a few layers with random weights on a few tokens.
 *
 * @param shape - The model that it imitates: norms, gates, experts, positions, and the number of query heads per KV head.
 * @param kinds - Attention of each kind of layer.
 * @param layers - Indices of kinds: one layer each.
 * @param window - Window size. Unit: tokens.
 */
export function tinyDecoder(
  shape: ModelShape,
  kinds: readonly AttentionShape[],
  layers: readonly number[],
  window: number,
): TinyDecoder {
  const config = tinyConfig(
    shape,
    layers.map((kind) => kinds[kind]!),
    window,
  );
  const model = decoder(config);
  const ids = Array.from({ length: tokens }, (_, i) => i);
  const tensors: Record<string, Tensor> = {};
  model.apply(model.init(seed), ids, { trace: { names: ["weights"], tensors } });
  return {
    config,
    maps: kinds.map((kind, index) => {
      const weights = tensors[`layers.${layers.indexOf(index)}.attention.weights`]!;
      return headMaps(weights, kind, window);
    }),
  };
}

function headMaps({ data }: Tensor, attention: AttentionShape, window: number): StackMap[] {
  const reach = attention.kind === "heads" && attention.reach.kind === "window" ? window : Infinity;
  return [0, 1].map((head) =>
    Array.from({ length: tokens }, (_, query) =>
      Array.from({ length: tokens }, (_, key) =>
        key <= query && query - key < reach ? Number(data[(head * tokens + query) * tokens + key]) : null,
      ),
    ),
  );
}

function tinyConfig(shape: ModelShape, layers: readonly AttentionShape[], window: number): DecoderConfig {
  const first = layers.find((layer) => layer.kind === "heads");
  if (!first || !shape.decoder) throw new Error("a decoder of heads");
  const { feedForward, norms } = shape.decoder.layers[0]!;
  const headDim = 8;
  const shared = first.numKvHeads === 1 ? 1 : first.numKvHeads === first.numHeads ? 4 : 2;
  const rotary = first.rotaryDim > 0;
  const slides = layers.some((layer) => layer.kind === "heads" && layer.reach.kind === "window");
  return {
    vocabSize: 32,
    embedDim: 32,
    hiddenDim: 64,
    numLayers: layers.length,
    numHeads: 4,
    numKvHeads: shared,
    headDim,
    contextLength: 64,
    stopIds: [],
    norm: shape.norm === "rms" ? "rms" : "layer",
    normEps: 1e-5,
    placement: norms === 4 ? "both" : "pre",
    gated: feedForward.kind !== "none" && feedForward.gated,
    bias: { queryKeyValue: first.biases.query, attentionOutput: first.biases.output },
    positions: rotary ? "rotary" : "learned",
    ...(rotary && { ropeDim: 2 * Math.round((headDim * first.rotaryDim) / first.headDim / 2) }),
    qkNorm: first.queryKeyNorm === "head",
    ...(feedForward.kind === "experts" && { experts: { numExperts: 4, expertsPerToken: 2 } }),
    ...(slides && {
      window,
      layerTypes: layers.map((layer) =>
        layer.kind === "heads" && layer.reach.kind === "window" ? "sliding" : "full",
      ),
    }),
  };
}
