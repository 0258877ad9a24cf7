import {
  getCurrentInstance,
  onMounted,
  onScopeDispose,
  shallowRef,
  toValue,
  watch,
  type MaybeRefOrGetter,
  type ShallowRef,
} from "vue";
import type { Store } from "@qkv/stores";

/**
 * A ref of the snapshot of a store, until the component unmounts, or, outside of components, until the effect scope ends. On a server
 * it is the initial snapshot, since components do not mount there.
 *
 * @param store - A store, or a ref or getter of one. When it changes, the new store is read.
 *
 * @example
 * ```ts
 * import { generationStore } from "@qkv/stores";
 * import { effectScope } from "vue";
 * import { useStore } from "@qkv/vue";
 *
 * const story = generationStore();
 * const state = effectScope().run(() => useStore(story));
 * state?.value.status; // => "idle"
 * ```
 */
export function useStore<Snapshot>(store: MaybeRefOrGetter<Store<Snapshot>>): Readonly<ShallowRef<Snapshot>> {
  const value = shallowRef(toValue(store).getSnapshot()) as ShallowRef<Snapshot>;
  let unsubscribe: () => void = () => undefined;
  const resubscribe = () => {
    unsubscribe();
    unsubscribe = toValue(store).subscribe((snapshot) => (value.value = snapshot));
  };
  const start = () => watch(() => toValue(store), resubscribe, { immediate: true });
  if (getCurrentInstance()) onMounted(start);
  else start();
  onScopeDispose(() => unsubscribe());
  return value;
}
