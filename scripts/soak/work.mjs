// The work of a long-lived program, in units that return the same digest each time. Devices, models, caches and pools
// are created once and reused.
import { createHash } from "node:crypto";
import {
  growingCache,
  pagedCache,
  prefixCache,
  quantizedCache,
  rollingCache,
  staticCache,
} from "../../packages/kv-cache/dist/index.js";
import { modelTiny } from "../../packages/model-tiny/dist/index.js";
import { mapTensors, tensor, tensorsOf } from "../../packages/tensor/dist/index.js";
import { adamW } from "../../packages/tensor/dist/optimizers.js";
import { exportModel, memoryFolder } from "../../packages/transformer/dist/export.js";
import { decoder, generate, generateBatch, load } from "../../packages/transformer/dist/index.js";
import {
  nextTokenBatches,
  readCheckpoint,
  tokenLoss,
  train,
  writeCheckpoint,
} from "../../packages/transformer/dist/training.js";
import { wasm } from "../../packages/wasm/dist/index.js";
import * as thread from "../../packages/worker/dist/index.js";

/** Totals so far. */
export const done = { tokens: 0, steps: 0, forks: 0 };

const digest = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) {
    if (typeof part === "string" || part instanceof Uint8Array) hash.update(part);
    else for (const { data } of tensorsOf(part)) hash.update(data);
  }
  return hash.digest("hex").slice(0, 16);
};

