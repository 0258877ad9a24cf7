// Small random models of architectures that are defined by tables, for tests that export them to other engines.

const base = {
  ...{ vocabSize: 64, embedDim: 64, hiddenDim: 96, numLayers: 4, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 256, normEps: 1e-5, stopIds: [] },
};
const everywhere = { queryKeyValue: true, attentionOutput: true, feedForward: true };
const maps = { queryKeyValue: true, attentionOutput: true };
const layered = { norm: "layer", gated: false };
const multiHead = { numKvHeads: 4 };
const threeOfFour = [true, true, true, false];
const types = (slides) => ({ window: 6, layerTypes: slides.map((each) => (each ? "sliding" : "full")) });
const scales = { embeddingScale: 3, attentionScale: 0.125, residualScale: 0.5, logitScale: 0.25 };
const experts = { numExperts: 4, expertsPerToken: 2 };
const latents = { latent: { kvRank: 32, queryRank: 24, nopeDim: 16, ropeDim: 8, valueDim: 20 } };
const yarn = { type: "yarn", factor: 4, originalLength: 32, truncate: true };
const yarnScale = 0.1 * 0.7 * Math.log(4) + 1;
const llama4 = {
  ...{ ropeLayout: "interleaved", ropeLayers: threeOfFour, chunkSize: 8192, hiddenDim: 128 },
  layerTypes: threeOfFour.map((rotates) => (rotates ? "chunked" : "full")),
  ...{ qkNorm: "unit", qkNormPlace: "afterRope", queryTemperature: { floorScale: 8192, attnScale: 0.1 } },
  experts: {
    ...{ numExperts: 4, expertsPerToken: 1, normTopKProb: false, hiddenDim: 96, shared: { hiddenDim: 96 } },
    router: { scores: "sigmoid", applyWeightOn: "input" },
  },
};
const gemma = {
  ...{ activation: "geluTanh", placement: "both", qkNorm: true, valueNorm: true, normEps: 1e-6 },
  ...{ embeddingScale: 8, attentionScale: 1, ropeBase: 1e6 },
};
/** Sizes of residual streams, the only ones that llama.cpp reads. */
const streams = {
  ...{ altUp: { streams: 4, outputScale: true }, laurelRank: 64 },
  ...{ perLayerEmbedding: { dim: 256 }, logitSoftcap: 30 },
};
const gptOss = {
  ...{ activation: "quickGelu", gateLimit: { limit: 7, offset: 1 }, sinks: true, bias: everywhere, experts },
  ...types([true, false, true, false]),
};
const grouped = {
  router: { scores: "sigmoid", choiceBias: true, scale: 1.5 },
  shared: { hiddenDim: 48 },
  hiddenDim: 48,
};

