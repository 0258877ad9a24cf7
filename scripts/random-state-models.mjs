// Small random models with recurrent states, for tests that export them to llama.cpp.
import { File } from "node:buffer";

const base = {
  ...{ vocabSize: 64, embedDim: 64, hiddenDim: 96, numLayers: 4, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 256, normEps: 1e-5, stopIds: [] },
};
const wide = { numExperts: 4, expertsPerToken: 2 };
const experts = { ...wide, hiddenDim: 48 };

const scales = { embeddingScale: 3, attentionScale: 0.125, residualScale: 0.5, logitScale: 0.25 };
const nemotron = {
  ...{ activation: "reluSquared", gated: false, positions: "none" },
  feedForwardLayers: [false, true, false, true],
};

const gatedAttention = { headDim: 32, ropeDim: 8, qkNorm: true, attentionGate: "elementwise" };

/**
 * A stack of mixers only. It has no attention or feed-forward layers; their sizes in the configuration are the mixer's.
 */
const stack = (mixer) => ({
  ...base,
  ...{ hiddenDim: 64, numHeads: mixer.config.numHeads, numKvHeads: mixer.config.numKeyHeads },
  layerTypes: [mixer, mixer, mixer, mixer],
  feedForwardLayers: [false, false, false, false],
});

/** Attention and a mixer in parallel in all layers. */
const hybrids = (mixer) => new Array(4).fill({ attention: "full", mixer });

/**
 * Configurations of decoders by architecture.
 *
 * @param {{ attention: any, tensor: any }} packages - @qkv/attention and @qkv/tensor.
 */
export function stateConfigs({ attention, tensor }) {
  const { gatedDeltaRule, mixerLayer, selectiveScan, shortConvolution, ssd } = attention;
  const { ones, rmsNorm, silu } = tensor;
  const convolution = mixerLayer({
    ...{ embedDim: 64, numHeads: 1, mixer: shortConvolution(), axes: { N: 3 } },
    ...{ outputNorm: "none", bias: false },
  });
  const mamba = (maps = {}) =>
    mixerLayer({
      ...{ embedDim: 64, numHeads: 128, numKeyHeads: 1, keyDim: 6, valueDim: 1, mixer: selectiveScan() },
      ...{ convolution: 4, convolutionBias: true, projectFrom: "value", ranks: { deltaTime: 4 } },
      ...{ skip: true, outputNorm: "none", outputGate: silu, bias: false, ...maps },
    });
  const mamba2 = (more = {}) =>
    mixerLayer({
      ...{ embedDim: 64, numHeads: 8, numKeyHeads: 1, keyDim: 8, valueDim: 16, mixer: ssd(), normEps: 1e-5 },
      ...{ convolution: 4, convolutionBias: true, skip: true, outputGate: silu, gatePlace: "beforeNorm" },
      ...{ outputNorm: "whole", ...more },
    });
  const norm = {
    ...{ name: "RMS norm without a gain, eps 0.00001", eps: 1e-5, init: () => ({}) },
    apply: (x) => rmsNorm(x, ones([x.shape.at(-1)], { dtype: x.dtype, device: x.device }), { eps: 1e-5 }),
  };
  const groups = mamba2({ numKeyHeads: 2, outputNorm: "group" });
  const gained = {
    ...{ name: "RMS norm, eps 0.00001", eps: 1e-5, init: (shape) => ({ gain: ones(shape.slice(-1)) }) },
    apply: (x, { gain }) => rmsNorm(x, gain, { eps: 1e-5 }),
  };
  const normedMamba = mamba({ inputs: { key: gained, query: gained }, rankMaps: { deltaTime: gained } });
  // 32 elements per key: llama.cpp divides keys by their norm, we and transformers by the square root of its square
  // plus 1e-6. For keys with a small norm, logits would differ.
  const deltas = (numHeads) =>
    mixerLayer({
      ...{ embedDim: 64, numHeads, numKeyHeads: numHeads === 6 ? 2 : numHeads, keyDim: 32, valueDim: 32 },
      ...{ convolution: 4, mixer: gatedDeltaRule(), outputGate: silu, normEps: 1e-5 },
    });
  const delta = deltas(6);
  return {
    lfm2: { ...base, qkNorm: true, layerTypes: [convolution, convolution, "full", convolution] },
    lfm2_moe: {
      ...{ ...base, qkNorm: true, layerTypes: [convolution, "full", convolution, "full"] },
      experts: {
        ...{ ...experts, layers: [false, true, true, true] },
        router: { scores: "sigmoid", choiceBias: true, shareEps: 1e-6 },
      },
    },
    mamba: stack(mamba()),
    falcon_mamba: stack(mamba({ inputs: { key: norm, query: norm }, rankMaps: { deltaTime: norm } })),
    mamba2: stack(mamba2()),
    granitemoehybrid: {
      ...{ ...base, ...scales, positions: "none", layerTypes: [mamba2(), "full", mamba2(), mamba2()] },
      experts: { ...wide, shared: { hiddenDim: 80 } },
    },
    "granitemoehybrid, no experts": {
      ...{ ...base, ...scales, positions: "none", layerTypes: [mamba2(), mamba2(), "full", mamba2()] },
      bias: { queryKeyValue: true, attentionOutput: true },
    },
    bamba: {
      ...{ ...base, layerTypes: [mamba2(), "full", mamba2(), mamba2()] },
      ...{ ropeDim: 8, bias: { feedForward: true } },
    },
    jamba: {
      ...{ ...base, positions: "none", layerTypes: [normedMamba, "full", normedMamba, normedMamba] },
      experts: {
        ...{ ...wide, normTopKProb: false },
        layers: [false, true, false, true],
      },
    },
    "jamba, no experts": {
      ...{ ...base, positions: "none", layerTypes: [normedMamba, "full", normedMamba, normedMamba] },
    },
    nemotron_h: {
      ...{ ...base, ...nemotron, layerTypes: [groups, "none", "full", "none"] },
      bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
    },
    "nemotron_h, experts": {
      ...{ ...base, ...nemotron, headDim: 32, layerTypes: [groups, "none", "full", "none"] },
      experts: {
        ...{ ...experts, layers: [false, true, false, true], shared: { hiddenDim: 80 } },
        router: { scores: "sigmoid", choiceBias: true, scale: 1.5 },
      },
    },
    qwen3_next: {
      ...{ ...base, ...gatedAttention, layerTypes: [delta, delta, "full", delta] },
      experts: { ...experts, shared: { hiddenDim: 80, gated: true } },
    },
    qwen3_5: { ...base, ...gatedAttention, layerTypes: [delta, delta, "full", delta] },
    "qwen3_5, a key a head": {
      ...{ ...base, ...gatedAttention, headDim: 16, ropeDim: 10 },
      layerTypes: [deltas(4), "full", deltas(4), "full"],
    },
    falcon_h1: {
      ...{ ...base, headDim: 8, ropeBase: 100000, embeddingScale: 1.5, logitScale: 0.8 },
      layerTypes: hybrids(mamba2({ numKeyHeads: 2, outputNorm: "none", gatePlace: "afterNorm" })),
      bias: { queryKeyValue: true, feedForward: true },
    },
    "falcon_h1, normalized mixers": {
      ...{ ...base, headDim: 8 },
      layerTypes: hybrids(mamba2({ numKeyHeads: 2, outputNorm: "group" })),
    },
  };
}

