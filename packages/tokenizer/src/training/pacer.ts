/**
 * For long work in one thread: `await pace()` after each piece. Some twenty times a second that reports and lets
 * others run, so that a page stays alive and an abort is heard; otherwise it costs a look at the clock.
 *
 * @param signal - When aborted, `pace` throws its reason.
 */
export function pacer(signal: AbortSignal | undefined, report: () => void): () => Promise<void> | void {
  signal?.throwIfAborted();
  let last = performance.now();
  const rest = async () => {
    report();
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    last = performance.now();
  };
  return () => (performance.now() - last < workMs ? undefined : rest());
}

const workMs = 50;
