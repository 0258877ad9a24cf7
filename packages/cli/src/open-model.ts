import { ArgumentError } from "@qkv/core";
import { modelTiny } from "@qkv/model-tiny";
import { modelTinyBytes } from "@qkv/model-tiny/bytes";
import type { Device } from "@qkv/tensor";
import type { Tokenizer } from "@qkv/tokenizer";
import {
  load,
  loadAny,
  loadEncoder,
  type EncoderModel,
  type LoadOptions,
  type Model,
  type ModelWithKind,
  type Quantization,
} from "@qkv/transformer";
import type { Command } from "commander";
import { stat } from "node:fs/promises";
import type { CacheOptions } from "./cache-options.js";
import { downloadModel } from "./cached-model.js";
import { deviceNames, openDevice } from "./device-option.js";
import type { Io } from "./io.js";
import { looksLikePath, missingFile } from "./missing-file.js";
import { progressLine } from "./progress-line.js";
import { readTokenizer } from "./read-tokenizer.js";

/** Options of commands that open a model. */
export type ModelOptions = {
  tokenizer?: string;
  device?: string;
  quantize?: string;
  adapter?: string;
  /** Type of weights, for training. Default: the stored type if the device supports it. */
  dtype?: "float32";
};

/** Name of the embedded model, which is the default. */
export const embeddedModel = "@qkv/model-tiny";

/** All embedded models: models that are part of the package. */
const embedded: ReadonlyMap<string, () => Promise<File[]>> = new Map([
  [embeddedModel, modelTiny],
  ["@qkv/model-tiny/bytes", modelTinyBytes],
]);

/** Help text of `<model>`. */
export const modelHelp =
  "a Hugging Face folder or repository, a GGUF file, or a llama2.c checkpoint, as a path, URL or owner/name; " +
  `or ${[...embedded.keys()].join(" or ")}, which are installed with this command`;

/** Help text of `<model>` for commands that need an encoder; there is no embedded one. */
export const encoderHelp =
  "an encoder of the BERT family, such as sentence-transformers/all-MiniLM-L6-v2: a Hugging Face folder or repository, " +
  "or a GGUF file, as a path, URL or owner/name";

/** The source for `load`: the files of an embedded model, or a path. */
export async function resolveModel(source: string, options: CacheOptions): Promise<string | File[]> {
  const openEmbedded = embedded.get(source);
  if (openEmbedded) return openEmbedded();
  if (await pathExists(source)) return source;
  if (/^@?(qkv\/)?model-?tiny\b/i.test(source)) {
    throw new ArgumentError({
      fn: "qkv",
      argument: "model",
      received: source,
      expected: "the name of a model",
      fix: `write ${embeddedModel}, which is part of the package.`,
    });
  }
  // A path that does not exist is refused, not read as the name of a repository, which is owner/name.
  if (looksLikePath(source) || !/[:/]/.test(source)) {
    const fix = `name a path, or a repository as owner/name; ${embeddedModel} is part of the package.`;
    throw await missingFile(source, { argument: "model", what: "a file or folder", fix });
  }
  return downloadModel(source, options);
}

const pathExists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Adds the options for the tokenizer, the device and the quantization of a model.
 *
 * @param options - `quantize`: false for a command that needs floats. Default true. `device`: default `wasm`.
 */
export function withModelOptions(
  command: Command,
  { device, quantize = true }: { device?: string; quantize?: boolean } = {},
): Command {
  command
    .hook("preAction", (_program, action) => {
      // A llama2.c checkpoint never includes a tokenizer, so this is refused before a file is read.
      const lacksTokenizer =
        /\.bin$/.test(String(action.args[0])) && action.opts()["tokenizer"] === undefined;
      if (lacksTokenizer) action.error("error: required option '--tokenizer <file>' not specified");
    })
    .option("--tokenizer <file>", "tokenizer file, if the model does not include one")
    .option(
      "--device <name>",
      `device: ${deviceNames.join(", ")}${device === undefined ? " (default: wasm)" : ""}`,
      device,
    )
    .option(
      "--adapter <folder>",
      "adapter of PEFT (LoRA) that is merged while loading: a folder, its URL or owner/name",
    );
  if (!quantize) return command;
  return command.option("--quantize <kind>", "quantize weights while loading: int8, int4");
}

