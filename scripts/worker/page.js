// What pages.mjs calls in a page.
/* global Worker */
import { isQkvError } from "@qkv/core";
import { generate, load } from "@qkv/worker";

const prompt = [3, 14, 15, 92, 65, 35, 89, 79];
let model;
let ownWorker;

const errorOf = (work) =>
  work.then(
    () => undefined,
    (error) => error,
  );

async function drain(options, ids = prompt) {
  const list = [];
  for await (const { id } of generate(model, ids, options)) list.push(id);
  return list;
}

globalThis.loadModel = async (source, options) => {
  const bySource = new Map();
  const begin = performance.now();
  // A worker of the page's own, so that it can be ended.
  if (options.worker === undefined) {
    ownWorker = new Worker("/packages/worker/dist/model-worker.js", { type: "module" });
  }
  model = await load(source, {
    worker: ownWorker,
    ...options,
    onProgress: ({ source, loaded }) => {
      if (source.endsWith(".safetensors")) bySource.set(source, loaded);
    },
  });
  const progress = [...bySource.values()].reduce((sum, loaded) => sum + loaded, 0);
  return { milliseconds: performance.now() - begin, progress };
};

/** Times of answers of this thread to another one that asks every 4 ms, while so many tokens are generated. */
globalThis.answers = async (tokens) => {
  const asks = `
    const times = [];
    let asked;
    const timer = setInterval(() => { if (asked === undefined) { asked = performance.now(); postMessage("ask"); } }, 4);
    onmessage = ({ data }) => {
      if (data === "end") { clearInterval(timer); return postMessage(times); }
      times.push(performance.now() - asked);
      asked = undefined;
    };`;
  const asker = new Worker(URL.createObjectURL(new Blob([asks], { type: "text/javascript" })));
  let begin;
  // On a busy machine the whole generation may be over before the other thread has begun.
  const begun = new Promise((resolve) => (begin = resolve));
  const answered = new Promise((resolve) => {
    asker.onmessage = ({ data }) => {
      if (data !== "ask") return resolve(data);
      asker.postMessage("answer");
      begin();
    };
  });
  await begun;
  let perSecond = 0;
  const ids =
    tokens === 0
      ? await new Promise((resolve) => setTimeout(() => resolve([]), 2000))
      : await drain({
          maxTokens: tokens,
          onFinish: ({ timings }) => (perSecond = timings.tokensPerSecond),
        });
  asker.postMessage("end");
  const times = (await answered).sort((a, b) => a - b);
  asker.terminate();
  const at = (part) => times[Math.min(times.length - 1, Math.floor(part * times.length))];
  return {
    tokens: ids.length,
    perSecond,
    count: times.length,
    p50: at(0.5),
    p99: at(0.99),
    most: times.at(-1),
  };
};

/** Times from an abort to the end of the loop, and to an answer of the worker. */
globalThis.aborts = async () => {
  const long = Array.from({ length: 400 }, (_, i) => (7 * i + 3) % 1000);
  const cases = [
    { name: "between tokens", ids: prompt, after: 5 },
    { name: "in the middle of a prompt", ids: long, after: 0 },
  ];
  const found = [];
  for (const { name, ids, after } of cases) {
    const controller = new AbortController();
    const { signal } = controller;
    let aborted;
    const abort = () => {
      aborted = performance.now();
      controller.abort("enough");
    };
    let count = 0;
    const loop = async () => {
      for await (const token of generate(model, ids, { signal })) {
        if (token && ++count === after) setTimeout(abort, 20);
      }
    };
    if (after === 0) setTimeout(abort, 50);
    const reason = await errorOf(loop());
    const ended = performance.now();
    await model.memory();
    found.push({ name, reason, abort: ended - aborted, stop: performance.now() - aborted });
  }
  return found;
};

globalThis.wrongCall = async () => {
  const error = await errorOf(drain({ maxTokens: -1 }));
  const { name, fn, argument } = error;
  return { name, fn, argument, isOurs: isQkvError(error) };
};

globalThis.killWorker = async () => {
  const loop = errorOf(drain({}));
  await new Promise((resolve) => setTimeout(resolve, 100));
  ownWorker.terminate();
  return String(await loop);
};

globalThis.ids = (maxTokens) => drain({ maxTokens });
globalThis.dispose = async () => {
  await model.dispose();
  model = undefined;
};

globalThis.ready = true;
