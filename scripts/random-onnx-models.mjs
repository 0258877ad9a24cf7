// Small random models with softmax attention, for ONNX graphs. Those of random-table-models.mjs are for both GGUF files
// and ONNX graphs.

const base = {
  ...{ vocabSize: 64, embedDim: 64, hiddenDim: 96, numLayers: 4, numHeads: 4, numKvHeads: 4 },
  ...{ contextLength: 256, normEps: 1e-5, stopIds: [] },
};
const everywhere = { queryKeyValue: true, attentionOutput: true, feedForward: true };
const experts = { numExperts: 8, expertsPerToken: 2, hiddenDim: 48 };
const latent = { kvRank: 24, nopeDim: 12, ropeDim: 8, valueDim: 10 };
const yarn = { type: "yarn", factor: 4, originalLength: 32, mscale: 0.7, mscaleAllDim: 0.7, truncate: true };
const longer = 0.1 * yarn.mscaleAllDim * Math.log(yarn.factor) + 1;
const longerScale = (latent.nopeDim + latent.ropeDim) ** -0.5 * longer * longer;

/** Configurations of decoders by architecture. */
export const onnxConfigs = {
  "deepseek_v2, groups and yarn": {
    ...{ ...base, latent, ropeLayout: "interleaved", ropeScaling: yarn, attentionScale: longerScale },
    experts: {
      ...{ ...experts, normTopKProb: false, shared: { hiddenDim: 48 } },
      router: { groups: { count: 4, chosen: 2 }, scale: 2 },
      layers: [false, true, true, true],
    },
  },
  "falcon with alibi": {
    ...{ ...base, norm: "layer", gated: false, activation: "gelu", bias: everywhere },
    ...{ positions: "alibi", alibiScale: 0.25 },
  },
};
