import { figureElement, type FigureElement } from "@qkv/viz/figures";
import {
  flashAttention,
  type FlashAttentionChoices,
  type FlashAttentionModel,
} from "@qkv/viz/figures/flash-attention";
import { flashAttentionModel } from "./flash-attention-model.js";

export { flashAttentionModel } from "./flash-attention-model.js";
export {
  flashAttention,
  type FlashAttentionChoices,
  type FlashAttentionModel,
  type FlashMaskName,
  type FlashTile,
  type LongAttention,
  type OnlineSoftmaxState,
} from "@qkv/viz/figures/flash-attention";

/** `<qkv-flash-attention>` on a page. */
export type FlashAttentionElement = FigureElement<FlashAttentionModel, FlashAttentionChoices>;

/**
 * Defines the custom element `<qkv-flash-attention>`: attention computed tile by tile, with its online softmax. `element.state`, also an attribute, holds its step and choices.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineFlashAttention } from "@qkv/figures/flash-attention";
 *
 * defineFlashAttention();
 * // <qkv-flash-attention></qkv-flash-attention>
 * // <qkv-flash-attention state="mask=window&tileSize=2"></qkv-flash-attention>
 * ```
 */
export function defineFlashAttention(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-flash-attention")) return;
  customElements.define(
    "qkv-flash-attention",
    figureElement(flashAttention, async ({ tileSize, mask, tokens }) =>
      flashAttentionModel({ tileSize, mask, tokens }),
    ),
  );
}
