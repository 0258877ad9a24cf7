// Components that come with their models and go at a stage: what pages.mjs calls.
/* global document */
import { modelTiny } from "@qkv/model-tiny";
import { wasm } from "@qkv/wasm";
import * as worker from "@qkv/worker";
import { cosines } from "../../../install/apps/model.ts";
import * as react from "./react.js";
import * as vue from "./vue.js";

const frameworks = { react, vue };
const files = await modelTiny();

/** Models in workers and devices of this thread that were made, as long as anything holds them. */
const made = [];
const noted = (one) => {
  made.push(new WeakRef(one));
  return one;
};
const runtime = {
  ...worker,
  load: async (...given) => noted(await worker.load(...given)),
};
const device = async () => noted(await wasm());

/** Stages at which a component goes, by what its hooks say then. */
const stages = {
  loading: ({ model }) => model.status === "loading",
  generating: ({ story }) => story.tokens.length > 1,
  done: ({ story, heads, alike }) => [story, heads, alike].every(({ status }) => status === "done"),
};
globalThis.stages = Object.keys(stages);
globalThis.frameworks = Object.keys(frameworks);

/** Mounts a component, unmounts it at a stage, and returns what it showed by then. */
globalThis.comeAndGo = async (framework, stage) => {
  const place = document.createElement("main");
  document.body.append(place);
  let unmount = () => undefined;
  let slow;
  try {
    return await new Promise((resolve, reject) => {
      const why = `${framework} does not come to the stage "${stage}": is a model of an earlier component still there?`;
      slow = setTimeout(() => reject(new Error(why)), 120_000);
      const onState = (state) => {
        const failed = Object.values(state).find(({ error }) => error !== undefined);
        if (failed) reject(failed.error);
        const { story, heads, alike } = state;
        if (stages[stage](state))
          resolve(
            stage === "done" ? [story.text, heads.result.weights.shape.join(), cosines(alike.result)] : [],
          );
      };
      unmount = frameworks[framework].mount(place, { files, runtime, device, onState });
    });
  } finally {
    clearTimeout(slow);
    unmount();
    place.remove();
  }
};

/** Models and devices that are still held, of all that were made. */
globalThis.held = () => ({ made: made.length, held: made.filter((one) => one.deref()).length });
globalThis.ready = true;
