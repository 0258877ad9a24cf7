import { bytePatches } from "../models/byte-patches.js";
import type { BytePatchesConfig, DecoderConfig, LayersConfig } from "../models/decoder-config.js";
import { hashRows } from "../models/hash-embeddings.js";
import type { Architecture } from "./architecture.js";
import { activation, count, readFields, rope, trait, writeFields, type ConfigEntry } from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import { attentionProjections, feedForwardProjections, head, layerNorms, rmsEps } from "./llama-parts.js";
import { each, linear, norm, stored, under, type StoredTensor } from "./stored-tensor.js";

/** The head dimension is always the width over the number of heads; the epsilon may also have its older name. */
const evenHeads: ConfigEntry = {
  read(fields, { embedDim = 0, numHeads = 1, normEps }) {
    fields.mustEqual("head_dim", embedDim / numHeads);
    fields.mustEqual("norm_eps", normEps);
    return {};
  },
  write: ({ embedDim, numHeads }) => ({ head_dim: embedDim / numHeads }),
};

/** Layers of one of the four transformers. */
const layers = (base: number): readonly ConfigEntry[] => [
  count("embedDim", "hidden_size"),
  count("hiddenDim", "intermediate_size"),
  count("numLayers", "num_hidden_layers"),
  count("numHeads", "num_attention_heads"),
  count("numKvHeads", "num_key_value_heads", ({ numHeads }) => numHeads),
  rmsEps(1e-5),
  evenHeads,
  activation(),
  rope({ base }),
  trait({ ropeLayout: "interleaved" }),
];

/** Two kinds of layer stacks: those without embeddings and output projection, and the entropy model, a decoder of its own. */
const layersAlone = (): readonly ConfigEntry[] => layers(500000);
const entropyModel = (): readonly ConfigEntry[] => [
  ...layers(10000),
  count("vocabSize", "vocab_size"),
  count("contextLength", "max_position_embeddings"),
  trait({ stopIds: [] }),
];

/** The fields of one of the four transformers. */
const part = (fields: ConfigFields, name: string): ConfigFields => {
  const inner = fields.nested(`${name}_config`);
  if (!inner) return fields.refuse(`${name}_config`, "the configuration of this part");
  inner.mustBe("model_type", modelTypes[name as keyof typeof modelTypes]);
  inner.mustBe("tie_word_embeddings", false);
  return inner;
};

const modelTypes = {
  patcher: "blt_patcher",
  encoder: "blt_local_encoder",
  decoder: "blt_local_decoder",
  global: "blt_global_transformer",
};

/** Default orders of the hashed n-grams. */
const defaultOrders = [3, 4, 5, 6, 7, 8];

/** The four transformers, and the patching options. The fields of the decoder are those of `decoder_config`. */
const parts: ConfigEntry = {
  read(fields, { vocabSize = 0 }) {
    const [patcher, encoder, decoder, global] = ["patcher", "encoder", "decoder", "global"].map((name) =>
      part(fields, name),
    ) as [ConfigFields, ConfigFields, ConfigFields, ConfigFields];
    const decoderConfig = readFields(layersAlone(), decoder) as DecoderConfig;
    const config: BytePatchesConfig = {
      patcher: readFields(entropyModel(), patcher) as DecoderConfig,
      threshold: fields.number("patching_threshold", 1.335442066192627),
      hashes: {
        orders: ordersField(fields),
        functions: fields.countOr(1, "encoder_hash_byte_group_nb_functions"),
        buckets: fields.countOr(500002, "encoder_hash_byte_group_vocab"),
      },
      encoder: readFields(layersAlone(), encoder) as LayersConfig,
      global: readFields(layersAlone(), global) as LayersConfig,
      rowsPerPatch: fields.countOr(2, "cross_attn_k"),
    };
    const { rowsPerPatch } = config;
    for (const local of [encoder, decoder]) {
      local.mustEqual("vocab_size", vocabSize);
      local.mustEqual("cross_attn_k", rowsPerPatch);
      local.mustEqual("hidden_size_global", config.global.embedDim);
    }
    patcher.mustEqual("vocab_size", vocabSize);
    patcher.mustBe("hidden_act", "silu");
    encoder.mustEqual("hidden_size", decoderConfig.embedDim);
    encoder.mustBe("cross_attn_all_layers", false);
    decoder.mustBe("cross_attn_all_layers", true);
    const gathered = rowsPerPatch * decoderConfig.embedDim;
    if (global.has("encoder_cross_output_size")) global.mustEqual("encoder_cross_output_size", gathered);
    // With any other value, transformers computes something else.
    fields.mustBe("patching_mode", "entropy");
    fields.mustBe("patch_in_forward", true);
    fields.mustBe("tie_word_embeddings", false);
    fields.mustBe("max_patch_length", null);
    fields.mustBe("monotonicity", false);
    fields.mustBe("patching_threshold_add", 0);
    return { ...decoderConfig, bytePatches: bytePatches(config) };
  },
  write(config) {
    const { patcher, threshold, hashes, encoder, global, rowsPerPatch } = config.bytePatches!.config;
    const { vocabSize, embedDim } = config;
    const local = {
      vocab_size: vocabSize,
      cross_attn_k: rowsPerPatch,
      hidden_size_global: global.embedDim,
      max_position_embeddings: config.contextLength,
    };
    const gathered = rowsPerPatch * embedDim;
    const written = (
      name: keyof typeof modelTypes,
      entries: readonly ConfigEntry[],
      layers: LayersConfig,
    ) => ({
      model_type: modelTypes[name],
      ...writeFields(entries, layers as DecoderConfig),
      tie_word_embeddings: false,
    });
    return {
      patch_in_forward: true,
      patching_mode: "entropy",
      patch_size: 4,
      patching_threshold: threshold,
      max_patch_length: null,
      cross_attn_k: rowsPerPatch,
      encoder_hash_byte_group_size: hashes.orders,
      encoder_hash_byte_group_vocab: hashes.buckets,
      encoder_hash_byte_group_nb_functions: hashes.functions,
      patcher_config: written("patcher", entropyModel(), patcher),
      encoder_config: {
        ...written("encoder", layersAlone(), encoder),
        ...local,
        cross_attn_all_layers: false,
      },
      decoder_config: { ...written("decoder", layersAlone(), config), ...local, cross_attn_all_layers: true },
      global_config: {
        ...written("global", layersAlone(), global),
        max_position_embeddings: config.contextLength,
        encoder_cross_output_size: gathered === global.embedDim ? null : gathered,
      },
    };
  },
};

