import { figureElement, type FigureElement } from "@qkv/viz/figures";
import {
  linkedMatrices,
  type LinkedMatricesChoices,
  type LinkedMatricesModel,
} from "@qkv/viz/figures/linked-matrices";
import { linkedMatricesExample } from "./linked-matrices-model.js";

export {
  linkedMatricesExample,
  linkedMatricesModel,
  type AttentionTrace,
  type LinkedMatricesTrace,
} from "./linked-matrices-model.js";
export {
  linkedMatrices,
  type LinkedMatricesChoices,
  type LinkedMatricesModel,
  type TracedHead,
  type TracedModel,
} from "@qkv/viz/figures/linked-matrices";

/** `<qkv-linked-matrices>` on a page. */
export type LinkedMatricesElement = FigureElement<LinkedMatricesModel, LinkedMatricesChoices>;

/**
 * Defines the custom element `<qkv-linked-matrices>`: the matrices of an attention call, linked. Alone it shows BERT and GPT
 * in small, trained on the same text; with `element.model`, attention that you traced. `element.state`, also an attribute, holds its step and choices.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineLinkedMatrices } from "@qkv/figures/linked-matrices";
 *
 * defineLinkedMatrices();
 * // <qkv-linked-matrices></qkv-linked-matrices>
 * // <qkv-linked-matrices state="model=gpt&head=1&cell=a%3A2%3A1"></qkv-linked-matrices>
 * ```
 */
export function defineLinkedMatrices(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-linked-matrices")) return;
  customElements.define(
    "qkv-linked-matrices",
    figureElement(linkedMatrices, async ({ text }) => linkedMatricesExample({ text })),
  );
}
