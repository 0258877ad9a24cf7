// The same in Node: a thread of the model's own, and one that the program made.
import { Worker } from "node:worker_threads";
import { modelTiny } from "@qkv/model-tiny";
import { generate, load } from "@qkv/worker";

const files = await modelTiny();
for (const make of [() => "dedicated", () => new Worker(new URL("./served-worker.js", import.meta.url))]) {
  const worker = make();
  const model = await load(files, { worker });
  let story = "Once upon a time";
  for await (const { text } of generate(model, story, { maxTokens: 10 })) story += text;
  console.log(story);
  await model.dispose();
  if (worker !== "dedicated") await worker.terminate();
}
