/// <reference types="node" />
import { ArgumentError, DeviceError, FormatError, isQkvError } from "@qkv/core";
import { modelTiny } from "@qkv/model-tiny";
import { js } from "@qkv/tensor";
import {
  embed as embedHere,
  generate as generateHere,
  load as loadHere,
  loadEncoder,
  type GeneratedToken,
  type GenerateSummary,
  type Progress,
} from "@qkv/transformer";
import { afterEach, expect, test } from "vitest";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { referenceData } from "../../../conformance/reference-data.mjs";
import { embed, generate, load, type LoadOptions, type WorkerModel } from "./index.js";
import { serve } from "./serve.js";

// Both ends in one thread: what is tested is what they send each other. Threads and pages: tests/worker.test.ts and
// worker.browser.slow.test.ts.
const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

function channel() {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  serve({ port: port2 });
  return { port: port1, server: port2 };
}

const loaded = async (options: LoadOptions = {}) =>
  load(await modelTiny(), { worker: channel().port, device: "js", ...options });

const prompt = "Once upon a time";

async function collected(tokens: AsyncIterable<GeneratedToken>): Promise<GeneratedToken[]> {
  const list: GeneratedToken[] = [];
  for await (const token of tokens) list.push(token);
  return list;
}

/** The error that work rejects with. */
const rejection = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("tokens, their probabilities and the summary are those of the same call in this thread", async () => {
  const options = { maxTokens: 12, sampling: { temperature: 0.8, seed: 5 }, logprobs: 2, stop: ["."] };
  const summaries: GenerateSummary[] = [];
  const onFinish = (summary: GenerateSummary) => summaries.push(summary);
  const here = await loadHere(await modelTiny());
  const expected = await collected(generateHere(here, prompt, { ...options, onFinish }));
  expect(expected.length).toBeGreaterThan(3);
  const model = await loaded();
  expect(await collected(generate(model, prompt, { ...options, onFinish }))).toEqual(expected);
  const ids = Array.from(here.tokenizer!.encode(prompt));
  expect(await collected(generate(model, ids, options))).toEqual(expected);
  expect(summaries[1]).toEqual({ ...summaries[0], timings: expect.anything() });
  await model.dispose();
});

test("a loaded model has sizes, kind, device and memory use", async () => {
  const model = await loaded();
  const { vocabSize, embedDim, numLayers, contextLength } = (await loadHere(await modelTiny())).config;
  expect(model).toMatchObject({
    kind: "decoder",
    device: "js",
    config: { vocabSize, embedDim, numLayers, contextLength },
  });
  expect(await model.memory()).toEqual({ bytes: undefined, peakBytes: undefined });
  const inWasm = await loaded({ device: "wasm", quantize: "int8" });
  expect(inWasm.device).toMatch(/^wasm/);
  expect(inWasm.quantization!.bytesAfter).toBeLessThan(inWasm.quantization!.bytesBefore);
  expect((await inWasm.memory()).bytes).toBeGreaterThan(100_000);
});

test.each([
  ["vit", "a model of images", "loadVision"],
  ["clip", "a model of images", "loadDualEncoder"],
  ["whisper", "a speech model", "loadSpeech"],
])("%s is refused: a worker loads only text models", async (folder, received, loader) => {
  const files = ["config.json", "model.safetensors"].map(
    (name) => new File([referenceData.bytes(`hf/${folder}/${name}`)], name),
  );
  const error: unknown = await load(files, { worker: channel().port, device: "js" }).catch(
    (error: unknown) => error,
  );
  expect(error).toMatchObject({ fn: "load", argument: "source", received });
  expect((error as { fix: string }).fix).toContain(loader);
});

test("the worker computes at most four tokens ahead of a slow loop, and stops when the loop ends", async () => {
  const { port } = channel();
  const model = await load(await modelTiny(), { worker: port, device: "js" });
  let computed = 0;
  port.on("message", ({ r }: { r?: { value?: object } }) => {
    if (r?.value && "token" in r.value) computed += 1;
  });
  let taken = 0;
  for await (const { id } of generate(model, prompt, { maxTokens: 40 })) {
    expect(id).toBeGreaterThanOrEqual(0);
    taken += 1;
    await expect.poll(() => computed).toBe(taken + 4);
    await pause(60);
    expect(computed, "no further token").toBe(taken + 4);
    if (taken === 3) break;
  }
  await pause(60);
  expect(computed).toBe(3 + 4);
});

test("an abort ends a loop at once, with the signal's reason", async () => {
  const model = await loaded();
  const reason = new Error("enough");
  const controller = new AbortController();
  const { signal } = controller;
  const tokens: GeneratedToken[] = [];
  const ended = rejection(
    (async () => {
      for await (const token of generate(model, prompt, { signal })) {
        if (tokens.push(token) === 2) controller.abort(reason);
      }
    })(),
  );
  expect(await ended).toBe(reason);
  expect(tokens.length).toBe(2);
  expect(await rejection(collected(generate(model, prompt, { signal })))).toBe(reason);
  // The worker goes on to serve.
  expect(await collected(generate(model, prompt, { maxTokens: 2 }))).toHaveLength(2);
});

