import type { Traits } from "./architectures.js";
import type { Fields } from "./config-fields.js";
import type { DenseFeedForward, FeedForwardShape } from "./model-shape.js";
import { holds } from "./read-attention.js";

/** The feed-forward of a layer: dense, or a mixture of experts. */
export function readFeedForward(fields: Fields, traits: Traits, layer: number): FeedForwardShape {
  const { config, own, size, count } = fields;
  const numExperts = count("experts", 0);
  if (numExperts < 2 || !hasExperts(fields, layer)) {
    return readDense(fields, traits, own("intermediate_size_mlp", readHidden(fields, traits)));
  }
  const hiddenDim = size("expertHidden", readHidden(fields, traits));
  const shared = count("sharedExperts", traits.sharedExpert ? 1 : 0) * hiddenDim;
  const sharedWidth = config["shared_expert_intermediate_size"];
  return {
    kind: "experts",
    numExperts,
    expertsPerToken: size("expertsPerToken"),
    hiddenDim,
    gated: isGated(fields, traits),
    bias: traits.expertBias,
    sharedDim: typeof sharedWidth === "number" ? sharedWidth : shared,
    sharedGate: traits.sharedGate,
    routerBias: traits.routerBias,
  };
}

/** One network of a given hidden width. */
export function readDense(fields: Fields, traits: Traits, hiddenDim: number): DenseFeedForward {
  return { kind: "dense", hiddenDim, gated: isGated(fields, traits), bias: holds(traits.mlpBias, fields) };
}

/** The hidden width, where it stands or as the architecture has it. */
export function readHidden(fields: Fields, { mlpRatio }: Traits): number {
  return fields.size("hidden", mlpRatio === null ? undefined : mlpRatio * fields.size("width"));
}

/** Three matrices or two: as the architecture has it, unless a table of shapes says it in words. */
function isGated(fields: Fields, traits: Traits): boolean {
  const matrices = /^([23]) matrices/.exec(String(fields.config["mlp"] ?? ""))?.[1];
  return matrices === undefined ? holds(traits.gated, fields) : matrices === "3";
}

/** Some architectures begin with dense layers, others have experts in each n-th layer only. */
function hasExperts(fields: Fields, layer: number): boolean {
  const { own, list, count } = fields;
  return (
    layer >= count("denseLayers", 0) &&
    layer % own("moe_layer_freq", 1) === 0 &&
    (layer + 1) % own("decoder_sparse_step", 1) === 0 &&
    (layer + 1) % own("interleave_moe_layer_step", 1) === 0 &&
    !list("mlp_only_layers")?.includes(layer)
  );
}
