import { watchedLoadingStore, type LoadingStore, type LoadingStoreOptions } from "./loading-store.js";
import { mainThread, type LaterSource, type MainThread, type ModelOf, type Runtime } from "./runtime.js";

/** Shared stores by runtime, then by source and options: stores that hold a model, and new ones without subscribers. */
const stores = new WeakMap<Runtime, Map<string, LoadingStore<never>>>();

/** Ids of objects, for keys. */
const objectIds = new WeakMap<object, number>();
let lastObjectId = 0;

function objectId(value: object): number {
  const id = objectIds.get(value);
  if (id !== undefined) return id;
  objectIds.set(value, (lastObjectId += 1));
  return lastObjectId;
}

/** A key for a value: plain values by content, others (files, devices, functions) by identity. */
function valueKey(value: unknown): string {
  if (value instanceof URL) return valueKey(value.href);
  if (Array.isArray(value)) return `[${value.map(valueKey).join()}]`;
  if (typeof value === "function") return `#${objectId(value)}`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  return isPlain(value) ? entriesKey(value) : `#${objectId(value)}`;
}

function entriesKey(value: object): string {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const keys = entries.map(([name, item]) => `${JSON.stringify(name)}:${valueKey(item)}`);
  return `{${keys.sort().join()}}`;
}

/** True for plain objects, such as hub options. Objects with methods, such as devices, are compared by identity. */
const isPlain = (value: object): boolean =>
  Object.getPrototypeOf(value) === Object.prototype &&
  !Object.values(value).some((item) => typeof item === "function");

/**
 * Returns a store for a model that is shared within the program: equal sources and options give the same store, and the model
 * is loaded once.
 *
 * @param source - As for {@link loadingStore}. Files, functions, devices and other objects are equal only if they are
 *   identical.
 *
 * @example
 * ```ts
 * import { sharedModel } from "@qkv/stores";
 *
 * const store = sharedModel("./Qwen3-0.6B", { quantize: "int8" });
 * store === sharedModel("./Qwen3-0.6B", { quantize: "int8" }); // => true
 * store === sharedModel("./Qwen3-0.6B"); // => false
 * ```
 */
export function sharedModel<R extends Runtime = MainThread>(
  source: LaterSource<R>,
  options: LoadingStoreOptions<R> = {} as LoadingStoreOptions<R>,
): LoadingStore<ModelOf<R>> {
  const { runtime = mainThread, ...rest } = options;
  const createStore = (onHeldChange: (isHeld: boolean) => void) =>
    watchedLoadingStore<R>("sharedModel", source, options, onHeldChange);
  if (typeof runtime !== "object" || runtime === null) return createStore(() => undefined);
  const runtimeStores = stores.get(runtime) ?? new Map<string, LoadingStore<never>>();
  stores.set(runtime, runtimeStores);
  const key = `${valueKey(source)} ${entriesKey(rest)}`;
  const existing = runtimeStores.get(key);
  if (existing) return existing as LoadingStore<ModelOf<R>>;
  const store: LoadingStore<ModelOf<R>> = createStore((isHeld) => {
    if (isHeld) runtimeStores.set(key, store as LoadingStore<never>);
    else if (runtimeStores.get(key) === store) runtimeStores.delete(key);
  });
  runtimeStores.set(key, store as LoadingStore<never>);
  return store;
}
