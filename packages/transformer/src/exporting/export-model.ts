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
import { bytesPerStoredNumber, type StoredType } from "./stored-numbers.js";

/** Options of `exportModel`, whatever the format. */
type CommonOptions = {
  /** Path (in Node) of a folder, or of a file for `gguf`, that does not exist yet; or `memoryFolder()`. */
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
        /** Stored dtype; 16 bits round to the nearest. Default `"float32"`. */
        dtype?: StoredType;
        /** Maximum size of a file; a larger model is split into shards with an index. Unit: bytes. Default 5e9. */
        shardBytes?: number;
      }
    | {
        /** A graph for ONNX Runtime, in a folder for Transformers.js. */
        to: "onnx";
        /** As above. */
        dtype?: StoredType;
        /**
         * 23: attention, rotary embeddings and RMS norms are operators. 17: all is composed of older ones, for runtimes that
         * do not know those. Default 23.
         */
        opset?: 23 | 17;
        /** Bytes of weights above which they lie in `model.onnx_data`, beside the graph. Default and at most 2e9. */
        inlineBytes?: number;
      }
    | {
        /** One file for llama.cpp and programs built on it. */
        to: "gguf";
        /**
         * Stored dtype of matrices: floats as above, or 8 bits, `"q8_0"`. Vectors stay float32; rows that are no multiple of
         * 32 become float16 in place of `"q8_0"`. Default `"float32"`.
         */
        dtype?: GgufStoredType;
      }
  );

/**
 * Exports a model in a format that other engines read.
 *
 * - `hf`: for transformers, vLLM, SGLang, TGI and converters of llama.cpp a folder with `config.json`,
 *   `generation_config.json`, `model.safetensors` and the tokenizer, under the names that its architecture has there;
 *   of models of images and of speech, `preprocessor_config.json` too.
 *   `load` of the folder gives the same model, tensor by tensor; rotary pairs of neighbours become halves, with the same
 *   outputs.
 * - `onnx`: for ONNX Runtime and transformers.js the same folder with `onnx/model.onnx` in place of the tensors. Batch and
 *   length are free; of a decoder, keys and values of earlier tokens go in as `past_key_values.N.key` and `.value` and come
 *   out as `present.N.key` and `.value`, so that a cache of ours may go over (`@qkv/kv-cache/past-key-values`). An encoder of images
 *   (ViT, DeiT, DINOv2, that of CLIP) takes images of its own size as `pixel_values`. It is
 *   computed in float32, whatever the weights are stored in. Positions end at the model's context length; each expert of
 *   a mixture computes every token.
 *
 * - `gguf`: for llama.cpp one file with all of it: what the model is, its tokenizer, its tensors in the order that llama.cpp
 *   expects of its architecture. `load` of the file gives the same model, tensor by tensor; Llama's rotary halves become
 *   pairs of neighbours, with the same outputs. A trait that no architecture of llama.cpp has is refused by name, with the
 *   nearest architecture, as is Unicode normalization but NFC. An encoder loses its head for masked tokens.
 *
 * A few rows are in memory at a time, never a second model. The folder or file appears when all is written: killed at any
 * moment, nothing half-written is left that loads.
 *
 * @param model - As `load` or `loadEncoder` gives it, or `{ config, params }`, with a `tokenizer` or without; with a
 *   `chatTemplate`, in Jinja, that goes with its tokenizer.
 * @throws {ArgumentError} If no architecture of the format is like the model, the format lacks a piece of it, its weights
 *   are quantized, its tokenizer cannot be written, or `out` is there already: before anything is written. The signal's
 *   reason, when it aborts.
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
  check.oneOf({ dtype }, Object.keys(bytesPerStoredNumber));
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

/** Refuses an encoder–decoder in formats other than `hf`. */
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
  const odd = tensorsOf(params).find(({ dtype }) => !/^b?float/.test(dtype));
  if (!odd) return;
  check.refuse({
    argument: "params",
    received: `weights of ${odd.dtype}`,
    expected: "weights that are floats",
    fix: "load it without `quantize`; engines quantize what they are given.",
  });
}