/** Opens a decoder with its tokenizer. Files from a server are cached. */
export async function openModel(
  source: string,
  options: ModelOptions,
  io: Pick<Io, "err" | "signal">,
): Promise<Model & { tokenizer: Tokenizer }> {
  const quantize = quantizeOption(options.quantize);
  const model = await openWith(source, options, io, (path, shared) =>
    load(path, { ...shared, ...(quantize && { quantize }) }),
  );
  return { ...model, tokenizer: requireTokenizer(source, model.tokenizer) };
}

/** Opens an encoder with its tokenizer. */
export async function openEncoder(
  source: string,
  options: ModelOptions,
  io: Pick<Io, "err" | "signal">,
): Promise<EncoderModel & { tokenizer: Tokenizer }> {
  const quantize = quantizeOption(options.quantize);
  if (embedded.has(source)) {
    throw new ArgumentError({
      fn: "qkv",
      argument: "model",
      received: source,
      expected: "an encoder, and this model is a decoder",
      fix: "name one of the BERT family, such as sentence-transformers/all-MiniLM-L6-v2.",
    });
  }
  const model = await openWith(source, options, io, (path, shared) =>
    loadEncoder(path, { ...shared, ...(quantize && { quantize }) }),
  );
  return { ...model, tokenizer: requireTokenizer(source, model.tokenizer) };
}

/** Opens a model of any kind, with its tokenizer if it has one. */
export function openAny(
  source: string,
  options: Omit<ModelOptions, "quantize">,
  io: Pick<Io, "err" | "signal">,
): Promise<ModelWithKind> {
  return openWith(source, options, io, loadAny);
}

async function openWith<T>(
  source: string,
  { tokenizer, device, adapter, dtype }: Omit<ModelOptions, "quantize">,
  { err, signal }: Pick<Io, "err" | "signal">,
  open: (source: string | File[], options: LoadOptions) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  if (embedded.has(source) && tokenizer !== undefined) {
    throw new ArgumentError({
      fn: "qkv",
      argument: "--tokenizer",
      received: tokenizer,
      expected: `nothing beside ${source}, which brings its own`,
      fix: "name the model that the tokenizer belongs to, or leave --tokenizer out.",
    });
  }
  if (tokenizer !== undefined && !/^https?:/.test(tokenizer) && !(await pathExists(tokenizer))) {
    throw await missingFile(tokenizer, { argument: "--tokenizer", what: "a tokenizer's file or folder" });
  }
  if (adapter !== undefined && looksLikePath(adapter) && !(await pathExists(adapter))) {
    throw await missingFile(adapter, { argument: "--adapter", what: "the folder of an adapter" });
  }
  const openedDevice: Device = await openDevice(device, err);
  const line = progressLine(err);
  const onProgress = ({
    source,
    loaded,
    total,
  }: {
    source: string;
    loaded: number;
    total: number | undefined;
  }) => {
    const name = source.slice(source.lastIndexOf("/") + 1);
    line.show(total && loaded / total, `${name} ${(loaded / 2 ** 20).toFixed(1)} MiB`);
  };
  try {
    const resolvedSource = await resolveModel(source, { signal, onProgress });
    const tokenizerOption =
      tokenizer && (await isSeveralFiles(tokenizer)) ? (await readTokenizer(tokenizer)).tokenizer : tokenizer;
    return await open(resolvedSource, {
      ...{ device: openedDevice, signal, onProgress },
      ...(tokenizerOption && { tokenizer: tokenizerOption }),
      ...(adapter !== undefined && { adapter }),
      ...(dtype !== undefined && { dtype }),
    });
  } finally {
    line.clear();
  }
}

/** True if a tokenizer is a folder, or one file of several. */
async function isSeveralFiles(path: string): Promise<boolean> {
  if (
    /(vocab|encoder)\.json$|merges\.txt$|vocab\.bpe$|tokenizer\.json$/i.test(path) &&
    !/^https?:/.test(path)
  )
    return true;
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function requireTokenizer(source: string, tokenizer: Tokenizer | undefined): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new ArgumentError({
    fn: "qkv",
    argument: "--tokenizer",
    received: undefined,
    expected: `the tokenizer's file, since ${source} has none`,
    fix: "name the file that came with the model: --tokenizer tok512.bin.",
  });
}

function quantizeOption(kind: string | undefined): Quantization | undefined {
  if (kind === undefined || kind === "int8" || kind === "int4") return kind;
  throw new ArgumentError({
    fn: "qkv",
    argument: "--quantize",
    received: kind,
    expected: "int8 or int4",
    fix: "leave it out for the weights as they are.",
  });
}
