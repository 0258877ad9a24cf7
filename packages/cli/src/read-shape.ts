import { ArgumentError, ByteReader } from "@qkv/core";
import { readConfig, type ModelShape } from "@qkv/cost";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { unreadable } from "./missing-file.js";

/**
 * The shape of a model: from a config.json, a folder with one, or the first bytes of a llama2.c checkpoint; each as a
 * path or a URL. No weights are read.
 *
 * @throws {ArgumentError} If it cannot be read, or says nothing of sizes.
 */
export async function readShape(source: string, signal: AbortSignal): Promise<ModelShape> {
  signal.throwIfAborted();
  if (source.endsWith(".bin")) return llama2cShape(await firstBytes(source, 28, signal), source);
  return readConfig(await configText(source, signal));
}

const isUrl = (source: string) => /^https?:\/\//.test(source);

async function configText(source: string, signal: AbortSignal): Promise<string> {
  try {
    if (isUrl(source)) return await (await fetched(source, { signal })).text();
    const folder = (await stat(source)).isDirectory();
    return await readFile(folder ? join(source, "config.json") : source, { encoding: "utf8", signal });
  } catch (cause) {
    throw await refusal(source, signal, cause);
  }
}

async function firstBytes(source: string, count: number, signal: AbortSignal): Promise<Uint8Array> {
  try {
    if (isUrl(source)) {
      const answer = await fetched(source, { signal, headers: { range: `bytes=0-${count - 1}` } });
      return new Uint8Array(await answer.arrayBuffer()).subarray(0, count);
    }
    const file = await open(source);
    try {
      const { bytesRead, buffer } = await file.read(new Uint8Array(count), 0, count, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw await refusal(source, signal, cause);
  }
}

async function fetched(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer;
}

async function refusal(source: string, signal: AbortSignal, cause: unknown): Promise<unknown> {
  if (signal.aborted) return signal.reason;
  const what = "a config.json, a folder with one, or a llama2.c checkpoint";
  if (!isUrl(source)) return unreadable(source, { fn: "qkv cost", argument: "model", what }, cause);
  return new ArgumentError({
    fn: "qkv cost",
    argument: "model",
    received: source,
    expected: `an address that can be read, and ${(cause as Error).message}`,
    fix: "check the address and the network.",
    cause,
  });
}

/** Seven numbers; a negative vocabulary marks an output matrix of its own. */
function llama2cShape(bytes: Uint8Array, source: string): ModelShape {
  const reader = new ByteReader(bytes, { fn: "qkv cost", source });
  const [dim, hidden, layers, heads, kvHeads, vocabulary, length] = [
    "dim",
    "hidden_dim",
    "n_layers",
    "n_heads",
    "n_kv_heads",
    "vocab_size",
    "seq_len",
  ].map((field) => reader.int32(field)) as [number, number, number, number, number, number, number];
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
