import { refuse } from "@qkv/core";
import type { Storage } from "./contracts.js";
import { tensorsOf } from "./tree.js";

/** A storage that a scope may free. */
export type ScopedStorage = Storage & {
  ended?: boolean;
  /** The storages of the scope that owns it; undefined if none does. */
  owner?: ScopedStorage[] | undefined;
};

/**
 * The scopes of a device. Allocations inside a scope belong to it. At its end, those that its function returned move to the enclosing
 * scope, and the others are freed.
 */
export type Scopes = {
  /** Runs `f` in a new scope. */
  scope<T>(f: () => T): T;
  /** Runs `f`, inside of which scopes free nothing: their storages move to the enclosing scope. */
  recording<T>(f: () => T): T;
  /** Adds a new storage to the innermost scope. */
  own(storage: ScopedStorage): void;
  /** Removes a storage from all scopes. */
  retain(storage: ScopedStorage): void;
  /** True inside of a scope. */
  active(): boolean;
};

/**
 * Creates the scopes of a device.
 *
 * @param release - Frees a storage at the end of its scope.
 * @param leave - Called with each storage that leaves the outermost scope. Default: does nothing.
 */
export function scopes(
  release: (storage: ScopedStorage) => void,
  leave: (storage: ScopedStorage) => void = () => undefined,
): Scopes {
  const stack: ScopedStorage[][] = [];
  let recorders = 0;
  return {
    scope(f) {
      if (recorders > 0) return checkSync(f());
      const storages: ScopedStorage[] = [];
      stack.push(storages);
      let returned: ScopedStorage[] = [];
      try {
        const result = checkSync(f());
        returned = tensorsOf(result).map(({ storage }) => storage as ScopedStorage);
        return result;
      } finally {
        stack.pop();
        const outer = stack.at(-1);
        for (const storage of returned) {
          if (storage.owner !== storages) continue;
          storage.owner = outer;
          if (outer) outer.push(storage);
          else leave(storage);
        }
        for (let i = 0; i < storages.length; i++) {
          const storage = storages[i]!;
          if (storage.owner !== storages) continue;
          storage.owner = undefined;
          storage.ended = true;
          release(storage);
        }
      }
    },
    recording(f) {
      recorders += 1;
      try {
        return f();
      } finally {
        recorders -= 1;
      }
    },
    own(storage) {
      const inner = stack.at(-1);
      storage.owner = inner;
      inner?.push(storage);
    },
    retain(storage) {
      storage.owner = undefined;
    },
    active: () => stack.length > 0,
  };
}

function checkSync<T>(result: T): T {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== "function") return result;
  refuse(
    "device.scope",
    "f",
    "a function that returns a promise",
    "a function that returns at once",
    "a scope is synchronous: await outside of it, and compute inside.",
  );
}
