import { holdLock, lockAlone } from "./locks.js";

/** The lock that a tab shares while it has a shared worker or asks for one. A worker that ends holds it alone. */
const name = "@qkv/worker shared";

/** Tabs give the lock back after their last answer. Unit: milliseconds. */
const pausesMs = [100, 1000, 5000];

/** Keeps the shared worker alive, and waits for one that is ending, which is too late for a new tab. */
export const shareWorker = (): Promise<(() => void) | undefined> => holdLock(name, "shared");

/**
 * Ends this worker if no tab has it: its memory is freed at once, where a collector would take its time.
 *
 * @param isUsed - True if a client has come meanwhile.
 */
export async function endUnlessUsed(isUsed: () => boolean): Promise<void> {
  for (const pause of pausesMs) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (isUsed()) return;
    await lockAlone(name, () => close());
  }
}
