import { readTokenizerFiles, loadTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { stat } from "node:fs/promises";
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
  try {
    await stat(path);
  } catch (cause) {
    throw await unreadable(path, { argument: "--tokenizer", what: "a tokenizer's file or folder" }, cause);
  }
  const files = await readTokenizerFiles(path);
  return {
    tokenizer: loadTokenizer(files),
    alwaysBegins: Object.keys(files).every((name) => name.endsWith(".bin")),
  };
}
