import type { Traits } from "./architectures.js";
import { configFields, type Fields } from "./config-fields.js";
import { layerPart } from "./layer-kinds.js";
import type { DenseFeedForward, FeedForwardShape } from "./model-shape.js";
import { evaluateRule } from "./read-attention.js";

/** The feed-forward layer: dense, or a mixture of experts. */
export function readFeedForward(fields: Fields, traits: Traits, layer: number): FeedForwardShape {
  const { config, sizeByName, size, count } = fields;
  if (traits.mixersOnly) return { kind: "none" };
  const part = traits.onePartPerLayer ? layerPart(fields, layer) : undefined;
  if (part === "mixer" || part === "attention") return { kind: "none" };
  const numExperts = part === "mlp" ? 0 : count("experts", 0);
  // Granite: width of a shared feed-forward layer, in addition to experts or alone.
  const sharedSize = config["shared_intermediate_size"];
  if (numExperts < 2 || !hasExperts(fields, traits, layer)) {
    const hidden = typeof sharedSize === "number" ? sharedSize : readHidden(fields, traits, layer);
    return readDense(fields, traits, sizeByName("intermediate_size_mlp", hidden));
  }
  const hiddenDim = size("expertHidden", readHidden(fields, traits));
  const shared = count("sharedExperts", traits.sharedExperts) * hiddenDim;
  const sharedWidth =
    config["shared_expert_intermediate_size"] ?? config["moe_shared_expert_intermediate_size"] ?? sharedSize;
  return {
    kind: "experts",
    numExperts,
    expertsPerToken: size("expertsPerToken"),
    hiddenDim,
    gated: isGated(fields, traits),
    bias: traits.expertBias,
    sharedDim: typeof sharedWidth === "number" ? sharedWidth : shared,
    sharedGate: traits.sharedGate,
    routerBias: evaluateRule(traits.routerBias, fields),
  };
}

/** A dense feed-forward layer of a given hidden width. */
export function readDense(fields: Fields, traits: Traits, hiddenDim: number): DenseFeedForward {
  return {
    ...{
      kind: "dense",
      hiddenDim,
      gated: isGated(fields, traits),
      bias: evaluateRule(traits.mlpBias, fields),
    },
    ...(traits.stateLayer === "rwkv7" && { shifts: 1 }),
    ...(traits.activationNumbers && { learned: traits.activationNumbers }),
  };
}

/** The hidden width of a layer: one for all layers, a list, or by the rule of the architecture. */
export function readHidden(fields: Fields, traits: Traits, layer = 0): number {
  const { config } = fields;
  const listed = fields.list("intermediate_size");
  if (listed) return readHidden(configFields({ ...config, intermediate_size: listed[layer] }), traits);
  const { mlpRatio, sharedKeys = 0 } = traits;
  const shares = layer >= fields.size("layers") - fields.count("sharedKvLayers", sharedKeys);
  // Gemma 4: twice as wide in layers that share keys and values.
  if (shares && fields.flag("use_double_wide_mlp", false)) return 2 * fields.size("hidden");
  const hidden = fields.size("hidden", mlpRatio === null ? undefined : mlpRatio * fields.size("width"));
  // LFM2: two thirds of the field, times a factor, rounded up to a multiple.
  if (!fields.flag("block_auto_adjust_ff_dim", fields.config["model_type"] === "lfm2")) return hidden;
  const multiple = fields.sizeByName("block_multiple_of", 256);
  const times = fields.fraction(["block_ffn_dim_multiplier"], 1);
  return multiple * Math.ceil(Math.floor(times * Math.floor((2 * hidden) / 3)) / multiple);
}

/** True for a gated layer of three matrices. A table of shapes may say "2 matrices" or "3 matrices" in `mlp`. */
function isGated(fields: Fields, traits: Traits): boolean {
  const matrices = /^([23]) matrices/.exec(String(fields.config["mlp"] ?? ""))?.[1];
  return matrices === undefined ? evaluateRule(traits.gated, fields) : matrices === "3";
}

/** True if a layer has experts. Some architectures start with dense layers, others have experts only in every n-th layer. */
function hasExperts(fields: Fields, traits: Traits, layer: number): boolean {
  const { sizeByName, list, count, config } = fields;
  if (traits.sparse) return traits.sparse(layer, fields);
  const last = config["moe_layer_end_index"];
  const listed = list("mlp_layer_types")?.[layer];
  if (listed !== undefined) return listed === "sparse";
  return (
    layer >= count("denseLayers", traits.denseLayers) &&
    !(typeof last === "number" && last >= 0 && layer > last) &&
    (layer + 1) % sizeByName("moe_layer_interval", 1) === 0 &&
    layer % sizeByName("moe_layer_freq", 1) === 0 &&
    (layer + 1) % sizeByName("decoder_sparse_step", 1) === 0 &&
    (layer + 1) % sizeByName("interleave_moe_layer_step", 1) === 0 &&
    !list("mlp_only_layers")?.includes(layer)
  );
}
