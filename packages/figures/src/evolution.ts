import { figureElement, type FigureElement } from "@qkv/viz/figures";
import { evolution, type EvolutionChoices, type EvolutionModel } from "@qkv/viz/figures/evolution";
import { evolutionModel } from "./evolution-model.js";

export { evolutionModel } from "./evolution-model.js";
export {
  evolution,
  type EvolutionChoices,
  type EvolutionModel,
  type EvolutionStep,
} from "@qkv/viz/figures/evolution";

/** `<qkv-evolution>` on a page. */
export type EvolutionElement = FigureElement<EvolutionModel, EvolutionChoices>;

/**
 * Defines the custom element `<qkv-evolution>`: attention from 2014 to today, each mechanism growing out of the one before.
 * `element.state`, also an attribute, holds its step.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineEvolution } from "@qkv/figures/evolution";
 *
 * defineEvolution();
 * // <qkv-evolution state="step=multi-query&compare=multi-head"></qkv-evolution>
 * ```
 */
export function defineEvolution(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-evolution")) return;
  customElements.define(
    "qkv-evolution",
    figureElement(evolution, async () => evolutionModel()),
  );
}
