import { figureElement, type Ask, type FigureElement } from "@qkv/viz/figures";
import { generation, type GenerationChoices, type GenerationModel } from "@qkv/viz/figures/generation";
import { generationModel } from "./generation-model.js";

export { generationModel } from "./generation-model.js";
export {
  generation,
  type GeneratedToken,
  type GenerationBranch,
  type GenerationCandidate,
  type GenerationChoices,
  type GenerationModel,
} from "@qkv/viz/figures/generation";

/** `<qkv-generation>` on a page. */
export type GenerationElement = FigureElement<GenerationModel, GenerationChoices>;

/**
 * Defines the custom element `<qkv-generation>`: the small model of `@qkv/model-tiny` continues a text, token by token. The
 * model is loaded when the element enters a page. Text, sampling, cache, and the branches that the reader opened are its
 * `state`, also as an attribute.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineGeneration } from "@qkv/figures/generation";
 *
 * defineGeneration();
 * // <qkv-generation></qkv-generation>
 * // <qkv-generation state="text=The+dog+ran+to+the&temperature=1.2"></qkv-generation>
 * ```
 */
export function defineGeneration(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-generation")) return;
  customElements.define("qkv-generation", figureElement(generation, ask));
}

const ask: Ask<GenerationModel, GenerationChoices> = async (choices, { signal }) => {
  const { tinyModel } = await import("./tiny-model.js");
  return generationModel(await tinyModel(), choices, { signal });
};
