import { nodeThreads } from "./node-threads.js";

/** Locks tell when a tab or a worker ended, however it did: the engine releases those that it held. Node has other signs. */
function lockManager(): LockManager | undefined {
  if (nodeThreads()) return undefined;
  return (globalThis.navigator as Navigator | undefined)?.locks;
}

/**
 * Holds the lock of a name from now on.
 *
 * @returns A function that releases it; undefined where there are no locks, such as in a page without https.
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
      // Forbidden here, as in a page of an opaque origin.
      .catch(() => resolve(undefined));
  });
}

/** Calls `f` if nobody has the lock, and then holds it as long as this thread lives. */
export async function lockAlone(name: string, f: () => void): Promise<void> {
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

/** Calls `f` once nobody holds the lock of a name. `signal`: ends the wait. */
export function onceReleased(name: string, f: () => void, signal?: AbortSignal): void {
  void lockManager()
    ?.request(name, signal ? { signal } : {}, () => f())
    .catch(() => undefined);
}
