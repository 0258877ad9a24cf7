import { checks } from "@qkv/core";
import { latestWork } from "./latest-work.js";
import { checkRuntime } from "./loading-store.js";
import {
  mainThread,
  type GenerateOptionsOf,
  type MainThread,
  type ModelOf,
  type PromptOf,
  type Runtime,
  type TokenOf,
  type UncheckedRuntime,
} from "./runtime.js";
import { writableStore, type Store } from "./store.js";

/** The state of a generation. */
export type GenerationState<Token> = {
  /** `stopped`: by `stop()`, another generation, or because the last subscriber unsubscribed; the text so far is kept. */
  readonly status: "idle" | "running" | "done" | "stopped" | "error";
  /** The text so far, without the prompt. */
  readonly text: string;
  readonly tokens: readonly Token[];
  /** The error thrown by the runtime, if any. */
  readonly error: unknown;
};

/** A store for one generation at a time. */
export type GenerationStore<R extends Runtime> = Store<GenerationState<TokenOf<R>>> & {
  /**
   * Continues a prompt. A running generation is stopped. Resolves to the final state, including an error, if any:
   * the promise does not reject.
   */
  generate(
    model: ModelOf<R>,
    prompt: PromptOf<R>,
    options?: GenerateOptionsOf<R>,
  ): Promise<GenerationState<TokenOf<R>>>;
  /** Stops the generation. */
  stop(): void;
  /** Stops the generation, and clears its text. */
  reset(): void;
};

const initialState = { status: "idle", text: "", tokens: [], error: undefined } as const;

/**
 * Creates a store for generation: its text grows with each token. The generation is stopped when the last subscriber unsubscribes.
 *
 * @param options - `runtime`: the runtime of the model. Default {@link mainThread}.
 *
 * @example
 * ```ts
 * import { generationStore, mainThread } from "@qkv/stores";
 *
 * // A checkpoint of llama2.c with one layer of one head and 5 tokens.
 * // Yours is a name, a folder or a file: mainThread.load("Qwen/Qwen3-0.6B").
 * const checkpoint = new Uint8Array(4 * (7 + 58));
 * checkpoint.set(new Uint8Array(Int32Array.of(2, 3, 1, 1, 1, 5, 4).buffer));
 * const model = await mainThread.load(checkpoint);
 * const store = generationStore();
 * const lengths: number[] = [];
 * const unsubscribe = store.subscribe(({ tokens }) => lengths.push(tokens.length));
 * const { status, tokens } = await store.generate(model, [1], { maxTokens: 3 });
 * unsubscribe();
 * [status, tokens.length]; // => ["done", 3]
 * lengths; // => [0, 0, 1, 2, 3, 3]
 * ```
 */
export function generationStore<R extends Runtime = MainThread>(
  options: { runtime?: R } = {},
): GenerationStore<R> {
  const check = checks("generationStore");
  const { runtime = mainThread } = check.options(options, ["runtime"]);
  checkRuntime(check, runtime, "generate");
  type State = GenerationState<TokenOf<R>>;
  const work = latestWork();
  const store = writableStore<State>(initialState, { onNoSubscribers: () => stop() });

  function stop(): void {
    work.stop();
    const snapshot = store.getSnapshot();
    if (snapshot.status === "running") store.set({ ...snapshot, status: "stopped" });
  }

  async function run(
    model: ModelOf<R>,
    prompt: PromptOf<R>,
    generateOptions?: GenerateOptionsOf<R>,
  ): Promise<State> {
    stop();
    const signal = work.begin();
    let state: State = { ...initialState, status: "running" };
    const update = (next: Partial<State>) => {
      state = { ...state, ...next };
      if (!signal.aborted) store.set(state);
      return state;
    };
    update({});
    try {
      const tokens = (runtime as unknown as UncheckedRuntime).generate(model as object, prompt, {
        ...generateOptions,
        signal,
      });
      for await (const token of tokens) {
        if (signal.aborted) break;
        update({ text: state.text + token.text, tokens: [...state.tokens, token as unknown as TokenOf<R>] });
      }
    } catch (error) {
      if (!signal.aborted) return update({ status: "error", error });
    }
    return update({ status: signal.aborted ? "stopped" : "done" });
  }

  return {
    subscribe: store.subscribe,
    getSnapshot: store.getSnapshot,
    generate: run,
    stop,
    reset() {
      work.stop();
      store.set(initialState);
    },
  };
}
