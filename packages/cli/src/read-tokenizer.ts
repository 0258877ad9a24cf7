import { readTokenizerFiles, loadTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { stat } from "node:fs/promises";
import { unreadable } from "./missing-file.js";

/** A tokenizer, from a file or a folder. */
export type OpenedTokenizer = {
  readonly tokenizer: Tokenizer;
  /** True if a BOS token is always added, as in llama2.c. */
  readonly alwaysBegins: boolean;
};

/**
 * Opens the tokenizer of `--tokenizer`.
 *
 * @throws {ArgumentError} If the path cannot be read, or has no tokenizer. Errors of the file's loader.
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
