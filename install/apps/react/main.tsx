import "@qkv/viz/jsx";
import { StrictMode, Suspense, useState, version } from "react";
import { createRoot } from "react-dom/client";
import { modelTiny } from "@qkv/model-tiny";
import { properties, useAttention, useEmbedding, useGenerate, useModel } from "@qkv/react";
import { defineElements } from "@qkv/viz/elements";
import { wasm } from "@qkv/wasm";
import * as worker from "@qkv/worker";
import { bert, cosines, prompt, sentence, texts } from "./model";

defineElements();
const files = await modelTiny();

function Story() {
  const { status, model, error } = useModel(files, { runtime: worker });
  const story = useGenerate(model, { runtime: worker });
  const write = () => void story.generate(prompt, { maxTokens: 10 });
  return (
    <section id="story">
      <button onClick={write} disabled={status !== "ready"}>
        Write
      </button>
      <output>{story.text}</output>
      <p role="status">{error ? String(error) : story.status}</p>
    </section>
  );
}

function Heads() {
  const { model } = useModel(files, { device: wasm });
  const { result, error } = useAttention(model, sentence);
  if (!result) return <p>{String(error ?? "…")}</p>;
  const args: [typeof result.weights] = [result.weights];
  return version.startsWith("18") ? (
    <qkv-head-grid ref={properties({ args })} />
  ) : (
    <qkv-head-grid args={args} />
  );
}

function Sizes() {
  const { model } = useModel(files, { device: wasm, suspense: true });
  const { numLayers, numHeads } = model.config;
  return <p id="sizes">{`${numLayers} x ${numHeads}`}</p>;
}

function Alike() {
  const { result, error } = useEmbedding(bert, texts);
  return <p id="alike">{error ? String(error) : result && cosines(result)}</p>;
}

function App() {
  const [open, setOpen] = useState(true);
  return (
    <>
      <button id="leave" onClick={() => setOpen(false)}>
        Leave
      </button>
      {open && (
        <main>
          <Story />
          <Heads />
          <Suspense fallback="Loading …">
            <Sizes />
          </Suspense>
          <Alike />
        </main>
      )}
    </>
  );
}

createRoot(document.querySelector("#app")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
