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

/** A generation in a component. */
export type UsedGeneration<R extends Runtime = MainThread> = {
  /** `{ status, text, tokens, error }` */
  readonly state: Readonly<ShallowRef<GenerationState<TokenOf<R>>>>;
  /** Continues a prompt, and stops what runs. Does nothing while there is no model. */
  generate(
    prompt: PromptOf<R>,
    options?: GenerateOptionsOf<R>,
  ): Promise<GenerationState<TokenOf<R>> | undefined>;
  /** Ends the generation; its text stays. */
  stop(): void;
  /** Ends the generation, and forgets its text. */
  reset(): void;
};

/**
 * Generates with a model: `state` changes with each token. A generation is stopped when the component unmounts.
 *
 * @param model - A model, a ref or a getter: `() => state.value.model` of {@link useModel}.
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
      const own = toValue(model) as ModelOf<R> | undefined;
      return own === undefined ? undefined : store.generate(own, prompt, given);
    },
    stop: store.stop,
    reset: store.reset,
  };
}
