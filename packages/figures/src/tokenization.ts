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
 * Makes the element `<qkv-tokenization>`, once: byte-pair encoding of the reader's text, merge by merge, or its byte-latent
 * patches. Its place in the story and its choices are `element.state`, also as an attribute. Models of bytes and the
 * vocabulary of `@qkv/model-tiny` are loaded when they are chosen.
 *
 * Nothing is defined before this is called. In Node it does nothing.
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
