import { figureElement, type Ask, fileIntake, type FigureElement } from "@qkv/viz/figures";
import {
  transformerBlock,
  type TransformerBlockChoices,
  type TransformerBlockModel,
} from "@qkv/viz/figures/transformer-block";
import { transformerBlockModel } from "./transformer-block-model.js";

export { transformerBlockModel, type TransformerBlockOptions } from "./transformer-block-model.js";
export {
  transformerBlock,
  type BlockNumbers,
  type NextToken,
  type TransformerBlockChoices,
  type TransformerBlockModel,
} from "@qkv/viz/figures/transformer-block";

/** `<qkv-transformer-block>` on a page. */
export type TransformerBlockElement = FigureElement<TransformerBlockModel, TransformerBlockChoices>;

/**
 * Defines the custom element `<qkv-transformer-block>`: the small model of `@qkv/model-tiny` on the reader's text, from token ids
 * to next-token probabilities. A model folder that the reader drops on it, or chooses, is read in the page and drawn instead.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineTransformerBlock } from "@qkv/figures/transformer-block";
 *
 * defineTransformerBlock();
 * // <qkv-transformer-block></qkv-transformer-block>
 * // <qkv-transformer-block state="step=heads&layer=2&removed=mlp-0"></qkv-transformer-block>
 * ```
 */
export function defineTransformerBlock(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-transformer-block")) return;
  customElements.define(
    "qkv-transformer-block",
    figureElement(transformerBlock, ask, { intake: modelFolder() }),
  );
}

const ask: Ask<TransformerBlockModel, TransformerBlockChoices> = async ({ text, removed }) => {
  const { tinyModel } = await import("./tiny-model.js");
  return transformerBlockModel(await tinyModel(), text, { removed, name: "our small model" });
};

/** Opens a model folder of the reader. */
const modelFolder = () =>
  fileIntake<TransformerBlockModel, TransformerBlockChoices>({
    accepts:
      "a GPT-2, SmolLM or other Llama-style model folder (config.json, tokenizer.json and safetensors)",
    own: "our small model",
    reset: { token: -1, layer: 0, head: 0, target: 0, removed: "none" },
    async open(files, { name, signal }) {
      const { openModel } = await import("./open-model.js");
      const model = await openModel(files, { signal });
      return ({ text, removed }) => transformerBlockModel(model, text, { removed, name });
    },
  });
