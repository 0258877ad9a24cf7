import { asyncDisposable, checks, nearestName, type Checks, knownNames } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import { loadWithFolder, type LoadOptions } from "../load.js";
import type { Folder } from "../loading/folder.js";
import type { Source } from "../loading/open-file.js";
import { checkModel } from "../models/check-model.js";
import type { ImageProcessor } from "../images/image-processor.js";
import type {
  AnyModel,
  DualEncoderModel,
  EncoderDecoderModel,
  EncoderModel,
  ImageModel,
  Model,
  TextModel,
  VisionModel,
} from "../models/model.js";
import { isEncoder, isEncoderDecoder, isSpeech } from "../models/model-kinds.js";
import type { SpeechModel } from "../models/speech-model.js";
import type { AutomaticSpeechRecognitionCall } from "./automatic-speech-recognition.js";
import type { FeatureExtractionCall } from "./feature-extraction.js";
import type { FillMaskCall } from "./fill-mask.js";
import type { ImageClassificationCall } from "./image-classification.js";
import type { ImageFeatureExtractionCall } from "./image-feature-extraction.js";
import type { ImageTask } from "./image-task.js";
import type { QuestionAnsweringCall } from "./question-answering.js";
import { readLoadOptions, refuseOnnx, type PipelineOptions } from "./load-options.js";
import type { Text2TextCall, Text2TextTask } from "./text2text-generation.js";
import type { TextClassificationCall } from "./text-classification.js";
import type { TextGenerationCall } from "./text-generation.js";
import type { TokenClassificationCall } from "./token-classification.js";
import type { ZeroShotClassificationCall } from "./zero-shot-classification.js";
import type { ZeroShotImageClassificationCall } from "./zero-shot-image-classification.js";

