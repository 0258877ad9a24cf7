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
 * The value of a store in a component, until it unmounts; outside of components, until the scope ends. On a server it is the value at
 * the start, since components do not mount there.
 *
 * @param store - A store, or a getter of it: when another one is got, that one is read.
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
  let leave: () => void = () => undefined;
  const read = () => {
    leave();
    leave = toValue(store).subscribe((snapshot) => (value.value = snapshot));
  };
  const start = () => watch(() => toValue(store), read, { immediate: true });
  if (getCurrentInstance()) onMounted(start);
  else start();
  onScopeDispose(() => leave());
  return value;
}
