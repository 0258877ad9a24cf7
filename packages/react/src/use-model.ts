import { checks } from "@qkv/core";
import * as React from "react";
import { disposable } from "@qkv/core";
import {
  sharedModel,
  type LaterSource,
  type MainThread,
  type ModelOf,
  type ModelState,
  type LoadingStore,
  type LoadingStoreOptions,
  type Runtime,
} from "@qkv/stores";
import { useStore } from "./use-store.js";

/** Options of {@link useModel}: those of `load` of the runtime, and `suspense`. */
export type UseModelOptions<R extends Runtime = MainThread> = LoadingStoreOptions<R> & {
  /**
   * True: the component suspends until the model is loaded, and throws errors of loading, for `<Suspense>` and an error boundary
   * around it. Default false: `status` and `error` report both.
   */
  suspense?: boolean;
};

/** Sources of {@link useModel}: those of `load` of the runtime, or a function that returns one, which is called to load the model. */
export type UsedSource<R extends Runtime = MainThread> = Exclude<LaterSource<R>, PromiseLike<unknown>>;

/** State of a model in a component, and a function to load it again. */
export type UsedModel<Model> = ModelState<Model> & {
  /** Loads again after an error. */
  retry(): void;
};

/**
 * Loads a model, once for all components with the same source and options. It is loaded when the first component mounts, and disposed
 * when the last one unmounts, which aborts a pending load. Strict mode, which mounts twice, loads once.
 *
 * @param source - A source of `load` of the runtime, or a function that returns one, such as `modelTiny`. `null` or `undefined`: no model
 *   is loaded. Files, functions, devices and other objects are compared by identity, so create them outside of the component.
 * @throws {ArgumentError} If the source is a promise, because each render would create another one.
 * @returns `status`, `model`, `progress` in bytes, `error`, `retry()`. With `suspense: true`, `status` is "ready".
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { renderToString } from "react-dom/server";
 * import { useModel } from "@qkv/react";
 *
 * function Status() {
 *   const { status } = useModel("./Qwen3-0.6B", { quantize: "int8" });
 *   return createElement("p", null, status);
 * }
 * // Nothing is loaded on a server: effects run in pages.
 * renderToString(createElement(Status)); // => "<p>idle</p>"
 * ```
 */
export function useModel<R extends Runtime = MainThread>(
  source: UsedSource<R> | null | undefined,
  options: UseModelOptions<R> & { suspense: true },
): Extract<UsedModel<ModelOf<R>>, { status: "ready" }>;
export function useModel<R extends Runtime = MainThread>(
  source: UsedSource<R> | null | undefined,
  options?: UseModelOptions<R>,
): UsedModel<ModelOf<R>>;
export function useModel<R extends Runtime = MainThread>(
  source: UsedSource<R> | null | undefined,
  { suspense = false, ...options }: UseModelOptions<R> = {} as UseModelOptions<R>,
): UsedModel<ModelOf<R>> {
  const usedSource = source ?? undefined;
  if (typeof (usedSource as { then?: unknown } | undefined)?.then === "function") refusePromise(usedSource);
  const store =
    usedSource === undefined
      ? (idleStore as LoadingStore<ModelOf<R>>)
      : sharedModel<R>(usedSource as UsedSource<R>, options as unknown as LoadingStoreOptions<R>);
  if (suspense && usedSource !== undefined) suspendUntilLoaded(store);
  const state = useStore(store);
  const retry = React.useCallback(() => void store.load().catch(() => undefined), [store]);
  return { ...state, retry };
}

function refusePromise(received: unknown): never {
  return checks("useModel").refuse({
    argument: "source",
    received,
    expected:
      "a source, or a function that gives one: each rendering would make another promise, and load again",
    fix: "pass the function itself: `useModel(modelTiny)`.",
  });
}

const idle = { status: "idle" } as const;
/** Store without a model, which is always idle. */
const idleStore: LoadingStore<never> = {
  subscribe: () => () => undefined,
  getSnapshot: () => idle,
  load: () => new Promise<never>(() => undefined),
  dispose: () => undefined,
  ...disposable(() => undefined),
  release: () => undefined,
};

/** Time after loading within which a suspended component has to mount, or else the model is released. Unit: milliseconds. */
const mountTimeoutMs = 10_000;

/** Suspends a component until a model is loaded, and throws the error of loading. */
function suspendUntilLoaded<Model>(store: LoadingStore<Model>): void {
  const { status, error } = store.getSnapshot();
  if (status === "ready") return;
  if (status === "error") {
    // Releases the store, so that a reset boundary loads again; after this tick, as React renders twice before it shows the boundary.
    setTimeout(store.release, 0);
    throw error;
  }
  const model = store.load();
  if (status === "idle") {
    // If the component never mounts, the model is released.
    const release = () => setTimeout(store.release, mountTimeoutMs);
    model.then(release, () => undefined);
  }
  const { use } = React as { use?: (promise: Promise<unknown>) => unknown };
  // React 18 has no `use`: there a component throws the promise.
  if (!use) throw model as unknown as Error;
  use(model);
}