/** The devices, created once, and the units of work by name, each of which returns a digest of its results. */
export async function longLived() {
  // A machine that sleeps for some minutes must not lose workers.
  const [singleThreaded, threaded] = [
    await wasm({ threads: 1 }),
    await wasm({ threads: 2, deadlineMs: 600_000 }),
  ];
  const files = await modelTiny();
  const stories = await load(files, { device: singleThreaded });
  const quantized = await load(files, { device: threaded, quantize: "int8" });
  const { numLayers } = stories.config;
  const pool = pagedCache({ numLayers, pages: 64, pageLength: 8 });
  const prefixes = prefixCache({ numLayers, pages: 32, pageLength: 8 });
  const held = {
    growing: growingCache({ numLayers }),
    static: staticCache({ numLayers, maxLength: 128 }),
    rolling: rollingCache({ numLayers, windowSize: 32 }),
    quantized: quantizedCache({ numLayers }),
    paged: pool,
  };
  const prompt = stories.tokenizer.encode("Once upon a time, the frog and the bear");

  const small = decoder({
    vocabSize: 256,
    embedDim: 32,
    hiddenDim: 64,
    numLayers: 2,
    numHeads: 4,
    numKvHeads: 2,
    contextLength: 64,
    normEps: 1e-5,
    stopIds: [],
  });
  const first = small.init(1);
  const text = new TextEncoder().encode("the frog saw the bear, and the bear saw the frog. ".repeat(20));
  const training = (device) => ({
    loss: tokenLoss(small),
    optimizer: adamW({ learningRate: 0.01 }),
    batchAt: nextTokenBatches(text, { batchSize: 4, contextLength: 24, seed: 1, device }),
    accumulate: 2,
    maxNorm: 1,
  });
  /** Continues training from a checkpoint to a number of steps, and returns the next checkpoint. */
  const trainTo = async (steps, device, bytes) => {
    const { params, state } = bytes
      ? await readCheckpoint(bytes, { device })
      : { params: mapTensors(first, (x) => x.to(device)), state: undefined };
    let last;
    for await (const report of train({ ...training(device), params, ...(state && { state }), steps })) {
      last = report;
      done.steps += 1;
    }
    return writeCheckpoint({ params, state: last.state, notes: { loss: last.loss } });
  };

  const work = {};
  for (const [kind, cache] of Object.entries(held)) {
    work[`tokens through a ${kind} cache`] = async () => {
      cache.reset();
      const ids = [];
      const sampling = { temperature: 0.8, topK: 40, seed: 7 };
      for await (const { id } of generate(stories, prompt, { cache, maxTokens: 40, sampling })) ids.push(id);
      done.tokens += ids.length;
      return digest(ids.join());
    };
  }
  work["tokens of weights in int8, on two threads"] = async () => {
    const ids = [];
    for await (const { id } of generate(quantized, prompt, { maxTokens: 40 })) ids.push(id);
    done.tokens += ids.length;
    return digest(ids.join());
  };
  work["several answers at once"] = async () => {
    const generated = {};
    const options = { samples: 3, maxTokens: 16, sampling: { temperature: 1, seed: 3 } };
    for await (const { id, prompt: p, sample } of generateBatch(
      stories,
      [prompt, prompt.slice(0, 4)],
      options,
    )) {
      (generated[`${p} ${sample}`] ??= []).push(id);
      done.tokens += 1;
    }
    return digest(JSON.stringify(Object.entries(generated).sort()));
  };
  work["a talk whose turns begin alike"] = async () => {
    const ids = [...prompt];
    let computed = 0;
    for (let round = 0; round < 3; round++) {
      const known = prefixes.matchPrefix(ids);
      computed += ids.length - known;
      const options = { cache: prefixes, maxTokens: 12 };
      for await (const { id } of generate(stories, ids.slice(known), options)) {
        ids.push(id);
        done.tokens += 1;
      }
      prefixes.insertPrefix(ids.slice(0, prefixes.length));
    }
    // The number of cached prompt tokens differs between conversations; the output does not.
    prefixes.reset();
    return computed > 0 ? digest(ids.join()) : "nothing was computed";
  };
  work["forks of caches, saved, restored, cropped and reordered"] = async () => {
    const logits = [];
    for (const cache of [held.growing, held.quantized, pool]) {
      cache.reset();
      stories.apply(stories.params, prompt, { cache, last: 1 });
      const forks = [cache.fork(), cache.fork(), cache.fork()];
      done.forks += forks.length;
      for (const [i, fork] of forks.entries())
        for (let t = 0; t < 4; t++)
          logits.push(stories.apply(stories.params, [5 * i + t], { cache: fork, last: 1 }));
      forks[0].crop(prompt.length + 1);
      forks[1].restore(forks[0].save());
      forks[2].repeat(3);
      forks[2].reorder([2, 0]);
      const two = tensor(Int32Array.of(9, 11), { shape: [2, 1] });
      logits.push(stories.apply(stories.params, two.to(singleThreaded), { cache: forks[2], last: 1 }));
      for (const fork of [forks[1], cache])
        logits.push(stories.apply(stories.params, [9], { cache: fork, last: 1 }));
      for (const fork of [...forks, cache]) fork.reset();
    }
    return digest(logits);
  };
  work["training, interrupted by a checkpoint"] = async () => {
    const bytes = await trainTo(4, singleThreaded, await trainTo(2, singleThreaded));
    return digest(bytes);
  };
  work["training on two threads"] = async () => digest(await trainTo(4, threaded));
  work["an export, loaded again"] = async () => {
    const out = memoryFolder();
    await exportModel({ config: small.config, params: first }, { to: "hf", out });
    const again = await load(out.files, { device: singleThreaded });
    return digest(again.params, again.apply(again.params, [1, 2, 3]));
  };
  const inThread = await thread.load(files);
  work["tokens of a thread, in loops that are left and aborted"] = async () => {
    const ids = [];
    for await (const { id } of thread.generate(inThread, prompt)) if (ids.push(id) === 12) break;
    const controller = new AbortController();
    try {
      for await (const { id } of thread.generate(inThread, prompt, { signal: controller.signal }))
        if (ids.push(id) === 20) controller.abort("enough");
    } catch (error) {
      ids.push(error);
    }
    done.tokens += 20;
    return digest(ids.join());
  };
  work["a thread that comes and goes with its model"] = async () => {
    const model = await thread.load(files, { quantize: "int8" });
    const ids = [];
    for await (const { id } of thread.generate(model, prompt, { maxTokens: 8 })) ids.push(id);
    done.tokens += ids.length;
    await model.dispose();
    return digest(ids.join());
  };
  work["text to ids and back"] = async () => {
    const story = "The bear laughed, 😀 and they ate some honey together.\n".repeat(40);
    const { tokenizer } = stories;
    return digest(tokenizer.encode(story).join(), tokenizer.decode(tokenizer.encode(story)));
  };
  return { devices: { singleThreaded, threaded }, work, models: [inThread] };
}
