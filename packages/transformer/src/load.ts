import { checkDevice, checks, checkSignal, FormatError } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import type { Tokenizer } from "@qkv/tokenizer";
import { configFields, stopIdsField, type ConfigFields } from "./architectures/config-fields.js";
import type { AnyCheckpoint, Checkpoint } from "./checkpoints/hugging-face/family.js";
import type { EncoderDecoderConfig } from "./models/encoder-decoder.js";
import type { TextModel, EncoderDecoderModel, EncoderModel, Model } from "./models/model.js";
import { isEncoder, isEncoderDecoder } from "./models/model-kinds.js";
import type { SentenceConfig } from "./models/sentence-config.js";
import type { Quantization, Rounding } from "./quantization/quantize.js";
import { checkMemory } from "./check-memory.js";
import { readSentenceConfig } from "./embedding/read-sentence-config.js";
import { requiredFile, openFolder, filesFolder, type Folder } from "./loading/folder.js";
import { hubFolder, isRepository, type HubOptions } from "./loading/hub.js";
import {
  kindOfPath,
  openFile,
  readWhole,
  smallFiles,
  sourceUrl,
  type OpenFile,
  type Progress,
  type Reading,
  type ReadOptions,
  type Source,
} from "./loading/open-file.js";
import { readJson } from "./loading/read-json.js";
import { mxfp4Weights } from "./loading/mxfp4-weights.js";
import { safetensorsWeights, shardedWeights } from "./loading/safetensors-weights.js";
import type { WeightFile } from "./loading/weight-file.js";
import { fileWeights, type WeightOptions, type Weights } from "./loading/weights.js";
import type { ModelStore } from "./storage/model-store.js";

export type LoadOptions = ReadOptions & {
  /** Device of the weights. Default: the plain JavaScript device. */
  device?: Device;
  /**
   * Type of matrices and of the embedding matrix. `"auto"` (default): matrices stored in bfloat16 or float16
   * keep their type on devices that support it (`wasm`), with bit-identical results; on other devices they become
   * float32. `"float32"`: float32 on every device, for training. Norms and biases are always float32.
   */
  dtype?: "auto" | "float32";
  /** A tokenizer, its file, or in Node its folder. Default: the tokenizer of the model's folder, if there is one. */
  tokenizer?: Tokenizer | Source;
  /** Quantizes matrices to 8 or 4 bits: a quarter or an eighth of the memory. Default: no quantization. */
  quantize?: Quantization;
  /**
   * A PEFT adapter to merge on loading: a folder with `adapter_config.json` and `adapter_model.safetensors`, from
   * the same kinds of source as the model. LoRA, rsLoRA and DoRA, with rank patterns, biases, embeddings and saved modules. Adapted
   * matrices are float32. Default: none.
   */
  adapter?: Source | readonly File[];
  /** Access to a hub. Default: the Hugging Face Hub, without a token. */
  hub?: HubOptions;
  /**
   * Stores downloaded files in the browser for later visits: `modelStore()`. With it, the name of a
   * repository needs no hub client. Default: none, so that each visit downloads the files.
   */
  store?: ModelStore;
};

/**
 * Loads a decoder from a Hugging Face folder (`config.json`, and `model.safetensors` in one or several files), a GGUF
 * file, or a llama2.c checkpoint. Weights are copied in chunks, so loading needs little more memory than the model. Types of
 * weights in GGUF files: `F64`, `F32`, `F16`, `BF16`, `Q8_0`, `Q4_0`, `Q4_1`, `Q5_0`, `Q5_1`, `Q4_K`, `Q5_K`, `Q6_K` and `MXFP4`.
 *
 * @param source - A folder or a file, by path (in Node) or URL; the name of a repository of the Hugging Face Hub, such
 *   as `Qwen/Qwen3-0.6B`, which is read from the cache of Python's `huggingface_hub` if it is there, and otherwise requires
 *   `@huggingface/hub`, or in a page a `store`; the bytes of a file, or a Blob; or the files that a user
 *   chose in a page.
 * @throws {ArgumentError} If a file cannot be read, a server does not respond within `idleTimeoutMs`, a link leads out of the folder,
 *   or the tokenizer belongs to another model.
 * @throws {FormatError} If the architecture is not known, a tensor is missing, or a file is cut short: the error names
 *   what was expected and what was found. The signal's reason, when it aborts.
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
export async function load(source: Source | readonly File[], options?: LoadOptions): Promise<Model> {
  const check = checks("load", { argument: "source" });
  const { model } = await loadWithFolder(check, source, check.options(options, [...optionNames, "quantize"]));
  if (isEncoder(model)) {
    return check.refuse({
      received: "an encoder",
      expected: "a decoder, which generates",
      fix: "load it with `loadEncoder`.",
    });
  }
  if (!isEncoderDecoder(model)) return model;
  return check.refuse({
    received: "an encoder–decoder",
    expected: "a decoder, which continues a text and reads no source",
    fix: "load it with `loadEncoderDecoder`; `generate` takes both.",
  });
}

/** Loads a text model, and returns the folder it was read from, for further files. */
export async function loadWithFolder(
  check: Reading["check"],
  source: Source | readonly File[],
  { quantize: kind, ...openOptions }: LoadOptions,
): Promise<{ model: TextModel; folder: Folder | undefined }> {
  const { device = js() } = openOptions;
  if (kind !== undefined) check.oneOf({ quantize: kind }, ["int8", "int4"]);
  const rounding = kind && (await import("./quantization/quantize.js")).deviceRounding(kind, device);
  const opened = await openModel(check, source, openOptions, rounding);
  return { model: await assembleTextModel(check, opened, rounding, device), folder: opened.folder };
}

