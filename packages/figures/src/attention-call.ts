import { figureElement, type Ask, type FigureElement } from "@qkv/viz/figures";
import {
  attentionCall,
  type AttentionCallChoices,
  type AttentionCallModel,
} from "@qkv/viz/figures/attention-call";
import { attentionCallExample, attentionCallModel } from "./attention-call-model.js";

export {
  attentionCallExample,
  attentionCallModel,
  type AttentionCallOptions,
} from "./attention-call-model.js";
export {
  attentionCall,
  type AttentionCallChoices,
  type AttentionCallModel,
} from "@qkv/viz/figures/attention-call";

/** `<qkv-attention-call>` on a page. */
export type AttentionCallElement = FigureElement<AttentionCallModel, AttentionCallChoices>;

/**
 * Makes the element `<qkv-attention-call>`, once. Alone it shows the example of six tokens; with `text="…"` a head of the
 * small model of `@qkv/model-tiny` on this text, which is loaded then; with `element.ask` numbers of your own. `element.state`, also an attribute, holds its step.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineAttentionCall } from "@qkv/figures/attention-call";
 *
 * defineAttentionCall();
 * // <qkv-attention-call></qkv-attention-call>
 * // <qkv-attention-call text="The dog was happy." state="head=6&token=3"></qkv-attention-call>
 * ```
 */
export function defineAttentionCall(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-attention-call")) return;
  customElements.define("qkv-attention-call", figureElement(attentionCall, ask));
}

/** Computes the numbers of the example, or of the small model on the text of the element. */
const ask: Ask<AttentionCallModel, AttentionCallChoices> = async ({ head, mask, temperature }, { host }) => {
  const choices = { head, mask, temperature };
  const text = host.getAttribute("text");
  if (text === null) return attentionCallExample(choices);
  const { tinyModel } = await import("./tiny-model.js");
  return attentionCallModel(await tinyModel(), text, choices);
};
