import { useEffect, useMemo } from "react";
import type { ResultState, ResultStore } from "@qkv/stores";
import { useStore } from "./use-store.js";

/**
 * Runs a result store with arguments in a component, and again when they change.
 *
 * @param createStore - Creates the store, again when `owner` changes.
 * @param owner - Value that the store depends on, such as the runtime, compared by identity.
 * @param args - Arguments of `run`. Undefined: nothing is computed.
 * @param dependencies - Values that change when the arguments do, compared by identity.
 */
export function useResult<Args extends readonly unknown[], Result>(
  createStore: () => ResultStore<Args, Result>,
  owner: unknown,
  args: Args | undefined,
  dependencies: readonly unknown[],
): ResultState<Result> {
  // `createStore` is a new function at each render, so `owner` is the dependency.
  const store = useMemo(createStore, [owner]);
  useEffect(() => {
    if (args) void store.run(...args);
    return store.stop;
  }, [store, args === undefined, ...dependencies]);
  return useStore(store);
}
