import { ByteReader, checks } from "@qkv/core";
import { kindOfPath, smallFiles, sourceUrl } from "@qkv/core/byte-source";
import { readConfig, type ModelShape } from "@qkv/cost";
import { join } from "node:path";
import { namedText, openNamedFile, parseNamedJson } from "./named-file.js";

const use = {
  fn: "qkv cost",
  argument: "model",
  what: "a config.json, a folder with one, or a llama2.c checkpoint",
};

/**
 * The shape of a model: from a config.json, a folder with one, or the first bytes of a llama2.c checkpoint; each as a
 * path or a URL. No weights are read.
 *
 * @throws {ArgumentError} If it cannot be read, or has no sizes of a model.
 */
export async function readShape(source: string, signal: AbortSignal): Promise<ModelShape> {
  if (source.endsWith(".bin")) {
    const file = await openNamedFile(source, use, { signal });
    return llama2cShape(await file.read(0, Math.min(28, file.size)), source);
  }
  const isFolder = !sourceUrl(source) && (await kindOfPath(source)) === "folder";
  const options = { ...smallFiles.configuration, signal };
  const path = isFolder ? join(source, "config.json") : source;
  const fix = "give the config.json of the model.";
  return readConfig(parseNamedJson(await namedText(path, use, options), path, { ...use, fix }));
}

/** Header of a llama2.c checkpoint: 7 int32. A negative vocabulary size means an untied output projection. */
function llama2cShape(bytes: Uint8Array, source: string): ModelShape {
  const reader = new ByteReader(bytes, { fn: use.fn, source });
  const [dim, hidden, layers, heads, kvHeads, vocabulary, length] = [
    "dim",
    "hidden_dim",
    "n_layers",
    "n_heads",
    "n_kv_heads",
    "vocab_size",
    "seq_len",
  ].map((field) => reader.int32(field)) as [number, number, number, number, number, number, number];
  // Of another file, such as PyTorch's pytorch_model.bin, the first bytes make sizes that no model has.
  const sizes = [dim, hidden, layers, heads, kvHeads, Math.abs(vocabulary), length];
  if (!sizes.every((size) => size > 0 && size < 2 ** 24)) {
    checks(use.fn).refuse({
      argument: use.argument,
      received: source,
      expected: "a llama2.c checkpoint, and this file does not begin with the sizes of one",
      fix: "give the config.json of the model.",
    });
  }
  return readConfig({
    model_type: "llama",
    hidden_size: dim,
    intermediate_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    vocab_size: Math.abs(vocabulary),
    max_position_embeddings: length,
    tie_word_embeddings: vocabulary > 0,
  });
}
