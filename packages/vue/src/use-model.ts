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
 * Loads a model, once for all components that use it. It is let go of when the last one unmounts; a load on its way is aborted then.
 *
 * @param source - As `load` of the runtime takes it, a ref or a getter; of `null` or `undefined` nothing is loaded. A getter may give a
 *   promise, as `modelTiny` does; components share a model of a function by `() => modelTiny`.
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
  // A getter that gives promises would give another one each time.
  const once = computed(() => toValue(source) as LaterSource<R> | null | undefined);
  return useStore<ModelState<ModelOf<R>>>(() => {
    const given = once.value;
    return given === null || given === undefined ? nothing : sharedModel<R>(given, options);
  });
}

const idle = { status: "idle" } as const;
/** The store of no model. */
const nothing: Store<typeof idle> = {
  getSnapshot: () => idle,
  subscribe(run) {
    run(idle);
    return () => undefined;
  },
};