/** Creates a text model from a checkpoint, quantized if requested. */
export async function assembleTextModel(
  check: Reading["check"],
  opened: Opened<Checkpoint>,
  rounding: Rounding | undefined,
  device: Device,
): Promise<TextModel> {
  const model = await assembleFloatModel(check, opened);
  if (!rounding) return model;
  const { quantizeBy } = await import("./quantization/quantize.js");
  const rounded = quantizeBy(rounding, model, { device });
  return { ...rounded.model, quantization: rounded.report };
}

/**
 * Loads an encoder of the BERT family from the same sources as {@link load}: BERT, RoBERTa, XLM-R, DistilBERT, ELECTRA, ALBERT, MPNet,
 * ModernBERT and Nomic BERT, with the head in the checkpoint. The modules and prompts of a sentence-transformers folder become
 * `sentence`, which `embed` applies.
 *
 * @throws {ArgumentError} If the model is a decoder, and as `load` does.
 *
 * @example
 * ```ts
 * import { loadEncoder } from "@qkv/transformer";
 *
 * // const bert = await loadEncoder("./bert-base-uncased");
 * // bert.apply(bert.params, [101, 7592, 102]) is [1, 3, 768]: a row for each token.
 * await loadEncoder(new Uint8Array(0)); // => throws FormatError: `0 bytes: dim`
 * ```
 */
export async function loadEncoder(
  source: Source | readonly File[],
  options?: LoadOptions,
): Promise<EncoderModel> {
  const check = checks("loadEncoder", { argument: "source" });
  const { model } = await loadWithFolder(check, source, check.options(options, [...optionNames, "quantize"]));
  if (isEncoder(model)) return model;
  if (isEncoderDecoder(model)) {
    return check.refuse({
      received: "an encoder–decoder",
      expected: "an encoder",
      fix: "load it with `loadEncoderDecoder`.",
    });
  }
  return check.refuse({ received: "a decoder", expected: "an encoder", fix: "load it with `load`." });
}

/**
 * Loads an encoder–decoder from the same sources as {@link load}: T5, mT5 and UMT5, BART and mBART, Marian, M2M-100 and NLLB. The
 * classification head of a BART checkpoint is loaded too. `generate`, `generateBatch` and `beamSearch` take it like a decoder,
 * with the source as the prompt.
 *
 * @throws {ArgumentError} If the model is of another kind, and as `load` does.
 *
 * @example
 * ```ts
 * import { loadEncoderDecoder } from "@qkv/transformer";
 *
 * // const t5 = await loadEncoderDecoder("./t5-small");
 * // for await (const { text } of generate(t5, "translate English to German: The house is small.")) write(text);
 * await loadEncoderDecoder(new Uint8Array(0)); // => throws FormatError: `0 bytes: dim`
 * ```
 */
export async function loadEncoderDecoder(
  source: Source | readonly File[],
  options?: LoadOptions,
): Promise<EncoderDecoderModel> {
  const check = checks("loadEncoderDecoder", { argument: "source" });
  const { model } = await loadWithFolder(check, source, check.options(options, [...optionNames, "quantize"]));
  if (isEncoderDecoder(model)) return model;
  const [received, fix] = isEncoder(model)
    ? (["an encoder", "load it with `loadEncoder`."] as const)
    : (["a decoder", "load it with `load`."] as const);
  return check.refuse({ received, expected: "an encoder–decoder, which reads a source", fix });
}

