import { checks, checkSignal, type Checks } from "@qkv/core";
import { tensorsOf } from "@qkv/tensor";
import { diskFile } from "./disk-file.js";
import { diskFolder } from "./disk-folder.js";
import type { ExportPlan } from "./export-plan.js";
import { planGguf } from "./gguf/gguf-file.js";
import { ggufStorages, type GgufStoredType } from "./gguf/gguf-storage.js";
import {
  isEncoderDecoder,
  isImageModel,
  isSpeechModel,
  isVision,
  planHuggingFace,
  type ExportedModel,
  type ExportedStack,
} from "./hugging-face-folder.js";
import { checkOpset, planOnnx } from "./onnx/onnx-folder.js";
import { isOutput, type OutputFolder } from "./output-folder.js";
import { bytesPerStoredElement, type StoredType } from "./stored-numbers.js";

/** Options of `exportModel` for all formats. */
type CommonOptions = {
  /** Path of a new folder (in Node), or of a new file for `gguf`; or `memoryFolder()`. */
  out: string | OutputFolder;
  signal?: AbortSignal;
  /** Called with the progress. Unit: bytes of tensors. */
  onProgress?: (progress: { written: number; total: number }) => void;
};

/** Options of `exportModel`: `to` is the format. */
export type ExportOptions = CommonOptions &
  (
    | {
        /** A folder in the format of Hugging Face. */
        to: "hf";
        /** Stored dtype; 16-bit types are rounded to nearest. Default `"float32"`. */
        dtype?: StoredType;
        /** Maximum size of a file; a larger model is split into shards with an index. Unit: bytes. Default 5e9. */
        shardBytes?: number;
      }
    | {
        /** A graph for ONNX Runtime, in a folder for Transformers.js. */
        to: "onnx";
        /** Stored dtype of weights. Default `"float32"`. */
        dtype?: StoredType;
        /**
         * Operator set. 23 has operators for attention, rotary embeddings and RMS norms; 17 is for older runtimes, with these
         * composed of basic operators. Default 23.
         */
        opset?: 23 | 17;
        /** Maximum bytes of weights in the graph file; larger weights are stored in `model.onnx_data`. Default and maximum 2e9. */
        inlineBytes?: number;
      }
    | {
        /** One file for llama.cpp and programs built on it. */
        to: "gguf";
        /**
         * Stored dtype of matrices: a float dtype, or 8-bit blocks, `"q8_0"`. Vectors stay float32; with `"q8_0"`, matrices whose
         * row length is not a multiple of 32 become float16. Default `"float32"`.
         */
        dtype?: GgufStoredType;
      }
  );

/**
 * Exports a model in a format of other engines.
 *
 * - `hf`: a folder for transformers, vLLM, SGLang, TGI and the converters of llama.cpp, with `config.json`,
 *   `generation_config.json`, `model.safetensors` and the tokenizer, with the tensor names of its architecture; vision and
 *   speech models also have `preprocessor_config.json`. `load` of the folder gives a model with equal tensors, except that
 *   interleaved rotary layouts become `half`, with the same outputs.
 * - `onnx`: the same folder with `onnx/model.onnx` in place of the tensors, for ONNX Runtime and transformers.js. Batch size and
 *   sequence length are dynamic. A decoder has the inputs `past_key_values.N.key` and `.value` and the outputs `present.N.key`
 *   and `.value`, so caches can be converted (`@qkv/kv-cache/past-key-values`). An image encoder (ViT, DeiT, DINOv2, that of
 *   CLIP) has the input `pixel_values`, of its trained size. The graph computes in float32 with any stored dtype. Positions are
 *   limited to the context length, and each expert of a mixture processes every token.
 * - `gguf`: one file for llama.cpp, with metadata, tokenizer and tensors in the order that llama.cpp expects. `load` of the file
 *   gives a model with equal tensors, except that the rotary layout of Llama becomes `interleaved`, with the same outputs. Options that
 *   no architecture of llama.cpp supports are refused, with the nearest architecture, as is Unicode normalization other than NFC. An
 *   encoder is exported without its masked-token head.
 *
 * Only a few rows are in memory at a time. The folder or file appears when it is complete: an interrupted export leaves nothing
 * that loads as a model.
 *
 * @param model - A model from `load` or `loadEncoder`, or `{ config, params }`, with an optional `tokenizer` and its
 *   `chatTemplate` in Jinja.
 * @throws {ArgumentError} If no architecture of the format can represent the model, its weights are quantized, its tokenizer
 *   cannot be exported, or `out` exists: all before anything is written. The reason of an aborted `signal`.
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { exportModel, memoryFolder } from "@qkv/transformer/export";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [0],
 * };
 * const model = { config, params: decoder(config).init(1) };
 * // await exportModel(await load("stories260K.bin", { tokenizer: "tok512.bin" }), { to: "hf", out: "stories" });
 * const folder = memoryFolder();
 * await exportModel(model, { to: "hf", out: folder, dtype: "bfloat16" });
 * JSON.parse(await folder.files[0]!.text()).model_type; // => "llama"
 *
 * const graph = memoryFolder();
 * await exportModel(model, { to: "onnx", out: graph });
 * graph.files.map(({ name }) => name); // => ["config.json", "generation_config.json", "onnx/model.onnx"]
 *
 * const single = memoryFolder();
 * await exportModel(model, { to: "gguf", out: single, dtype: "float16" });
 * single.files.map(({ name }) => name); // => ["model.gguf"]
 * ```
 */
