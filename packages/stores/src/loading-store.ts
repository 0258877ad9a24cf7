import { checks, disposable } from "@qkv/core";
import {
  mainThread,
  type LaterSource,
  type LoadOptionsOf,
  type MainThread,
  type ModelOf,
  type Runtime,
  type UncheckedRuntime,
} from "./runtime.js";
import { writableStore, type Store } from "./store.js";

/** Download progress of a model. */
export type LoadProgress = {
  /** Unit: bytes. */
  readonly loaded: number;
  /** Unit: bytes; undefined while the size of a file is unknown. */
  readonly total: number | undefined;
};

/** The state of a model. */
export type ModelState<Model> =
  | {
      readonly status: "idle";
      readonly model?: undefined;
      readonly progress?: undefined;
      readonly error?: undefined;
    }
  | {
      readonly status: "loading";
      readonly model?: undefined;
      /** Undefined until the first bytes arrive. */
      readonly progress: LoadProgress | undefined;
      readonly error?: undefined;
    }
  | {
      readonly status: "ready";
      readonly model: Model;
      readonly progress: LoadProgress | undefined;
      readonly error?: undefined;
    }
  | {
      readonly status: "error";
      readonly model?: undefined;
      readonly progress?: undefined;
      readonly error: unknown;
    };

/** Options of a loading store. */
export type LoadingStoreOptions<R extends Runtime = MainThread> = LoadOptionsOf<R> & {
  /** The runtime, which loads and runs the model. Default {@link mainThread}. */
  runtime?: R;
  /** Time for which a model is kept after the last subscriber unsubscribed. Unit: milliseconds. Default 0. */
  keepAliveMs?: number;
};

/** A store for a model. */
export type LoadingStore<Model> = Store<ModelState<Model>> & {
  /** Loads the model, unless it is loading or loaded. After an error, tries again. */
  load(): Promise<Model>;
  /** Aborts loading, or releases the model: its `dispose()` is called, if it has one. */
  dispose(): void;
  /** `using store = loadingStore(…)` disposes of it at the end of the block. */
  [Symbol.dispose](): void;
  /** Calls `dispose` if the store has no subscribers. */
  release(): void;
};

const idle = { status: "idle" } as const;

/**
 * Creates a store for a model. It is loaded when the first subscriber arrives, or by `load()`, once for all subscribers. When the last one
 * unsubscribes, loading is aborted or the model is released.
 *
 * @param source - A source for `load` of the runtime; a promise of one, or a function that returns one, such as `modelTiny`.
 * @param options - Those of `load`, with `runtime` and `keepAliveMs`.
 * @throws {ArgumentError} If the runtime is invalid. Errors thrown by `load` become the `error` of the state.
 *
 * @example
 * ```ts
 * import { loadingStore } from "@qkv/stores";
 *
 * // A checkpoint of llama2.c with one layer of one head and 5 tokens.
 * // Yours is a name, a folder or a file: loadingStore("Qwen/Qwen3-0.6B").
 * const checkpoint = new Uint8Array(4 * (7 + 58));
 * checkpoint.set(new Uint8Array(Int32Array.of(2, 3, 1, 1, 1, 5, 4).buffer));
 * const store = loadingStore(checkpoint);
 * const seen: string[] = [];
 * const unsubscribe = store.subscribe(({ status }) => {
 *   if (seen.at(-1) !== status) seen.push(status);
 * });
 * await store.load();
 * unsubscribe();
 * seen; // => ["idle", "loading", "ready"]
 * ```
 */
export function loadingStore<R extends Runtime = MainThread>(
  source: LaterSource<R>,
  options: LoadingStoreOptions<R> = {} as LoadingStoreOptions<R>,
): LoadingStore<ModelOf<R>> {
  return watchedLoadingStore("loadingStore", source, options, () => undefined);
}

/**
 * {@link loadingStore} for the public function `fn`, which errors name. `onHeldChange` is called with true when the store begins to load a
 * model, and with false when it releases it.
 */
