// Small random models of each architecture, for tests that export them to other engines. Weights are large, so that
// greedy generation does not repeat the last token forever; norm weights and biases are random too.

const base = {
  ...{ vocabSize: 64, embedDim: 64, hiddenDim: 96, numLayers: 3, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 256, normEps: 1e-5, stopIds: [] },
};
const gemma = { activation: "geluTanh", embeddingScale: 8, normEps: 1e-6 };
const slides = (...types) => ({ window: 6, layerTypes: types.map((each) => (each ? "sliding" : "full")) });
const gpt = {
  ...{ norm: "layer", activation: "geluTanh", gated: false, positions: "learned" },
  bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
};

/** Configurations of decoders by architecture. */
export const decoderConfigs = {
  llama: { ...base },
  "llama, pairs of neighbours": { ...base, ropeLayout: "interleaved" },
  "llama 3, slow pairs": {
    ...base,
    ropeScaling: { type: "llama3", factor: 8, lowFactor: 1, highFactor: 4, originalLength: 32 },
  },
  "llama, yarn": {
    ...base,
    ropeScaling: { type: "yarn", factor: 4, originalLength: 32, betaFast: 32, betaSlow: 1 },
  },
  mistral: { ...base, ...slides(true, true, true) },
  qwen2: { ...base, bias: { queryKeyValue: true } },
  qwen3: { ...base, headDim: 32, qkNorm: true },
  mixtral: { ...base, experts: { numExperts: 4, expertsPerToken: 2 } },
  qwen3_moe: {
    ...base,
    qkNorm: true,
    experts: { numExperts: 4, expertsPerToken: 2, normTopKProb: false },
  },
  gemma: { ...base, ...gemma, numKvHeads: 1, headDim: 32 },
  gemma2: {
    ...{ ...base, ...gemma, ...slides(true, false, true), placement: "both" },
    ...{ attentionScale: 0.25, attentionSoftcap: 5, logitSoftcap: 30 },
  },
  gemma3: {
    ...{ ...base, ...gemma, ...slides(true, true, false), placement: "both" },
    ...{ qkNorm: true, ropeBase: 1e6, slidingRopeBase: 10000 },
  },
  phi3: { ...base, headDim: 32, ropeDim: 16 },
  "phi3, long": {
    ...base,
    ropeScaling: {
      ...{ type: "longrope", factor: 8, originalLength: 32 },
      shortFactors: Array.from({ length: 8 }, (_, i) => 1 + i / 16),
      longFactors: Array.from({ length: 8 }, (_, i) => 1 + i),
    },
  },
  gpt2: { ...base, ...gpt, numKvHeads: 4 },
  gpt_bigcode: { ...base, ...gpt, numKvHeads: 1 },
};

/** An encoder's configuration. */
export const encoderConfig = {
  ...{ vocabSize: 64, embedDim: 64, hiddenDim: 96, numLayers: 2, numHeads: 4 },
  ...{ contextLength: 64, numTypes: 2, normEps: 1e-12 },
};

/**
 * Random weights: scaled up from `init`.
 *
 * @param {{ mapTensors: any, randn: any, add: any, mul: any }} ops - Functions of @qkv/tensor.
 * @param {any} params
 * @param {number} [embeddingScale] - Factor of the model's embeddings.
 */
export function scaledParams({ mapTensors, randn, add, mul }, params, embeddingScale = 1) {
  let seed = 0;
  return mapTensors(params, (x, path) => {
    seed += 1;
    if (/norm\.weight$/i.test(path)) return add(mul(randn(x.shape, { seed }), 0.2), 1);
    if (/bias$|sinks$/i.test(path)) return mul(randn(x.shape, { seed }), 0.3);
    if (/^(embedding|positions|types)/.test(path)) return mul(x, 12 / embeddingScale);
    // Parameters of a state's decay are not scaled up: doubling them would give implausible decays.
    return /(A\.value|logRate)$/.test(path) ? x : mul(x, 2);
  });
}

/** Token ids of a prompt. */
export const prompt = [3, 14, 15, 9, 26, 5, 35, 8, 9, 7, 9, 32];