/**
 * Creates a text model without quantization; each kind of model is imported when a checkpoint is of this kind. Speech models are
 * refused; they have a loader of their own.
 */
async function assembleFloatModel(
  check: Reading["check"],
  { checkpoint, tokenizer, sentence }: Opened<Checkpoint>,
): Promise<TextModel> {
  if (checkpoint.kind === "speech") {
    return check.refuse({
      received: "a speech model",
      expected: "a model of texts",
      fix: "load it with `loadSpeech`; `transcribe` writes down sound.",
    });
  }
  const textParts = { tokenizer, ...(sentence && { sentence }) };
  if (checkpoint.kind === "decoder") {
    const { config, params } = checkpoint;
    const { decoder } = await import("./models/decoder.js");
    return { kind: "decoder", config, params, ...textParts, apply: decoder(config).apply };
  }
  if (checkpoint.kind === "encoder-decoder") {
    const { config, params } = checkpoint;
    const { encoderDecoder } = await import("./models/encoder-decoder.js");
    const { apply, encode } = encoderDecoder(config);
    return { kind: "encoder-decoder", config, params, tokenizer, encode, apply };
  }
  const { config, params } = checkpoint;
  const { encoder } = await import("./models/encoder.js");
  const { apply, maskedTokenLogits } = encoder(config);
  return { kind: "encoder", config, params, ...textParts, apply, maskedTokenLogits };
}

/** Options of every loader. */
export const optionNames = [
  "device",
  "dtype",
  "tokenizer",
  "adapter",
  "hub",
  "store",
  "signal",
  "onProgress",
  "idleTimeoutMs",
  "maxBytes",
] as const satisfies readonly (keyof LoadOptions)[];

/** Readers for one kind of model. */
export type Readers<C> = {
  /** Reads a model from a parsed `config.json` and its weights. */
  config(json: unknown, file: OpenFile, weights: Weights): Promise<C>;
  /** Reads a model from a single file. */
  file(file: OpenFile): Promise<UnreadModel<C>>;
};

/** Readers for text and speech models. The tables of architectures are imported when a `config.json` asks for one. */
export const textReaders: Readers<Checkpoint> = {
  async config(json, file, weights) {
    const { readCheckpoint } = await import("./checkpoints/hugging-face/read-checkpoint.js");
    return readCheckpoint(json, file, weights);
  },
  file: readCheckpointFile,
};

export type Opened<C> = {
  checkpoint: C;
  tokenizer: Tokenizer | undefined;
  folder: Folder | undefined;
  sentence: SentenceConfig | undefined;
};

/** Reads the files of a model. */
export async function openModel<C extends AnyCheckpoint = Checkpoint>(
  check: Reading["check"],
  source: Source | readonly File[],
  loadOptions: LoadOptions,
  rounding?: Rounding,
  readers: Readers<C> = textReaders as unknown as Readers<C>,
): Promise<Opened<C>> {
  const {
    device,
    dtype,
    tokenizer: chosenTokenizer,
    adapter,
    hub = {},
    quantize: _,
    ...options
  } = loadOptions;
  if (device !== undefined) checkDevice(check.fn, device);
  if (dtype !== undefined) check.oneOf({ dtype }, ["auto", "float32"]);
  if (options.store !== undefined && typeof options.store?.find !== "function") {
    check.refuse({
      argument: "store",
      received: options.store,
      expected: "a store of models",
      fix: "make one with `modelStore()`.",
    });
  }
  checkSignal(check.fn, options.signal);
  options.signal?.throwIfAborted();
  const { reading, reportCompletion } = withCompletion({ ...options, check });
  const located = await locate(source, reading, hub);
  const weightOptions = { ...(device && { device }), ...(dtype && { dtype }), ...(rounding && { rounding }) };
  const adapterFolder = adapter === undefined ? undefined : await openAdapter(adapter, located, reading, hub);
  const { read, ownTokenizer } =
    "file" in located
      ? await readers.file(located.file)
      : await readCheckpointFolder({ ...located, adapterFolder, readers });
  await checkMemory(check.fn, weightOptions, read);
  const checkpoint = await read(weightOptions);
  reportCompletion();
  options.signal?.throwIfAborted();
  // Progress is reported for the model only.
  const { onProgress: __, ...withoutProgress } = reading;
  const folder = "folder" in located ? located.folder : undefined;
  const tokenizer = (await findTokenizer(chosenTokenizer, withoutProgress, folder)) ?? ownTokenizer?.();
  checkVocabulary(check, tokenizer, checkpoint);
  const sentence = folder && (await readSentenceConfig(folder, device));
  return { checkpoint, tokenizer, folder, sentence };
}

