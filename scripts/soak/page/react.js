import { createElement, StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { useAttention, useEmbedding, useGenerate, useModel } from "@qkv/react";
import { bert, prompt, sentence, texts } from "../../../install/apps/model.ts";

function Models({ files, runtime, device, onState }) {
  const model = useModel(files, { runtime });
  const story = useGenerate(model.model, { runtime });
  const here = useModel(files, { device });
  const heads = useAttention(here.model, sentence);
  const alike = useEmbedding(bert, texts);
  const { generate } = story;
  useEffect(() => {
    if (model.status === "ready") void generate(prompt, { maxTokens: 8 });
  }, [model.status, generate]);
  useEffect(() => onState({ model, story, here, heads, alike }));
  return createElement("p", null, story.text);
}

/** Mounts the component twice, as strict mode does, and returns a function that unmounts it. */
export function mount(place, props) {
  const root = createRoot(place);
  root.render(createElement(StrictMode, null, createElement(Models, props)));
  return () => root.unmount();
}
