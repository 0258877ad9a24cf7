/** Texts by name, as `localStorage` has them. */
export type ChoiceStorage = {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
};

/** Measurements that a choice was made by, and the time of it. */
type Entry = {
  readonly name: string;
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly at: number;
};

/** Drivers change without a new name: after so long it is measured again. Unit: milliseconds. */
const longestMemory = 7 * 24 * 3600 * 1000;

/** Earlier choices by adapter, version and preferences. A storage that fails is one that remembers nothing. */
export class Remembered {
  readonly #storage: ChoiceStorage | undefined;
  readonly #key: string;
  readonly #now: () => number;

  constructor(storage: ChoiceStorage | undefined, facts: readonly string[], now: () => number) {
    this.#storage = storage;
    this.#key = ["@qkv/device", ...facts].join("|");
    this.#now = now;
  }

  /** The earlier choice, if it is one of these names. */
  get(names: readonly string[]): Entry | undefined {
    try {
      const entry = JSON.parse(this.#storage?.getItem(this.#key) ?? "null") as Entry | null;
      const age = this.#now() - (entry?.at ?? -Infinity);
      if (entry && names.includes(entry.name) && age >= 0 && age < longestMemory)
        return { ...entry, milliseconds: entry.milliseconds ?? {} };
    } catch {
      // Not readable: as if nothing were there.
    }
    return undefined;
  }

  set(name: string, milliseconds: Readonly<Record<string, number>>): void {
    try {
      this.#storage?.setItem(
        this.#key,
        JSON.stringify({ name, milliseconds, at: this.#now() } satisfies Entry),
      );
    } catch {
      // Full, or forbidden: the next page measures again.
    }
  }
}

/** The storage of a page; undefined where there is none, or it is forbidden. */
export function pageStorage(): ChoiceStorage | undefined {
  try {
    return (globalThis as { localStorage?: ChoiceStorage }).localStorage;
  } catch {
    return undefined;
  }
}