/** Adds a function that reports complete progress for files of which only parts were read. */
function withCompletion(reading: Reading): { reading: Reading; reportCompletion: () => void } {
  const { onProgress } = reading;
  if (!onProgress) return { reading, reportCompletion: () => undefined };
  const latest = new Map<string, Progress>();
  const report = (progress: Progress) => {
    latest.set(progress.source, progress);
    onProgress(progress);
  };
  const reportCompletion = () => {
    for (const { source, loaded, total } of latest.values()) {
      if (total !== undefined && loaded < total) onProgress({ source, loaded: total, total });
    }
  };
  return { reading: { ...reading, onProgress: report }, reportCompletion };
}

/** A file with a complete model, or a folder, with the name of the weights file if the source names one. */
type Located = { file: OpenFile } | { folder: Folder; weights?: string };

/** Opens the file or folder that a source names. */
async function locate(source: Source | readonly File[], reading: Reading, hub: HubOptions): Promise<Located> {
  if (Array.isArray(source)) {
    reading.check.list(
      { source },
      "files",
      (file) => file instanceof Blob,
      "give the files that a reader chose.",
    );
    return { folder: filesFolder(source as readonly File[], reading) };
  }
  const single = source as Source;
  if (typeof single === "function" || typeof (single as { then?: unknown } | null)?.then === "function") {
    reading.check.refuse({
      received: single,
      expected: "its result",
      fix: "call a function and await a promise first: `await load(await modelTiny())`.",
    });
  }
  const url = sourceUrl(single);
  if (url) {
    if (/\.(bin|gguf)$/.test(url.pathname)) return { file: await openFile(single, reading) };
    return weightsFolder(url.href, reading);
  }
  if (typeof single !== "string" && !(single instanceof URL))
    return { file: await openFile(single, reading) };
  const path = typeof single === "string" && single.startsWith("file://") ? new URL(single) : single;
  const kind = await kindOfPath(path);
  if (kind === "folder" || (kind === "file" && String(path).endsWith(".safetensors"))) {
    return weightsFolder(String(path), reading);
  }
  if (kind === undefined && typeof path === "string") refuseModelTiny(reading.check, path);
  if (kind === undefined && typeof path === "string" && isRepository(path)) {
    return { folder: await hubFolder(path, hub, reading) };
  }
  return { file: await openFile(path, reading) };
}

/** Refuses the name of the npm package `@qkv/model-tiny`, unless a file or folder with this name exists. */
function refuseModelTiny(check: Reading["check"], path: string): void {
  const match = /^(?:@?qkv\/)?model-?tiny(\/?bytes)?$/i.exec(path);
  if (!match) return;
  const [call, from] = match[1]
    ? ["modelTinyBytes", "@qkv/model-tiny/bytes, or qkv/model-tiny/bytes"]
    : ["modelTiny", "@qkv/model-tiny, or qkv"];
  check.refuse({
    received: path,
    expected: "a folder, a file, an address or a repository, and this is the name of a package",
    fix: `pass its files: \`await load(await ${call}())\`, with \`${call}\` of ${from}.`,
  });
}

/** Opens a folder, or the folder of a safetensors file. */
function weightsFolder(path: string, reading: Reading): Located {
  const match = /^(.*[\\/])([^\\/?]+\.safetensors)$/.exec(path);
  return match
    ? { folder: openFolder(match[1]!, reading), weights: match[2]! }
    : { folder: openFolder(path, reading) };
}

/** A model whose weights have not been read yet, and the tokenizer of its file, if it has one. */
export type UnreadModel<C> = {
  read(weightOptions: WeightOptions): Promise<C>;
  ownTokenizer?: () => Tokenizer;
};