/** Properties of every pipeline. */
export type PipelineParts<Task extends string, Kind> = {
  readonly task: Task;
  readonly model: Kind;
  readonly tokenizer: Tokenizer;
  /** Releases the model. Later calls are refused. */
  dispose(): Promise<void>;
  /** `await using generator = await pipeline(…)` disposes of it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** A pipeline for text generation and chat. */
export type TextGenerationPipeline = TextGenerationCall & PipelineParts<"text-generation", Model>;
/** A pipeline for text embeddings. */
export type FeatureExtractionPipeline = FeatureExtractionCall &
  PipelineParts<"feature-extraction", EncoderModel>;
/** A pipeline for masked tokens. */
export type FillMaskPipeline = FillMaskCall & PipelineParts<"fill-mask", EncoderModel>;
/** A pipeline for text classification. */
export type TextClassificationPipeline = TextClassificationCall &
  PipelineParts<"text-classification", EncoderModel | EncoderDecoderModel>;
/** A pipeline for token classification. */
export type TokenClassificationPipeline = TokenClassificationCall &
  PipelineParts<"token-classification", EncoderModel>;
/** A pipeline for extractive question answering. */
export type QuestionAnsweringPipeline = QuestionAnsweringCall &
  PipelineParts<"question-answering", EncoderModel>;
/** A pipeline for zero-shot text classification. */
export type ZeroShotClassificationPipeline = ZeroShotClassificationCall &
  PipelineParts<"zero-shot-classification", EncoderModel | EncoderDecoderModel>;
/** A pipeline for text-to-text generation. */
export type Text2TextGenerationPipeline = Text2TextCall<"text2text-generation"> &
  PipelineParts<"text2text-generation", EncoderDecoderModel>;
/** A pipeline for summarization. */
export type SummarizationPipeline = Text2TextCall<"summarization"> &
  PipelineParts<"summarization", EncoderDecoderModel>;
/** A pipeline for translation. */
export type TranslationPipeline = Text2TextCall<"translation"> &
  PipelineParts<"translation", EncoderDecoderModel>;

/** A pipeline for speech recognition. */
export type AutomaticSpeechRecognitionPipeline = AutomaticSpeechRecognitionCall &
  PipelineParts<"automatic-speech-recognition", SpeechModel>;

/** Properties of image pipelines. */
type ImageParts<Task extends string, Kind extends ImageModel> = Omit<
  PipelineParts<Task, Kind>,
  "tokenizer"
> & { readonly processor: ImageProcessor; readonly tokenizer: Kind["tokenizer"] };

/** A pipeline for image classification. */
export type ImageClassificationPipeline = ImageClassificationCall &
  ImageParts<"image-classification", VisionModel>;
/** A pipeline for image embeddings. */
export type ImageFeatureExtractionPipeline = ImageFeatureExtractionCall &
  ImageParts<"image-feature-extraction", VisionModel>;
/** A pipeline for zero-shot image classification. */
export type ZeroShotImageClassificationPipeline = ZeroShotImageClassificationCall &
  ImageParts<"zero-shot-image-classification", DualEncoderModel>;

/** The pipeline of each task. `embeddings`, `sentiment-analysis` and `ner` are aliases of Transformers.js. */
export type Pipelines = {
  "text-generation": TextGenerationPipeline;
  "feature-extraction": FeatureExtractionPipeline;
  embeddings: FeatureExtractionPipeline;
  "fill-mask": FillMaskPipeline;
  "text-classification": TextClassificationPipeline;
  "sentiment-analysis": TextClassificationPipeline;
  "token-classification": TokenClassificationPipeline;
  ner: TokenClassificationPipeline;
  "question-answering": QuestionAnsweringPipeline;
  "zero-shot-classification": ZeroShotClassificationPipeline;
  "text2text-generation": Text2TextGenerationPipeline;
  summarization: SummarizationPipeline;
  translation: TranslationPipeline;
  "automatic-speech-recognition": AutomaticSpeechRecognitionPipeline;
  "image-classification": ImageClassificationPipeline;
  "image-feature-extraction": ImageFeatureExtractionPipeline;
  "zero-shot-image-classification": ZeroShotImageClassificationPipeline;
};

/** Tasks of encoders. Each is a separate module, so that a page loads only those it uses. */
const encoderTasks = {
  "feature-extraction": async () => (await import("./feature-extraction.js")).featureExtraction,
  "fill-mask": async () => (await import("./fill-mask.js")).fillMask,
  "text-classification": async () => (await import("./text-classification.js")).textClassification,
  "token-classification": async () => (await import("./token-classification.js")).tokenClassification,
  "question-answering": async () => (await import("./question-answering.js")).questionAnswering,
  "zero-shot-classification": async () =>
    (await import("./zero-shot-classification.js")).zeroShotClassification,
} as const;

/** Tasks of encoder–decoders. */
const text2text: readonly string[] = [
  "text2text-generation",
  "summarization",
  "translation",
] satisfies Text2TextTask[];

/** Encoder tasks that encoder–decoders with a classification head also support. */
const headTasks: readonly string[] = ["text-classification", "zero-shot-classification"];

/** Tasks of image models. */
const imageTaskNames = [
  "image-classification",
  "image-feature-extraction",
  "zero-shot-image-classification",
] as const;

/** Aliases of tasks. */
export const taskAliases = {
  embeddings: "feature-extraction",
  "sentiment-analysis": "text-classification",
  ner: "token-classification",
} as const satisfies Partial<Record<keyof Pipelines, keyof typeof encoderTasks>>;

/** Names of all tasks, with their aliases. */
export const tasks: readonly (keyof Pipelines)[] = [
  "text-generation",
  "feature-extraction",
  "embeddings",
  "fill-mask",
  "text-classification",
  "sentiment-analysis",
  "token-classification",
  "ner",
  "question-answering",
  "zero-shot-classification",
  "text2text-generation",
  "summarization",
  "translation",
  "automatic-speech-recognition",
  "image-classification",
  "image-feature-extraction",
  "zero-shot-image-classification",
];

/** Name of the speech recognition task. */
const speechRecognition = "automatic-speech-recognition";

/**
 * Creates a pipeline: a function that applies a model to a task. Calls and results are those of Transformers.js, for models in
 * safetensors or GGUF: code is migrated by changing its import and the name of its model. Tasks: `text-generation`,
 * `feature-extraction` (also named `embeddings`), `fill-mask`, `text-classification` (`sentiment-analysis`),
 * `token-classification` (`ner`), `question-answering`, `zero-shot-classification`, `text2text-generation`, `summarization`,
 * `translation`, `automatic-speech-recognition`, `image-classification`, `image-feature-extraction` and
 * `zero-shot-image-classification`. Images are an `ImageData` of a canvas, or `{ data, width, height }`. Errors for unsupported
 * tasks, options or values name the replacement.
 *
 * @param task - The name of the task.
 * @param model - A folder, an address or a repository, as in `load`; or a loaded model.
 * @param options - Options for loading: `dtype`, `device`, `progress_callback`, `revision`, `local_files_only` and others.
 * @returns A function of texts, with `model`, `tokenizer` and `dispose()`.
 * @throws {ArgumentError} If a task or an option is unknown, or the model has no tokenizer or another head; and errors of
 *   `load`.
 *
 * @example
 * ```ts
 * import { loadTokenizer } from "@qkv/tokenizer";
 * import { decoder, pipeline, TextStreamer } from "@qkv/transformer";
 *
 * // A model with random weights. Yours is a name: pipeline("text-generation", "Qwen/Qwen3-0.6B").
 * const vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nonce\nupon\na\ntime\n";
 * const tokenizer = loadTokenizer({ "vocab.txt": new TextEncoder().encode(vocabulary) });
 * const { config, init, apply } = decoder({
 *   vocabSize: 9, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * });
 * const generator = await pipeline("text-generation", { config, params: init(1), tokenizer, apply });
 *
 * const [{ generated_text }] = await generator("once upon", { max_new_tokens: 8 });
 * generated_text.startsWith("once upon"); // => true
 * const results = await generator(["once", "a time"], { max_new_tokens: 4, return_full_text: false });
 * results.length; // => 2
 *
 * let text = "";
 * const streamer = new TextStreamer(generator.tokenizer, {
 *   skip_prompt: true,
 *   callback_function: (piece) => (text += piece),
 * });
 * await generator("once upon", { max_new_tokens: 8, streamer });
 * `once upon${text}` === generated_text; // => true
 * ```
 */
export async function pipeline<Task extends keyof Pipelines>(
  task: Task,
  model: Source | readonly File[] | AnyModel,
  options?: PipelineOptions,
): Promise<Pipelines[Task]> {
  const check = checks("pipeline", { argument: "model" });
  if (!tasks.includes(task)) refuseTask(check, task);
  const { load, onEvent } = readLoadOptions(check, options);
  if (model === undefined || model === null) {
    check.refuse({
      received: model,
      expected: "a model: no task has a default one",
      fix: `name a folder or a repository: pipeline(${JSON.stringify(task)}, "owner/name").`,
    });
  }
  if (isImageTask(task)) {
    const { imageTasks } = await import("./image-tasks.js");
    const imageTask = imageTasks[task] as ImageTask<ImageModel, unknown>;
    const loaded = isLoaded(model)
      ? model
      : await imageTask.load(model, load).catch((cause: unknown) => {
          refuseOnnx(check, model, cause);
          throw cause;
        });
    const call = imageTask.calls(check, loaded);
    onEvent({ status: "ready", task, model: typeof model === "string" ? model : task });
    return disposable(task, call as AnyCall, loaded as ImageModel) as Pipelines[Task];
  }
  const { model: loaded, folder } = isLoaded(model)
    ? { model: model as TextModel | SpeechModel, folder: undefined }
    : await loadModel(check, task, model, load).catch((cause: unknown) => {
        refuseOnnx(check, model, cause);
        throw cause;
      });
  checkModel(check, loaded, ["decoder", "encoder", "encoder-decoder", "speech"]);
  const name = canonicalTask(task);
  const call = await taskCall(check, name, loaded, folder);
  onEvent({ status: "ready", task, model: typeof model === "string" ? model : task });
  return disposable(name, call as AnyCall, loaded) as Pipelines[Task];
}

/** Loads a model, and returns it with its folder. */
async function loadModel(
  check: Checks<{ argument: string }>,
  task: string,
  source: Source | readonly File[],
  options: LoadOptions,
): Promise<{ model: TextModel | SpeechModel; folder: Folder | undefined }> {
  if (task !== speechRecognition) return loadWithFolder(check, source, options);
  const { openSpeech } = await import("../load-speech.js");
  return { model: await openSpeech(check, source, options), folder: undefined };
}

/** Creates the function of a task; refuses models that do not support it. */
async function taskCall(
  check: Checks<{ argument: string }>,
  task: string,
  model: TextModel | SpeechModel,
  folder: Folder | undefined,
): Promise<unknown> {
  if (isSpeech(model) || task === speechRecognition) {
    if (!isSpeech(model) || task !== speechRecognition) refuseSpeech(check, task);
    const { automaticSpeechRecognition } = await import("./automatic-speech-recognition.js");
    return automaticSpeechRecognition(check, model);
  }
  if (text2text.includes(task)) {
    if (!isEncoderDecoder(model)) refuseKind(check, task, model);
    const { text2textGeneration } = await import("./text2text-generation.js");
    return text2textGeneration(check, model, folder, task as Text2TextTask);
  }
  if (task === "text-generation") {
    if (isEncoder(model) || isEncoderDecoder(model)) refuseKind(check, task, model);
    return (await import("./text-generation.js")).textGeneration(check, model, folder);
  }
  const isSupported = isEncoder(model) || (isEncoderDecoder(model) && headTasks.includes(task));
  if (!isSupported) refuseKind(check, task, model);
  return (await encoderTasks[task as keyof typeof encoderTasks]())(check, model as EncoderModel);
}

/** Resolves an alias of a task. */
const canonicalTask = (task: keyof Pipelines): string =>
  Object.hasOwn(taskAliases, task) ? taskAliases[task as keyof typeof taskAliases] : task;

const isImageTask = (task: string): task is (typeof imageTaskNames)[number] =>
  (imageTaskNames as readonly string[]).includes(task);

type AnyCall = (...given: unknown[]) => Promise<unknown>;

/** True for a model object, as opposed to a source to load. */
const isLoaded = (model: object | string): model is AnyModel =>
  typeof model === "object" && "params" in model && "config" in model;

/** Creates a pipeline from its function and properties. After `dispose`, calls are refused. */
function disposable(task: string, call: AnyCall, model: AnyModel): object {
  const callCheck: Checks = checks(`pipeline("${task}")`);
  let open: { call: typeof call; model: typeof model } | undefined = { call, model };
  const openParts = (): NonNullable<typeof open> =>
    open ??
    callCheck.refuse({
      argument: "dispose",
      received: "a pipeline that was disposed of",
      expected: "one that has its model",
      fix: "make another pipeline.",
    });
  const dispose = async () => {
    open = undefined;
  };
  const result = Object.assign(
    async (...given: unknown[]) => openParts().call(...given),
    asyncDisposable(dispose),
  );
  return Object.defineProperties(result, {
    task: { value: task, enumerable: true },
    model: { get: () => openParts().model, enumerable: true },
    tokenizer: { get: () => openParts().model.tokenizer, enumerable: true },
    ...("processor" in model && {
      processor: { get: () => (openParts().model as typeof model).processor, enumerable: true },
    }),
    dispose: { value: dispose },
  });
}

function refuseTask(check: Checks, task: unknown): never {
  const suggestion = typeof task === "string" ? nearestName(task, tasks) : undefined;
  check.refuse({
    argument: "task",
    received: task,
    expected: `one of the tasks that are served: ${knownNames(task, tasks, "the reference of `pipeline`")}`,
    fix: suggestion ? `write ${JSON.stringify(suggestion)}.` : "stay with Transformers.js for the others.",
  });
}

function refuseSpeech(check: Checks<{ argument: string }>, task: string): never {
  const isSpeechTask = task === speechRecognition;
  return check.refuse({
    received: isSpeechTask ? "a model of texts" : "a speech model",
    expected: isSpeechTask ? "a speech model, Whisper or Moonshine" : `a model of texts for the task ${task}`,
    fix: isSpeechTask ? "load one with `loadSpeech`, or name its folder." : `write "${speechRecognition}".`,
  });
}

function refuseKind(check: Checks<{ argument: string }>, task: string, model: TextModel): never {
  const expected = text2text.includes(task)
    ? "an encoder–decoder, which reads a text and writes another,"
    : task === "text-generation"
      ? "a decoder"
      : "an encoder of the BERT family";
  const [received, fix] = isEncoder(model)
    ? ["an encoder", 'write "feature-extraction" or "fill-mask".']
    : isEncoderDecoder(model)
      ? ["an encoder–decoder", 'write "text2text-generation", "summarization" or "translation".']
      : ["a decoder, which generates", 'write "text-generation".'];
  check.refuse({ received, expected: `${expected} for the task ${task}`, fix });
}
