import { print, show } from "@qkv/page";
import { adam } from "@qkv/tensor/optimizers";
import { byteLevelBpe } from "@qkv/tokenizer";
import { trainBpe } from "@qkv/tokenizer/training";
import { decoder, generate, load, type Model } from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { nextTokenBatches, tokenLoss, train } from "@qkv/transformer/training";
import { lines } from "@qkv/viz";

const text = `The cat sat on the mat. The dog sat on the rug.
The cat saw the dog, and the dog saw the cat. The mat was red, and the rug was blue.
`;
const tokenizer = byteLevelBpe(await trainBpe([text], { vocabSize: 290 }));
const { config, init, apply } = decoder({
  vocabSize: tokenizer.vocabSize,
  embedDim: 32,
  hiddenDim: 64,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 64,
  normEps: 1e-5,
  stopIds: [],
});

// Train 200 steps in this tab.
const params = init(1);
const run = {
  params,
  loss: tokenLoss({ apply }),
  optimizer: adam({ learningRate: 0.01 }),
  batchAt: nextTokenBatches(tokenizer.encode(text), {
    batchSize: 2,
    contextLength: 16,
    seed: 1,
  }),
};
const losses: number[] = [];
for await (const { loss } of train({ ...run, steps: 200, maxNorm: 1 }))
  losses.push(loss);
show(
  lines({ data: losses, shape: [200] }, { title: "loss, in nats per token" }),
);

// Export the files that engines read, into a folder in memory.
const out = memoryFolder();
await exportModel({ config, params, tokenizer }, { to: "hf", out });
for (const { name, size } of out.files) print(`${name}: ${size} bytes`);

// Load them again.
async function continuation(model: Model) {
  let written = "The cat";
  for await (const { text } of generate(model, written, { maxTokens: 30 }))
    written += text;
  return written;
}
const before = await continuation({ config, params, tokenizer, apply });
const after = await continuation(await load(out.files));
print(`trained here: ${before}`);
print(`loaded back:  ${after}`);
if (after !== before) throw new Error("the continuation changed");
if (!(losses.at(-1)! < 1)) throw new Error(`The loss is ${losses.at(-1)}.`);
