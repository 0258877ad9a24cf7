import type { Architecture } from "./architecture.js";
import { activation, count, multiHead, positive, trait, type ConfigEntry } from "./config-entry.js";
import { embedding, head } from "./llama-parts.js";
import { each, linear, norm, stored } from "./stored-tensor.js";

/** `attention_types`: attention kinds and repeat counts, such as `[[["global", "local"], 12]]`. */
const attentionTypes: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    const window = fields.countOr(256, "window_size");
    const groups = fields.list("attention_types") ?? [[["global", "local"], numLayers / 2]];
    const kinds = groups.flatMap((group) => {
      const [names, times] = Array.isArray(group) ? (group as [unknown, unknown]) : [];
      if (!Array.isArray(names) || !Number.isSafeInteger(times)) return [undefined];
      return Array.from({ length: Math.min(times as number, numLayers) }, () => names as unknown[]).flat();
    });
    const layerTypes = kinds.map((kind) =>
      kind === "global" ? "full" : kind === "local" ? "sliding" : undefined,
    );
    const expected = `kinds global and local of ${numLayers} layers: [[["global", "local"], ${numLayers / 2}]]`;
    if (kinds.length !== numLayers || kinds.some((kind) => typeof kind !== "string"))
      return fields.refuse("attention_types", expected);
    if (layerTypes.includes(undefined)) return fields.unsupported("attention_types", expected);
    return layerTypes.includes("sliding") ? { window, layerTypes: layerTypes as ("full" | "sliding")[] } : {};
  },
  write: ({ layerTypes, window, numLayers }) => ({
    attention_types: [
      [Array.from({ length: numLayers }, (_, i) => (layerTypes?.[i] === "sliding" ? "local" : "global")), 1],
    ],
    window_size: window ?? 256,
  }),
};

/** GPT-Neo: learned positions, unscaled attention scores, a sliding window in every other layer. */
export const gptNeo: Architecture = {
  modelTypes: ["gpt_neo"],
  class: "GPTNeoForCausalLM",
  config: () => [
    count("vocabSize", "vocab_size"),
    count("embedDim", "hidden_size"),
    count("hiddenDim", "intermediate_size", ({ embedDim = 0 }) => 4 * embedDim),
    count("numLayers", "num_layers"),
    count("numHeads", "num_heads"),
    multiHead,
    count("contextLength", "max_position_embeddings"),
    positive("normEps", "layer_norm_epsilon", 1e-5),
    activation("activation_function", "gelu_new"),
    attentionTypes,
    trait({
      norm: "layer",
      gated: false,
      positions: "learned",
      attentionScale: 1,
      bias: { queryKeyValue: false, attentionOutput: true, feedForward: true },
    }),
  ],
  tensors(config, tied) {
    const { embedDim: C, hiddenDim: F, numLayers, contextLength } = config;
    return [
      embedding(config, "transformer.wte.weight"),
      stored("positions.weight", "transformer.wpe.weight", [contextLength, C]),
      each(numLayers, "layers", "transformer.h", () => [
        norm("attentionNorm", "ln_1", C),
        linear("attention.query", "attn.attention.q_proj", [C, C]),
        linear("attention.key", "attn.attention.k_proj", [C, C]),
        linear("attention.value", "attn.attention.v_proj", [C, C]),
        linear("attention.output", "attn.attention.out_proj", [C, C]),
        norm("feedForwardNorm", "ln_2", C),
        linear("feedForward.up", "mlp.c_fc", [F, C]),
        linear("feedForward.down", "mlp.c_proj", [C, F]),
      ]),
      norm("norm", "transformer.ln_f", C),
      ...(tied ? [] : [head(config)]),
    ];
  },
  tied: true,
  ignored:
    "attention_layers embed_dropout resid_dropout summary_activation summary_first_dropout summary_proj_to_labels summary_type summary_use_proj gradient_checkpointing",
  ignoredTensors: /attn\.attention\.(masked_)?bias$/,
};
