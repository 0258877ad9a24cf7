import { nodeThreads } from "./node-threads.js";

/** Web Locks: the engine releases the locks of a tab or worker when it ends in any way. Undefined in Node, which has exit events. */
function lockManager(): LockManager | undefined {
  if (nodeThreads()) return undefined;
  return (globalThis.navigator as Navigator | undefined)?.locks;
}

/**
 * Acquires a lock and holds it.
 *
 * @returns A function that releases it; undefined if there are no Web Locks, such as in a page without https.
 */
export async function holdLock(
  name: string,
  mode: LockMode = "exclusive",
): Promise<(() => void) | undefined> {
  const locks = lockManager();
  if (!locks) return undefined;
  return new Promise((resolve) => {
    locks
      .request(name, { mode }, () => new Promise<void>((release) => resolve(release)))
      // Web Locks are forbidden in pages with an opaque origin.
      .catch(() => resolve(undefined));
  });
}

/** Acquires the lock if it is free, calls `f`, and holds the lock while this thread runs. */
export async function lockIfFree(name: string, f: () => void): Promise<void> {
  const locks = lockManager();
  if (!locks) return;
  await new Promise<void>((resolve) => {
    const attempt = locks.request(name, { ifAvailable: true }, (lock) => {
      resolve();
      if (!lock) return undefined;
      f();
      return new Promise<void>(() => undefined);
    });
    attempt.catch(() => resolve());
  });
}

/** Calls `f` when the lock becomes free. `signal`: cancels the wait. */
export function onceReleased(name: string, f: () => void, signal?: AbortSignal): void {
  void lockManager()
    ?.request(name, signal ? { signal } : {}, () => f())
    .catch(() => undefined);
}
