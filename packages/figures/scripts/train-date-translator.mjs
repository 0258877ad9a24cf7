// Trains the translator of dates that *Before transformers* draws, and writes its weights: `node
// packages/figures/scripts/train-date-translator.mjs` after a build. By seed: it writes the same file again.
import { writeFileSync } from "node:fs";
import { crossEntropy, mapTensors } from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import { dates } from "@qkv/transformer/tasks";
import { pairBatches, train } from "@qkv/transformer/training";
import { wasm } from "@qkv/wasm";
import { dateLetters, dateTranslator } from "../src/encoder-decoder-attention/date-translator.ts";
import { bytesOfWeights } from "../src/half-weights.ts";

const [steps, batchSize, tested] = [1000, 32, 1000];
const out = new URL("../src/encoder-decoder-attention/weights.ts", import.meta.url);
const device = await wasm();
const pairs = dates({ seed: 1 });
const pairAt = (place) => {
  const { source, target } = pairs(place);
  return { source: dateLetters.encode(source), target: dateLetters.encode(target) };
};
const { startId, endId, padId } = dateLetters;
const batchAt = pairBatches({ pairAt, batchSize, startId, endId, padId, device });
const model = dateTranslator();
const params = mapTensors(model.init(1), (x) => x.to(device));
const loss = (p, batch) =>
  crossEntropy(
    model.apply(p, model.encode(p, batch.source, batch.sourceLengths), batch.decoderInput),
    batch.targets,
  );
const learningRate = warmupCosine({ peak: 0.02, warmupSteps: 20, steps });
const run = train({ params, loss, optimizer: adam({ learningRate }), maxNorm: 1, batchAt, steps });
for await (const { step, loss } of run) if (step % 50 === 0) console.log(step, loss.toFixed(4));

// Dates from much later in the list.
let right = 0;
const first = 100_000;
for (let batch = 0; batch * batchSize < tested; batch++) {
  const { source, sourceLengths } = batchAt(first + batch);
  const read = model.encode(params, source, sourceLengths);
  const written = model.greedyDecode(params, read, { startId, length: 11 });
  written.forEach((ids, b) => {
    const place = batch * batchSize + b;
    if (place < tested && dateLetters.decode(ids) === pairs(first * batchSize + place).target) right++;
  });
}
console.log(`${right} of ${tested} dates are correct`);
const text = Buffer.from(bytesOfWeights(params)).toString("base64");
const madeBy = `Trained for ${steps} steps of ${batchSize} random dates; ${right} of ${tested} other dates are correct`;
writeFileSync(
  out,
  `// Made by scripts/train-date-translator.mjs.
export const madeBy = "${madeBy}";

export const weights: string =
  "${text}";
`,
);