test("an abort ends the wait for a worker that does not answer", async () => {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const controller = new AbortController();
  const loading = rejection(load("nowhere", { worker: port1, signal: controller.signal }));
  controller.abort();
  expect(await loading).toMatchObject({ name: "AbortError" });
  expect(await rejection(load("nowhere", { worker: port1, signal: AbortSignal.abort("no") }))).toBe("no");
});

test("errors keep their class and facts, and name the called function", async () => {
  const model = await loaded();
  const tooMany = await rejection(collected(generate(model, prompt, { maxTokens: -1 })));
  expect(tooMany).toBeInstanceOf(ArgumentError);
  expect(tooMany).toMatchObject({ fn: "generate", argument: "maxTokens", received: -1 });
  const same = await rejection(
    collected(generateHere(await loadHere(await modelTiny()), prompt, { maxTokens: -1 })),
  );
  expect((tooMany as Error).message).toBe((same as Error).message);

  const missing = await rejection(load("/no/such/folder.gguf", { worker: channel().port }));
  expect(missing).toBeInstanceOf(ArgumentError);
  expect((missing as Error).message).toMatch(/^load: `source` is "\/no\/such\/folder.gguf", expected a file/);
  const damaged = await rejection(load(new Uint8Array(0), { worker: channel().port }));
  expect(damaged).toBeInstanceOf(FormatError);
  expect((damaged as Error).message).toMatch(/^load: `0 bytes: dim`/);
  const noDevice = await rejection(load("nowhere", { worker: channel().port, device: "cuda" }));
  expect((noDevice as Error).message).toMatch(
    /^load: `device` is "cuda", expected the name of a device: wasm/,
  );
  expect(((await rejection(embed(model, ["a cat"]))) as Error).message).toMatch(
    /^embed: `model` is "a decoder", expected an encoder/,
  );
});

test.each([
  ["device", { device: js() }, /`device` is an object.*\nFix: name it: "wasm"/],
  ["tokenizer", { tokenizer: { encode: () => [] } }, /`tokenizer` is .*expected its file/],
  ["hub.client", { hub: { client: { downloadFile: () => null } } }, /`hub.client` is .*cannot be sent/],
  ["store", { store: { find: () => undefined } }, /`find` is .*expected one of the options name, offline/],
  ["onProgress", { onProgress: "loud" }, /`onProgress` is "loud", expected a function/],
  ["worker", { worker: "service" }, /`worker` is "service", expected "dedicated", "shared", a Worker/],
  ["shared", { worker: "shared" }, /`worker` is "no `SharedWorker`".*\nFix: leave it out/],
  ["devise", { devise: "wasm" }, /`devise` is "wasm", expected one of the options.*\nFix: write `device`/],
])("an invalid option is refused by name: %s", async (_, options, message) => {
  const error = await rejection(load("nowhere", options as never));
  expect(isQkvError(error)).toBe(true);
  expect((error as Error).message).toMatch(message);
});

test("sources and options that cannot be sent are refused by name", async () => {
  const source = { size: 4, read: () => new Uint8Array(4) };
  expect(await rejection(load(source))).toMatchObject({ fn: "load", argument: "source" });
  const model = await loaded();
  for (const argument of ["cache", "processors"]) {
    const options = { [argument]: [] } as object;
    expect(await rejection(collected(generate(model, prompt, options)))).toMatchObject({ argument });
  }
  const inThisThread = (await loadHere(await modelTiny())) as unknown as WorkerModel;
  for (const wrong of [inThisThread, undefined, {} as WorkerModel]) {
    expect(await rejection(collected(generate(wrong as WorkerModel, prompt)))).toMatchObject({
      argument: "model",
    });
    expect(await rejection(embed(wrong as WorkerModel, ["a cat"]))).toMatchObject({ argument: "model" });
  }
});

test("an AbortController in place of its signal, and a model of this thread, are refused with the fix", async () => {
  const signal = new AbortController() as never;
  const model = await loaded();
  const fix = "write `signal: controller.signal`.";
  expect(await rejection(load("x", { signal }))).toMatchObject({ name: "ArgumentError", fn: "load", fix });
  expect(await rejection(collected(generate(model, prompt, { signal })))).toMatchObject({
    fn: "generate",
    fix,
  });
  expect(await rejection(load(modelTiny as never))).toMatchObject({
    received: modelTiny,
    fix: "call it: `await load(await modelTiny())`.",
  });
  const here = await loadHere(await modelTiny());
  expect(await rejection(collected(generate(here as never, prompt)))).toMatchObject({
    received: "a model in this thread",
    fix: "import `generate` from where its `load` comes from: @qkv/transformer, or qkv.",
  });
  // As the function of the other package says it, of a model that a worker has.
  expect(await rejection(collected(generateHere(model as never, prompt)))).toMatchObject({
    received: "a model in a worker",
    fix: "import `generate` from where its `load` comes from: @qkv/worker, or qkv/worker.",
  });
});

