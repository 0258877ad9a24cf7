import { onScopeDispose, watch, type ShallowRef } from "vue";
import type { ResultState, ResultStore } from "@qkv/stores";
import { useStore } from "./use-store.js";

/**
 * Runs a result store with arguments in a component, and again when they change.
 *
 * @param args - Arguments of `run`. Undefined: nothing is computed, and a running computation is stopped.
 */
export function useResult<Args extends readonly unknown[], Result>(
  store: ResultStore<Args, Result>,
  args: () => Args | undefined,
): Readonly<ShallowRef<ResultState<Result>>> {
  const state = useStore<ResultState<Result>>(store);
  watch(
    args,
    (given) => {
      if (given) void store.run(...given);
      else store.stop();
    },
    { immediate: true },
  );
  onScopeDispose(store.stop);
  return state;
}
