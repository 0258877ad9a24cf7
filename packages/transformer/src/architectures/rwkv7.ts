import { rwkv7ChannelMix } from "../layers/rwkv7-channel-mix.js";
import { rwkv7TimeMix, type TimeMix, type TimeMixConfig } from "../layers/rwkv7-time-mix.js";
import type { DecoderConfig, LayerType } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { count, positive, trait, type ConfigEntry } from "./config-entry.js";
import { head } from "./llama-parts.js";
import { unbounded } from "./mixer-stack.js";
import { each, linear, norm, reshaped, stored, under, type StoredTensor } from "./stored-tensor.js";

/** Fields of the ranks, by the maps of low rank. */
const rankFields = { decay: "decay_lora", rate: "aaa_lora", gate: "gate_lora", value: "mv_lora" } as const;

/** Time mixes, of which all but the first read its values, and channel mixes. */
const mixes: ConfigEntry = {
  read(fields, { embedDim = 1, hiddenDim = 1, numLayers = 0 }) {
    fields.mustBe("dim_att", embedDim);
    const headDim = fields.countOr(64, "head_size");
    if (embedDim % headDim !== 0) return fields.refuse("head_size", `a divisor of n_embd = ${embedDim}`);
    const rank = (map: keyof typeof rankFields) => fields.count(rankFields[map]);
    const ranks = { decay: rank("decay"), rate: rank("rate"), gate: rank("gate") };
    const sizes = { embedDim, headDim, normEps: fields.positive("ln_x_eps", 64e-5) };
    const first = rwkv7TimeMix({ ...sizes, ranks });
    const later = rwkv7TimeMix({ ...sizes, ranks: { ...ranks, value: rank("value") } });
    const channelMix = rwkv7ChannelMix({ embedDim, hiddenDim });
    const numHeads = embedDim / headDim;
    return {
      ...{ numHeads, numKvHeads: numHeads, contextLength: unbounded },
      layerTypes: Array.from({ length: numLayers }, (_, i) => (i === 0 ? first : later) as LayerType),
      feedForwardLayers: new Array<typeof channelMix>(numLayers).fill(channelMix) as never,
    };
  },
  write(config) {
    const last = timeMixOf(config, config.numLayers - 1);
    if (!last) return {};
    return {
      ...{ dim_att: config.embedDim, head_size: last.headDim, ln_x_eps: last.normEps },
      ...Object.fromEntries(
        Object.entries(rankFields).map(([map, field]) => [
          field,
          // A model of one layer has no map of values, whose rank is needed all the same.
          last.ranks[map as keyof typeof rankFields] ?? last.ranks.decay,
        ]),
      ),
    };
  },
};

function timeMixOf({ layerTypes }: DecoderConfig, layer: number): TimeMixConfig | undefined {
  const { name, config } = (layerTypes?.[layer] ?? {}) as Partial<TimeMix>;
  return name === "RWKV-7 time mix" ? config : undefined;
}

/** RWKV-7 under the names of its authors: a state and two shifted tokens in each layer, and no attention. */
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
  tensors(config) {
    const { vocabSize: V, embedDim: C, hiddenDim: F } = config;
    const perChannel = (place: string, name: string): StoredTensor =>
      reshaped(place, name, { stored: [1, 1, C], own: [C] });
    const lowRank = (place: string, letter: string, rank: number, { bias = true } = {}): StoredTensor[] => [
      stored(`${place}.down`, `${letter}1`, [C, rank]),
      stored(`${place}.up`, `${letter}2`, [rank, C]),
      ...(bias ? [perChannel(`${place}.bias`, `${letter}0`)] : []),
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
        under("attention", "att", timeMix(timeMixOf(config, i)!)),
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
  // Made with every layer, and read in none: the norm before the first layer, and the values that its own are mixed with.
  ignoredTensors: /^blocks\.0\.att\.v[012]$|^blocks\.[1-9]\d*\.ln0\.(weight|bias)$/,
};
