import { ArgumentError } from "@qkv/core";
import { ggufArchitectures, toGgufName } from "../../checkpoints/gguf/gguf-names.js";
import type { EncoderConfig, EncoderParams } from "../../models/encoder.js";
import { bertCheckpoint } from "../hugging-face-encoder.js";
import { float32, prefixedFields, uint32, type GgufFields } from "./gguf-fields.js";
import { ggufTensors, type GgufTensor } from "./gguf-tensor.js";

/** Exports an encoder as llama.cpp's BERT, which outputs hidden states. Heads are not supported. */
export function ggufEncoder(
  config: EncoderConfig,
  { maskedTokenHead: _masked, head: _head, ...params }: EncoderParams,
): { fields: GgufFields; tensors: GgufTensor[] } {
  const { activation = "gelu" } = config;
  if (activation !== "gelu") {
    throw new ArgumentError({
      fn: "exportModel",
      argument: "config.activation",
      received: activation,
      expected: "gelu, as llama.cpp's bert has it",
      fix: 'export to "hf" or "onnx".',
    });
  }
  const { tensors } = bertCheckpoint(config, params);
  return {
    fields: {
      "general.architecture": { type: "string", value: "bert" },
      ...prefixedFields("bert", {
        vocab_size: uint32(config.vocabSize),
        context_length: uint32(config.contextLength),
        embedding_length: uint32(config.embedDim),
        block_count: uint32(config.numLayers),
        feed_forward_length: uint32(config.hiddenDim),
        "attention.head_count": uint32(config.numHeads),
        "attention.layer_norm_epsilon": float32(config.normEps),
        "attention.causal": { type: "bool", value: false },
        pooling_type: uint32(0), // none: one row per token
      }),
      "tokenizer.ggml.token_type_count": uint32(config.numTypes),
    },
    tensors: ggufTensors(tensors, (name) => toGgufName(ggufArchitectures.bert.names, name)),
  };
}
