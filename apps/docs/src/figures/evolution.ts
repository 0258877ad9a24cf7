import model from "@site/.cache/evolution-model.json";
import { figureElement } from "@qkv/viz/figures";
import { evolution } from "@qkv/viz/figures/evolution";

/**
 * Makes `<qkv-evolution>` as `@qkv/figures/evolution` does, with the numbers that its `evolutionModel()` gave when the site
 * was built: no choice changes them, and a phone need not load five packages and compute them again.
 */
export function defineEvolution(): void {
  if (customElements.get("qkv-evolution")) return;
  customElements.define(
    "qkv-evolution",
    figureElement(evolution, () => Promise.resolve(model)),
  );
}
