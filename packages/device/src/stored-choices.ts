/** Strings by key: the part of the `Storage` interface of browsers that choices need. */
export type ChoiceStorage = {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
};

/** A stored choice. `milliseconds`: measured time of each device. `at`: time of the choice, in milliseconds since 1970. */
type Entry = {
  readonly name: string;
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly at: number;
};

/** A week. Drivers are updated without a change of the adapter's name, so older choices are measured again. Unit: milliseconds. */
const maxAgeMs = 7 * 24 * 3600 * 1000;

/**
 * The choices in a storage, under a key made of `keyParts`: version, adapter and preferences. If the storage throws, nothing
 * is stored or found.
 */
export class StoredChoices {
  readonly #storage: ChoiceStorage | undefined;
  readonly #key: string;
  readonly #now: () => number;

  constructor(storage: ChoiceStorage | undefined, keyParts: readonly string[], now: () => number) {
    this.#storage = storage;
    this.#key = ["@qkv/device", ...keyParts].join("|");
    this.#now = now;
  }

  /** The stored choice, if it is younger than a week and its device is one of `names`. */
  get(names: readonly string[]): Entry | undefined {
    try {
      const entry = JSON.parse(this.#storage?.getItem(this.#key) ?? "null") as Entry | null;
      const age = this.#now() - (entry?.at ?? -Infinity);
      if (entry && names.includes(entry.name) && age >= 0 && age < maxAgeMs)
        return { ...entry, milliseconds: entry.milliseconds ?? {} };
    } catch {
      // Unreadable entries count as missing.
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
      // The storage is full or not allowed: the next call measures again.
    }
  }
}

/** `localStorage`, or undefined if it does not exist or access to it is denied. */
export function browserStorage(): ChoiceStorage | undefined {
  try {
    return (globalThis as { localStorage?: ChoiceStorage }).localStorage;
  } catch {
    return undefined;
  }
}
