import { reshape, zeros, type Tensor } from "@qkv/tensor";
import { stacked } from "../conversions/row-map.js";
import { rwkv7ChannelMix } from "../layers/rwkv7-channel-mix.js";
import { rwkv7TimeMix, type TimeMix, type TimeMixConfig } from "../layers/rwkv7-time-mix.js";
import type { DecoderConfig, LayerType } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { count, positive, trait, type ConfigEntry } from "./config-entry.js";
import { gguf, type GgufRefusal } from "./gguf/gguf-architecture.js";
import { head } from "./llama-parts.js";
import { unbounded } from "./mixer-stack.js";
import { each, linear, norm, paramAt, reshaped, stored, under, type StoredTensor } from "./stored-tensor.js";
import { concatenated, transposed, unchanged } from "./tensor-to-write.js";

/** Fields for the ranks of the low-rank projections. */
const rankFields = { decay: "decay_lora", rate: "aaa_lora", gate: "gate_lora", value: "mv_lora" } as const;

/** Time mixing and channel mixing. Time mixing in all layers but the first reads the values of the first. */
const mixes: ConfigEntry = {
  read(fields, { embedDim = 1, hiddenDim = 1, numLayers = 0 }) {
    fields.mustEqual("dim_att", embedDim);
    const headDim = fields.countOr(64, "head_size");
    if (embedDim % headDim !== 0) return fields.refuse("head_size", `a divisor of n_embd = ${embedDim}`);
    const rank = (map: keyof typeof rankFields) => fields.count(rankFields[map]);
    const normEps = fields.positive("ln_x_eps", 64e-5);
    return {
      ...mixLayers({ embedDim, hiddenDim, numLayers, headDim, normEps, rank }),
      contextLength: unbounded,
    };
  },
  write(config) {
    const last = timeMixConfig(config, config.numLayers - 1);
    if (!last) return {};
    return {
      ...{ dim_att: config.embedDim, head_size: last.headDim, ln_x_eps: last.normEps },
      ...writeRanks(rankFields, last),
    };
  },
};

type Sizes = Pick<TimeMixConfig, "embedDim" | "headDim" | "normEps"> & {
  hiddenDim: number;
  numLayers: number;
  rank: (map: keyof typeof rankFields) => number;
};

/** Layers with time mixing and channel mixing. */
function mixLayers({ embedDim, hiddenDim, numLayers, headDim, normEps, rank }: Sizes) {
  const ranks = { decay: rank("decay"), rate: rank("rate"), gate: rank("gate") };
  const sizes = { embedDim, headDim, normEps };
  const first = rwkv7TimeMix({ ...sizes, ranks });
  const later = rwkv7TimeMix({ ...sizes, ranks: { ...ranks, value: rank("value") } });
  const channelMix = rwkv7ChannelMix({ embedDim, hiddenDim });
  const numHeads = embedDim / headDim;
  return {
    ...{ numHeads, numKvHeads: numHeads },
    layerTypes: Array.from({ length: numLayers }, (_, i) => (i === 0 ? first : later) as LayerType),
    feedForwardLayers: new Array<typeof channelMix>(numLayers).fill(channelMix) as never,
  };
}

/** llama.cpp's keys for the ranks. */
const rankKeys = {
  decay: "attention.decay_lora_rank",
  rate: "attention.iclr_lora_rank",
  value: "attention.value_residual_mix_lora_rank",
  gate: "attention.gate_lora_rank",
} as const;

/** Time mixing and channel mixing in llama.cpp, where the epsilon of the head norms is a constant. */
const ggufMixes: ConfigEntry = {
  read(fields, { embedDim = 1, hiddenDim = 1, numLayers = 0 }) {
    fields.mustBe("attention.head_count", 0);
    fields.mustBe("token_shift_count", 2);
    const headDim = fields.count("wkv.head_size");
    if (embedDim % headDim !== 0)
      return fields.refuse("wkv.head_size", `a divisor of embedding_length = ${embedDim}`);
    const rank = (map: keyof typeof rankKeys) => fields.count(rankKeys[map]);
    return mixLayers({ embedDim, hiddenDim, numLayers, headDim, normEps: 64e-5, rank });
  },
  write(config) {
    const last = timeMixConfig(config, config.numLayers - 1);
    if (!last) return {};
    return { "attention.head_count": 0, "wkv.head_size": last.headDim, ...writeRanks(rankKeys, last) };
  },
};

