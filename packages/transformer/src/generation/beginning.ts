import { isList, type Checks } from "@qkv/core";
import type { Cache } from "@qkv/attention-contract";
import type { KvCache } from "@qkv/kv-cache";
import type { Tensor } from "@qkv/tensor";
import { checkIdList } from "../models/check-ids.js";
import { sourceCache, type EncodedSource } from "../models/encoded-source.js";
import type { CrossDecoderModel, GenerativeModel } from "../models/model.js";
import { isCrossDecoder, isEncoderDecoder } from "../models/model-kinds.js";
import { cacheFor } from "./cache-for.js";
import { checkEmptyCache } from "./padded-prompts.js";
import { forcedBos, forcedEos } from "./processors/forced-tokens.js";
import type { LogitsProcessor } from "./processors/logits-processor.js";
import { promptIds } from "./prompt-ids.js";

/** Texts or lists of ids that are continued, or about which an encoder–decoder writes; or sources that it has read. */
export type Prompts = readonly (string | readonly number[])[] | EncodedSource;

/** The beginning of sequences. */
export type Beginning<Held extends Cache> = {
  /** The ids that each sequence continues. */
  readonly prompts: readonly (readonly number[])[];
  /** Holds the sources of an encoder–decoder too. */
  readonly cache: Held;
  /** Those that are given, and those of the model. */
  readonly processors: readonly LogitsProcessor[];
  /** Tokens that are read: of prompts, or of sources. */
  readonly promptTokens: number;
};

/** Refuses prompts that are no list, and no sources. */
export function checkPrompts(check: Checks, prompts: unknown): void {
  check.each(
    { prompts },
    (given) => Array.isArray(given) || isSource(given),
    "a list of texts or of lists of token ids",
    "write [prompt] for one.",
  );
}

/** Tells sources that were encoded. */
export const isSource = (prompts: unknown): prompts is EncodedSource =>
  typeof prompts === "object" && prompts !== null && !isList(prompts) && "keyValues" in prompts;

/**
 * Begins sequences: those of a decoder with its prompts, those of an encoder–decoder with its start tokens, after the encoder has
 * read the sources.
 *
 * @param decoderIds - Ids that what an encoder–decoder writes begins with. Default: the model's `startIds`.
 */
export function beginning<Held extends Cache = KvCache>(
  check: Checks,
  model: GenerativeModel,
  prompts: Prompts,
  {
    cache,
    processors = [],
    decoderIds,
  }: {
    cache?: Held | undefined;
    processors?: readonly LogitsProcessor[] | undefined;
    decoderIds?: readonly number[] | undefined;
  },
): Beginning<Held | KvCache> {
  if (!isCrossDecoder(model)) {
    if (isSource(prompts)) refuseSource(check);
    if (decoderIds !== undefined) refuseDecoderIds(check, decoderIds);
    const read = prompts.map((prompt) => promptIds(check, model, prompt));
    return { prompts: read, cache: cache ?? cacheFor(model.config), processors, promptTokens: countOf(read) };
  }
  const { config } = model;
  const own = (cache as KvCache | undefined) ?? cacheFor(config);
  checkEmptyCache(check, own);
  const begins =
    decoderIds === undefined
      ? config.startIds
      : checkIdList(check, decoderIds, config.vocabSize, "decoderIds");
  const { source, tokens } = isSource(prompts)
    ? { source: prompts, tokens: tokensOf(prompts) }
    : encoded(check, model, prompts);
  const B = source ? source.rows.shape[0]! : 0;
  return {
    prompts: Array.from({ length: B }, () => begins),
    cache: source ? sourceCache(own, source) : own,
    processors: [
      ...processors,
      ...(config.forcedBosId === undefined ? [] : [forcedBos(config.forcedBosId)]),
      ...(config.forcedEosId === undefined ? [] : [forcedEos(config.forcedEosId)]),
    ],
    promptTokens: tokens,
  };
}

/** Logits of the last tokens, by a model of either kind. */
export function lastTokensLogits(
  model: GenerativeModel,
  ids: Tensor | readonly number[],
  options: { cache: Cache; last: number; padding?: ArrayLike<number> },
): Tensor {
  return isCrossDecoder(model)
    ? model.apply(model.params, ids, options)
    : model.apply(model.params, ids, options);
}

const countOf = (lists: readonly (readonly number[])[]): number =>
  lists.reduce((sum, { length }) => sum + length, 0);

/** Real positions of all batches of a source. */
function tokensOf({ rows, lengths }: EncodedSource): number {
  const [B, S] = rows.shape as [number, number, number];
  return lengths ? lengths.reduce((sum, length) => sum + length, 0) : B * S;
}

/** Texts as the model's encoder reads them; no source where there are none. */
function encoded(
  check: Checks,
  model: CrossDecoderModel,
  prompts: readonly (string | readonly number[])[],
): { source: EncodedSource | undefined; tokens: number } {
  if (!isEncoderDecoder(model)) {
    return check.refuse({
      argument: "prompt",
      received: prompts[0],
      expected: "a source that the model's encoder has read, as it reads no text",
      fix: "call the encoder first, and give what it makes.",
    });
  }
  const { vocabSize = model.config.vocabSize } = model.config.encoder ?? {};
  const ids = prompts.map((prompt) => promptIds(check, model, prompt, vocabSize));
  return { source: ids.length > 0 ? model.encode(model.params, ids) : undefined, tokens: countOf(ids) };
}

function refuseSource(check: Checks): never {
  return check.refuse({
    argument: "prompt",
    received: "a source that was encoded",
    expected: "a text, or a list of token ids, as the model is a decoder",
    fix: "give an encoder–decoder, whose `encode` made the source.",
  });
}

function refuseDecoderIds(check: Checks, decoderIds: readonly number[]): never {
  return check.refuse({
    argument: "decoderIds",
    received: decoderIds,
    expected: "nothing, as a decoder continues its prompt",
    fix: "put the ids at the end of the prompt.",
  });
}
