import { useSyncExternalStore } from "react";
import type { Store } from "@qkv/stores";

/**
 * The snapshot of a store in a component, which renders again when it changes.
 *
 * @param store - Any store of `@qkv/stores`, created outside of the component or kept in `useState`.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { renderToString } from "react-dom/server";
 * import { useStore } from "@qkv/react";
 * import { generationStore } from "@qkv/stores";
 *
 * const story = generationStore();
 * const Shown = () => createElement("p", null, useStore(story).status);
 * renderToString(createElement(Shown)); // => "<p>idle</p>"
 * ```
 */
export function useStore<Snapshot>({ subscribe, getSnapshot }: Store<Snapshot>): Snapshot {
  return useSyncExternalStore(subscribe, getSnapshot, getSnapshot);
}