/** Refuses head dimensions other than multiples of 64, which llama.cpp's kernels process at a time. */
function refuseOtherHeadDims(config: DecoderConfig): GgufRefusal | undefined {
  const { headDim = 64 } = timeMixConfig(config, 0) ?? {};
  return headDim % 64 === 0
    ? undefined
    : {
        argument: "config.layerTypes",
        received: `a head dimension of ${headDim}`,
        expected: "a multiple of 64",
      };
}

/** Ranks, under the given names. A model with one layer has no value residual, but its rank is required. */
const writeRanks = (names: Readonly<Record<keyof typeof rankFields, string>>, { ranks }: TimeMixConfig) =>
  Object.fromEntries(
    Object.entries(names).map(([map, name]) => [name, ranks[map as keyof typeof names] ?? ranks.decay]),
  );

/** The six token shift coefficients, which llama.cpp stores in one tensor. */
const fusedShifts =
  (C: number): StoredTensor =>
  (at) => {
    const paramPaths = ["query", "decay", "key", "value", "rate", "gate"].map(
      (map) => `${at.param}shift.${map}`,
    );
    const name = `${at.name}time_mix_lerp_fused.weight`;
    return {
      async read(weights) {
        const rows = await weights.rows(name, stacked([1, 1, 1, 1, 1, 1]), [1, 1, C]);
        return rows.map((row, i) => [paramPaths[i]!, reshape(row, [C])] as const);
      },
      write: (params) => [
        concatenated(
          name,
          paramPaths.map((param) => reshape(paramAt(params, param) as Tensor, [1, 1, 1, C])),
        ),
      ],
    };
  };

/** A matrix `[rows, columns]` that the file stores transposed. */
const transposedMatrix =
  (param: string, name: string, [rows, columns]: readonly [number, number]): StoredTensor =>
  (at) => ({
    async read(weights) {
      const layout = { transposed: true, ownBiases: true, float32: true };
      const [matrix] = await weights.fused(at.name + name, stacked([rows]), columns, layout);
      return [[at.param + param, matrix!.weight]];
    },
    write: (params) => [
      transposed(`${at.name}${name}.weight`, [paramAt(params, at.param + param) as Tensor]),
    ],
  });

/** Value residual of the first layer, which llama.cpp requires but does not use: zeros, with the rank of the rates. */
const unusedValueResidual =
  (C: number, rank: number): StoredTensor =>
  (at) => {
    const shapes: Readonly<Record<string, readonly number[]>> = { v0: [C], v1: [rank, C], v2: [C, rank] };
    const tensorName = (map: string) => `${at.name}time_mix_${map}.weight`;
    return {
      async read(weights) {
        for (const map of Object.keys(shapes)) {
          const shape = weights.shape(tensorName(map));
          if (shape) await weights.tensor(tensorName(map), shape);
        }
        return [];
      },
      write(params) {
        const { device } = paramAt(params, `${at.param}keyRate`) as Tensor;
        return Object.entries(shapes).map(([map, shape]) =>
          unchanged(tensorName(map), zeros(shape, { device })),
        );
      },
    };
  };

/** Tensors of a layer in llama.cpp. */
function ggufLayer(config: DecoderConfig, layer: number): StoredTensor[] {
  const { embedDim: C, hiddenDim: F } = config;
  const { headDim: N, ranks } = timeMixConfig(config, layer)!;
  const lowRank = (param: string, letter: string, rank: number): StoredTensor[] => [
    transposedMatrix(`${param}.down`, `time_mix_${letter}1`, [C, rank]),
    transposedMatrix(`${param}.up`, `time_mix_${letter}2`, [rank, C]),
  ];
  const biased = (param: string, letter: string, rank: number) => [
    ...lowRank(param, letter, rank),
    stored(`${param}.bias`, `time_mix_${letter}0.weight`, [C]),
  ];
  return [
    under("attention", "", [
      fusedShifts(C),
      linear("query", "time_mix_receptance", [C, C]),
      ...["key", "value", "output"].map((map) => linear(map, `time_mix_${map}`, [C, C])),
      ...biased("decay", "w", ranks.decay),
      ...biased("rate", "a", ranks.rate),
      ...lowRank("gate", "g", ranks.gate),
      ...(ranks.value === undefined
        ? [unusedValueResidual(C, ranks.rate)]
        : biased("valueMix", "v", ranks.value)),
      stored("removalKey", "time_mix_k_k.weight", [C]),
      stored("keyRate", "time_mix_k_a.weight", [C]),
      reshaped("bonus", "time_mix_r_k.weight", { stored: [C], inParams: [C / N, N] }),
      norm("outputNorm", "time_mix_ln", C),
    ]),
    under("feedForward", "", [
      stored("shift", "channel_mix_lerp_k.weight", [C]),
      linear("up", "channel_mix_key", [F, C]),
      linear("down", "channel_mix_value", [C, F]),
    ]),
  ];
}

