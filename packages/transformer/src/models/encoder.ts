import { checks, type Checks } from "@qkv/core";
import { learnedPositions, multiHead } from "@qkv/attention";
import type { Mask } from "@qkv/attention-contract";
import {
  add,
  checkTensor,
  embedding,
  linear,
  mul,
  ones,
  randn,
  zeros,
  type Device,
  type Tensor,
} from "@qkv/tensor";
import type { LinearParams } from "@qkv/attention";
import { activationOf, type Activation } from "../layers/activation.js";
import { feedForward, type FeedForwardParams } from "../layers/feed-forward.js";
import { norm, type NormParams } from "../layers/norm.js";
import { checkTrace, recordTensor, traceAt, type ModelTrace } from "../layers/trace.js";
import { transformerLayer, type TransformerLayerParams } from "../layers/transformer-layer.js";
import { checkIds } from "./check-ids.js";
import { modelSeeds } from "./model-seeds.js";
import { checkParams } from "../layers/check-params.js";

/** Configuration of an encoder. */
export type EncoderConfig = {
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
  /** The longest sequence. Unit: tokens. */
  contextLength: number;
  /** Number of token types (segments), such as first and second sentence; 0 for none. */
  numTypes: number;
  /** Added to the variance in norms. */
  normEps: number;
  /** Default `gelu`. */
  activation?: Activation;
};

/** Head that maps rows to logits of the masked token. */
export type MaskedTokenHeadParams = {
  dense: LinearParams;
  norm: NormParams;
  /** `[V]`. The matrix is the embedding's. */
  bias: Tensor;
};

/** The weights of an encoder. */
export type EncoderParams = {
  /** `[V, C]` */
  embedding: { weight: Tensor };
  /** `[contextLength, C]` */
  positions: { weight: Tensor };
  /** `[numTypes, C]` */
  types?: { weight: Tensor };
  embeddingNorm: NormParams;
  layers: TransformerLayerParams<FeedForwardParams>[];
  /** Only where the checkpoint has one. */
  maskedTokenHead?: MaskedTokenHeadParams;
};

export type EncoderOptions = {
  /** The kind of segment of each token, `[B, T]` int32. Default: 0. */
  types?: Tensor;
  /** Hides tokens: `padding(lengths)`. Default: nothing. */
  mask?: Mask;
  /** Receives traced tensors, named `embeddings`, `layers.0.output`. Default: nothing is traced. */
  trace?: ModelTrace;
};

/** An encoder: made from its configuration, holding no weights. */
export type Encoder = {
  readonly config: EncoderConfig;
  /** Random weights. */
  init(seed: number): EncoderParams;
  /** Token ids, `[B, T]` int32 or a list for one sequence, to rows `[B, T, C]`, one for each token. */
  apply(params: EncoderParams, ids: Tensor | readonly number[], options?: EncoderOptions): Tensor;
  /** Rows `[B, T, C]` to logits `[B, T, V]` of the token that stood where a mask token was put. */
  maskedTokenLogits(params: EncoderParams, rows: Tensor): Tensor;
};

/**
 * An encoder like BERT: every token sees every other token, a norm follows each sublayer, and positions are learned.
 *
 * @see "BERT: Pre-training of Deep Bidirectional Transformers" (2018), arXiv:1810.04805
 *
 * @example
 * ```ts
 * import { encoder } from "@qkv/transformer";
 *
 * const bert = encoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 32, numLayers: 2, numHeads: 2, contextLength: 16, numTypes: 2, normEps: 1e-12,
 * });
 * const params = bert.init(1);
 * const rows = bert.apply(params, [3, 1, 4]);
 * rows.shape; // => [1, 3, 8]
 * bert.maskedTokenLogits(params, rows).shape; // => [1, 3, 11]
 * ```
 */
