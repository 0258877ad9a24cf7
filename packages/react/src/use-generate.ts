import { useCallback, useMemo } from "react";
import {
  generationStore,
  type GenerateOptionsOf,
  type GenerationState,
  type MainThread,
  type ModelOf,
  type PromptOf,
  type Runtime,
  type TokenOf,
} from "@qkv/stores";
import { useStore } from "./use-store.js";

/** State and functions of a generation in a component. */
export type UsedGeneration<R extends Runtime = MainThread> = GenerationState<TokenOf<R>> & {
  /** Generates from a prompt, and stops a running generation. Resolves to the final state, and does not reject. */
  generate(
    prompt: PromptOf<R>,
    options?: GenerateOptionsOf<R>,
  ): Promise<GenerationState<TokenOf<R>> | undefined>;
  /** Stops the generation and keeps its text. */
  stop(): void;
  /** Stops the generation and clears its text. */
  reset(): void;
};

/**
 * Generates text with a model. The component renders at each token. Unmounting it stops the generation.
 *
 * @param model - The model, from `useModel`. While it is undefined, `generate` does nothing.
 * @param options - `runtime`: runtime of the model. Default: this thread.
 * @returns `status`, `text` and `tokens` so far, `error`; `generate(prompt, options)`, `stop()` and `reset()`, which are stable
 *   functions.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 * import { renderToString } from "react-dom/server";
 * import { useGenerate, useModel } from "@qkv/react";
 *
 * function Story() {
 *   const { model } = useModel("./Qwen3-0.6B");
 *   const { text, status, generate, stop } = useGenerate(model);
 *   const press = () => (status === "running" ? stop() : generate("Once upon a time", { maxTokens: 64 }));
 *   return createElement("button", { onClick: press, disabled: !model }, status, text);
 * }
 * renderToString(createElement(Story)); // => '<button disabled="">idle</button>'
 * ```
 */
export function useGenerate<R extends Runtime = MainThread>(
  model: ModelOf<R> | undefined,
  { runtime }: { runtime?: R } = {},
): UsedGeneration<R> {
  const store = useMemo(() => generationStore<R>(runtime === undefined ? {} : { runtime }), [runtime]);
  const state = useStore(store);
  const generate = useCallback(
    async (prompt: PromptOf<R>, options?: GenerateOptionsOf<R>) =>
      model === undefined ? undefined : store.generate(model, prompt, options),
    [store, model],
  );
  return { ...state, generate, stop: store.stop, reset: store.reset };
}
