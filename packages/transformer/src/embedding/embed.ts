import { checks, checkSignal, type Checks, knownNames } from "@qkv/core";
import { slice, tensor, type Tensor } from "@qkv/tensor";
import { eventLoopYielder } from "../generation/yield-to-event-loop.js";
import { checkModel } from "../models/check-model.js";
import { unitLength } from "../models/mean-pooling.js";
import type { EncoderModel, Model } from "../models/model.js";
import type { SentenceConfig } from "../models/sentence-config.js";
import { truncatingTokenizer } from "../pipeline/texts-to-rows.js";
import { normalizeModule } from "./modules/normalize.js";
import { poolingModule, type PoolingMode } from "./modules/pooling.js";
import { sentenceEmbedding } from "./sentence-embedding.js";

/** Pooling of token embeddings: their mean, the first (`[CLS]`) or the last. */
export type Pooling = "mean" | "cls" | "last";

export type EmbedOptions = {
  /**
   * Pooling, followed by normalization to norm 1, in place of the model's own modules. Default: the modules in
   * `modules.json` of the model's folder; without it, `"mean"`.
   */
  pooling?: Pooling;
  /** Name of one of the model's prompts, such as `query`, which is prepended to each text. Default: the model's default prompt, usually none. */
  promptName?: string;
  /** A prompt that is prepended to each text, in place of a prompt of the model. Default: none. */
  prompt?: string;
  /**
   * Truncates vectors to this many dimensions and normalizes them again, for Matryoshka models. Default: all dimensions.
   */
  dimensions?: number;
  signal?: AbortSignal;
};

/**
 * Embeds texts: one vector per text. Without modules of the model, vectors have norm 1, so that dot products are cosines. A text
 * longer than the model's context is truncated.
 *
 * A folder of sentence-transformers has the steps after the model: pooling, dense layers and normalization (`modules.json`), and prompts
 * for queries and documents. `embed` applies them.
 *
 * @param model - An encoder with its tokenizer, from `loadEncoder`; or a decoder that embeds (EmbeddingGemma, Qwen 3
 *   Embedding), from `load`.
 * @returns The embedding of each text, with `embedDim` dimensions, or as many as the last module has.
 * @throws {ArgumentError} If the model is a decoder whose folder has no modules and no `pooling` is given, if it has no
 *   tokenizer, or an option is wrong. The signal's reason, when it aborts.
 * @see "Sentence-BERT" (2019), arXiv:1908.10084, section 3; "Matryoshka Representation Learning" (2022), arXiv:2205.13147
 *
 * @example
 * ```ts
 * import { embed } from "@qkv/transformer";
 *
 * // const model = await loadEncoder("sentence-transformers/all-MiniLM-L6-v2");
 * // const [a, b] = await embed(model, ["a cat", "a kitten"]);
 * await embed({} as never, ["a cat"]); // => throws ArgumentError
 * ```
 */
export async function embed(
  model: EncoderModel | Model,
  texts: readonly string[],
  options?: EmbedOptions,
): Promise<Float32Array[]> {
  const check = checks("embed");
  checkModel(check, model, ["encoder", "decoder"]);
  check.list({ texts }, "texts", (text) => typeof text === "string");
  const checked = check.options(options, ["pooling", "promptName", "prompt", "dimensions", "signal"]);
  const { pooling, dimensions, signal } = checked;
  checkSignal("embed", signal);
  if (pooling !== undefined) check.oneOf({ pooling }, ["mean", "cls", "last"]);
  if (dimensions !== undefined) check.whole({ dimensions }, { min: 1, unit: "elements" });
  if (pooling === undefined && !model.sentence && !("numTypes" in model.config)) {
    check.refuse({
      argument: "model",
      received: "a decoder",
      expected: "an encoder, or a decoder whose folder has a modules.json",
      fix: "load an encoder with `loadEncoder`, or give `pooling`.",
    });
  }
  const { config, params, sentence } = model;
  if (!model.tokenizer) {
    return check.refuse({
      argument: "model",
      received: "a model without a tokenizer",
      expected: "one that has the tokenizer of its texts",
      fix: "load the model with `tokenizer`.",
    });
  }
  const modules =
    pooling === undefined && sentence
      ? sentence.modules
      : [poolingModule([modes[pooling ?? "mean"]]), normalizeModule()];
  const longest = Math.min(sentence?.maxTokens ?? Infinity, config.contextLength);
  const tokenizer = truncatingTokenizer(model.tokenizer, longest);
  const prompt = resolvePrompt(check, sentence, checked);
  const promptLength = prompt === "" ? 0 : promptTokens(tokenizer, prompt);
  const { device } = params.embedding.weight;
  const yieldToEventLoop = eventLoopYielder();
  const embeddings: Float32Array[] = [];
  for (const text of texts) {
    await yieldToEventLoop();
    signal?.throwIfAborted();
    const input = prompt + text;
    const ids = tokenizer.encode(sentence?.lowerCase ? input.toLowerCase() : input);
    const embedding = device.scope(() => {
      const rows = tokenRows(model, tensor([ids], { dtype: "int32", device })); // [1, T, C]
      const vector = sentenceEmbedding(modules, rows, { promptLength }); // [1, E]
      return dimensions === undefined ? vector : truncated(check, vector, dimensions);
    });
    embeddings.push(Float32Array.from(await embedding.read()));
  }
  return embeddings;
}

const modes = {
  mean: "mean",
  cls: "cls",
  last: "lasttoken",
} as const satisfies Record<Pooling, PoolingMode>;

/** Hidden states of the tokens, `[1, T, C]`; of a decoder, after its final norm. */
function tokenRows(model: EncoderModel | Model, ids: Tensor): Tensor {
  return "maskedTokenLogits" in model
    ? model.apply(model.params, ids)
    : model.apply(model.params, ids, { output: "rows" });
}

/** The prompt to prepend to each text. */
function resolvePrompt(
  check: Checks,
  sentence: SentenceConfig | undefined,
  { prompt, promptName }: EmbedOptions,
): string {
  if (prompt !== undefined) {
    check.type({ prompt }, "string");
    return prompt;
  }
  const prompts = sentence?.prompts ?? {};
  const name = promptName ?? sentence?.defaultPrompt;
  if (name === undefined) return "";
  const promptNames = Object.keys(prompts);
  check.each(
    { promptName: name },
    () => Object.hasOwn(prompts, name),
    promptNames.length > 0
      ? `a prompt of the model: ${knownNames(name, promptNames, "`config_sentence_transformers.json`")}`
      : "nothing, as the model has no prompts",
    "give the text itself as `prompt`.",
  );
  return prompts[name]!;
}

/** Number of tokens of a prompt, without the end token. */
function promptTokens(tokenizer: NonNullable<Model["tokenizer"]>, prompt: string): number {
  const ids = tokenizer.encode(prompt);
  const withoutSpecial = tokenizer.encode(prompt, { addSpecialTokens: false });
  return ids.at(-1) === withoutSpecial.at(-1) ? ids.length : ids.length - 1;
}

function truncated(check: Checks, vector: Tensor, dimensions: number): Tensor {
  const width = vector.shape[1]!;
  const fix = "leave it out for all.";
  check.whole({ dimensions }, { max: width, fix });
  return unitLength(slice(vector, 1, 0, dimensions));
}
