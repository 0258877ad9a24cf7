import type { Progress } from "@qkv/transformer";
import type { OpenModel } from "./open-model.js";
import { orAborted } from "./or-aborted.js";

/** The abort signal and the progress callback of loading. */
export type LoadCalls = { signal: AbortSignal; onProgress: (progress: Progress) => void };

/** A reference to a model that several clients may share. */
export type Share = { readonly open: OpenModel; release(): Promise<void> };

/** Reference-counted models of a worker: clients with equal source and options share one; the last release frees it. */
export class SharedModels {
  readonly #entries = new Map<string, Entry>();

  /**
   * A reference to the model with this key, which is loaded if it is not.
   *
   * @param key - Source and options as JSON; undefined for a model that is never shared.
   */
  async share(
    key: string | undefined,
    open: (calls: LoadCalls) => Promise<OpenModel>,
    { signal, onProgress }: LoadCalls,
  ): Promise<Share> {
    const entry = (key !== undefined && this.#entries.get(key)) || new Entry(open);
    if (key !== undefined) this.#entries.set(key, entry);
    entry.holders += 1;
    entry.listeners.add(onProgress);
    let released = false;
    const release = async () => {
      if (released) return;
      released = true;
      entry.listeners.delete(onProgress);
      entry.holders -= 1;
      if (entry.holders > 0) return;
      if (key !== undefined) this.#entries.delete(key);
      await entry.close();
    };
    try {
      return { open: await orAborted(entry.loading, signal), release };
    } catch (error) {
      await release();
      throw error;
    }
  }
}

/** A model that is loaded or loading, with its number of clients. */
class Entry {
  holders = 0;
  readonly listeners = new Set<(progress: Progress) => void>();
  readonly loading: Promise<OpenModel>;
  readonly #controller = new AbortController();

  constructor(open: (calls: LoadCalls) => Promise<OpenModel>) {
    this.loading = open({
      signal: this.#controller.signal,
      onProgress: (progress) => {
        for (const listener of this.listeners) listener(progress);
      },
    });
  }

  async close(): Promise<void> {
    this.#controller.abort();
    const open = await this.loading.catch(() => undefined);
    await open?.device.close?.();
  }
}