export function encoder(config: EncoderConfig): Encoder {
  checkConfig(config);
  const { vocabSize: V, embedDim: C, numLayers, numHeads, contextLength, numTypes } = config;
  const activation = config.activation ?? "gelu";
  const layerNorm = norm({ kind: "layer", embedDim: C, eps: config.normEps });
  const table = learnedPositions({ length: contextLength, embedDim: C });
  const layer = transformerLayer({
    attention: multiHead({ embedDim: C, numHeads, bias: true }),
    feedForward: feedForward({
      embedDim: C,
      hiddenDim: config.hiddenDim,
      activation,
      gated: false,
      bias: true,
    }),
    norm: layerNorm,
    placement: "post",
  });
  return {
    config,
    init(seed) {
      const [seeds, layerSeeds] = modelSeeds(seed, ["embedding", "positions", "types", "dense"], numLayers);
      const draw = (seed: number, shape: number[], size: number) => mul(randn(shape, { seed }), size);
      return {
        embedding: { weight: draw(seeds.embedding, [V, C], 0.02) },
        positions: table.init(seeds.positions),
        ...(numTypes > 0 && { types: { weight: draw(seeds.types, [numTypes, C], 0.02) } }),
        embeddingNorm: layerNorm.init(),
        layers: layerSeeds.map((seed) => layer.init(seed)),
        maskedTokenHead: {
          dense: { weight: draw(seeds.dense, [C, C], 1 / Math.sqrt(C)), bias: zeros([C]) },
          norm: { weight: ones([C]), bias: zeros([C]) },
          bias: zeros([V]),
        },
      };
    },
    apply(params, ids, options) {
      const { types, mask, trace } = onApply.options(options, ["types", "mask", "trace"]);
      checkParams(onApply, params, parts);
      checkTrace(onApply, trace, new Array<boolean>(config.numLayers).fill(false));
      const { device } = params.embedding.weight;
      const tokens = checkIds(onApply, ids, { device, vocabSize: V });
      if (types !== undefined && params.types)
        checkIds(onApply, types, { device, vocabSize: numTypes }, "types");
      return device.scope(() => {
        let x = table.apply(params.positions, embedding(params.embedding.weight, tokens));
        if (params.types) x = add(x, embedding(params.types.weight, types ?? allOf(x, device)));
        x = recordTensor(trace, "embeddings", layerNorm.apply(params.embeddingNorm, x));
        params.layers.forEach((weights, i) => {
          x = layer.apply(weights, x, {
            ...(mask && { mask }),
            ...(trace && { trace: traceAt(trace, `layers.${i}`) }),
          });
        });
        return x;
      });
    },
    maskedTokenLogits(params, rows) {
      checkParams(onLogits, params, ["embedding.weight"]);
      checkTensor("maskedTokenLogits", "rows", rows);
      const {
        embedding: { weight },
        maskedTokenHead: head,
      } = params;
      if (!head) refuseHead();
      const bent = activationOf("encoder", activation)(linear(rows, head.dense.weight, head.dense.bias));
      return linear(layerNorm.apply(head.norm, bent), weight, head.bias);
    },
  };
}

/** Type 0 for each token. */
function allOf(x: Tensor, device: Device): Tensor {
  return zeros([x.shape[0]!, x.shape[1]!], { dtype: "int32", device });
}

const check: Checks = /* @__PURE__ */ checks("encoder");
const onApply: Checks = /* @__PURE__ */ checks("encoder.apply");
const onLogits: Checks = /* @__PURE__ */ checks("maskedTokenLogits");
const parts = ["embedding.weight", "positions.weight", "embeddingNorm.weight", "layers"];

const names = /* @__PURE__ */ Object.keys({
  vocabSize: 0,
  embedDim: 0,
  hiddenDim: 0,
  numLayers: 0,
  numHeads: 0,
  contextLength: 0,
  numTypes: 0,
  normEps: 0,
  activation: 0,
} satisfies Record<keyof EncoderConfig, 0>) as (keyof EncoderConfig)[];

function checkConfig(config: EncoderConfig): void {
  const { vocabSize, embedDim, hiddenDim, numLayers, numHeads, contextLength, numTypes, normEps } =
    check.options(config, names, "config");
  check.whole({ vocabSize, embedDim, hiddenDim, numHeads, contextLength }, { min: 1 });
  check.whole({ numLayers, numTypes }, { min: 0 });
  check.finite({ normEps }, { min: 0, fix: "take what the model was trained with, about 1e-12." });
}

function refuseHead(): never {
  onLogits.refuse({
    argument: "params.maskedTokenHead",
    received: undefined,
    expected: "the weights of a head for masked tokens",
    fix: "load a checkpoint that was saved with its head (BertForMaskedLM); sentence embeddings need none.",
  });
}
