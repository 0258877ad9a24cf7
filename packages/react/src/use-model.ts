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

/** Options of {@link useModel}: those of `load` of the runtime, and how the component waits. */
export type UseModelOptions<R extends Runtime = MainThread> = LoadingStoreOptions<R> & {
  /**
   * True: the component suspends until the model is there, and throws what loading throws, for `<Suspense>` and an error boundary
   * around it. Default false: the state says so.
   */
  suspense?: boolean;
};

/** Sources of {@link useModel}: those of `load` of the runtime, or a function that gives one when the model is loaded. */
export type UsedSource<R extends Runtime = MainThread> = Exclude<LaterSource<R>, PromiseLike<unknown>>;

/** A model in a component, and how to load it again. */
export type UsedModel<Model> = ModelState<Model> & {
  /** Loads again after an error. */
  retry(): void;
};

/**
 * Loads a model, once for all components that use it: for a source of `null` or `undefined` none. It is loaded when the first component
 * mounts, and let go of when the last one unmounts; a load on its way is aborted then. Strict mode, which mounts twice, loads once.
 *
 * @param source - As `load` of the runtime takes it, or a function that gives that, such as `modelTiny`. Files, functions, devices and
 *   other objects are the same source only if they are one: make them outside of the component.
 * @throws {ArgumentError} If the source is a promise, of which each rendering would make another.
 * @returns `status`, `model`, `progress` in bytes, `error`, `retry()`. With `suspense: true` it is ready.
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
  const given = source ?? undefined;
  if (typeof (given as { then?: unknown } | undefined)?.then === "function") refusePromise(given);
  const store =
    given === undefined
      ? (nothing as LoadingStore<ModelOf<R>>)
      : sharedModel<R>(given as UsedSource<R>, options as unknown as LoadingStoreOptions<R>);
  if (suspense && given !== undefined) suspendUntilLoaded(store);
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
/** The store of no model. */
const nothing: LoadingStore<never> = {
  subscribe: () => () => undefined,
  getSnapshot: () => idle,
  load: () => new Promise<never>(() => undefined),
  dispose: () => undefined,
  ...disposable(() => undefined),
  release: () => undefined,
};

/** Time in which a component that was suspended mounts. Unit: milliseconds. */
const mountsWithinMs = 10_000;

/** Suspends a component until a model is loaded, and throws what loading threw. */
function suspendUntilLoaded<Model>(store: LoadingStore<Model>): void {
  const { status, error } = store.getSnapshot();
  if (status === "ready") return;
  if (status === "error") {
    // A boundary that is reset tries again; React renders a second time before it shows one.
    setTimeout(store.release, 0);
    throw error;
  }
  const model = store.load();
  if (status === "idle") {
    // A component that never mounts does not keep the model.
    const release = () => setTimeout(store.release, mountsWithinMs);
    model.then(release, () => undefined);
  }
  const { use } = React as { use?: (promise: Promise<unknown>) => unknown };
  // React 18 has no `use`: there a component throws the promise.
  if (!use) throw model as unknown as Error;
  use(model);
}
