import { figureElement, type FigureElement } from "@qkv/viz/figures";
import {
  headConstructions,
  type HeadConstructionsChoices,
  type HeadConstructionsModel,
} from "@qkv/viz/figures/head-constructions";
import { headConstructionsModel } from "./head-constructions-model.js";

export { headConstructionsModel } from "./head-constructions-model.js";
export {
  headConstructions,
  type ConstructionName,
  type HeadConstruction,
  type HeadConstructionsChoices,
  type HeadConstructionsModel,
} from "@qkv/viz/figures/head-constructions";

/** `<qkv-head-constructions>` on a page. */
export type HeadConstructionsElement = FigureElement<HeadConstructionsModel, HeadConstructionsChoices>;

/**
 * Defines the custom element `<qkv-head-constructions>`: one token through four ways to build heads, with the same weights.
 * `element.state`, also an attribute, holds its step and choices.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineHeadConstructions } from "@qkv/figures/head-constructions";
 *
 * defineHeadConstructions();
 * // <qkv-head-constructions></qkv-head-constructions>
 * // <qkv-head-constructions state="construction=split-input&numHeads=4"></qkv-head-constructions>
 * ```
 */
export function defineHeadConstructions(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-head-constructions")) return;
  customElements.define(
    "qkv-head-constructions",
    figureElement(headConstructions, async ({ numHeads, largeHeads }) =>
      headConstructionsModel({ numHeads, largeHeads }),
    ),
  );
}
