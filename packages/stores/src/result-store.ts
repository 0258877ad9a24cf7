import { latestWork } from "./latest-work.js";
import { writableStore, type Store } from "./store.js";

/** The state of a computation. The previous result is kept while the new one is computed; an error removes it. */
export type ResultState<Result> = {
  readonly status: "idle" | "running" | "done" | "error";
  readonly result: Result | undefined;
  /** The error that was thrown, if any. */
  readonly error: unknown;
};

/** A store for the result of the latest call of a function. */
export type ResultStore<Args extends readonly unknown[], Result> = Store<ResultState<Result>> & {
  /** Starts a computation, and aborts a running one. Resolves to the final state: the promise does not reject. */
  run(...args: Args): Promise<ResultState<Result>>;
  /** Aborts the computation. A previous result is kept. */
  stop(): void;
};

/** Creates a store for the result of `compute`, for the arguments of the last call of `run`. */
export function resultStore<Args extends readonly unknown[], Result>(
  compute: (signal: AbortSignal, ...args: Args) => Result | Promise<Result>,
): ResultStore<Args, Result> {
  type State = ResultState<Result>;
  const work = latestWork();
  const store = writableStore<State>(
    { status: "idle", result: undefined, error: undefined },
    { onNoSubscribers: () => stop() },
  );

  function stop(): void {
    work.stop();
    const { status, result } = store.getSnapshot();
    if (status !== "running") return;
    store.set({ status: result === undefined ? "idle" : "done", result, error: undefined });
  }

  async function run(...args: Args): Promise<State> {
    const signal = work.begin();
    const { result } = store.getSnapshot();
    store.set({ status: "running", result, error: undefined });
    // If another call follows immediately, nothing is computed.
    await Promise.resolve();
    const end = (state: State) => {
      if (!signal.aborted) store.set(state);
      return signal.aborted ? store.getSnapshot() : state;
    };
    if (signal.aborted) return store.getSnapshot();
    try {
      return end({ status: "done", result: await compute(signal, ...args), error: undefined });
    } catch (error) {
      return end({ status: "error", result: undefined, error });
    }
  }

  return { subscribe: store.subscribe, getSnapshot: store.getSnapshot, run, stop };
}
