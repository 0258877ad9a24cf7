import { figureElement, type FigureElement } from "@qkv/viz/figures";
import {
  encoderDecoderAttention,
  type EncoderDecoderAttentionChoices,
  type EncoderDecoderAttentionModel,
} from "@qkv/viz/figures/encoder-decoder-attention";
import { encoderDecoderAttentionModel } from "./encoder-decoder-attention-model.js";

export { encoderDecoderAttentionModel } from "./encoder-decoder-attention-model.js";
export {
  encoderDecoderAttention,
  type DecodedLetter,
  type EncoderDecoderAttentionChoices,
  type EncoderDecoderAttentionModel,
} from "@qkv/viz/figures/encoder-decoder-attention";

/** `<qkv-encoder-decoder-attention>` on a page. */
export type EncoderDecoderAttentionElement = FigureElement<
  EncoderDecoderAttentionModel,
  EncoderDecoderAttentionChoices
>;

/**
 * Defines the custom element `<qkv-encoder-decoder-attention>`: a recurrent translator with additive attention writes a date
 * letter by letter. `element.state`, also an attribute, holds its step and choices.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineEncoderDecoderAttention } from "@qkv/figures/encoder-decoder-attention";
 *
 * defineEncoderDecoderAttention();
 * // <qkv-encoder-decoder-attention></qkv-encoder-decoder-attention>
 * // <qkv-encoder-decoder-attention state="source=21 January 1918&step=context-0"></qkv-encoder-decoder-attention>
 * ```
 */
export function defineEncoderDecoderAttention(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-encoder-decoder-attention")) return;
  customElements.define(
    "qkv-encoder-decoder-attention",
    figureElement(encoderDecoderAttention, encoderDecoderAttentionModel),
  );
}
