import { figureElement, type FigureElement } from "@qkv/viz/figures";
import {
  tokenization,
  type TokenizationChoices,
  type TokenizationModel,
} from "@qkv/viz/figures/tokenization";
import { tokenizationModel } from "./tokenization-model.js";

export { tokenizationModel } from "./tokenization-model.js";
export {
  tokenization,
  type AppliedMerge,
  type TokenizationChoices,
  type TokenizationModel,
} from "@qkv/viz/figures/tokenization";

/** `<qkv-tokenization>` on a page. */
export type TokenizationElement = FigureElement<TokenizationModel, TokenizationChoices>;

/**
 * Defines the custom element `<qkv-tokenization>`: byte-pair encoding of the reader's text, merge by merge, or its byte-latent
 * patches. `element.state`, also an attribute, holds its step and choices. Models of bytes and the
 * vocabulary of `@qkv/model-tiny` are loaded when they are chosen.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineTokenization } from "@qkv/figures/tokenization";
 *
 * defineTokenization();
 * // <qkv-tokenization></qkv-tokenization>
 * // <qkv-tokenization state="text=aaabdaaabac&vocabulary=text"></qkv-tokenization>
 * // <qkv-tokenization state="view=patches&threshold=1.5"></qkv-tokenization>
 * ```
 */
export function defineTokenization(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-tokenization")) return;
  customElements.define("qkv-tokenization", figureElement(tokenization, tokenizationModel));
}
