/**
 * A value that changes, with those who read it. This is the contract of Svelte's stores, and what React's `useSyncExternalStore`
 * takes.
 */
export type Store<Snapshot> = {
  /** Calls `run` with the value, at once and at each change. The result ends that. */
  readonly subscribe: (run: (snapshot: Snapshot) => void) => () => void;
  /** The value now: the same object until it changes. */
  readonly getSnapshot: () => Snapshot;
};

/** A store that its owner sets. */
export type OwnStore<Snapshot> = Store<Snapshot> & {
  set(snapshot: Snapshot): void;
  /** Number of those who read. */
  readonly readers: () => number;
};

/** Calls when the first reader comes, and when there has been none for a while. */
export type Attendance = {
  onFirst?(): void;
  onNone?(): void;
  /** The while. A page that mounts a component anew leaves and comes in one go. Unit: milliseconds. Default 0. */
  patienceMs?: number;
};

/** Makes a store of a first value. */
export function ownStore<Snapshot>(first: Snapshot, attendance: Attendance = {}): OwnStore<Snapshot> {
  const { onFirst, onNone, patienceMs = 0 } = attendance;
  let snapshot = first;
  const readers = new Set<{ run: (snapshot: Snapshot) => void }>();
  let leaving: ReturnType<typeof setTimeout> | undefined;
  return {
    getSnapshot: () => snapshot,
    readers: () => readers.size,
    set(next) {
      snapshot = next;
      for (const { run } of [...readers]) run(next);
    },
    subscribe(run) {
      const reader = { run };
      readers.add(reader);
      clearTimeout(leaving);
      run(snapshot);
      if (readers.size === 1) onFirst?.();
      return () => {
        if (!readers.delete(reader) || readers.size > 0 || !onNone) return;
        leaving = setTimeout(onNone, patienceMs);
      };
    },
  };
}
