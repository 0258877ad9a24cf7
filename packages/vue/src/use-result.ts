import { onScopeDispose, watch, type ShallowRef } from "vue";
import type { ResultState, ResultStore } from "@qkv/stores";
import { useStore } from "./use-store.js";

/**
 * The result of arguments in a component, computed anew when they change.
 *
 * @param args - Undefined: nothing is computed.
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
