import { figureElement, type Ask, type FigureElement } from "@qkv/viz/figures";
import {
  headsAndKeys,
  type HeadsAndKeysChoices,
  type HeadsAndKeysModel,
} from "@qkv/viz/figures/heads-and-keys";
import { headsAndKeysModel } from "./heads-and-keys-model.js";

export { headsAndKeysModel } from "./heads-and-keys-model.js";
export {
  headsAndKeys,
  type HeadsAndKeysChoices,
  type HeadsAndKeysModel,
  type HeadsTime,
} from "@qkv/viz/figures/heads-and-keys";

/** `<qkv-heads-and-keys>` on a page. */
export type HeadsAndKeysElement = FigureElement<HeadsAndKeysModel, HeadsAndKeysChoices>;

/**
 * Defines the custom element `<qkv-heads-and-keys>`: the KV cache of MHA, GQA, MQA and MLA as it grows. `element.state`, also an attribute, holds its step and choices. The choice `time=here` measures attention on this device, and
 * loads the `wasm` device then.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineHeadsAndKeys } from "@qkv/figures/heads-and-keys";
 *
 * defineHeadsAndKeys();
 * // <qkv-heads-and-keys></qkv-heads-and-keys>
 * // <qkv-heads-and-keys state="model=gemma-2b&step=tokens-16"></qkv-heads-and-keys>
 * ```
 */
export function defineHeadsAndKeys(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-heads-and-keys")) return;
  customElements.define("qkv-heads-and-keys", figureElement(headsAndKeys, ask));
}

const ask: Ask<HeadsAndKeysModel, HeadsAndKeysChoices> = async (choices, { signal }) => {
  const counted = headsAndKeysModel(choices);
  if (choices.time !== "here") return counted;
  const { measureHeads } = await import("./measure-heads.js");
  return { ...counted, time: await measureHeads(counted, { signal }) };
};
