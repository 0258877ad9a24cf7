import { ArgumentError } from "@qkv/core";
import { tensorsOf } from "@qkv/tensor";
import { diskFolder } from "./disk-folder.js";
import { huggingFaceFolder, writeTensors, writeText, type ExportedModel } from "./hugging-face-folder.js";
import type { OutputFolder } from "./output-folder.js";
import { bytesOf, type StoredType } from "./stored-numbers.js";

export type ExportOptions = {
  /** The format: `"hf"`, a folder as Hugging Face lays models out. */
  to: "hf";
  /** A folder that does not exist yet, by path (in Node), or `memoryFolder()`. */
  out: string | OutputFolder;
  /** How numbers are stored; 16 bits round to the nearest. Default `"float32"`, as they are. */
  dtype?: StoredType;
  /** Bytes of tensors to a file; a larger model becomes several files and an index. Default 5e9, as transformers has it. */
  shardBytes?: number;
  signal?: AbortSignal;
  /** How far it has come. Unit: bytes of tensors. */
  onProgress?: (progress: { written: number; total: number }) => void;
};

/**
 * Writes a model as others read it: for transformers, vLLM, SGLang, TGI and converters of llama.cpp a folder with
 * `config.json`, `generation_config.json`, `model.safetensors` and the tokenizer, under the names that its architecture
 * has there. `load` of the folder gives the same model, tensor by tensor; rotary pairs of neighbours become halves, with
 * the same outputs.
 *
 * A few rows are in memory at a time, never a second model. The folder appears when all is written: killed at any moment,
 * nothing that loads is left.
 *
 * @param model - As `load` or `loadEncoder` gives it, or `{ config, params }`, with a `tokenizer` or without.
 * @throws {ArgumentError} If no architecture of the format is like the model, its weights are quantized, its tokenizer
 *   cannot be written, or `out` is there already: before anything is written. The signal's reason, when it aborts.
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
 * // await exportModel(await load("stories260K.bin", { tokenizer: "tok512.bin" }), { to: "hf", out: "stories" });
 * const out = memoryFolder();
 * await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out, dtype: "bfloat16" });
 * JSON.parse(await out.files[0]!.text()).model_type; // => "llama"
 * ```
 */
export async function exportModel(
  model: ExportedModel,
  { to, out, dtype = "float32", shardBytes = 5e9, signal, onProgress }: ExportOptions,
): Promise<void> {
  signal?.throwIfAborted();
  check("to", to, ["hf"]);
  check("dtype", dtype, Object.keys(bytesOf));
  if (!(shardBytes > 0))
    refuse("shardBytes", shardBytes, "a number of bytes above 0", "leave it out for 5e9.");
  checkFloats(model);
  const { texts, tensors } = huggingFaceFolder(model);
  const total = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, bytesOf[dtype]), 0);
  const folder = typeof out === "string" ? await diskFolder(out) : out;
  try {
    let written = 0;
    const wrote = (bytes: number) => {
      written += bytes;
      onProgress?.({ written, total });
      signal?.throwIfAborted();
    };
    for (const [name, content] of Object.entries(texts)) await writeText(folder, name, content);
    await writeTensors(tensors, folder, { dtype, shardBytes, wrote });
    await folder.done();
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

function checkFloats({ params }: ExportedModel): void {
  const odd = tensorsOf(params).find(({ dtype }) => !/^b?float/.test(dtype));
  if (!odd) return;
  const fix = "load it without `quantize`; engines quantize what they are given.";
  refuse("params", `weights of ${odd.dtype}`, "weights that are floats", fix);
}

function check(argument: string, received: string, known: readonly string[]): void {
  if (!known.includes(received)) refuse(argument, received, known.join(" or "), "choose one of them.");
}

function refuse(argument: string, received: unknown, expected: string, fix: string): never {
  throw new ArgumentError({ fn: "exportModel", argument, received, expected, fix });
}