export function watchedLoadingStore<R extends Runtime>(
  fn: string,
  source: LaterSource<R>,
  options: LoadingStoreOptions<R>,
  onHeldChange: (isHeld: boolean) => void,
): LoadingStore<ModelOf<R>> {
  const { runtime = mainThread, keepAliveMs = 0, ...loadOptions } = options;
  const check = checks(fn);
  check.each(
    { source },
    (value) => ["string", "function", "object"].includes(typeof value) && value !== null,
    "a source of a model: a name, a folder, an address, bytes or files, or a function that returns them",
    "name it as `load` of the runtime takes it.",
  );
  checkRuntime(check, runtime, "load");
  check.finite({ keepAliveMs }, { min: 0, unit: "milliseconds" });
  type Model = ModelOf<R>;
  const unchecked = runtime as unknown as UncheckedRuntime;
  const store = writableStore<ModelState<Model>>(idle, {
    // Subscribers get the error from the state.
    onFirstSubscriber: () => void load().catch(() => undefined),
    onNoSubscribers: () => dispose(),
    idleMs: keepAliveMs,
  });
  let current: { controller: AbortController; model: Promise<Model> } | undefined;

  function load(): Promise<Model> {
    if (current && store.getSnapshot().status !== "error") return current.model;
    const controller = new AbortController();
    let start!: (loading: Promise<Model>) => void;
    const model = new Promise<Model>((resolve) => (start = resolve));
    model.catch(() => undefined);
    // Before the subscribers hear of it: they may call `load` or `dispose`.
    current = { controller, model };
    onHeldChange(true);
    store.set({ status: "loading", progress: undefined });
    start(loadModel(controller));
    return model;
  }

  async function loadModel({ signal }: AbortController): Promise<Model> {
    const files = new Map<string, LoadProgress>();
    try {
      const onProgress = ({ source, loaded, total }: LoadProgress & { source: string }) => {
        if (signal.aborted) return;
        files.set(source, { loaded, total });
        store.set({ status: "loading", progress: totalProgress(files.values()) });
      };
      signal.throwIfAborted();
      const resolvedSource: unknown = isLater(source) ? await resolveSource(source) : source;
      signal.throwIfAborted();
      const model = (await unchecked.load(resolvedSource, { ...loadOptions, signal, onProgress })) as Model;
      if (signal.aborted) {
        disposeModel(model as object);
        throw signal.reason;
      }
      store.set({ status: "ready", model, progress: totalProgress(files.values()) });
      return model;
    } catch (error) {
      if (!signal.aborted) store.set({ status: "error", error });
      throw error;
    }
  }

  function dispose(): void {
    const { status, model } = store.getSnapshot();
    current?.controller.abort();
    current = undefined;
    if (status === "ready") disposeModel(model as object);
    if (status === "idle") return;
    store.set(idle);
    onHeldChange(false);
  }

  const release = () => {
    if (store.subscriberCount() === 0) dispose();
  };
  const { subscribe, getSnapshot } = store;
  return { subscribe, getSnapshot, load, dispose, ...disposable(dispose), release };
}

type Later = PromiseLike<unknown> | (() => unknown);

const isLater = (source: unknown): source is Later =>
  typeof source === "function" || typeof (source as { then?: unknown }).then === "function";

const resolveSource = (source: Later): unknown => (typeof source === "function" ? source() : source);

/** Disposes of a model that has `dispose`, such as a model in a worker. */
function disposeModel(model: object): void {
  const { dispose } = model as { dispose?: () => unknown };
  if (typeof dispose === "function") void Promise.resolve(dispose.call(model)).catch(() => undefined);
}

function totalProgress(files: Iterable<LoadProgress>): LoadProgress | undefined {
  let [loaded, total] = [0, 0 as number | undefined];
  let count = 0;
  for (const file of files) {
    count += 1;
    loaded += file.loaded;
    total = total === undefined || file.total === undefined ? undefined : total + file.total;
  }
  return count === 0 ? undefined : { loaded, total };
}

/** Refuses a runtime without a function. */
export function checkRuntime(check: ReturnType<typeof checks>, runtime: unknown, name: keyof Runtime): void {
  check.each(
    { runtime },
    (value) => typeof (value as Record<string, unknown> | null)?.[name] === "function",
    `functions that run models, with \`${name}\``,
    'leave it out for this thread, or import the module "@qkv/worker" as `runtime`.',
  );
}
