import type { Progress } from "@qkv/transformer";
import type { OpenModel } from "./open-model.js";
import { orAborted } from "./or-aborted.js";

/** Callbacks while a model is loaded. */
export type LoadCalls = { signal: AbortSignal; onProgress: (progress: Progress) => void };

/** A share of a model that several clients may have. */
export type Share = { readonly open: OpenModel; release(): Promise<void> };

/** The models of a worker: clients that ask for the same one share it, and the last one to leave frees it. */
export class SharedModels {
  readonly #entries = new Map<string, Entry>();

  /**
   * A share of the model of this key, which is loaded if nobody has it.
   *
   * @param key - Source and options as text; undefined for a model that is never shared.
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
