import { holdLock, lockIfFree } from "./locks.js";

/** Name of a lock that tabs hold in shared mode while they use the shared worker. A worker that ends holds it exclusively. */
const name = "@qkv/worker shared";

/** Delays of the attempts to end: a tab releases its lock shortly after its last call. Unit: milliseconds. */
const retryDelaysMs = [100, 1000, 5000];

/** Keeps the shared worker running. Waits until a worker that is ending has ended, so that the tab starts a new one. */
export const shareWorker = (): Promise<(() => void) | undefined> => holdLock(name, "shared");

/**
 * Ends this shared worker if no tab uses it, which frees its memory at once, before garbage collection.
 *
 * @param isUsed - Returns true if a new client has connected meanwhile.
 */
export async function endUnlessUsed(isUsed: () => boolean): Promise<void> {
  for (const delayMs of retryDelaysMs) {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (isUsed()) return;
    await lockIfFree(name, () => close());
  }
}
