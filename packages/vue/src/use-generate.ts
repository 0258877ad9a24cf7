import { toValue, type MaybeRefOrGetter, type ShallowRef } from "vue";
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
export type UsedGeneration<R extends Runtime = MainThread> = {
  /** `{ status, text, tokens, error }` */
  readonly state: Readonly<ShallowRef<GenerationState<TokenOf<R>>>>;
  /** Generates from a prompt, and stops a running generation. Resolves to the final state; without a model to undefined. */
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
 * Generates text with a model. `state` changes at each token. Unmounting the component stops the generation.
 *
 * @param model - A model, or a ref or getter of one, such as `() => state.value.model` of {@link useModel}.
 * @param options - `runtime`: runtime of the model. Default: this thread.
 *
 * @example
 * ```ts
 * import { effectScope } from "vue";
 * import { useGenerate, useModel } from "@qkv/vue";
 *
 * const story = effectScope().run(() => {
 *   const model = useModel(null);
 *   return useGenerate(() => model.value.model);
 * });
 * await story?.generate("Once upon a time"); // no model yet: nothing happens
 * story?.state.value.status; // => "idle"
 * ```
 */
export function useGenerate<R extends Runtime = MainThread>(
  model: MaybeRefOrGetter<ModelOf<R> | undefined>,
  options: { runtime?: R } = {},
): UsedGeneration<R> {
  const store = generationStore<R>(options);
  return {
    state: useStore(store),
    async generate(prompt, given) {
      const currentModel = toValue(model) as ModelOf<R> | undefined;
      return currentModel === undefined ? undefined : store.generate(currentModel, prompt, given);
    },
    stop: store.stop,
    reset: store.reset,
  };
}