export async function exportModel(model: ExportedModel, options: ExportOptions): Promise<void> {
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  const isModel = (value: unknown) => {
    const { config, params } = (value ?? {}) as Partial<ExportedModel>;
    return isObject(config) && isObject(params);
  };
  check.each({ model }, isModel, "a model: { config, params }", "load one with `load`.");
  check.each({ options }, isObject, "{ to, out }", 'write { to: "hf", out: "folder" }.');
  const { out, signal, onProgress } = options;
  check.each(
    { out },
    isOutput,
    "a path or a folder",
    'write `{ out: "folder" }`, or `{ out: memoryFolder() }`.',
  );
  checkSignal("exportModel", signal);
  signal?.throwIfAborted();
  checkFloats(model);
  const plan = exportPlan(model, options);
  const folder =
    typeof out !== "string" ? out : options.to === "gguf" ? await diskFile(out) : await diskFolder(out);
  try {
    let written = 0;
    await plan.write(folder, (bytes) => {
      written += bytes;
      onProgress?.({ written, total: plan.total });
      signal?.throwIfAborted();
    });
    await folder.commit();
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

const check: Checks = /* @__PURE__ */ checks("exportModel");

const commonOptions = ["to", "out", "dtype", "signal", "onProgress"] as const;
/** Options of one format alone. */
const ownOptions = { hf: ["shardBytes"], onnx: ["opset", "inlineBytes"], gguf: [] } as const;

function exportPlan(model: ExportedModel, options: ExportOptions): ExportPlan {
  const { to } = options;
  check.oneOf({ to }, ["hf", "onnx", "gguf"]);
  check.options(options, [...commonOptions, ...ownOptions[to]] as never);
  if ("head" in model.config && model.config.head && "norm" in model.params)
    check.refuse({
      argument: "config.head",
      received: `a head for ${model.config.head.task}`,
      expected: "a decoder with its map to the vocabulary, which is what is written",
      fix: "keep the folder that the model was loaded from.",
    });
  if (options.to === "gguf") {
    const { dtype = "float32" } = options;
    check.oneOf({ dtype }, Object.keys(ggufStorages));
    return planGguf(oneStack(model, to), dtype);
  }
  const { dtype = "float32" } = options;
  check.oneOf({ dtype }, Object.keys(bytesPerStoredElement));
  if (options.to === "hf") {
    const { shardBytes = 5e9 } = options;
    check.each({ shardBytes }, isAboveZero, "a number of bytes above 0", "leave it out for 5e9.");
    return planHuggingFace(model, { dtype, shardBytes });
  }
  const { opset = 23, inlineBytes = 2e9 } = options;
  checkOpset(opset);
  check.each({ inlineBytes }, isAboveZero, "a number of bytes above 0", "leave it out for 2e9.");
  return planOnnx(isVision(model) ? model : oneStack(model, to), { dtype, opset, inlineBytes });
}

/** Refuses encoder–decoders, vision and speech models in formats that do not support them. */
function oneStack(model: ExportedModel, to: string): ExportedStack {
  if (isImageModel(model) || isSpeechModel(model))
    return check.refuse({
      argument: "to",
      received: to,
      expected: isVision(model)
        ? '"hf" or "onnx" for an encoder of images'
        : `"hf" for a model of ${isImageModel(model) ? "texts and images" : "speech"}`,
      fix: "write its folder, which converters to other formats read.",
    });
  if (!isEncoderDecoder(model)) return model;
  return check.refuse({
    argument: "model",
    received: "an encoder–decoder",
    expected: `a decoder or an encoder, for ${to}`,
    fix: 'write `to: "hf"`, which converters to other formats read.',
  });
}

const isAboveZero = (value: unknown): boolean => (value as number) > 0;

function checkFloats({ params }: ExportedModel): void {
  const quantized = tensorsOf(params).find(({ dtype }) => !/^b?float/.test(dtype));
  if (!quantized) return;
  check.refuse({
    argument: "params",
    received: `weights of ${quantized.dtype}`,
    expected: "weights that are floats",
    fix: "load it without `quantize`; engines quantize what they are given.",
  });
}