test("progress is reported in bytes, with the names of the files", async () => {
  const told: Progress[] = [];
  await loaded({ onProgress: (progress) => told.push(progress) });
  const weights = told.filter(({ source }) => source === "model.safetensors");
  expect(weights.length).toBeGreaterThan(0);
  expect(weights.at(-1)!.loaded).toBe(weights.at(-1)!.total);
});

test("bytes are copied, of a view only its range, and remain usable", async () => {
  const files = await modelTiny();
  const whole = new Uint8Array(await files.find(({ name }) => name === "tokenizer.json")!.arrayBuffer());
  const buffer = new Uint8Array(whole.length + 7);
  buffer.set(whole, 7);
  const withoutTokenizer = files.filter(({ name }) => !name.startsWith("tokenizer"));
  const model = await load(withoutTokenizer, {
    worker: channel().port,
    device: "js",
    tokenizer: buffer.subarray(7),
  });
  expect(buffer.length).toBe(whole.length + 7);
  expect((await collected(generate(model, prompt, { maxTokens: 2 }))).length).toBe(2);
});

test("embeddings equal those of this thread, and their memory is transferred", async () => {
  const files = ["config.json", "model.safetensors"].map(
    (name) => new File([referenceData.bytes(`hf/bert-pooler/${name}`)], name),
  );
  const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "dog"];
  const tokenizer = new Blob([
    JSON.stringify({
      model: {
        type: "WordPiece",
        unk_token: "[UNK]",
        vocab: Object.fromEntries(vocabulary.map((v, i) => [v, i])),
      },
      pre_tokenizer: { type: "Whitespace" },
    }),
  ]);
  const model = await load(files, { worker: channel().port, device: "js", tokenizer });
  expect(model.kind).toBe("encoder");
  const here = await loadEncoder(files, { tokenizer });
  const texts = ["a cat", "a dog", "cat a dog"];
  for (const pooling of ["mean", "cls", "last"] as const) {
    const vectors = await embed(model, texts, { pooling });
    expect(vectors).toEqual(await embedHere(here, texts, { pooling }));
    expect(vectors.map(({ length }) => length)).toEqual([1, 2, 3].map(() => model.config.embedDim));
  }
  const rounded = await load(files, { worker: channel().port, device: "js", tokenizer, quantize: "int8" });
  const roundedHere = await loadEncoder(files, { tokenizer, quantize: "int8" });
  expect(rounded.quantization).toEqual(roundedHere.quantization);
  expect(await embed(rounded, texts)).toEqual(await embedHere(roundedHere, texts));
  const cut = { dimensions: 2, prompt: "a " };
  expect(await embed(model, texts, cut)).toEqual(await embedHere(here, texts, cut));
  expect(await embed(model, [])).toEqual([]);
  expect(await rejection(embed(model, "a cat" as never))).toMatchObject({ argument: "texts" });
  expect(await rejection(embed(model, texts, { signal: AbortSignal.abort("no") }))).toBe("no");
  expect(await rejection(embed(model, texts, { pooling: "max" as never }))).toMatchObject({
    argument: "pooling",
  });
  const cannot = await rejection(collected(generate(model, "a cat")));
  expect((cannot as Error).message).toMatch(/^generate: `model` is "an encoder", expected a decoder/);
});

test("dispose rejects running calls, and later calls are refused", async () => {
  const model = await loaded();
  const tokens = generate(model, prompt);
  await tokens.next();
  await model.dispose();
  await model.dispose();
  const error = await rejection(collected(tokens));
  expect(error).toBeInstanceOf(DeviceError);
  expect((error as Error).message).toMatch(
    /^generate: `worker` is "a model that was disposed of", expected a worker that answers.\nFix: `load` it again/,
  );
  expect(await rejection(collected(generate(model, prompt)))).toBeInstanceOf(DeviceError);
  expect(model[Symbol.asyncDispose]).toBe(model.dispose);
});

test("when the worker has ended, all pending calls reject with the fix", async () => {
  const { port, server } = channel();
  const model = await load(await modelTiny(), { worker: port, device: "js" });
  const tokens = generate(model, prompt);
  await tokens.next();
  const memory = rejection(model.memory());
  server.close();
  const error = await rejection(collected(tokens));
  expect(error).toBeInstanceOf(DeviceError);
  expect((error as Error).message).toMatch(/\nFix: `load` the model again\. .*quantize: "int8"/);
  expect(await memory).toSatisfy((one) => one === undefined || one instanceof DeviceError);
});

test("two models of one worker are independent, and are freed separately", async () => {
  const { port } = channel();
  const files = await modelTiny();
  const [one, two] = await Promise.all([1, 2].map(() => load(files, { worker: port, device: "js" })));
  const [a, b] = await Promise.all(
    [one!, two!].map((model) => collected(generate(model, prompt, { maxTokens: 5 }))),
  );
  expect(a).toEqual(b);
  await one!.dispose();
  expect(await collected(generate(two!, prompt, { maxTokens: 5 }))).toEqual(a);
});

test("`serve` outside of a worker is refused with the fix", () => {
  expect(() => serve({ port: {} as never })).toThrow(
    /^serve: `port` is an object with no keys, expected a MessagePort/,
  );
  expect(() => serve({ ports: [] } as never)).toThrow(/^serve: `ports`/);
});
