import { html, LitElement, nothing, type ReactiveController, type ReactiveControllerHost } from "lit";
import { modelTiny } from "@qkv/model-tiny";
import { attentionStore, embeddingStore, generationStore, sharedModel, type Store } from "@qkv/stores";
import { defineElements } from "@qkv/viz/elements";
import { wasm } from "@qkv/wasm";
import * as worker from "@qkv/worker";
import { bert, cosines, prompt, sentence, texts } from "./model";

defineElements();
const files = await modelTiny();

/** Renders an element again when a store changes. */
class StoreController<Snapshot> implements ReactiveController {
  #leave = () => {};
  #host: ReactiveControllerHost;
  #store: Store<Snapshot>;

  constructor(host: ReactiveControllerHost, store: Store<Snapshot>) {
    this.#host = host;
    this.#store = store;
    host.addController(this);
  }

  hostConnected() {
    this.#leave = this.#store.subscribe(() => this.#host.requestUpdate());
  }

  hostDisconnected() {
    this.#leave();
  }

  get value() {
    return this.#store.getSnapshot();
  }
}

class Models extends LitElement {
  #story = generationStore({ runtime: worker });
  #heads = attentionStore();
  #alike = embeddingStore();
  #inWorker = new StoreController(this, sharedModel(files, { runtime: worker }));
  #here = new StoreController(this, sharedModel(files, { device: wasm }));
  #storyNow = new StoreController(this, this.#story);
  #headsNow = new StoreController(this, this.#heads);
  #alikeNow = new StoreController(this, this.#alike);
  #seen: object | undefined;

  connectedCallback() {
    super.connectedCallback();
    void this.#alike.run(bert, texts);
  }

  updated() {
    const { model } = this.#here.value;
    if (!model || model === this.#seen) return;
    this.#seen = model;
    void this.#heads.run({ model, text: sentence });
  }

  createRenderRoot() {
    return this;
  }

  render() {
    const [{ status, model, error }, { model: here }] = [this.#inWorker.value, this.#here.value];
    const [story, heads, alike] = [this.#storyNow.value, this.#headsNow.value, this.#alikeNow.value];
    const write = () => model && this.#story.generate(model, prompt, { maxTokens: 10 });
    return html`<main>
      <section id="story">
        <button ?disabled=${status !== "ready"} @click=${write}>Write</button>
        <output>${story.text}</output>
        <p role="status">${error ?? story.status}</p>
      </section>
      ${
        heads.result
          ? html`<qkv-head-grid .args=${[heads.result.weights]}></qkv-head-grid>`
          : html`<p>${heads.error ?? "…"}</p>`
      }
      ${here ? html`<p id="sizes">${here.config.numLayers} x ${here.config.numHeads}</p>` : nothing}
      <p id="alike">${alike.error ?? cosines(alike.result ?? [])}</p>
    </main>`;
  }
}
customElements.define("my-models", Models);

const leave = document.createElement("button");
leave.id = "leave";
leave.textContent = "Leave";
const models = document.createElement("my-models");
leave.onclick = () => models.remove();
document.querySelector("#app")!.append(leave, models);
