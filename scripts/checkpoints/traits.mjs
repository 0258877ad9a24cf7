// Describes a decoder's configuration in the words of the table.

/** Names of layers, as in `qkv inspect`. */
const layerName = (type) => {
  if (typeof type === "string") return type;
  const name = ({ name = "own" }) => name.replace(/,? ?layer \d+ of \d+$/, "");
  return "mixer" in type ? `${type.attention} and ${name(type.mixer)}` : name(type);
};

/** The distinct kinds of layers. */
export const layerKinds = ({ layerTypes = ["full"] }) => [...new Set(layerTypes.map(layerName))];

const attends = (type) => (typeof type === "string" ? type !== "none" : "mixer" in type);

const placements = {
  pre: undefined,
  post: "norms after sums",
  both: "norms on both sides",
  after: "norms after sublayers",
  parallel: "parallel block",
  parallelShared: "parallel block, one norm",
  normed: "normalized residual",
};

function positionsOf({ positions = "rotary", ropeLayout, ropeDim, ropeLayers, latent, slidingRopeBase }) {
  if (positions === "alibi") return "ALiBi";
  if (positions !== "rotary") return positions === "none" ? "no positions" : `${positions} positions`;
  return inBrackets("rotary", [
    ropeLayout === "interleaved" && "interleaved",
    (ropeDim !== undefined || latent !== undefined) && "part of a head",
    ropeLayers?.includes(false) && "some layers",
    slidingRopeBase !== undefined && "two bases",
  ]);
}

function headsOf({ numHeads, numKvHeads, latent }) {
  if (latent) return "latent attention (MLA)";
  if (numKvHeads === 1) return "multi-query";
  return numKvHeads === numHeads ? "multi-head" : "grouped-query";
}

const expertsOf = ({ experts }) =>
  experts &&
  inBrackets("experts", [
    experts.shared && "one shared",
    experts.router?.scores === "sigmoid" && "sigmoid router",
    experts.router?.choiceBias && "choice bias",
    experts.router?.groups && "groups",
  ]);

/** A trait, with its details. */
function inBrackets(trait, special) {
  const details = special.filter(Boolean);
  return details.length === 0 ? trait : `${trait} (${details.join(", ")})`;
}

/** Traits of a configuration, in words. */
export function traits(config) {
  const { layerTypes, norm = "rms", placement = "pre", activation = "silu", gated = true } = config;
  const hasAttention = layerTypes?.some(attends) ?? true;
  const hasFeedForward = config.feedForwardLayers?.some((one) => one === true) ?? true;
  return [
    hasAttention && headsOf(config),
    hasAttention && positionsOf(config),
    config.indexer && "indexer (DSA)",
    config.qkNorm &&
      inBrackets("query-key norm", [
        config.qkNorm === "heads" && "over all heads",
        config.qkNormPlace === "afterRope" && "after the rotation",
        config.valueNorm && "values too",
      ]),
    config.sinks && "sinks",
    config.differential && "differential",
    config.attentionGate && "output gate",
    config.attentionSoftcap !== undefined && "attention softcap",
    config.queryTemperature && "queries scaled by position",
    config.sharedKeyValues && "shared key-value caches",
    norm === "layer" ? "layer norm" : "RMS norm",
    placements[placement],
    expertsOf(config),
    hasFeedForward && activation !== "silu" && activation,
    hasFeedForward && !gated && "ungated",
    config.gateLimit && "limited gates",
    config.activationSparsity !== undefined && "sparse activations",
    config.altUp && "AltUp",
    config.laurelRank !== undefined && "LAuReL",
    config.perLayerEmbedding && "per-layer embeddings",
    config.layerScale && "layer scale",
    config.layerOverrides && "layers of different sizes",
    config.embeddingNorm && "embedding norm",
    config.logitSoftcap !== undefined && "logit softcap",
    config.bytePatches && "bytes in patches",
  ].filter(Boolean);
}
