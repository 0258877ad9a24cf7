import type { Checks } from "@qkv/core";
import { padding } from "@qkv/attention";
import { tensor, type Device, type Tensor } from "@qkv/tensor";
import { composeTokenizer, pad, type Tokenizer } from "@qkv/tokenizer";
import type { EncoderDecoderModel, EncoderModel } from "../models/model.js";
import { isEncoderDecoder } from "../models/model-kinds.js";
import { sequenceRows } from "../models/sequence-rows.js";

/** A batch of texts, encoded by an encoder. */
export type EncodedTexts = {
  /** Ids of each text, without padding. */
  readonly ids: readonly (readonly number[])[];
  /** Hidden states of its tokens, `[B, T, C]`: T is the length of the longest text. */
  readonly rows: Tensor;
  /** `[B, T]`: 1 for tokens, 0 for padding. */
  readonly attentionMask: Tensor;
  /** For pairs, the text that each token belongs to: 0, 1, or -1 for special tokens. */
  readonly sequenceIds: readonly (readonly number[])[];
};

/** The texts of a call: one text, or a list. */
export function textList(check: Checks, texts: unknown, argument = "texts"): readonly string[] {
  if (typeof texts === "string") return [texts];
  const fix = "give a text, or a list of texts.";
  check.list({ [argument]: texts }, "texts", (text) => typeof text === "string", fix);
  check.each({ [argument]: texts }, (list) => (list as unknown[]).length > 0, "one text or more", fix);
  return texts as readonly string[];
}

/** The tokenizer of a model; refuses a model without one. */
export function requiredTokenizer(check: Checks, tokenizer: Tokenizer | undefined): Tokenizer {
  return (
    tokenizer ??
    check.refuse({
      argument: "model",
      received: "a model without a tokenizer",
      expected: "one with its tokenizer, since a pipeline takes texts",
      fix: "put `tokenizer.json` into its folder, or give `tokenizer`.",
    })
  );
}

/** A tokenizer that truncates texts to the context of a model, and keeps the special tokens. */
export function truncatingTokenizer(tokenizer: Tokenizer, contextLength: number): Tokenizer {
  const { truncation, padding: _, ...stages } = tokenizer.stages;
  const maxLength = Math.min(contextLength, truncation?.maxLength ?? contextLength);
  return composeTokenizer({ ...stages, truncation: { ...truncation, maxLength } });
}

/**
 * Encodes texts, padded on the right. With an encoder–decoder, `rows` has one row per text, the input of its
 * classification head.
 *
 * @param tokenizer - From {@link truncatingTokenizer}.
 * @param pairs - The second texts of pairs. Default: none.
 */
export function encodeTexts(
  model: EncoderModel | EncoderDecoderModel,
  tokenizer: Tokenizer,
  texts: readonly string[],
  pairs?: readonly string[],
): EncodedTexts {
  const { config } = model;
  const { device }: { device: Device } = model.params.embedding.weight;
  const encodings = texts.map((text, i) => tokenizer.encoding(text, pairs && { pair: pairs[i]! }));
  const ids = encodings.map((encoding) => encoding.ids);
  const padId = tokenizer.id("[PAD]") ?? tokenizer.id("<pad>") ?? 0;
  const padded = pad(ids, { padId: Math.min(padId, config.vocabSize - 1) });
  const lengths = ids.map(({ length }) => length);
  const isEqualLength = lengths.every((length) => length === lengths[0]);
  const types = pad(
    encodings.map(({ typeIds }) => typeIds),
    { padId: 0 },
  ).ids;
  const hasSecondType =
    "numTypes" in config &&
    config.numTypes > 1 &&
    types.some((textTypes) => textTypes.some((type) => type > 0));
  const rows = isEncoderDecoder(model)
    ? sequenceRows(model, ids)
    : model.apply(model.params, tensor(padded.ids, { dtype: "int32", device }), {
        ...(!isEqualLength && { mask: padding(lengths) }),
        ...(hasSecondType && { types: tensor(types, { dtype: "int32", device }) }),
      });
  return {
    ids,
    rows,
    attentionMask: tensor(padded.attentionMask, { device }),
    sequenceIds: encodings.map((encoding) => encoding.sequenceIds),
  };
}
