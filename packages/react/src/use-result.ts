import { useEffect, useMemo } from "react";
import type { ResultState, ResultStore } from "@qkv/stores";
import { useStore } from "./use-store.js";

/**
 * The result of arguments in a component, computed anew when they change.
 *
 * @param make - Makes the store, for each `owner`.
 * @param args - Undefined: nothing is computed.
 * @param dependencies - Values that change when the arguments do.
 */
export function useResult<Args extends readonly unknown[], Result>(
  make: () => ResultStore<Args, Result>,
  owner: unknown,
  args: Args | undefined,
  dependencies: readonly unknown[],
): ResultState<Result> {
  // `make` is another function at each render; the value that it depends on is `owner`.
  const store = useMemo(make, [owner]);
  useEffect(() => {
    if (args) void store.run(...args);
    return store.stop;
  }, [store, args === undefined, ...dependencies]);
  return useStore(store);
}