/** Configurations of decoders by architecture. */
export const tableConfigs = {
  afmoe: {
    ...{ ...base, placement: "both", qkNorm: true, attentionGate: "elementwise", embeddingScale: 8 },
    ...{ ...types(threeOfFour), ropeLayers: threeOfFour },
    experts: { ...experts, ...grouped, layers: [false, true, true, true] },
  },
  apertus: { ...base, activation: "xielu", gated: false, qkNorm: true },
  "apertus, slow pairs": {
    ...{ ...base, activation: "xielu", gated: false, qkNorm: true, bias: maps, headDim: 32 },
    ropeScaling: { type: "llama3", factor: 8, lowFactor: 1, highFactor: 4, originalLength: 32 },
  },
  arcee: { ...base, activation: "reluSquared", gated: false },
  bloom: {
    ...base,
    ...layered,
    ...multiHead,
    activation: "geluTanh",
    hiddenDim: 256,
    positions: "alibi",
    embeddingNorm: true,
    bias: everywhere,
  },
  cohere: { ...base, norm: "layer", placement: "parallelShared", ropeLayout: "interleaved", logitScale: 0.5 },
  cohere2: {
    ...{ ...base, norm: "layer", placement: "parallelShared", ropeLayout: "interleaved", logitScale: 0.5 },
    ...{ ...types(threeOfFour), ropeLayers: threeOfFour },
  },
  deepseek_v2: {
    ...{ ...base, ...multiHead, ...latents, ropeLayout: "interleaved" },
    experts: {
      ...{ ...experts, normTopKProb: false, hiddenDim: 48, shared: { hiddenDim: 96 } },
      ...{ layers: [false, true, true, true], router: { scale: 1.5 } },
    },
  },
  "deepseek_v2, without latents of queries": {
    ...{ ...base, ...multiHead, ropeLayout: "interleaved" },
    latent: { ...latents.latent, queryRank: undefined },
    experts: { ...experts, normTopKProb: false, hiddenDim: 48, shared: { hiddenDim: 96 } },
  },
  deepseek_v3: {
    ...{ ...base, ...multiHead, ...latents, ropeLayout: "interleaved" },
    experts: {
      ...{ ...experts, ...grouped, numExperts: 8, expertsPerToken: 3, layers: [false, true, true, true] },
      router: { ...grouped.router, groups: { count: 4, chosen: 2, best: 2 } },
    },
  },
  "deepseek_v3, yarn": {
    ...{ ...base, ...multiHead, ...latents, ropeLayout: "interleaved" },
    experts: { ...experts, ...grouped },
    attentionScale: 24 ** -0.5 * yarnScale * yarnScale,
    ropeScaling: { ...yarn, mscale: 0.7, mscaleAllDim: 0.7 },
  },
  deepseek_v32: {
    ...{ ...base, ...multiHead, ...latents, ropeLayout: "interleaved" },
    // Enough heads that no two keys score 0: a tie may be broken in any order.
    indexer: { numHeads: 32, headDim: 64, topK: 8 },
    experts: { ...experts, ...grouped, layers: [false, true, true, true] },
  },
  dots1: {
    ...base,
    ...multiHead,
    qkNorm: true,
    experts: { ...experts, ...grouped, layers: [false, true, true, true] },
  },
  ernie4_5: { ...base, ropeLayout: "interleaved" },
  ernie4_5_moe: {
    ...{ ...base, ropeLayout: "interleaved" },
    experts: {
      ...{ ...experts, hiddenDim: 48, router: { choiceBias: true }, shared: { hiddenDim: 96 } },
      layers: [false, true, true, true],
    },
  },
  exaone4: { ...base, placement: "after", qkNorm: true },
  exaone_moe: {
    ...{ ...base, qkNorm: true, ...types(threeOfFour), ropeLayers: threeOfFour },
    experts: { ...experts, ...grouped, layers: [false, true, true, true] },
  },
  "exaone4, layers that slide": {
    ...{ ...base, placement: "after", qkNorm: true },
    ...{ ...types(threeOfFour), ropeLayers: threeOfFour },
  },
  falcon: { ...base, ...layered, numKvHeads: 1, activation: "gelu", placement: "parallelShared" },
  gemma3n_text: {
    ...{ ...base, ...gemma, ...streams, numLayers: 25, hiddenDim: 256, slidingRopeBase: 10000 },
    ...types(Array.from({ length: 25 }, (_, i) => i % 5 < 4)),
    sharedKeyValues: Array.from({ length: 25 }, (_, i) => (i < 20 ? i : i === 24 ? 19 : 18)),
    layerOverrides: Array.from({ length: 25 }, (_, i) => (i < 10 ? { activationSparsity: 0.95 } : undefined)),
  },
  gemma4_text: {
    ...{ ...base, ...gemma, numLayers: 8, slidingRopeBase: 10000, layerScale: true },
    ...types([true, true, false, true, true, false, true, false]),
    ...{ sharedKeyValues: [0, 1, 2, 3, 4, 5, 4, 5], perLayerEmbedding: { dim: 32 } },
    layerOverrides: [
      ...[undefined, undefined, { headDim: 32, numKvHeads: 1 }, undefined, undefined],
      ...[{ headDim: 32, numKvHeads: 1 }, { hiddenDim: 192 }, { headDim: 32, numKvHeads: 1, hiddenDim: 192 }],
    ],
    ropeScaling: { type: "proportional", share: 0.25 },
  },
  "gemma4_text, without embeddings of layers": {
    ...{ ...base, ...gemma, slidingRopeBase: 10000, layerScale: true, logitSoftcap: 30 },
    ...{ ...types(threeOfFour), ropeScaling: { type: "proportional", share: 0.5 } },
  },
  glm: { ...base, ropeLayout: "interleaved", ropeDim: 8, bias: { queryKeyValue: true } },
  glm4: { ...base, ropeLayout: "interleaved", ropeDim: 8, placement: "both", bias: { queryKeyValue: true } },
  glm4_moe: {
    ...{ ...base, ropeDim: 8, bias: { queryKeyValue: true } },
    experts: { ...experts, ...grouped, layers: [false, true, true, true] },
  },
  gpt_neox: {
    ...base,
    ...layered,
    ...multiHead,
    activation: "gelu",
    placement: "parallel",
    ropeDim: 8,
    bias: everywhere,
  },
  "gpt_neox, one after the other": {
    ...base,
    ...layered,
    ...multiHead,
    activation: "gelu",
    ropeDim: 8,
    bias: everywhere,
  },
  "gpt_neox, pairs of neighbours": {
    ...{ ...base, ...layered, ...multiHead, activation: "gelu", placement: "parallel" },
    ...{ ropeLayout: "interleaved", bias: everywhere },
  },
  gpt_oss: { ...base, ...gptOss },
  "gpt_oss, yarn": {
    ...{ ...base, ...gptOss, ropeBase: 10177 },
    // The bounds of YaRN's ramp are integers, or nearly: llama.cpp rounds them.
    ropeScaling: { type: "yarn", factor: 4, originalLength: 200, truncate: false },
  },
  granite: { ...base, ...scales },
  "granite, a scale of scores alone": { ...base, attentionScale: 0.3 },
  granitemoe: { ...base, ...scales, experts },
  granitemoeshared: { ...base, ...scales, experts: { ...experts, shared: { hiddenDim: 80 } } },
  helium: { ...base, ropeLayout: "interleaved" },
  hunyuan_v1_dense: { ...base, qkNorm: true, qkNormPlace: "afterRope" },
  hunyuan_v1_moe: {
    ...{ ...base, qkNorm: true, qkNormPlace: "afterRope" },
    experts: { ...experts, shared: { hiddenDim: 96 } },
  },
  jais2: { ...base, ...layered, activation: "reluSquared", bias: everywhere },
  llama4_text: { ...base, ...llama4, experts: { ...llama4.experts, layers: [false, true, false, true] } },
  "llama4_text, slow pairs": {
    ...{ ...base, ...llama4 },
    ropeScaling: { type: "llama3", factor: 8, lowFactor: 1, highFactor: 4, originalLength: 32 },
  },
  minicpm3: {
    ...{ ...base, ...multiHead, ...latents },
    ...{ embeddingScale: 12, residualScale: 0.7, logitScale: 4 },
  },
  "minicpm3, long": {
    ...{ ...base, ...multiHead, ...latents },
    ...{ embeddingScale: 12, residualScale: 0.7, logitScale: 4 },
    ropeScaling: {
      ...{ type: "longrope", factor: 8, originalLength: 32 },
      ...{ shortFactors: [1, 1.25, 1.5, 1.75], longFactors: [1, 2, 3, 4], attentionFactor: 1.25 },
    },
  },
  minimax_m2: {
    ...{ ...base, qkNorm: "heads", ropeDim: 8 },
    experts: { ...experts, router: { scores: "sigmoid", choiceBias: true } },
  },
  mpt: { ...base, ...layered, ...multiHead, hiddenDim: 128, activation: "gelu", positions: "alibi" },
  nemotron: { ...base, ...layered, activation: "reluSquared", ropeDim: 8 },
  olmo: { ...base, norm: "layer" },
  olmo2: { ...base, placement: "after", qkNorm: "heads" },
  olmo3: { ...base, placement: "after", qkNorm: "heads", ...types(threeOfFour) },
  "olmo3, yarn": {
    ...{ ...base, placement: "after", qkNorm: "heads", ...types(threeOfFour), slidingRopeBase: 10000 },
    ropeScaling: { type: "yarn", factor: 4, originalLength: 32 },
  },
  olmoe: { ...base, ...multiHead, qkNorm: "heads", experts: { ...experts, normTopKProb: false } },
  phi: {
    ...base,
    ...layered,
    placement: "parallelShared",
    activation: "geluTanh",
    ropeDim: 8,
    bias: everywhere,
  },
  qwen2_moe: {
    ...{ ...base, bias: { queryKeyValue: true } },
    experts: { ...experts, normTopKProb: false, hiddenDim: 48, shared: { hiddenDim: 80, gated: true } },
  },
  seed_oss: { ...base, headDim: 32, bias: { queryKeyValue: true } },
  smollm3: { ...base, ropeLayers: threeOfFour },
  stablelm: { ...base, norm: "layer", ropeDim: 4 },
  starcoder2: { ...base, ...layered, activation: "geluTanh", bias: everywhere },
};

