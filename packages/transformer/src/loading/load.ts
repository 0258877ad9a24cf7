import { ArgumentError } from "@qkv/core";
import type { Device } from "@qkv/tensor";
import { llama2cTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { readLlama2c } from "../checkpoints/llama2c.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { decoder, type Decoder, type DecoderParams } from "../models/decoder.js";
import { nameOf, readSource, type ReadOptions, type Source } from "./read-source.js";

/** A model with its weights and its tokenizer. */
export type Model = {
  readonly config: DecoderConfig;
  readonly params: DecoderParams;
  /** Undefined where none was given: such a model takes and gives ids. */
  readonly tokenizer: Tokenizer | undefined;
  /** Token ids to logits `[B, T, V]`, with any params of this shape. */
  readonly apply: Decoder["apply"];
};

export type LoadOptions = ReadOptions & {
  /** Where the weights go. Default: the plain device. */
  device?: Device;
  /** A tokenizer, or the llama2.c tokenizer file that belongs to the checkpoint. Default: none. */
  tokenizer?: Tokenizer | Source;
};

/**
 * Loads a model: a llama2.c checkpoint, by path, URL or as bytes.
 *
 * @param source - A path (in Node), a URL, or the bytes of the file.
 * @throws {ArgumentError} If the file cannot be read, or the tokenizer belongs to another model.
 * @throws {FormatError} If the file is cut short or not a checkpoint. The signal's reason, when it aborts.
 *
 * @example
 * ```ts
 * import { load } from "@qkv/transformer";
 *
 * // One layer of one head, a vocabulary of 5. Yours is a file: load("stories260K.bin", { tokenizer: "tok512.bin" }).
 * const header = Int32Array.of(2, 3, 1, 1, 1, 5, 4);
 * const checkpoint = new Uint8Array(4 * (7 + 58));
 * checkpoint.set(new Uint8Array(header.buffer));
 *
 * const model = await load(checkpoint);
 * model.config.contextLength; // => 4
 * model.apply(model.params, [1, 2]).shape; // => [1, 2, 5]
 * ```
 */
export async function load(source: Source, options: LoadOptions = {}): Promise<Model> {
  const { device, signal } = options;
  const bytes = await readSource(source, options);
  const { config, params } = readLlama2c(bytes, { source: nameOf(source), ...(device && { device }) });
  signal?.throwIfAborted();
  const tokenizer = await tokenizerOf(options.tokenizer, options);
  if (tokenizer && tokenizer.vocabSize !== config.vocabSize) {
    throw new ArgumentError({
      fn: "load",
      argument: "tokenizer",
      received: `a vocabulary of ${tokenizer.vocabSize} tokens`,
      expected: `the ${config.vocabSize} tokens of the model`,
      fix: "use the tokenizer file that came with the checkpoint.",
    });
  }
  return { config, params, tokenizer, apply: decoder(config).apply };
}

async function tokenizerOf(
  given: Tokenizer | Source | undefined,
  options: ReadOptions,
): Promise<Tokenizer | undefined> {
  if (given === undefined || isTokenizer(given)) return given;
  const { signal } = options;
  return llama2cTokenizer(await readSource(given, signal ? { signal } : {}));
}

function isTokenizer(value: Tokenizer | Source): value is Tokenizer {
  return typeof value === "object" && "encode" in value;
}
