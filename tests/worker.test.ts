// The built @qkv/worker in threads of Node. Unit tests run the sources in one thread.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const folder = fileURLToPath(new URL("../packages/worker/", import.meta.url));
const storyOf = `
  const model = await load(await modelTiny());
  let story = "Once upon a time";
  for await (const { text } of generate(model, story, { maxTokens: 10 })) story += text;
  console.log(JSON.stringify(story));`;
const story = "Once upon a time, the frog and the bear had a race.";
const imports = `
  import { generate, load } from "@qkv/worker";
  import { modelTiny } from "@qkv/model-tiny";
  import { threadId, Worker } from "node:worker_threads";`;

/**
 * Runs a program in the package's folder, and returns the values that it printed as JSON. It must end within 60
 * seconds.
 */
async function run(code: string, type: "module" | "commonjs" = "module"): Promise<unknown[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [`--input-type=${type}`, "-e", code], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

describe("a model in a thread", () => {
  test("runs in an ES module, which ends even if it does not dispose of the model", async () => {
    expect(await run(imports + storyOf)).toEqual([story]);
  });

  test("runs in CommonJS", async () => {
    const required = `
      const { generate, load } = require("@qkv/worker");
      const { modelTiny } = require("@qkv/model-tiny");
      (async () => {${storyOf}})();`;
    expect(await run(required, "commonjs")).toEqual([story]);
  });

  test("does not block the calling thread: its timers run during prefill", async () => {
    const code = `${imports}
      const model = await load(await modelTiny());
      const prompt = Array.from({ length: 200 }, (_, i) => i);
      let [last, longest, ticks] = [performance.now(), 0, 0];
      const timer = setInterval(() => {
        ticks += 1;
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 1);
      let count = 0;
      for await (const { id } of generate(model, prompt, { maxTokens: 10 })) count += 1;
      clearInterval(timer);
      await model.dispose();
      console.log(JSON.stringify({ count, ticked: ticks > 3 }));`;
    expect(await run(code)).toEqual([{ count: 10, ticked: true }]);
  });

  test("rejects pending calls if the thread ends, with a fix", async () => {
    const code = `${imports}
      const worker = new Worker(new URL(import.meta.resolve("@qkv/worker/model-worker.js")), { execArgv: [] });
      const model = await load(await modelTiny(), { worker });
      const tokens = generate(model, "Once");
      await tokens.next();
      await worker.terminate();
      const fail = async () => { for await (const _ of tokens); };
      await fail().catch(({ name, fn, fix, message }) => console.log(JSON.stringify({ name, fn, fix, message })));`;
    const [error] = (await run(code)) as { message: string }[];
    expect(error).toMatchObject({ name: "DeviceError", fn: "generate" });
    expect(error!.message).toMatch(/`worker` is "one that ended with code 1".*\nFix: `load` the model again/);
  });

  test("frees its memory on dispose", async () => {
    const code = `${imports}
      const rssMebibytes = [];
      for (let i = 0; i < 12; i++) {
        const model = await load(await modelTiny());
        for await (const { id } of generate(model, "Once", { maxTokens: 4 }));
        await model.dispose();
        rssMebibytes.push(process.memoryUsage().rss / 2 ** 20);
      }
      console.log(JSON.stringify(rssMebibytes));`;
    const [rssMebibytes] = (await run(code)) as number[][];
    expect(Math.max(...rssMebibytes!.slice(6))).toBeLessThan(Math.max(...rssMebibytes!.slice(0, 6)) + 40);
  });
});

test("the worker's file has no imports", () => {
  const text = readFileSync(`${folder}dist/model-worker.js`, "utf8");
  const names = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([\w@][\w@/.-]*)"/g)].map(([, name]) => name);
  // This match is in an error text.
  expect(names).toEqual(["@huggingface/hub"]);
});

test("an import starts no thread or timer", async () => {
  const code = `
    const before = process.getActiveResourcesInfo().length;
    await import("@qkv/worker");
    console.log(JSON.stringify(process.getActiveResourcesInfo().length - before));`;
  expect(await run(code)).toEqual([0]);
});

test("training in two threads ends with the weights of training in one, and lets the program end", async () => {
  const code = `
    import { adamW } from "@qkv/tensor/optimizers";
    import { tensorsOf } from "@qkv/tensor";
    import { decoder } from "@qkv/transformer";
    import { nextTokenBatches, train } from "@qkv/transformer/training";
    import { gradientWorkers } from "@qkv/worker/training";
    import { Worker } from "node:worker_threads";
    const config = {
      vocabSize: 13, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
      contextLength: 16, normEps: 1e-5, stopIds: [],
    };
    const source = \`
      const { decoder } = require("@qkv/transformer");
      const { tokenLoss } = require("@qkv/transformer/training");
      const { wasm } = require("@qkv/wasm");
      const { serveGradients } = require("@qkv/worker/training");
      serveGradients(async (config) => ({ loss: tokenLoss(decoder(config)), device: await wasm({ threads: 1 }) }));\`;
    const text = Array.from({ length: 100 }, (_, i) => (i * i) % 13);
    const batchAt = nextTokenBatches(text, { batchSize: 2, contextLength: 8, seed: 1 });
    for (const count of [1, 2]) {
      const loss = gradientWorkers({ worker: () => new Worker(source, { eval: true, execArgv: [] }), count, setup: config });
      const params = decoder(config).init(1);
      for await (const _ of train({ params, loss, optimizer: adamW({ learningRate: 0.01 }), batchAt, accumulate: 4, steps: 3 }));
      console.log(JSON.stringify(tensorsOf(params).map((x) => [...x.data])));
      // The second is not closed: the program must end anyway.
      if (count === 1) await loss.close();
    }`;
  const [one, two] = await run(code);
  expect(two).toEqual(one);
});
