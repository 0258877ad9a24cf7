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
import { ownStore, type Store } from "./store.js";

/** A generation: what there is of it so far. */
export type GenerationState<Token> = {
  /** `stopped`: by `stop()`, another generation or the end of the last reader; what was generated stays. */
  readonly status: "idle" | "running" | "done" | "stopped" | "error";
  /** The text so far, without the prompt. */
  readonly text: string;
  readonly tokens: readonly Token[];
  /** The error that the runtime threw, if it did. */
  readonly error: unknown;
};

/** The store of a generation. */
export type GenerationStore<R extends Runtime> = Store<GenerationState<TokenOf<R>>> & {
  /**
   * Continues a prompt; a generation that runs is stopped. The result is the state at the end, with the error if there was one:
   * it does not reject.
   */
  generate(
    model: ModelOf<R>,
    prompt: PromptOf<R>,
    options?: GenerateOptionsOf<R>,
  ): Promise<GenerationState<TokenOf<R>>>;
  /** Ends the generation. */
  stop(): void;
  /** Ends the generation, and forgets its text. */
  reset(): void;
};

const nothing = { status: "idle", text: "", tokens: [], error: undefined } as const;

/**
 * A generation as a store: its text grows with each token. It is stopped when the last reader has left.
 *
 * @param options - `runtime`: that of the model. Default {@link mainThread}.
 *
 * @example
 * ```ts
 * import { generationStore, mainThread } from "@qkv/stores";
 *
 * // One layer of one head, a vocabulary of 5. Yours is a name, a folder or a file: mainThread.load("Qwen/Qwen3-0.6B").
 * const checkpoint = new Uint8Array(4 * (7 + 58));
 * checkpoint.set(new Uint8Array(Int32Array.of(2, 3, 1, 1, 1, 5, 4).buffer));
 * const model = await mainThread.load(checkpoint);
 * const store = generationStore();
 * const lengths: number[] = [];
 * const leave = store.subscribe(({ tokens }) => lengths.push(tokens.length));
 * const { status, tokens } = await store.generate(model, [1], { maxTokens: 3 });
 * leave();
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
  const store = ownStore<State>(nothing, { onNone: () => stop() });

  function stop(): void {
    work.stop();
    const now = store.getSnapshot();
    if (now.status === "running") store.set({ ...now, status: "stopped" });
  }

  async function run(model: ModelOf<R>, prompt: PromptOf<R>, given?: GenerateOptionsOf<R>): Promise<State> {
    stop();
    const signal = work.begin();
    let own: State = { ...nothing, status: "running" };
    const show = (next: Partial<State>) => {
      own = { ...own, ...next };
      if (!signal.aborted) store.set(own);
      return own;
    };
    show({});
    try {
      const tokens = (runtime as unknown as UncheckedRuntime).generate(model as object, prompt, {
        ...given,
        signal,
      });
      for await (const token of tokens) {
        if (signal.aborted) break;
        show({ text: own.text + token.text, tokens: [...own.tokens, token as unknown as TokenOf<R>] });
      }
    } catch (error) {
      if (!signal.aborted) return show({ status: "error", error });
    }
    return show({ status: signal.aborted ? "stopped" : "done" });
  }

  return {
    subscribe: store.subscribe,
    getSnapshot: store.getSnapshot,
    generate: run,
    stop,
    reset() {
      work.stop();
      store.set(nothing);
    },
  };
}
