// Models in workers of each kind, whose stories the page shows: one of the model's own, one that the program made, one of all tabs.
/* global document, location */
import { modelTiny } from "@qkv/model-tiny";
import { generate, load } from "@qkv/worker";
import { ownWorker } from "./own-worker.js";

/** Models that are loaded, by kind of worker. */
const models = new Map();

/** Loads a model in a worker of a kind, and writes ten tokens. */
globalThis.write = async (kind) => {
  // Tabs share what they load from the same place.
  const source = kind === "shared" ? new URL("model/", location.href) : await modelTiny();
  const worker = { dedicated: "dedicated", shared: "shared", own: kind === "own" && ownWorker() }[kind];
  const model = await load(source, { worker });
  models.set(kind, model);
  let story = "Once upon a time";
  for await (const { text } of generate(model, story, { maxTokens: 10 })) story += text;
  document.querySelector("output").textContent = story;
  return story;
};

/** Computes until an abort, and returns the reason that the loop ended with. */
globalThis.abort = async (kind) => {
  const controller = new AbortController();
  const { signal } = controller;
  try {
    for await (const token of generate(models.get(kind), "Once", { signal }))
      if (token) controller.abort("enough");
  } catch (error) {
    return error;
  }
  return undefined;
};

globalThis.dispose = (kind) => models.get(kind).dispose();
globalThis.ready = true;
