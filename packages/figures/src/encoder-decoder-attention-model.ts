import { checks } from "@qkv/core";
import {
  encoderDecoderAttention,
  type EncoderDecoderAttentionChoices,
  type EncoderDecoderAttentionModel,
} from "@qkv/viz/figures/encoder-decoder-attention";
import { isoDate } from "./encoder-decoder-attention/date-sources.js";

/**
 * Computes the numbers of *Before transformers*: a date as the trained translator reads and writes it, with the decoder's
 * state, the scores, weights and context of each output letter. The weights come with the
 * package, in float16, and are loaded when they are needed.
 *
 * @param choices - `source`: a date from 1900 to 2099, as "3 May 1979", "May 3, 1979" or "03.05.1979".
 * @throws {ArgumentError} If `source` is not such a date.
 *
 * @example
 * ```ts
 * import { encoderDecoderAttentionModel } from "@qkv/figures/encoder-decoder-attention";
 *
 * const { decoded } = await encoderDecoderAttentionModel({ source: "3 May 1979" });
 * decoded.map(({ letter }) => letter).join(""); // => "1979-05-03"
 * ```
 */
export async function encoderDecoderAttentionModel(
  choices: Partial<EncoderDecoderAttentionChoices> = {},
): Promise<EncoderDecoderAttentionModel> {
  const check = checks("encoderDecoderAttentionModel");
  const { source } = { ...encoderDecoderAttention.initial, ...check.options(choices, ["source"]) };
  check.type({ source }, "string");
  const text = source.trim();
  const target = isoDate(text);
  check.each(
    { source },
    () => target !== undefined,
    "a date from 1900 to 2099",
    'write it as "3 May 1979", "May 3, 1979" or "03.05.1979".',
  );

  const { translateDate } = await import("./encoder-decoder-attention/translate-date.js");
  return { ...translateDate(text), target: target! };
}
