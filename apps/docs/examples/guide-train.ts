import { print, show } from "@qkv/page";
import { mapTensors } from "@qkv/tensor";
import { adamW, paramGroups, warmupCosine } from "@qkv/tensor/optimizers";
import { decoder, generate } from "@qkv/transformer";
import { packedBatches, textExample } from "@qkv/transformer/data";
import { tokenLoss, train } from "@qkv/transformer/training";
import { trainingView, type TrainingRow } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

// Data: a token for each character, and 0 at the end of each text.
const texts = ["cat", "dog", "owl"].flatMap((animal) =>
  ["mat", "rug", "log"].map((place) => `the ${animal} sat on the ${place}.`),
);
const letters = [...new Set(texts.join(""))].sort();
const encode = (text: string) =>
  Array.from(text, (letter) => letters.indexOf(letter) + 1);
const examples = texts.map((text) => textExample([...encode(text), 0]));
const device = await wasm();
const batchAt = packedBatches(examples, {
  batchSize: 2,
  contextLength: 64,
  seed: 1,
  device,
});

// Model.
const model = decoder({
  vocabSize: letters.length + 1,
  embedDim: 32,
  hiddenDim: 64,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 64,
  normEps: 1e-5,
  stopIds: [0],
});
const params = mapTensors(model.init(1), (x) => x.to(device));

// Norms and biases learn without weight decay.
const steps = 150;
const learningRate = warmupCosine({ peak: 0.01, warmupSteps: 10, steps });
const optimizer = paramGroups(
  [
    {
      params: (path, x) => x.shape.length < 2,
      optimizer: adamW({ learningRate, weightDecay: 0 }),
    },
  ],
  adamW({ learningRate, weightDecay: 0.1 }),
);
const rows: TrainingRow[] = [];
let timeMs = 0;
for await (const report of train({
  ...{ params, optimizer, batchAt, steps },
  loss: tokenLoss(model),
  maxNorm: 1,
})) {
  rows.push(report);
  timeMs += report.timeMs;
}
const title = "loss, in nats per character";
show(trainingView(rows, { title }));
const perSecond = (steps * 2 * 64) / (timeMs / 1000);
print(`${Math.round(perSecond)} tokens per second on your device`);

let text = "the owl";
const trained = { ...model, params, tokenizer: undefined };
const start = encode(text);
for await (const { id } of generate(trained, start, { maxTokens: 30 }))
  text += letters[id - 1] ?? "";
print(text);
if (!texts.includes(text)) throw new Error("the model writes something else");