/** Reads a model from a single file. The readers of its format are imported when a file has this format. */
async function readCheckpointFile(file: OpenFile): Promise<UnreadModel<Checkpoint>> {
  const start = await file.read(0, Math.min(4, file.size));
  const magic = new TextDecoder().decode(start);
  if (magic !== "GGUF") {
    // A llama2.c checkpoint begins with its width as int32, which is below 2²⁴; other files, such as texts, are not.
    if (start.length === 4 && start[3] !== 0) {
      throw new FormatError({
        fn: file.fn,
        source: file.name,
        argument: "first bytes",
        received: magic,
        expected: "the start of a GGUF file or of a llama2.c checkpoint",
        fix: "give a model: a folder with config.json and model.safetensors, a GGUF file, or a llama2.c checkpoint.",
      });
    }
    const { readLlama2cFile } = await import("./checkpoints/llama2c.js");
    return {
      read: async (weightOptions) => ({ kind: "decoder", ...(await readLlama2cFile(file, weightOptions)) }),
    };
  }
  const { ggufCheckpoint } = await import("./checkpoints/gguf/gguf-checkpoint.js");
  return ggufCheckpoint(file);
}

/** Opens the folder of an adapter. The base model must be a folder too. */
async function openAdapter(
  adapter: NonNullable<LoadOptions["adapter"]>,
  base: Located,
  reading: Reading,
  hub: HubOptions,
): Promise<Folder> {
  const check = checks(reading.check.fn, { argument: "adapter" });
  const located = await locate(adapter, { ...reading, check }, hub);
  if ("folder" in located && "folder" in base) return located.folder;
  return check.refuse({
    received: "file" in located ? "a file" : "an adapter for a model in one file",
    expected: "a folder with adapter_config.json, for a model that is a folder of Hugging Face too",
    fix: "give both folders; an adapter for GGUF is merged into the model that the GGUF file was made of.",
  });
}

async function readCheckpointFolder<C extends AnyCheckpoint>({
  folder,
  weights,
  adapterFolder,
  readers,
}: {
  folder: Folder;
  weights?: string;
  adapterFolder: Folder | undefined;
  readers: Readers<C>;
}): Promise<UnreadModel<C>> {
  const config = await requiredFile(
    folder,
    "config.json",
    "the configuration of the model",
    smallFiles.configuration,
  );
  const { check } = folder.reading;
  const json = await readJson(config, check);
  const generation = await folder.find("generation_config.json", smallFiles.configuration);
  const { model_type: modelType } = (json ?? {}) as { model_type?: unknown };
  const stored = mxfp4Weights(await weightFile(folder, weights));
  const file = adapterFolder
    ? await (await import("./adapters/with-adapter.js")).withAdapter(stored, adapterFolder, modelType)
    : stored;
  const read = (weightOptions: WeightOptions) =>
    readers.config(json, config, fileWeights(file, weightOptions));
  if (!generation) return { read };
  const settings = configFields((await readJson(generation, check)) ?? {}, generation);
  // Chat models have more stop ids in `generation_config.json` than in `config.json`.
  const ids = stopIdsField(settings);
  return {
    async read(weightOptions) {
      return withSettings(await read(weightOptions), ids, settings) as C;
    },
  };
}

/** Adds the token ids of `generation_config.json` to models that generate. */
function withSettings(
  checkpoint: AnyCheckpoint,
  ids: readonly number[],
  settings: ConfigFields,
): AnyCheckpoint {
  if (checkpoint.kind === "encoder" || checkpoint.kind === "vision" || checkpoint.kind === "dual-encoder")
    return checkpoint;
  const stopIds = [...new Set([...checkpoint.config.stopIds, ...ids])];
  if (checkpoint.kind === "decoder") return { ...checkpoint, config: { ...checkpoint.config, stopIds } };
  const generationIds = { stopIds, ...readGenerationIds(settings) };
  if (checkpoint.kind === "speech")
    return { ...checkpoint, config: { ...checkpoint.config, ...generationIds } };
  return { ...checkpoint, config: { ...checkpoint.config, ...generationIds } };
}

/** Start, stop and forced ids of an encoder–decoder, which newer models have in `generation_config.json`. */
function readGenerationIds(
  settings: ConfigFields,
): Partial<Pick<EncoderDecoderConfig, "startIds" | "forcedBosId" | "forcedEosId">> {
  const id = (name: string) => {
    if (!settings.has(name)) return undefined;
    if (settings.isList(name)) return settings.unsupported(name, "a token id");
    const value = settings.number(name);
    return Number.isSafeInteger(value) ? value : settings.refuse(name, "a token id");
  };
  const [start, bos, eos] = [
    id("decoder_start_token_id"),
    id("forced_bos_token_id"),
    id("forced_eos_token_id"),
  ];
  return {
    ...(start !== undefined && { startIds: [start] }),
    ...(bos !== undefined && { forcedBosId: bos }),
    ...(eos !== undefined && { forcedEosId: eos }),
  };
}