/** Names of architectures in llama.cpp, if different. */
export const llamaCppStateArchitectures = {
  bamba: "granitehybrid",
  falcon_h1: "falcon-h1",
  "falcon_h1, normalized mixers": "falcon-h1",
  falcon_mamba: "mamba",
  granitemoehybrid: "granitehybrid",
  "granitemoehybrid, no experts": "granitehybrid",
  "jamba, no experts": "jamba",
  lfm2_moe: "lfm2moe",
  "nemotron_h, experts": "nemotron_h_moe",
  qwen3_5: "qwen35",
  "qwen3_5, a key a head": "qwen35",
  qwen3_next: "qwen3next",
};

/**
 * A checkpoint of RWKV-7 with random weights, for `load`. The head size is 64, the only one that llama.cpp's kernels support.
 *
 * @param {{ randn: any, add: any, mul: any }} ops - Functions of @qkv/tensor.
 * @param {(tensors: any) => Promise<Uint8Array<ArrayBuffer>>} writeSafetensors - Function of @qkv/tensor/safetensors.
 */
export async function rwkv7Files({ randn, add, mul }, writeSafetensors) {
  const [C, F, V, layers] = [128, 256, 64, 3];
  const ranks = { w: 8, a: 6, v: 4, g: 10 };
  const config = {
    ...{
      model_type: "rwkv7",
      n_layer: layers,
      n_embd: C,
      dim_att: C,
      dim_ffn: F,
      head_size: 64,
      vocab_size: V,
    },
    ...{ decay_lora: ranks.w, aaa_lora: ranks.a, mv_lora: ranks.v, gate_lora: ranks.g, layer_norm_eps: 1e-5 },
  };
  let seed = 0;
  const random = (shape, by, plus = 0) => add(mul(randn(shape, { seed: (seed += 1) }), by), plus);
  const gains = (name) => [
    [`${name}.weight`, random([C], 0.2, 1)],
    [`${name}.bias`, random([C], 0.2)],
  ];
  const layer = (i) => [
    ...gains("ln1"),
    ...gains("ln2"),
    ...gains("att.ln_x"),
    ...["r", "w", "k", "v", "a", "g"].map((map) => [`att.x_${map}`, random([1, 1, C], 0.2, 0.5)]),
    ...["receptance", "key", "value", "output"].map((map) => [
      `att.${map}.weight`,
      random([C, C], 1.5 * C ** -0.5),
    ]),
    ...Object.entries(ranks).flatMap(([map, rank]) =>
      map === "v" && i === 0
        ? []
        : [
            [`att.${map}1`, random([C, rank], C ** -0.5)],
            [`att.${map}2`, random([rank, C], rank ** -0.5)],
            ...(map === "g" ? [] : [[`att.${map}0`, random([1, 1, C], 0.5, map === "w" ? -2 : 0)]]),
          ],
    ),
    ["att.k_k", random([1, 1, C], 0.2, 0.85)],
    ["att.k_a", random([1, 1, C], 0.2, 1)],
    ["att.r_k", random([C / 64, 64], 0.2)],
    ["ffn.x_k", random([1, 1, C], 0.2, 0.5)],
    ["ffn.key.weight", random([F, C], C ** -0.5)],
    ["ffn.value.weight", random([C, F], F ** -0.5)],
  ];
  const tensors = Object.fromEntries([
    ["emb.weight", random([V, C], 0.5)],
    ...gains("blocks.0.ln0"),
    ...Array.from({ length: layers }, (_, i) =>
      layer(i).map(([name, x]) => [`blocks.${i}.${name}`, x]),
    ).flat(),
    ...gains("ln_out"),
    ["head.weight", random([V, C], 0.3)],
  ]);
  return [
    new File([JSON.stringify(config)], "config.json"),
    new File([await writeSafetensors(tensors)], "model.safetensors"),
  ];
}
