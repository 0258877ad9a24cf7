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

/** Texts or lists of ids: prompts of a decoder, or sources of an encoder–decoder; or encoded sources. */
export type Prompts = readonly (string | readonly number[])[] | EncodedSource;

/** The state before the first generated token. */
export type PreparedGeneration<GivenCache extends Cache> = {
  /** Decoder ids that each sequence starts with. */
  readonly prompts: readonly (readonly number[])[];
  /** The cache, with the encoded sources of an encoder–decoder. */
  readonly cache: GivenCache;
  /** Logits processors of the call, and of the model (forced tokens). */
  readonly processors: readonly LogitsProcessor[];
  /** Number of input tokens: of prompts, or of sources. */
  readonly promptTokens: number;
};

/** Refuses prompts that are neither a list nor encoded sources. */
export function checkPrompts(check: Checks, prompts: unknown): void {
  check.each(
    { prompts },
    (value) => Array.isArray(value) || isSource(value),
    "a list of texts or of lists of token ids",
    "write [prompt] for one.",
  );
}

/** True for encoded sources. */
export const isSource = (prompts: unknown): prompts is EncodedSource =>
  typeof prompts === "object" && prompts !== null && !isList(prompts) && "keyValues" in prompts;

/**
 * Prepares generation: sequences of a decoder start with the prompts, those of an encoder–decoder with its start tokens, after the encoder has
 * processed the sources.
 *
 * @param decoderIds - Decoder ids to start with. Default: the model's `startIds`.
 */
export function prepareGeneration<GivenCache extends Cache = KvCache>(
  check: Checks,
  model: GenerativeModel,
  prompts: Prompts,
  {
    cache,
    processors = [],
    decoderIds,
  }: {
    cache?: GivenCache | undefined;
    processors?: readonly LogitsProcessor[] | undefined;
    decoderIds?: readonly number[] | undefined;
  },
): PreparedGeneration<GivenCache | KvCache> {
  if (!isCrossDecoder(model)) {
    if (isSource(prompts)) refuseSource(check);
    if (decoderIds !== undefined) refuseDecoderIds(check, decoderIds);
    const idLists = prompts.map((prompt) => promptIds(check, model, prompt));
    return {
      prompts: idLists,
      cache: cache ?? cacheFor(model.config),
      processors,
      promptTokens: totalLength(idLists),
    };
  }
  const { config } = model;
  const decoderCache = (cache as KvCache | undefined) ?? cacheFor(config);
  checkEmptyCache(check, decoderCache);
  const firstIds =
    decoderIds === undefined
      ? config.startIds
      : checkIdList(check, decoderIds, config.vocabSize, "decoderIds");
  const { source, tokens } = isSource(prompts)
    ? { source: prompts, tokens: sourceTokens(prompts) }
    : encodePrompts(check, model, prompts);
  const B = source ? source.rows.shape[0]! : 0;
  return {
    prompts: Array.from({ length: B }, () => firstIds),
    cache: source ? sourceCache(decoderCache, source) : decoderCache,
    processors: [
      ...processors,
      ...(config.forcedBosId === undefined ? [] : [forcedBos(config.forcedBosId)]),
      ...(config.forcedEosId === undefined ? [] : [forcedEos(config.forcedEosId)]),
    ],
    promptTokens: tokens,
  };
}

/** Logits of the last tokens, of a decoder or an encoder–decoder. */
export function lastTokensLogits(
  model: GenerativeModel,
  ids: Tensor | readonly number[],
  options: { cache: Cache; last: number; padding?: ArrayLike<number> },
): Tensor {
  return isCrossDecoder(model)
    ? model.apply(model.params, ids, options)
    : model.apply(model.params, ids, options);
}

const totalLength = (lists: readonly (readonly number[])[]): number =>
  lists.reduce((sum, { length }) => sum + length, 0);

/** Number of tokens of a source, without padding. */
function sourceTokens({ rows, lengths }: EncodedSource): number {
  const [B, S] = rows.shape as [number, number, number];
  return lengths ? lengths.reduce((sum, length) => sum + length, 0) : B * S;
}

/** Encodes texts with the model's encoder; undefined if there are none. */
function encodePrompts(
  check: Checks,
  model: CrossDecoderModel,
  prompts: readonly (string | readonly number[])[],
): { source: EncodedSource | undefined; tokens: number } {
  if (!isEncoderDecoder(model)) {
    return check.refuse({
      argument: "prompt",
      received: prompts[0],
      expected: "the encoder's output as `source`, since this model does not take text",
      fix: "give the encoder's output: `source: model.encode(ids)`.",
    });
  }
  const { vocabSize = model.config.vocabSize } = model.config.encoder ?? {};
  const ids = prompts.map((prompt) => promptIds(check, model, prompt, vocabSize));
  return { source: ids.length > 0 ? model.encode(model.params, ids) : undefined, tokens: totalLength(ids) };
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
