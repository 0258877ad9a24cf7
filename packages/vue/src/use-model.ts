import { computed, toValue, type MaybeRefOrGetter, type ShallowRef } from "vue";
import {
  sharedModel,
  type LaterSource,
  type MainThread,
  type ModelOf,
  type ModelState,
  type LoadingStoreOptions,
  type Runtime,
  type Store,
} from "@qkv/stores";
import { useStore } from "./use-store.js";

/**
 * Loads a model, once for all components with the same source and options. It is disposed when the last one unmounts, which aborts a
 * pending load.
 *
 * @param source - A source of `load` of the runtime, or a ref or getter of one. `null` or `undefined`: no model is loaded. A getter may
 *   return a promise, as `modelTiny` does. `() => modelTiny` makes components share one model of this function.
 * @returns A ref of `{ status, model, progress, error }`.
 *
 * @example
 * ```ts
 * import { effectScope } from "vue";
 * import { useModel } from "@qkv/vue";
 *
 * const model = effectScope().run(() => useModel(null));
 * model?.value.status; // => "idle"
 * ```
 */
export function useModel<R extends Runtime = MainThread>(
  source: MaybeRefOrGetter<LaterSource<R> | null | undefined>,
  options?: LoadingStoreOptions<R>,
): Readonly<ShallowRef<ModelState<ModelOf<R>>>> {
  // `computed`, because a getter of a promise would return another one at each call.
  const currentSource = computed(() => toValue(source) as LaterSource<R> | null | undefined);
  return useStore<ModelState<ModelOf<R>>>(() => {
    const currentValue = currentSource.value;
    return currentValue === null || currentValue === undefined
      ? idleStore
      : sharedModel<R>(currentValue, options);
  });
}

const idle = { status: "idle" } as const;
/** Store without a model, which is always idle. */
const idleStore: Store<typeof idle> = {
  getSnapshot: () => idle,
  subscribe(run) {
    run(idle);
    return () => undefined;
  },
};
