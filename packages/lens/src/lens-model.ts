import { checks, sizeOf, type Checks } from "@qkv/core";
import { cast, isTensor, mapTensors, type Tensor } from "@qkv/tensor";
import type { DecoderParams, Model } from "@qkv/transformer";
import { modelKind, tensorNames } from "@qkv/transformer/inspection";

/** A decoder with its weights, as `load` returns it. The tokenizer is needed only for texts, not for ids. */
export type LensModel = Pick<Model, "config" | "params" | "apply"> & Partial<Pick<Model, "tokenizer">>;

/** A text, which is tokenized without special tokens; a list of ids; or ids `[B, T]` int32. */
export type TokenInput = string | readonly number[] | Tensor;

/** Refuses a value that is not a decoder with weights. */
export function checkModel(check: Checks, model: unknown): void {
  const { config, params, apply } = (model ?? {}) as Partial<LensModel>;
  const isModel =
    Number.isSafeInteger(config?.numLayers) &&
    typeof params === "object" &&
    params !== null &&
    typeof apply === "function" &&
    modelKind(model as object) === "decoder";
  const fix = "give a model of `load`, or `{ config, params, apply }` of a decoder and its weights.";
  check.each({ model }, () => isModel, "a decoder with its weights", fix);
}

/** Checks the input, and returns its ids: a list for one text, or the given tensor `[B, T]`. */
export function tokenIds(
  check: Checks,
  model: LensModel,
  input: TokenInput,
  argument = "input",
): Tensor | readonly number[] {
  if (typeof input !== "string") {
    const isIds = isTensor(input)
      ? /^u?int/.test(input.dtype) && input.shape.length === 2 && sizeOf(input.shape) > 0
      : Array.isArray(input) && input.length > 0 && input.every((id) => Number.isSafeInteger(id));
    const fix = "give a text, or ids: `tokenizer.encode(text)`.";
    const expected = "a text, a list of one token id or more, or ids [B, T] int32";
    check.each({ [argument]: input }, () => isIds, expected, fix);
    const max = (model.config.vocabSize ?? Infinity) - 1;
    const other = "take the tokenizer that belongs to the model.";
    if (!isTensor(input))
      input.forEach((id, i) => check.whole({ [`${argument}[${i}]`]: id }, { min: 0, max, fix: other }));
    return input;
  }
  const { tokenizer } = model;
  if (!tokenizer) {
    check.refuse({
      argument,
      received: input,
      expected: "token ids, as the model has no tokenizer",
      fix: "give ids, or a model with its tokenizer.",
    });
  }
  const ids = tokenizer.encode(input, { addSpecialTokens: false });
  check.each({ [argument]: input }, () => ids.length > 0, "a text of one token or more", "give some text.");
  return ids;
}

/** Ids of an input that has to be one text, and their number. */
export function oneText(
  check: Checks,
  model: LensModel,
  input: TokenInput,
  argument = "input",
): { readonly ids: Tensor | readonly number[]; readonly length: number } {
  const ids = tokenIds(check, model, input, argument);
  if (!isTensor(ids)) return { ids, length: ids.length };
  const [B, T] = ids.shape as [number, number];
  const fix = "give one text, or its ids [1, T].";
  check.each({ [argument]: ids.shape }, () => B === 1, "ids of one text", fix);
  return { ids, length: T };
}

/** Refuses what is not the full name of a tensor `[B, T, C]`. */
export function checkRowsName(check: Checks, model: LensModel, name: unknown): asserts name is string {
  const rows = tensorNames(model.config).filter((one) => /(^embeddings|put|middle|Hidden)$/.test(one));
  const fix = `take one of \`tensorNames(model.config)\`: \`${rows.at(-1)}\`.`;
  check.each({ name }, (one) => rows.includes(one as string), "the full name of a tensor [B, T, C]", fix);
}

/**
 * The same model with float64 weights, for the plain device. Sums of parts are then exact to 1e-10 instead of 1e-5.
 *
 * @param model - A decoder whose weights are floats. Matrix products refuse weights of 8 and 4 bits.
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { inFloat64 } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = inFloat64({ config, params: init(1), apply });
 * model.apply(model.params, [3, 1, 4]).dtype; // => "float64"
 * ```
 */
export function inFloat64<T extends LensModel>(model: T): T {
  checkModel(checks("inFloat64"), model);
  const widen = (x: Tensor): Tensor => (/^(float|bfloat)/.test(x.dtype) ? cast(x, "float64") : x);
  return { ...model, params: mapTensors(model.params as never, widen) as DecoderParams };
}
