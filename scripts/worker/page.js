// Functions that pages.mjs calls in a page.
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

async function generatedIds(options, promptIds = prompt) {
  const ids = [];
  for await (const { id } of generate(model, promptIds, options)) ids.push(id);
  return ids;
}

globalThis.loadModel = async (source, options) => {
  const bySource = new Map();
  const begin = performance.now();
  // The page starts the worker itself, so that `killWorker` can terminate it.
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

/**
 * Latencies of the main thread in ms, while `tokens` tokens are generated (2 s without a generation if 0): the times that
 * it takes to reply to a worker, which sends a ping every 4 ms.
 */
globalThis.mainThreadLatency = async (tokens) => {
  const source = `
    const times = [];
    let sentAt;
    const timer = setInterval(() => { if (sentAt === undefined) { sentAt = performance.now(); postMessage("ping"); } }, 4);
    onmessage = ({ data }) => {
      if (data === "end") { clearInterval(timer); return postMessage(times); }
      times.push(performance.now() - sentAt);
      sentAt = undefined;
    };`;
  const pinger = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  let start;
  // On a busy machine the whole generation could end before the worker has started.
  const started = new Promise((resolve) => (start = resolve));
  const allTimes = new Promise((resolve) => {
    pinger.onmessage = ({ data }) => {
      if (data !== "ping") return resolve(data);
      pinger.postMessage("pong");
      start();
    };
  });
  await started;
  let perSecond = 0;
  const ids =
    tokens === 0
      ? await new Promise((resolve) => setTimeout(() => resolve([]), 2000))
      : await generatedIds({
          maxTokens: tokens,
          onFinish: ({ timings }) => (perSecond = timings.tokensPerSecond),
        });
  pinger.postMessage("end");
  const times = (await allTimes).sort((a, b) => a - b);
  pinger.terminate();
  const quantile = (p) => times[Math.min(times.length - 1, Math.floor(p * times.length))];
  return {
    tokens: ids.length,
    perSecond,
    count: times.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    most: times.at(-1),
  };
};

/** Milliseconds from an abort to the end of the loop (`abort`), and until the worker answers another call (`stop`). */
globalThis.aborts = async () => {
  const long = Array.from({ length: 400 }, (_, i) => (7 * i + 3) % 1000);
  const cases = [
    { name: "between tokens", ids: prompt, after: 5 },
    { name: "in the middle of a prompt", ids: long, after: 0 },
  ];
  const results = [];
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
    results.push({ name, reason, abort: ended - aborted, stop: performance.now() - aborted });
  }
  return results;
};

globalThis.wrongCall = async () => {
  const error = await errorOf(generatedIds({ maxTokens: -1 }));
  const { name, fn, argument } = error;
  return { name, fn, argument, isOurs: isQkvError(error) };
};

globalThis.killWorker = async () => {
  const loop = errorOf(generatedIds({}));
  await new Promise((resolve) => setTimeout(resolve, 100));
  ownWorker.terminate();
  return String(await loop);
};

globalThis.ids = (maxTokens) => generatedIds({ maxTokens });
globalThis.dispose = async () => {
  await model.dispose();
  model = undefined;
};

globalThis.ready = true;
