/**
 * Returns a function to await after each step of long work. About twenty times a second it reports progress and
 * yields to the event loop, so that a page stays responsive and an abort is seen; otherwise it reads the clock.
 *
 * @param signal - When aborted, the function throws its reason.
 */
export function yieldingToEventLoop(
  signal: AbortSignal | undefined,
  report: () => void,
): () => Promise<void> | void {
  signal?.throwIfAborted();
  let last = performance.now();
  const yieldOnce = async () => {
    report();
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    last = performance.now();
  };
  return () => (performance.now() - last < maxBlockingMs ? undefined : yieldOnce());
}

const maxBlockingMs = 50;
