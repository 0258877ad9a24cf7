import type { AttentionParams, RotaryLayout } from "@qkv/attention";
import type { Tensor } from "@qkv/tensor";
import type { FeedForwardParams } from "../layers/feed-forward.js";
import type { MixtureOfExpertsParams } from "../layers/mixture-of-experts.js";
import type { NormParams } from "../layers/norm.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { DecoderLayerParams, DecoderParams } from "../models/decoder.js";
import { halfFromInterleaved, interleavedFromHalf } from "../conversions/rotary-layout.js";
import { activationNames } from "../architectures/config-fields.js";
import { decoderHeadDim, linear, type HuggingFaceDecoder } from "./hugging-face-decoder.js";
import type { ArchitectureConstraints } from "./architecture-constraints.js";
import { ropeScalingField } from "../architectures/rope-fields.js";
import {
  unchanged,
  concatenated,
  withOffset,
  reordered,
  type TensorToWrite,
} from "../architectures/tensor-to-write.js";

/** Storage layout of a model of Llama's family. */
export type LlamaLayout = {
  /** Offset of norm weights: 1 for `(1 + weight) · x`, as Gemma. Default 0. */
  normOffset?: 0 | 1;
  /** Rotary layout. Default `half`. */
  ropeLayout?: RotaryLayout;
  /** True: query, key and value are one fused matrix, as are gate and up. Default false. */
  fused?: boolean;
  /** Path of the experts, and names of their projections. Default: those of the feed-forward layer. */
  mixture?: { path: string; names: readonly [gate: string, up: string, down: string] };
};

/** Options of architectures of Llama's family. */
export type LlamaVariant = LlamaLayout & {
  class: string;
  constraints: ArchitectureConstraints;
  /** Further fields of `config.json`. Default: none. */
  fields?(config: DecoderConfig): Record<string, unknown>;
};

/** An architecture of Llama's family. */
export function llamaFamily(name: string, variant: LlamaVariant): HuggingFaceDecoder {
  return {
    name,
    class: variant.class,
    constraints: variant.constraints,
    fields: (config, params) => ({
      vocab_size: config.vocabSize,
      hidden_size: config.embedDim,
      intermediate_size: config.hiddenDim,
      num_hidden_layers: config.numLayers,
      num_attention_heads: config.numHeads,
      num_key_value_heads: config.numKvHeads,
      head_dim: decoderHeadDim(config),
      [variant.normOffset === 1 ? "hidden_activation" : "hidden_act"]:
        activationNames[config.activation ?? "silu"],
      max_position_embeddings: config.contextLength,
      rms_norm_eps: config.normEps,
      tie_word_embeddings: params.output === undefined,
      rope_theta: config.ropeBase,
      ...(config.ropeScaling && { rope_scaling: ropeScalingField(config.ropeScaling) }),
      sliding_window: config.window ?? null,
      ...variant.fields?.(config),
    }),
    tensors: (config, params) => llamaTensors(config, params, variant),
  };
}

/** The tensors of a model of Llama's family, by their names in checkpoints of Hugging Face. */
export function llamaTensors(
  config: DecoderConfig,
  params: DecoderParams,
  layout: LlamaLayout = {},
): TensorToWrite[] {
  const { normOffset = 0, ropeLayout = "half", fused = false } = layout;
  const { mixture = { path: "mlp", names: feedForwardNames } } = layout;
  const normWeight = (name: string, x: Tensor) =>
    normOffset === 0 ? unchanged(name, x) : withOffset(name, x, normOffset);
  const rowMap = rotaryRowMap(config, ropeLayout);
  const permuted = (name: string, x: Tensor) => (rowMap ? reordered(name, x, rowMap) : unchanged(name, x));

  const attention = (
    path: string,
    { query, key, value, output, queryNorm, keyNorm }: AttentionParams,
  ): TensorToWrite[] => [
    ...(fused
      ? [concatenated(`${path}.qkv_proj.weight`, [query.weight, key.weight, value.weight])]
      : [
          ...linear(`${path}.q_proj`, query, permuted),
          ...linear(`${path}.k_proj`, key, permuted),
          ...linear(`${path}.v_proj`, value),
        ]),
    ...linear(`${path}.o_proj`, output),
    ...(queryNorm ? [normWeight(`${path}.q_norm.weight`, queryNorm.weight)] : []),
    ...(keyNorm ? [normWeight(`${path}.k_norm.weight`, keyNorm.weight)] : []),
  ];

  const feedForward = (path: string, params: FeedForwardParams | MixtureOfExpertsParams): TensorToWrite[] => {
    if ("router" in params) {
      const mixturePath = `${path}.${mixture.path}`;
      return [
        ...linear(`${mixturePath}.gate`, params.router),
        ...params.experts.flatMap((expert, e) =>
          gatedProjections(`${mixturePath}.experts.${e}`, expert, mixture.names),
        ),
      ];
    }
    if (!fused) return gatedProjections(`${path}.mlp`, params, feedForwardNames);
    return [
      concatenated(`${path}.mlp.gate_up_proj.weight`, [params.gate!.weight, params.up.weight]),
      ...linear(`${path}.mlp.down_proj`, params.down),
    ];
  };

  const layer = (params: DecoderLayerParams, i: number): TensorToWrite[] => {
    const path = `model.layers.${i}`;
    const norm = (name: string, { weight }: NormParams) => normWeight(`${path}.${name}.weight`, weight);
    return [
      norm("input_layernorm", params.attentionNorm),
      ...attention(`${path}.self_attn`, params.attention),
      ...(config.placement === "both"
        ? [
            norm("post_attention_layernorm", params.attentionOutNorm!),
            norm("pre_feedforward_layernorm", params.feedForwardNorm),
            norm("post_feedforward_layernorm", params.feedForwardOutNorm!),
          ]
        : [norm("post_attention_layernorm", params.feedForwardNorm)]),
      ...feedForward(path, params.feedForward),
    ];
  };
  return [
    unchanged("model.embed_tokens.weight", params.embedding.weight),
    ...params.layers.flatMap(layer),
    normWeight("model.norm.weight", params.norm.weight),
    ...(params.output ? [unchanged("lm_head.weight", params.output.weight)] : []),
  ];
}

/** Row map of queries and keys, if the rotary layout of the file differs from that of the model. */
function rotaryRowMap(
  config: DecoderConfig,
  fileLayout: RotaryLayout,
): ((row: number) => number) | undefined {
  const { ropeLayout = "half", ropeDim } = config;
  if (ropeLayout === fileLayout) return undefined;
  return (fileLayout === "half" ? halfFromInterleaved : interleavedFromHalf)(decoderHeadDim(config), ropeDim);
}

const feedForwardNames = ["gate_proj", "up_proj", "down_proj"] as const;

function gatedProjections(
  path: string,
  { gate, up, down }: FeedForwardParams,
  [gateName, upName, downName]: readonly [string, string, string],
): TensorToWrite[] {
  return [
    ...linear(`${path}.${gateName}`, gate!),
    ...linear(`${path}.${upName}`, up),
    ...linear(`${path}.${downName}`, down),
  ];
}