async function weightFile(folder: Folder, named = "model.safetensors"): Promise<WeightFile> {
  const single = await folder.find(named);
  if (single) return safetensorsWeights(single);
  const index = await requiredFile(
    folder,
    `${named}.index.json`,
    `the index of its weights, since it has no ${named}`,
    smallFiles.index,
  );
  return shardedWeights(index, (name) => requiredFile(folder, name, `${index.name} names it`));
}

/** Tokenizer files of a folder: the first complete set is used. */
const tokenizerFiles: readonly (readonly string[])[] = [
  ["tokenizer.json"],
  ["tokenizer.model"],
  ["source.spm", "vocab.json"],
  ["vocab.json", "merges.txt"],
  ["vocab.txt"],
];

/** The tokenizer that the caller chose, or that of the folder. */
async function findTokenizer(
  chosen: LoadOptions["tokenizer"],
  reading: Reading,
  folder: Folder | undefined,
): Promise<Tokenizer | undefined> {
  if (chosen !== undefined && isTokenizer(chosen)) return chosen;
  if (chosen !== undefined) {
    const tokenizerReading = { ...reading, check: checks(reading.check.fn, { argument: "tokenizer" }) };
    const path = typeof chosen === "string" && !sourceUrl(chosen) ? chosen : undefined;
    if (path !== undefined && (await kindOfPath(path)) === "folder") {
      const tokenizer = await findTokenizer(undefined, tokenizerReading, openFolder(path, tokenizerReading));
      const expected = `a folder with ${tokenizerFiles.map((names) => names.join(" and ")).join(", or ")}`;
      return (
        tokenizer ??
        tokenizerReading.check.refuse({ received: path, expected, fix: "name the tokenizer's file." })
      );
    }
    // A GGUF file may contain a whole model; only its header is needed.
    const isGguf = typeof chosen === "string" && chosen.endsWith(".gguf");
    const file = await openFile(chosen, { ...tokenizerReading, ...(!isGguf && smallFiles.tokenizer) });
    const bytes = await file.read(0, Math.min(file.size, smallFiles.tokenizer.maxBytes));
    // Bytes have no file name: a tokenizer.json begins with a brace, a llama2.c file with the length of its longest token.
    const isJson = /^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 64)));
    const [name] = /[^\\/]*\.\w+$/.exec(file.name.replace(/[?#].*$/, "")) ?? [];
    return readTokenizer({ [name ?? (isJson ? "tokenizer.json" : "tokenizer.bin")]: bytes });
  }
  for (const names of folder ? tokenizerFiles : []) {
    const files = await Promise.all(names.map((name) => folder!.find(name, smallFiles.tokenizer)));
    if (files.some((file) => file === undefined)) continue;
    const config = await folder!.find("tokenizer_config.json", smallFiles.configuration);
    const entries = [...files, config].flatMap((file, i) =>
      file ? [[names[i] ?? "tokenizer_config.json", file] as const] : [],
    );
    const readEntry = async ([name, file]: readonly [string, OpenFile]) =>
      [name, await readWhole(file)] as const;
    return readTokenizer(Object.fromEntries(await Promise.all(entries.map(readEntry))));
  }
  return undefined;
}

/** The tokenizer of a folder's files. The readers of tokenizers are imported for the first one. */
async function readTokenizer(files: Readonly<Record<string, Uint8Array>>): Promise<Tokenizer> {
  const { loadTokenizer } = await import("./loading/load-tokenizer.js");
  return loadTokenizer(files);
}

function checkVocabulary(
  check: Reading["check"],
  tokenizer: Tokenizer | undefined,
  { kind, config }: AnyCheckpoint,
): void {
  if (!tokenizer || kind === "vision") return;
  const { vocabSize } = kind === "dual-encoder" ? config.text : config;
  if (tokenizer.vocabSize <= vocabSize) return;
  check.refuse({
    argument: "tokenizer",
    received: `a vocabulary of ${tokenizer.vocabSize} tokens`,
    expected: `the ${vocabSize} tokens of the model`,
    fix: "use the tokenizer file that came with the checkpoint.",
  });
}

function isTokenizer(value: Tokenizer | Source): value is Tokenizer {
  return typeof value === "object" && "encode" in value;
}
