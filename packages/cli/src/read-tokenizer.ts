import { checks } from "@qkv/core";
import { openFile, smallFiles } from "@qkv/core/byte-source";
import { loadTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unreadable } from "./missing-file.js";

/** A tokenizer of a file, or of a folder with a tokenizer's files. */
export type OpenedTokenizer = {
  readonly tokenizer: Tokenizer;
  /** True if its own software always adds the bos token, as llama2.c does. */
  readonly alwaysBegins: boolean;
};

/**
 * Opens what `--tokenizer` names.
 *
 * @throws {ArgumentError} If the path cannot be read or holds no tokenizer. What the loader of the file throws.
 */
export async function readTokenizer(path: string): Promise<OpenedTokenizer> {
  const isFolder = (await attempt(path, () => stat(path))).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const there = await attempt(folder, () => readdir(folder));
  const names = isFolder
    ? there.filter((name) => known.test(name))
    : [basename(path), ...beside(basename(path), there)];
  const files: Record<string, Uint8Array> = {};
  for (const name of wanted(names))
    files[name] = await readStart(join(folder, name), isFolder ? { within: folder } : {});
  return {
    tokenizer: loadTokenizer(files),
    alwaysBegins: Object.keys(files).every((name) => name.endsWith(".bin")),
  };
}

const known =
  /\.(gguf|model|tiktoken)$|(^|[-_.])tokenizer(_config)?\.json$|(vocab|encoder)\.json$|(merges|vocab)\.txt$|vocab\.bpe$|^tok.*\.bin$/i;

/** Files that belong to a tokenizer file: the configuration of `tokenizer.json`, the merges of `vocab.json`. */
function beside(name: string, there: readonly string[]): string[] {
  if (/tokenizer\.json$/i.test(name)) return there.filter((other) => other === "tokenizer_config.json");
  if (/(vocab|encoder)\.json$/i.test(name))
    return there.filter((other) => /(merges\.txt|vocab\.bpe)$/i.test(other));
  if (/(merges\.txt|vocab\.bpe)$/i.test(name))
    return there.filter((other) => /(vocab|encoder)\.json$/i.test(other));
  return [];
}

/** A folder may hold several: weights need not be read where there is a tokenizer.json. */
function wanted(names: readonly string[]): readonly string[] {
  const json = names.filter((name) => /tokenizer(_config)?\.json$/i.test(name));
  return json.some((name) => /tokenizer\.json$/i.test(name)) ? json : names;
}

/** A GGUF file may hold a whole model: its vocabulary stands in front. */
async function readStart(path: string, within: { within?: string }): Promise<Uint8Array> {
  const limits = path.endsWith(".gguf") ? {} : smallFiles.tokenizer;
  const file = await openFile(path, {
    check: checks("qkv", { argument: "--tokenizer" }),
    ...limits,
    ...within,
  });
  return file.read(0, Math.min(file.size, smallFiles.tokenizer.maxBytes));
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw await unreadable(path, { argument: "--tokenizer", what: "a tokenizer's file or folder" }, cause);
  }
}
