/** One piece of work at a time: a new one aborts the one before. */
export type LatestWork = {
  /** Begins a new piece; its signal is aborted when another begins, or at `stop`. */
  begin(): AbortSignal;
  stop(): void;
};

export function latestWork(): LatestWork {
  let current: AbortController | undefined;
  const stop = () => {
    current?.abort();
    current = undefined;
  };
  return {
    begin() {
      stop();
      current = new AbortController();
      return current.signal;
    },
    stop,
  };
}