/** The configuration of the time mixing of a layer. */
function timeMixConfig({ layerTypes }: DecoderConfig, layer: number): TimeMixConfig | undefined {
  const { name, config } = (layerTypes?.[layer] ?? {}) as Partial<TimeMix>;
  return name === "RWKV-7 time mix" ? config : undefined;
}

/** RWKV-7 with the tensor names of its authors: each layer has a state and two token shifts, and no attention. */
export const rwkv7: Architecture = {
  modelTypes: ["rwkv7"],
  class: "RWKV7ForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "n_embd"),
    count("hiddenDim", "dim_ffn", ({ embedDim = 1 }) => 4 * embedDim),
    count("numLayers", "n_layer"),
    positive("normEps", "layer_norm_eps", 1e-5),
    trait({ norm: "layer", embeddingNorm: true }),
    mixes,
  ],
  gguf: () => [
    {
      ...gguf("rwkv7", {
        biases: { norms: true },
        output: "separate",
        refuses: refuseOtherHeadDims,
        names: {
          norms: { attentionNorm: "attn_norm", feedForwardNorm: "attn_norm_2" },
          attention: ggufLayer,
        },
      }),
      config: () => [
        count("vocabSize", "vocab_size"),
        count("contextLength", "context_length"),
        count("embedDim", "embedding_length"),
        count("hiddenDim", "feed_forward_length"),
        count("numLayers", "block_count"),
        positive("normEps", "attention.layer_norm_epsilon", 1e-5),
        trait({ norm: "layer", embeddingNorm: true }),
        ggufMixes,
      ],
    },
  ],
  tensors(config) {
    const { vocabSize: V, embedDim: C, hiddenDim: F } = config;
    const perChannel = (param: string, name: string): StoredTensor =>
      reshaped(param, name, { stored: [1, 1, C], inParams: [C] });
    const lowRank = (param: string, letter: string, rank: number, { bias = true } = {}): StoredTensor[] => [
      stored(`${param}.down`, `${letter}1`, [C, rank]),
      stored(`${param}.up`, `${letter}2`, [rank, C]),
      ...(bias ? [perChannel(`${param}.bias`, `${letter}0`)] : []),
    ];
    const timeMix = ({ headDim: N, ranks }: TimeMixConfig): StoredTensor[] => [
      perChannel("shift.query", "x_r"),
      perChannel("shift.decay", "x_w"),
      perChannel("shift.key", "x_k"),
      perChannel("shift.value", "x_v"),
      perChannel("shift.rate", "x_a"),
      perChannel("shift.gate", "x_g"),
      linear("query", "receptance", [C, C]),
      linear("key", "key", [C, C]),
      linear("value", "value", [C, C]),
      linear("output", "output", [C, C]),
      ...lowRank("decay", "w", ranks.decay),
      ...lowRank("rate", "a", ranks.rate),
      ...lowRank("gate", "g", ranks.gate, { bias: false }),
      ...(ranks.value === undefined ? [] : lowRank("valueMix", "v", ranks.value)),
      perChannel("removalKey", "k_k"),
      perChannel("keyRate", "k_a"),
      stored("bonus", "r_k", [C / N, N]),
      norm("outputNorm", "ln_x", C),
    ];
    return [
      stored("embedding.weight", "emb.weight", [V, C], "table"),
      norm("embeddingNorm", "blocks.0.ln0", C),
      each(config.numLayers, "layers", "blocks", (i) => [
        norm("attentionNorm", "ln1", C),
        norm("feedForwardNorm", "ln2", C),
        under("attention", "att", timeMix(timeMixConfig(config, i)!)),
        under("feedForward", "ffn", [
          perChannel("shift", "x_k"),
          linear("up", "key", [F, C]),
          linear("down", "value", [C, F]),
        ]),
      ]),
      norm("norm", "ln_out", C),
      head(config, "head.weight"),
    ];
  },
  ignored: "made_from",
  // Present in the code of every layer, but unused: the norm before the first layer, and the value residual of the first layer.
  ignoredTensors: /^blocks\.0\.att\.v[012]$|^blocks\.[1-9]\d*\.ln0\.(weight|bias)$/,
};
