/**
 * A value that changes over time, with subscribers. It follows the store contract of Svelte, and fits React's `useSyncExternalStore`.
 */
export type Store<Snapshot> = {
  /** Calls `run` with the value, immediately and at each change. Returns a function that unsubscribes. */
  readonly subscribe: (run: (snapshot: Snapshot) => void) => () => void;
  /** Returns the current value: the same object until it changes. */
  readonly getSnapshot: () => Snapshot;
};

/** A store whose value is set by its creator. */
export type WritableStore<Snapshot> = Store<Snapshot> & {
  set(snapshot: Snapshot): void;
  /** Number of subscribers. */
  readonly subscriberCount: () => number;
};

/** Callbacks for the first subscriber, and for the end of `idleMs` without subscribers. */
export type SubscriptionOptions = {
  onFirstSubscriber?(): void;
  onNoSubscribers?(): void;
  /** A page that remounts a component unsubscribes and subscribes at once. Unit: milliseconds. Default 0. */
  idleMs?: number;
};

/** Creates a store with an initial value. */
export function writableStore<Snapshot>(
  initial: Snapshot,
  options: SubscriptionOptions = {},
): WritableStore<Snapshot> {
  const { onFirstSubscriber, onNoSubscribers, idleMs = 0 } = options;
  let snapshot = initial;
  const subscribers = new Set<{ run: (snapshot: Snapshot) => void }>();
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  return {
    getSnapshot: () => snapshot,
    subscriberCount: () => subscribers.size,
    set(next) {
      snapshot = next;
      for (const subscriber of [...subscribers]) {
        if (snapshot !== next) return; // a subscriber has set another value, which all have received
        if (subscribers.has(subscriber)) subscriber.run(next);
      }
    },
    subscribe(run) {
      const subscriber = { run };
      subscribers.add(subscriber);
      clearTimeout(idleTimer);
      run(snapshot);
      if (subscribers.size === 1) onFirstSubscriber?.();
      return () => {
        if (!subscribers.delete(subscriber) || subscribers.size > 0 || !onNoSubscribers) return;
        idleTimer = setTimeout(onNoSubscribers, idleMs);
      };
    },
  };
}
