import { toValue, type MaybeRefOrGetter, type ShallowRef } from "vue";
import {
  sharedModel,
  type MainThread,
  type ModelOf,
  type ModelState,
  type LoadingStoreOptions,
  type Runtime,
  type SourceOf,
  type Store,
} from "@qkv/stores";
import { useStore } from "./use-store.js";

/**
 * Loads a model, once for all components that use it. It is let go of when the last one unmounts; a load on its way is aborted then.
 *
 * @param source - As `load` of the runtime takes it, a ref or a getter; of `null` or `undefined` nothing is loaded.
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
  source: MaybeRefOrGetter<SourceOf<R> | null | undefined>,
  options?: LoadingStoreOptions<R>,
): Readonly<ShallowRef<ModelState<ModelOf<R>>>> {
  return useStore<ModelState<ModelOf<R>>>(() => {
    const given = toValue(source) as SourceOf<R> | null | undefined;
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