function ordersField(fields: ConfigFields): readonly number[] {
  const list = fields.list("encoder_hash_byte_group_size") ?? defaultOrders;
  const isOrder = (order: unknown) => Number.isSafeInteger(order) && (order as number) >= 1;
  if (list.length > 0 && list.every(isOrder)) return list as readonly number[];
  return fields.refuse("encoder_hash_byte_group_size", "a list of integers, 1 or more");
}

/** The layers of one of the transformers, named `layers` there. */
const layerTensors = (config: LayersConfig): StoredTensor =>
  each(config.numLayers, "layers", "layers", () => [
    ...layerNorms(config as DecoderConfig, {}),
    ...attentionProjections(config as DecoderConfig),
    ...feedForwardProjections(config as DecoderConfig),
  ]);

/** A cross-attention between bytes and patches. */
const crossAttention = (config: LayersConfig, param: string, layer: number): StoredTensor =>
  under(param, "cross_attn_layers", [
    norm("norm", `${layer}.q_norm`, config.embedDim),
    norm("contextNorm", `${layer}.k_norm`, config.embedDim),
    ...attentionProjections(config as DecoderConfig, { path: String(layer) }),
  ]);

/** BLT: bytes are grouped into patches; a local encoder, a global transformer and a local decoder process them. */
export const blt: Architecture = {
  modelTypes: ["blt"],
  class: "BltForCausalLM",
  config: () => [count("vocabSize", "vocab_size"), count("contextLength", "max_position_embeddings"), parts],
  tensors(config) {
    const { patcher, hashes, encoder, global, rowsPerPatch: k } = config.bytePatches!.config;
    const { vocabSize: V, embedDim: C, numLayers } = config;
    const G = global.embedDim;
    const projection = (out: number, inner: number) =>
      linear("projection", "patch_embedding_projection", [out, inner]);
    return [
      stored("embedding.weight", "model.local_encoder.embed_tokens.weight", [V, C]),
      under("bytePatches.hashes", "model.encoder_hash_tok_embedding", [
        stored("weight", "weight", [hashRows(hashes), C]),
      ]),
      under("bytePatches.patcher", "model.patcher", [
        stored("embedding.weight", "embed_tokens.weight", [patcher.vocabSize, patcher.embedDim]),
        layerTensors(patcher),
        norm("norm", "norm", patcher.embedDim),
        head(patcher),
      ]),
      under("bytePatches.encoder", "model.local_encoder", [
        layerTensors(encoder),
        projection(k * C, C),
        crossAttention(encoder, "crossAttention", 0),
      ]),
      under("bytePatches.global", "model.global_transformer", [
        ...(G === k * C ? [] : [linear("projection", "token_embedding_projection", [G, k * C])]),
        layerTensors(global),
      ]),
      under("bytePatches.decoder", "model.local_decoder", [
        projection(k * C, G),
        ...Array.from({ length: numLayers }, (_, i) => crossAttention(config, `crossAttention.${i}`, i)),
      ]),
      under("", "model.local_decoder", [layerTensors(config), norm("norm", "norm", C)]),
      head(config),
    ];
  },
  fits: ({ bytePatches }) => bytePatches !== undefined,
  // Ignored fields of the model and its four transformers: patching during training, unused limits, and an unused RoPE of the
  // model itself.
  ignored:
    "dropout patch_size patching_batch_size patching_device realtime_patching max_position_embeddings rope_parameters rope_theta rope_scaling attn_impl attn_bias_type pm_size",
};
