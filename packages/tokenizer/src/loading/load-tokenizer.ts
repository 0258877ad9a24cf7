import { ArgumentError, checks } from "@qkv/core";
import { llama2cTokenizer } from "../llama2c-tokenizer.js";
import type { Tokenizer } from "../tokenizer.js";
import { ggufTokenizer } from "./gguf.js";
import { sentencePieceTokenizer } from "./sentencepiece.js";
import { marianTokenizer } from "./marian.js";
import { JsonField } from "./json-field.js";
import { tiktokenTokenizer, type TiktokenRanks } from "./tiktoken.js";
import { tokenizerFromJson } from "./tokenizer-json/tokenizer-json.js";
import { bertTokenizer, gpt2Tokenizer } from "./vocab-files.js";
import { cl100kSplit, o200kSplit } from "../pre-tokenizers/known-splits.js";
import { gpt2Split } from "../pre-tokenizers/gpt2-split.js";

/**
 * The tokenizer of a folder's files, recognized by their names: the first of `tokenizer.json`, `*.gguf`, `*.model`,
 * `source.spm` with `vocab.json` (Marian), `vocab.json` (or `encoder.json`) with `merges.txt` (or `vocab.bpe`), `*.tiktoken`, `*.js` (a module of js-tiktoken, which
 * is read and not run), `vocab.txt`, `*.bin`; or a single `*.json`, a tokenizer or the ranks of tiktoken's package.
 *
 * @param source - The bytes of each file by its name; others may be among them. Or the folder or file, by its path (in Node) or
 *   URL, or the files that a reader chose in a page, which are read first. `tokenizer_config.json` is read with `tokenizer.json`.
 *   The split of a `.tiktoken` file follows from its name, which must say `cl100k`, `o200k`, or `r50k`, `p50k` or `gpt2`.
 * @returns The tokenizer; of bytes at once, otherwise a promise.
 * @throws {ArgumentError} If no file is a tokenizer's, or there is no such path. Also the errors of the file's loader.
 *
 * @example
 * ```ts
 * import { loadTokenizer } from "@qkv/tokenizer";
 *
 * const files = { "vocab.txt": new TextEncoder().encode("[UNK]\nhello") };
 * loadTokenizer(files).encode("Hello!"); // => [1, 0]
 * // Of a model that lies on the disk: await loadTokenizer("models/Qwen3-0.6B")
 * ```
 */
export function loadTokenizer(source: Readonly<Record<string, Uint8Array>>): Tokenizer;
export function loadTokenizer(source: string | URL | readonly File[]): Promise<Tokenizer>;
export function loadTokenizer(
  source: Readonly<Record<string, Uint8Array>> | string | URL | readonly File[],
): Tokenizer | Promise<Tokenizer> {
  if (typeof source === "string" || source instanceof URL || isList(source)) return loadFrom(source);
  checks("loadTokenizer").each(
    { source },
    (value) =>
      typeof value === "object" &&
      value !== null &&
      Object.values(value).every((bytes) => bytes instanceof Uint8Array),
    "a folder or file by its path or URL, a list of files, or the bytes of each file by its name",
    'give the folder that the model came in, or its files: `{ "tokenizer.json": await readFile(path) }`.',
  );
  return tokenizerFromFiles(source);
}

const isList = (source: object): source is readonly File[] => Array.isArray(source);

/** File access is a separate chunk, which a page that already has the bytes does not load. */
async function loadFrom(source: string | URL | readonly File[]): Promise<Tokenizer> {
  const { readFilesFor } = await import("./read-tokenizer-files.js");
  return tokenizerFromFiles(await readFilesFor("loadTokenizer", source));
}

function tokenizerFromFiles(files: Readonly<Record<string, Uint8Array>>): Tokenizer {
  const names = Object.keys(files).sort();
  const find = (test: RegExp) => names.find((name) => test.test(name));
  const file = (name: string) => files[name]!;

  if (files["tokenizer.json"])
    return tokenizerFromJson(files["tokenizer.json"], files["tokenizer_config.json"]);
  const json = find(/(^|[-_.])tokenizer\.json$/i);
  if (json !== undefined) return tokenizerFromJson(file(json), files["tokenizer_config.json"]);
  const gguf = find(/\.gguf$/i);
  if (gguf !== undefined) return ggufTokenizer(file(gguf));
  const model = find(/\.model$/i);
  if (model !== undefined) return sentencePieceTokenizer(file(model));
  const spm = find(/source\.spm$/i);
  if (spm !== undefined && files["vocab.json"]) return marianTokenizer(file(spm), files["vocab.json"]);
  const [vocab, merges] = [find(/(vocab|encoder)\.json$/i), find(/(merges\.txt|vocab\.bpe)$/i)];
  if (vocab !== undefined && merges !== undefined) return gpt2Tokenizer(file(vocab), file(merges));
  const ranks = find(/\.tiktoken$/i);
  if (ranks !== undefined) return tiktokenTokenizer(file(ranks), { split: splitFromName(ranks) });
  const ranksModule = find(/\.[cm]?js$/i);
  if (ranksModule !== undefined) return tiktokenTokenizer(readRanksModule(file(ranksModule), ranksModule));
  const lines = find(/vocab\.txt$/i);
  if (lines !== undefined) return bertTokenizer(file(lines));
  const llama2c = find(/\.bin$/i);
  if (llama2c !== undefined) return llama2cTokenizer(file(llama2c));
  const other = find(/\.json$/i);
  if (other !== undefined && names.length === 1) {
    const bytes = file(other);
    // tiktoken's own package writes its ranks as JSON.
    if (new TextDecoder().decode(bytes).includes('"bpe_ranks"'))
      return tiktokenTokenizer(readRanksModule(bytes, other));
    return tokenizerFromJson(bytes);
  }
  throw new ArgumentError({
    fn: "loadTokenizer",
    argument: "source",
    received: names,
    expected:
      "a tokenizer's files: tokenizer.json, *.gguf, *.model, source.spm and vocab.json, vocab.json and merges.txt, *.tiktoken, vocab.txt or *.bin",
    fix: "give the folder that the model came in.",
  });
}

/** Parses a module whose only export is a literal: `export default {…}` or `module.exports = {…}`. */
function readRanksModule(bytes: Uint8Array, name: string): TiktokenRanks {
  const text = new TextDecoder().decode(bytes);
  const literal = text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
  const field = JsonField.parse(literal, { fn: "loadTokenizer", source: name });
  const specialTokens = field.get("special_tokens").object();
  for (const token of Object.keys(specialTokens)) field.get("special_tokens").get(token).count();
  return {
    pat_str: field.get("pat_str").string(),
    special_tokens: specialTokens as Record<string, number>,
    bpe_ranks: field.get("bpe_ranks").string(),
  };
}

function splitFromName(name: string) {
  if (/cl100k/i.test(name)) return cl100kSplit;
  if (/o200k/i.test(name)) return o200kSplit;
  if (/r50k|p50k|gpt2/i.test(name)) return gpt2Split;
  throw new ArgumentError({
    fn: "loadTokenizer",
    argument: "source",
    received: name,
    expected: "a name that tells the split: cl100k, o200k, r50k, p50k or gpt2",
    fix: "rename the file, or call `tiktokenTokenizer(bytes, { split })`.",
  });
}