/** Names of architectures in llama.cpp if different, or the error that refuses them. */
export const llamaCppArchitectures = {
  "apertus, slow pairs": "apertus",
  cohere: "command-r",
  deepseek_v2: "deepseek2",
  "deepseek_v2, without latents of queries": "deepseek2",
  deepseek_v3: "deepseek2",
  "deepseek_v3, yarn": "deepseek2",
  deepseek_v32: "deepseek32",
  ernie4_5: "llama",
  ernie4_5_moe: "ernie4_5-moe",
  exaone_moe: "exaone-moe",
  "exaone4, layers that slide": /expected .*, as \S+ has it, which this model is nearest to/,
  gemma3n_text: "gemma3n",
  gemma4_text: "gemma4",
  "gemma4_text, without embeddings of layers": "gemma4",
  glm: "chatglm",
  "granite, a scale of scores alone": "granite",
  granitemoeshared: "granitemoe",
  glm4_moe: "glm4moe",
  gpt_neox: "gptneox",
  gpt_oss: "gpt-oss",
  "gpt_oss, yarn": "gpt-oss",
  "gpt_neox, one after the other": "gptneox",
  "gpt_neox, pairs of neighbours": "gptneox",
  helium: "llama",
  hunyuan_v1_dense: "hunyuan-dense",
  hunyuan_v1_moe: "hunyuan-moe",
  llama4_text: "llama4",
  "llama4_text, slow pairs": "llama4",
  jais2: "nemotron",
  "minicpm3, long": "minicpm3",
  minimax_m2: "minimax-m2",
  olmo3: "olmo2",
  "olmo3, yarn": "olmo2",
  phi: "phi2",
  qwen2_moe: "qwen2moe",
};

