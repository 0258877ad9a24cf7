import { createApp, h, watch, watchEffect } from "vue";
import { useAttention, useEmbedding, useGenerate, useModel } from "@qkv/vue";
import { bert, prompt, sentence, texts } from "../../../install/apps/model.ts";

/** Mounts the component, and returns a function that unmounts it. */
export function mount(place, { files, runtime, device, onState }) {
  const app = createApp({
    setup() {
      const model = useModel(files, { runtime });
      const { state, generate } = useGenerate(() => model.value.model, { runtime });
      const here = useModel(files, { device });
      const heads = useAttention(() => here.value.model, sentence);
      const alike = useEmbedding(() => bert, texts);
      watch(
        () => model.value.status,
        (status) => status === "ready" && void generate(prompt, { maxTokens: 8 }),
      );
      watchEffect(() =>
        onState({
          model: model.value,
          story: state.value,
          here: here.value,
          heads: heads.value,
          alike: alike.value,
        }),
      );
      return () => h("p", state.value.text);
    },
  });
  app.mount(place);
  return () => app.unmount();
}
