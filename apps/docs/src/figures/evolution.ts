import model from "@site/.cache/evolution-model.json";
import { figureElement } from "@qkv/viz/figures";
import { evolution } from "@qkv/viz/figures/evolution";

/**
 * Defines `<qkv-evolution>` as `@qkv/figures/evolution` does, with the data of `evolutionModel()` precomputed in the build: it
 * does not depend on any choice, and a phone need not load five packages to compute it.
 */
export function defineEvolution(): void {
  if (customElements.get("qkv-evolution")) return;
  customElements.define(
    "qkv-evolution",
    figureElement(evolution, () => Promise.resolve(model)),
  );
}