/** Refusals of ONNX graphs, and of Hugging Face configurations. */
export const refusedInOnnx = {
  afmoe: /`config\.attentionGate` .*in an ONNX graph/,
  deepseek_v32: /`config\.indexer` .*in an ONNX graph/,
  gemma3n_text: /`config\.\w+` .*in an ONNX graph/,
  gemma4_text: /`config\.\w+` .*in an ONNX graph/,
  "gemma4_text, without embeddings of layers": /`config\.\w+` .*in an ONNX graph/,
  llama4_text: /`config.chunkSize` is 8192/,
  "llama4_text, slow pairs": /`config.chunkSize` is 8192/,
  "gpt_neox, pairs of neighbours": /`config.placement` is "parallel", expected "pre"/,
  "olmo3, yarn": /`config.placement` is "after", expected "pre"/,
};

/**
 * Params of an architecture, without those that it does not have. Most have an untied output projection.
 *
 * @param {string} name
 * @param {{ ones: any, mul: any, randn: any }} ops - Functions of @qkv/tensor.
 */
export function tableParams(name, { ones, mul, randn }, params) {
  const { layers, embedding } = params;
  const [vocabSize, width] = embedding.weight.shape;
  const output = { weight: mul(randn([vocabSize, width], { seed: 5 }), 0.3) };
  const norms = (change) => ({
    ...params,
    norm: change(params.norm),
    layers: layers.map((layer) =>
      Object.fromEntries(
        Object.entries(layer).map(([key, value]) => [key, /Norm$/.test(key) ? change(value) : value]),
      ),
    ),
  });
  const withRouterBias = ({ feedForward, ...layer }, i) => {
    const bias = mul(randn([feedForward.experts.length], { seed: 7 + i }), 0.3);
    return { ...layer, feedForward: { ...feedForward, router: { ...feedForward.router, bias } } };
  };
  if (name === "gemma3n_text") return withOutputScales({ mul, randn }, params);
  if (/^(cohere|mpt)/.test(name)) return norms(({ weight }) => ({ weight }));
  if (name === "olmo") return { ...norms(({ weight }) => ({ weight: ones(weight.shape) })), output };
  if (name === "phi")
    return { ...params, output: { ...output, bias: mul(randn([vocabSize], { seed: 6 }), 0.3) } };
  if (/^gpt_oss/.test(name)) return { ...params, output, layers: layers.map(withRouterBias) };
  return /^(arcee|glm|olmo2|smollm3)$/.test(name) ? params : { ...params, output };
}

/**
 * Scales of the active stream, which are 0 before training. Layers add small updates, so that rounding errors do not grow through 25 layers.
 */
function withOutputScales({ mul, randn }, params) {
  const little = ({ weight }) => ({ weight: mul(weight, 0.1) });
  const layers = params.layers.map(({ altUp, perLayer, ...layer }, i) => {
    const outputScale = mul(randn(altUp.outputScale.shape, { seed: 9 + i }), 0.3);
    return {
      ...{ ...layer, altUp: { ...altUp, outputScale } },
      perLayer: { ...perLayer, norm: little(perLayer.norm) },
      attentionOutNorm: little(layer.attentionOutNorm),
      feedForwardOutNorm: little(layer.feedForwardOutNorm),
    };
  });
  return { ...params, layers };
}
