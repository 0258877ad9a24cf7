// Mounts and unmounts components with their models, for pages.mjs.
/* global document */
import { modelTiny } from "@qkv/model-tiny";
import { wasm } from "@qkv/wasm";
import * as worker from "@qkv/worker";
import { cosines } from "../../../install/apps/model.ts";
import * as react from "./react.js";
import * as vue from "./vue.js";

const frameworks = { react, vue };
const files = await modelTiny();

/** Models in workers, and devices of this thread, until they are garbage-collected. */
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

/** Stages at which a component is unmounted, detected by the state of its hooks. */
const stages = {
  loading: ({ model }) => model.status === "loading",
  generating: ({ story }) => story.tokens.length > 1,
  done: ({ story, heads, alike }) => [story, heads, alike].every(({ status }) => status === "done"),
};
globalThis.stages = Object.keys(stages);
globalThis.frameworks = Object.keys(frameworks);

/** Mounts a component, unmounts it at a stage, and returns the text it showed until then. */
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

/** Number of models and devices that are not garbage-collected. */
globalThis.held = () => ({ made: made.length, held: made.filter((one) => one.deref()).length });
globalThis.ready = true;
