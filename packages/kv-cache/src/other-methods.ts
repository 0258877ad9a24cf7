import { checks } from "@qkv/core";
import type { LayerMethods } from "./layered-cache.js";

/** Refuses a method that this kind of cache does not support. */
function refuse(fn: string, received: string, expected: string, fix: string): never {
  return checks(fn).refuse({ argument: "cache", received, expected, fix });
}

const notStates = (fn: string) =>
  refuse(
    fn,
    "one of keys and values",
    "a cache of states for a recurrent layer",
    "give this layer a `stateCache()`; `mixedCache([…])` holds it beside the other layers.",
  );
const notKeys = (fn: string) =>
  refuse(
    fn,
    "one of states",
    "a cache of keys and values for an attention layer",
    "give this layer a `growingCache()`; `mixedCache([…])` holds it beside the other layers.",
  );

/** The methods for states in caches of keys and values: both throw an error. */
export const refuseStates: Pick<LayerMethods, "state" | "advance"> = {
  state: () => notStates("state"),
  advance: () => notStates("advance"),
};

/** The methods for keys and values in caches of states: both throw an error. */
export const refuseKeyValues: Pick<LayerMethods, "update" | "read"> = {
  update: () => notKeys("update"),
  read: () => notKeys("read"),
};
