import { checks, knownNames } from "@qkv/core";
import { cast, isTensor, mapTensors, zeros, type Tensor } from "@qkv/tensor";
import type { DecoderConfig } from "@qkv/transformer";
import { checkModel, type LensModel } from "../lens-model.js";
import { hookedActivations, type HookedTransformerConfig } from "./hooked-config.js";
import { normPaths, tensorTable } from "./tensor-table.js";

/** A model in the format of TransformerLens. */
export type TransformerLensCheckpoint = {
  readonly cfg: HookedTransformerConfig;
  /** By the names of a `HookedTransformer`'s `state_dict()`: `blocks.0.attn.W_Q`. Float32, or float64 for a float64 model. */
  readonly tensors: Readonly<Record<string, Tensor>>;
};

/**
 * Converts a decoder to a `HookedTransformer` of TransformerLens: its configuration, and its tensors by the names of `state_dict()`.
 * Biases that the decoder does not have are zeros.
 *
 * `writeSafetensors(tensors, { cfg: JSON.stringify(cfg) })` makes a file for {@link loadTransformerLens}. In Python, use
 * `HookedTransformerConfig.from_dict(cfg)` and `load_state_dict(tensors, strict=False)`: masks and other buffers are not in the file.
 *
 * @throws {ArgumentError} If the decoder has a feature or a tensor that a `HookedTransformer` does not have.
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { transformerLensCheckpoint } from "@qkv/lens/transformer-lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 2, gated: false,
 *   contextLength: 32, normEps: 1e-5, stopIds: [], norm: "layer", positions: "learned", activation: "relu",
 * } as const;
 * const { init, apply } = decoder(config);
 * const { cfg, tensors } = transformerLensCheckpoint({ config, params: init(1), apply });
 * cfg.d_head; // => 4
 * tensors["blocks.0.attn.W_Q"]!.shape; // => [2, 8, 4]
 * ```
 */
export function transformerLensCheckpoint(model: LensModel): TransformerLensCheckpoint {
  checkModel(check, model);
  const config = normalized(model.config);
  const leaves = new Map<string, Tensor>();
  mapTensors(model.params as never, (x: Tensor, path: string) => {
    leaves.set(path, x);
    return x;
  });
  const embedding = leaves.get("embedding.weight")!;
  const output = leaves.get("output.weight") ?? embedding; // tied
  const numOutputs = output.shape[0]!;
  const normsHaveWeights = config.norm !== "none";
  if (!normsHaveWeights) refuseGains(config, leaves);

  const dtype = embedding.dtype === "float64" ? "float64" : "float32";
  const tensors: Record<string, Tensor> = {};
  for (const { theirs, ours, shape, toTheirs } of tensorTable(config, { numOutputs, normsHaveWeights })) {
    const x = ours === "output.weight" ? output : leaves.get(ours);
    leaves.delete(ours);
    if (!x && !ours.endsWith("bias") && !(ours === "positions.weight" && model.config.positions === "none"))
      refuse(`params.${ours}`, undefined, "a tensor", "give all weights of the decoder.");
    tensors[theirs] = x ? toTheirs(cast(checkFloats(ours, x), dtype)) : zeros(shape, { dtype });
  }
  if (config.gated) refuseGatedBiases(model);
  const [left] = leaves.keys();
  if (left !== undefined)
    refuse(
      `params.${left}`,
      "a tensor",
      "none: a HookedTransformer has no such tensor",
      "leave the part out.",
    );
  return { cfg: hookedConfig(config, numOutputs), tensors };
}

const check = /* @__PURE__ */ checks("transformerLensCheckpoint");

function refuse(argument: string, received: unknown, expected: string, fix: string): never {
  return check.refuse({ argument, received, expected, fix });
}

/** Fields that are written, or do not affect the computation. */
const written = new Set<keyof DecoderConfig>([
  ...(["vocabSize", "embedDim", "hiddenDim", "numLayers", "numHeads", "numKvHeads", "headDim"] as const),
  ...(["contextLength", "stopIds", "norm", "normEps", "placement", "activation", "gated", "bias"] as const),
  ...(["positions", "ropeBase", "ropeLayout", "ropeDim", "bidirectional", "layerTypes", "window"] as const),
  ...(["attentionScale", "attentionSoftcap", "logitSoftcap", "feedForwardLayers", "embeddingNorm"] as const),
  "dropout",
  "checkpoint",
]);

