import { createEffect, createSignal, from, Show } from "solid-js";
import { render } from "solid-js/web";
import { modelTiny } from "@qkv/model-tiny";
import { attentionStore, embeddingStore, generationStore, sharedModel } from "@qkv/stores";
import { defineElements } from "@qkv/viz/elements";
import { wasm } from "@qkv/wasm";
import * as worker from "@qkv/worker";
import { bert, cosines, prompt, sentence, texts } from "./model";

defineElements();
const files = await modelTiny();

function Models() {
  const story = generationStore({ runtime: worker });
  const heads = attentionStore();
  const alike = embeddingStore();
  const inWorker = from(sharedModel(files, { runtime: worker }));
  const here = from(sharedModel(files, { device: wasm }));
  const [storyNow, headsNow, alikeNow] = [from(story), from(heads), from(alike)];
  createEffect(() => {
    const model = here()?.model;
    if (model) void heads.run({ model, text: sentence });
  });
  createEffect(() => void alike.run(bert, texts));
  return (
    <main>
      <section id="story">
        <button
          disabled={inWorker()?.status !== "ready"}
          onClick={() => void story.generate(inWorker()!.model!, prompt, { maxTokens: 10 })}
        >
          Write
        </button>
        <output>{storyNow()?.text}</output>
        <p role="status">{String(inWorker()?.error ?? storyNow()?.status)}</p>
      </section>
      <Show when={headsNow()?.result} fallback={<p>{String(headsNow()?.error ?? "…")}</p>}>
        {(result) => <qkv-head-grid prop:args={[result().weights]} />}
      </Show>
      <Show when={here()?.model}>
        {(model) => <p id="sizes">{`${model().config.numLayers} x ${model().config.numHeads}`}</p>}
      </Show>
      <p id="alike">{String(alikeNow()?.error ?? cosines(alikeNow()?.result ?? []))}</p>
    </main>
  );
}

function App() {
  const [open, setOpen] = createSignal(true);
  return (
    <>
      <button id="leave" onClick={() => setOpen(false)}>
        Leave
      </button>
      <Show when={open()}>
        <Models />
      </Show>
    </>
  );
}

render(() => <App />, document.querySelector("#app")!);
