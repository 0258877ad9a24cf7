import { DeviceError } from "@qkv/core";
import { modelTiny } from "@qkv/model-tiny";
import { expect, test } from "vitest";
import { generate, load, type WorkerModel } from "./index.js";

const prompt = "Once upon a time";
const story = ", the frog and the bear had a race.";
const own = () => new Worker(new URL("./model-worker.ts", import.meta.url), { type: "module" });

async function generatedText(model: WorkerModel): Promise<string> {
  let text = "";
  for await (const token of generate(model, prompt, { maxTokens: 10 })) text += token.text;
  return text;
}

test("load starts a dedicated Worker", async () => {
  const model = await load(await modelTiny());
  expect(await generatedText(model)).toBe(story);
  await model.dispose();
  await expect(generatedText(model)).rejects.toThrow(/a model that was disposed/);
});

test("load connects to a SharedWorker, with a connection for each page", async () => {
  const files = await modelTiny();
  const models = await Promise.all([1, 2].map(() => load(files, { worker: "shared" })));
  expect(await Promise.all(models.map(generatedText))).toEqual([story, story]);
  await models[0]!.dispose();
  expect(await generatedText(models[1]!)).toBe(story);
  await models[1]!.dispose();
});

test("a terminated Worker releases its lock, and all pending calls reject", async () => {
  const worker = own();
  const model = await load(await modelTiny(), { worker });
  const tokens = generate(model, prompt);
  await tokens.next();
  worker.terminate();
  const all = (async () => {
    for await (const { id } of tokens) expect(id).toBeGreaterThanOrEqual(0);
  })();
  await expect(all).rejects.toThrow(/^generate: `worker` is "one that ended".*\nFix: `load` the model again/);
  await expect(model.memory()).rejects.toBeInstanceOf(DeviceError);
});

test("a Worker whose script is missing rejects with an error and its fix", async () => {
  const worker = new Worker("/no-such-worker.js", { type: "module" });
  await expect(load(await modelTiny(), { worker })).rejects.toThrow(
    /one whose code could not be loaded.*\nFix: its file is dist\/model-worker.js.*optimizeDeps/,
  );
});

test("a closed page releases its model when its lock is released", async () => {
  const worker = own();
  const gone = "a page that is gone";
  // A client that never says that it leaves, as the page of a closed tab.
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    void navigator.locks.request(gone, () => {
      resolve();
      return new Promise<void>((end) => (release = end));
    });
  });
  await held;
  // Messages of birpc: t, type ("q" is a request); i, id; m, method; a, arguments; r, result.
  const answers = new Map<string, unknown>();
  worker.addEventListener("message", ({ data }: MessageEvent<{ i: string; r: unknown }>) =>
    answers.set(data.i, data.r),
  );
  const call = async (i: string, m: string, ...a: unknown[]) => {
    worker.postMessage({ t: "q", i, m, a });
    await expect.poll(() => answers.get(i), { timeout: 20_000 }).toBeDefined();
    return answers.get(i) as { value?: unknown; error?: { message: string } };
  };
  // Name of the client, protocol version, name of its lock, and false: its worker is not shared.
  await call("1", "hello", gone, 1, gone, false);
  const files = (await modelTiny()).map((file) => ({ blob: file.slice(), name: file.name }));
  expect(await call("2", "load", gone, { files }, { device: "js" })).toMatchObject({
    value: { kind: "decoder" },
  });
  expect(await call("3", "memory", gone)).toHaveProperty("value");
  release();
  await expect
    .poll(async () => (await call(`4 ${Math.random()}`, "memory", gone)).error?.message, { timeout: 20_000 })
    .toMatch(/a model that was disposed of/);
  worker.terminate();
});
