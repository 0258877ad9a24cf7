import { ArgumentError, ShapeError } from "@qkv/core";
import {
  causal,
  groupedQuery,
  rope,
  type AttentionParams,
  type Positions,
  type RotaryLayout,
  type Trace,
} from "@qkv/attention";
import {
  add,
  embedding,
  isTensor,
  linear,
  ones,
  randn,
  rmsNorm,
  tensor,
  type Cache,
  type Tensor,
} from "@qkv/tensor";
import { feedForward, type FeedForwardParams } from "../layers/feed-forward.js";

/** What a decoder is: a table of numbers. */
export type DecoderConfig = {
  /** V */
  vocabSize: number;
  /** C, the width of the model. */
  embedDim: number;
  /** F, the width of the feed-forward layers. */
  hiddenDim: number;
  /** L */
  numLayers: number;
  /** H */
  numHeads: number;
  /** Hkv */
  numKvHeads: number;
  /** The longest sequence that the model was trained for. Unit: tokens. */
  contextLength: number;
  /** Added to the mean square in norms. */
  normEps: number;
  ropeBase: number;
  ropeLayout: RotaryLayout;
  /** Tokens at which generation ends. */
  stopIds: readonly number[];
};

export type DecoderLayerParams = {
  attentionNorm: { weight: Tensor };
  attention: AttentionParams;
  feedForwardNorm: { weight: Tensor };
  feedForward: FeedForwardParams;
};

/** The weights of a decoder. */
export type DecoderParams = {
  /** `[V, C]` */
  embedding: { weight: Tensor };
  layers: DecoderLayerParams[];
  /** `[C]` */
  norm: { weight: Tensor };
  /** `[V, C]`. Default: the embedding, read the other way round. */
  output?: { weight: Tensor };
};

export type DecoderOptions = {
  /** Keys and values of earlier tokens; this call's are appended. Default: the call stands alone. */
  cache?: Cache;
  /** Where the tokens stand. Default: after what the cache has seen. */
  positions?: Positions;
  /** Where traced tensors go, named `layers.0.attention.weights`. Default: nothing is traced. */
  trace?: Trace;
};

/** A decoder: made from its configuration, holding no weights. */
export type Decoder = {
  readonly config: DecoderConfig;
  /** Random weights. */
  init(seed: number): DecoderParams;
  /** Token ids, `[B, T]` int32 or a list for one sequence, to logits `[B, T, V]`. */
  apply(params: DecoderParams, ids: Tensor | readonly number[], options?: DecoderOptions): Tensor;
};

/**
 * A Llama-style decoder: rotary grouped-query attention and a gated feed-forward layer, each behind an RMS norm and
 * beside a residual.
 *
 * @throws {ArgumentError} If the sizes do not divide.
 * @see "LLaMA" (2023), arXiv:2302.13971
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 *
 * const model = decoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, ropeBase: 10000, ropeLayout: "half", stopIds: [],
 * });
 * model.apply(model.init(1), [3, 1, 4]).shape; // => [1, 3, 11]
 * ```
 */
export function decoder(config: DecoderConfig): Decoder {
  const { vocabSize: V, embedDim: C, numHeads, numKvHeads, normEps: eps } = config;
  if ((C / numHeads) % 2 !== 0) {
    throw new ArgumentError({
      fn: "decoder",
      argument: "numHeads",
      received: numHeads,
      expected: `heads of an even size in embedDim = ${C}`,
      fix: "choose numHeads so that embedDim / numHeads is even: positions turn pairs of numbers.",
    });
  }
  const attention = groupedQuery({
    embedDim: C,
    numHeads,
    numKvHeads,
    mask: causal(),
    rope: rope({ headDim: C / numHeads, base: config.ropeBase, layout: config.ropeLayout }),
  });
  const mlp = feedForward(config);
  return {
    config,
    init(seed) {
      // A layer draws from the seeds 4n to 4n + 3 of its number n, so no two matrices share one.
      const layer = (_: unknown, i: number): DecoderLayerParams => ({
        attentionNorm: { weight: ones([C]) },
        attention: attention.init(seed * 1000 + 2 * i + 1),
        feedForwardNorm: { weight: ones([C]) },
        feedForward: mlp.init(seed * 1000 + 2 * i + 2),
      });
      return {
        embedding: { weight: randn([V, C], { seed: seed * 4000 }) },
        layers: Array.from({ length: config.numLayers }, layer),
        norm: { weight: ones([C]) },
      };
    },
    apply(params, ids, { cache, positions = { start: cache?.length ?? 0 }, trace } = {}) {
      // What is computed on the way belongs to the scope; only the logits leave it.
      return params.embedding.weight.device.scope(() => {
        let x = embedding(params.embedding.weight, checkIds(ids, params)); // [B, T, C]
        params.layers.forEach((layer, i) => {
          const normed = rmsNorm(x, layer.attentionNorm.weight, { eps });
          const mixed = attention.apply(layer.attention, normed, {
            layer: i,
            positions,
            ...(cache && { cache }),
            ...(trace && {
              trace: { ...trace, path: `${trace.path ? `${trace.path}.` : ""}layers.${i}.attention` },
            }),
          });
          x = add(x, mixed);
          x = add(x, mlp.apply(layer.feedForward, rmsNorm(x, layer.feedForwardNorm.weight, { eps })));
        });
        return linear(rmsNorm(x, params.norm.weight, { eps }), (params.output ?? params.embedding).weight);
      });
    },
  };
}

function checkIds(ids: Tensor | readonly number[], params: DecoderParams): Tensor {
  const { device } = params.embedding.weight;
  if (!isTensor(ids)) return tensor(checkWhole(ids), { shape: [1, ids.length], dtype: "int32", device });
  if (ids.shape.length === 2) return ids;
  throw new ShapeError({
    fn: "apply",
    argument: "ids",
    received: ids.shape,
    expected: "[B, T]: a row of token ids for each sequence",
    fix: "reshape the ids, or give a plain list for one sequence.",
  });
}

function checkWhole(ids: readonly number[]): readonly number[] {
  const wrong = ids.find((id) => !Number.isInteger(id));
  if (wrong === undefined) return ids;
  throw new ArgumentError({
    fn: "apply",
    argument: "ids",
    received: wrong,
    expected: "whole numbers",
    fix: "give token ids as the tokenizer's `encode` returns them.",
  });
}
