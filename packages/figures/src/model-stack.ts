import { figureElement, type Ask, type FigureElement } from "@qkv/viz/figures";
import { modelStack, type ModelStackChoices, type ModelStackModel } from "@qkv/viz/figures/model-stack";
import { modelStackModel } from "./model-stack-model.js";

export { modelStackModel } from "./model-stack-model.js";
export {
  modelStack,
  type ModelStackChoices,
  type ModelStackModel,
  type StackedModel,
} from "@qkv/viz/figures/model-stack";

/** `<qkv-model-stack>` on a page. */
export type ModelStackElement = FigureElement<ModelStackModel, ModelStackChoices>;

/**
 * Defines the custom element `<qkv-model-stack>`: the layers of a published model, or with `config="…"`, the text of a
 * `config.json`, of the model `own`. `element.state`, also an attribute, holds its step and choices.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineModelStack } from "@qkv/figures/model-stack";
 *
 * defineModelStack();
 * // <qkv-model-stack state="model=deepseek-v3&compare=llama-3.1-405b"></qkv-model-stack>
 * ```
 */
export function defineModelStack(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-model-stack")) return;
  customElements.define("qkv-model-stack", figureElement(modelStack, ask));
}

const ask: Ask<ModelStackModel, ModelStackChoices> = (choices, { host }) => {
  const config = host.getAttribute("config");
  return modelStackModel(choices, config === null ? {} : { config });
};
