import { figureElement, type FigureElement } from "@qkv/viz/figures";
import {
  writtenState,
  type WrittenStateChoices,
  type WrittenStateModel,
} from "@qkv/viz/figures/written-state";
import { writtenStateModel } from "./written-state-model.js";

export { writtenStateModel } from "./written-state-model.js";
export {
  writtenState,
  type WrittenStateChoices,
  type WrittenStateModel,
  type WrittenText,
  type WrittenToken,
} from "@qkv/viz/figures/written-state";

/** `<qkv-written-state>` on a page. */
export type WrittenStateElement = FigureElement<WrittenStateModel, WrittenStateChoices>;

/**
 * Defines the custom element `<qkv-written-state>`: a state that tokens write to and erase from, and the map that it implies.
 * `element.state`, also an attribute, holds its step and choices.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineWrittenState } from "@qkv/figures/written-state";
 *
 * defineWrittenState();
 * // <qkv-written-state></qkv-written-state>
 * // <qkv-written-state state="text=again&rule=add"></qkv-written-state>
 * ```
 */
export function defineWrittenState(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-written-state")) return;
  customElements.define(
    "qkv-written-state",
    figureElement(writtenState, async ({ text, rule, beta, gate }) =>
      writtenStateModel({ text, rule, beta, gate }),
    ),
  );
}
