/** Abort signals of tasks, of which only the latest may continue: starting a task aborts the previous one. */
export type LatestWork = {
  /** Starts a task; its signal is aborted when another task starts, or by `stop`. */
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