/** The configuration with its defaults filled in. Refuses features that a HookedTransformer does not have. */
function normalized(config: DecoderConfig): DecoderConfig {
  const none = "nothing: a HookedTransformer does not have it";
  for (const [name, value] of Object.entries(config)) {
    // A factor of 1 or a flag that is off has no effect.
    const isDefault = value === undefined || value === false || value === 1 || value === 0;
    if (written.has(name as keyof DecoderConfig) || isDefault) continue;
    refuse(
      `model.config.${name}`,
      value,
      none,
      "export another model, or keep this one with `writeSafetensors`.",
    );
  }
  const { placement = "pre", activation = "silu", feedForwardLayers = [], layerTypes = [] } = config;
  const placements = ["pre", "both", "parallel"];
  if (!placements.includes(placement))
    refuse("model.config.placement", placement, `one of ${placements.join(", ")}`, "export another model.");
  const kinds = new Set(feedForwardLayers);
  if (kinds.size > 1 || [...kinds].some((kind) => typeof kind !== "boolean"))
    refuse(
      "model.config.feedForwardLayers",
      feedForwardLayers,
      "all true or all false",
      "export another model.",
    );
  const attentionOnly = kinds.has(false);
  if (!attentionOnly && !Object.values(hookedActivations).includes(activation as "relu"))
    refuse(
      "model.config.activation",
      activation,
      `one of ${knownNames(activation, [...new Set(Object.values(hookedActivations))], "the reference of `transformerLensCheckpoint`")}`,
      "export another model.",
    );
  const otherType = layerTypes.findIndex((type) => type !== "full" && type !== "sliding");
  if (otherType >= 0)
    refuse(
      `model.config.layerTypes[${otherType}]`,
      layerTypes[otherType],
      '"full" or "sliding"',
      "export another model.",
    );
  if (config.bidirectional && layerTypes.includes("sliding"))
    refuse("model.config.bidirectional", true, "false, as some layers slide", "export another model.");
  const { positions = "rotary" } = config;
  return {
    ...config,
    headDim: config.headDim ?? config.embedDim / config.numHeads,
    norm: config.norm ?? "rms",
    gated: !attentionOnly && (config.gated ?? true),
    // A model without positions is written with learned positions of zeros.
    positions: positions === "none" ? "learned" : positions,
    placement,
    activation,
  };
}

/** The configuration of a HookedTransformer. Fields that older versions lack are left out if they have their default. */
function hookedConfig(config: DecoderConfig, numOutputs: number): HookedTransformerConfig {
  const { numHeads, numKvHeads, layerTypes, placement, positions } = config;
  const attentionOnly = config.feedForwardLayers?.includes(false) ?? false;
  const act = Object.entries(hookedActivations).find(([, name]) => name === config.activation);
  const norms = { layer: "LN", rms: "RMS", none: null } as const;
  return {
    n_layers: config.numLayers,
    d_model: config.embedDim,
    d_head: config.headDim!,
    n_heads: numHeads,
    n_ctx: config.contextLength,
    d_vocab: config.vocabSize,
    d_vocab_out: numOutputs,
    d_mlp: attentionOnly ? null : config.hiddenDim,
    act_fn: attentionOnly ? null : act![0],
    attn_only: attentionOnly,
    normalization_type: norms[config.norm!],
    eps: config.normEps,
    attention_dir: config.bidirectional ? "bidirectional" : "causal",
    positional_embedding_type: positions === "rotary" || positions === "alibi" ? positions : "standard",
    ...(numKvHeads < numHeads && { n_key_value_heads: numKvHeads }),
    ...(config.gated && { gated_mlp: true }),
    ...(positions === "rotary" && {
      rotary_dim: config.ropeDim ?? config.headDim!,
      rotary_base: config.ropeBase ?? 10000,
      ...(config.ropeLayout === "interleaved" && { rotary_adjacent_pairs: true }),
    }),
    ...(config.attentionScale !== undefined && { attn_scale: 1 / config.attentionScale }),
    ...(config.attentionSoftcap !== undefined && { attn_scores_soft_cap: config.attentionSoftcap }),
    ...(config.logitSoftcap !== undefined && { output_logits_soft_cap: config.logitSoftcap }),
    ...(layerTypes?.includes("sliding") && {
      use_local_attn: true,
      attn_types: layerTypes.map((type) => (type === "sliding" ? "local" : "global")),
      window_size: config.window!,
    }),
    ...(placement === "parallel" && { parallel_attn_mlp: true }),
    ...(placement === "both" && { use_normalization_before_and_after: true }),
    ...(config.embeddingNorm && { post_embedding_ln: true }),
  };
}

function checkFloats(path: string, x: Tensor): Tensor {
  if (isTensor(x) && /^(float|bfloat)/.test(x.dtype)) return x;
  return refuse(`params.${path}`, x, "a tensor of floats", "load the model without `quantize`.");
}

/** Refuses trained gains in a model without norms, which a HookedTransformer does not have. */
function refuseGains(config: DecoderConfig, leaves: Map<string, Tensor>): void {
  for (const path of normPaths(config)) {
    const gain = leaves.get(`${path}.weight`);
    if (gain && Array.from(gain.data).some((value) => Number(value) !== 1))
      refuse(
        `params.${path}.weight`,
        "gains that were trained",
        "gains of 1, as the configuration has no norms",
        "multiply the columns of the maps that read them by these gains.",
      );
    leaves.delete(`${path}.weight`);
  }
}

/** Refuses biases before the product of a gated layer; TransformerLens adds them after it. */
function refuseGatedBiases({ params }: LensModel): void {
  params.layers.forEach(({ feedForward }, i) => {
    const { up, gate } = feedForward as { up: { bias?: Tensor }; gate?: { bias?: Tensor } };
    for (const [name, bias] of Object.entries({ up: up.bias, gate: gate?.bias })) {
      if (!bias || Array.from(bias.data).every((value) => Number(value) === 0)) continue;
      const expected = "none in a gated layer, or zeros";
      refuse(`params.layers.${i}.feedForward.${name}.bias`, "biases", expected, "export another model.");
    }
  });
}
