import { latestWork } from "./latest-work.js";
import { ownStore, type Store } from "./store.js";

/** A result that is computed. The one before stays until the new one is there. */
export type ResultState<Result> = {
  readonly status: "idle" | "running" | "done" | "error";
  readonly result: Result | undefined;
  /** The error that was thrown, if one was. */
  readonly error: unknown;
};

/** The store of a result of arguments. */
export type ResultStore<Args extends readonly unknown[], Result> = Store<ResultState<Result>> & {
  /** Computes; what is being computed is aborted. The result is the state at the end: it does not reject. */
  run(...args: Args): Promise<ResultState<Result>>;
  /** Ends the computation; a result before it stays. */
  stop(): void;
};

/** Makes a store of what `compute` returns for the arguments of its last call. */
export function resultStore<Args extends readonly unknown[], Result>(
  compute: (signal: AbortSignal, ...args: Args) => Result | Promise<Result>,
): ResultStore<Args, Result> {
  type State = ResultState<Result>;
  const work = latestWork();
  const store = ownStore<State>(
    { status: "idle", result: undefined, error: undefined },
    { onNone: () => stop() },
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
    // A call that another one follows at once computes nothing.
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
