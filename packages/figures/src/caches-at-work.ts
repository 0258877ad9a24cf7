import { figureElement, type Ask, type FigureElement } from "@qkv/viz/figures";
import {
  cachesAtWork,
  type CachesAtWorkChoices,
  type CachesAtWorkModel,
} from "@qkv/viz/figures/caches-at-work";
import { cachesAtWorkModel } from "./caches-at-work-model.js";

export { cachesAtWorkModel } from "./caches-at-work-model.js";
export {
  cachesAtWork,
  type CacheBudget,
  type CachedSequence,
  type CacheKind,
  type CacheMoment,
  type CacheOperation,
  type CacheRegion,
  type CachesAtWorkChoices,
  type CachesAtWorkModel,
  type RoundedKey,
  type SlotToken,
  type StoredAs,
} from "@qkv/viz/figures/caches-at-work";

/** `<qkv-caches-at-work>` on a page. */
export type CachesAtWorkElement = FigureElement<CachesAtWorkModel, CachesAtWorkChoices>;

/**
 * Defines the custom element `<qkv-caches-at-work>`: one conversation of the model of `@qkv/model-tiny` through every kind of
 * KV cache. The model is loaded when the element enters a page. The kind, its budget and the reader's own forks and appends
 * are its `state`, also as an attribute.
 *
 * An import defines nothing, and a second call changes nothing. In Node it does nothing.
 *
 * @example
 * ```ts
 * import { defineCachesAtWork } from "@qkv/figures/caches-at-work";
 *
 * defineCachesAtWork();
 * // <qkv-caches-at-work></qkv-caches-at-work>
 * // <qkv-caches-at-work state="kind=rolling&budget=small"></qkv-caches-at-work>
 * ```
 */
export function defineCachesAtWork(): void {
  if (typeof customElements === "undefined" || customElements.get("qkv-caches-at-work")) return;
  customElements.define("qkv-caches-at-work", figureElement(cachesAtWork, ask));
}

const ask: Ask<CachesAtWorkModel, CachesAtWorkChoices> = async (choices, { signal }) => {
  const { tinyModel } = await import("./tiny-model.js");
  return cachesAtWorkModel(await tinyModel(), choices, { signal });
};
