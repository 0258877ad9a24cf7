// Trains a model of `@qkv/model-tiny/algorithms` by its recipe, rounds it to float16, measures it on rows that are drawn with another
// seed, and writes it as a module of src/: by the names of TransformerLens, with its configuration. One thread and one seed: the
// same file each time.
//   node packages/model-tiny/scripts/algorithms/train.mjs brackets|palindromes|sorting
import { writeFileSync } from "node:fs";
import { loadTransformerLens, transformerLensCheckpoint } from "../../../lens/dist/transformer-lens.js";
import { argmax, cast, crossEntropy, mapTensors, mul, randn } from "../../../tensor/dist/index.js";
import { adamW, warmupCosine } from "../../../tensor/dist/optimizers.js";
import { writeSafetensors } from "../../../tensor/dist/safetensors.js";
import { decoder } from "../../../transformer/dist/index.js";
import { train } from "../../../transformer/dist/training.js";
import { wasm } from "../../../wasm/dist/index.js";
import { recipes } from "./recipes.mjs";

const [name] = process.argv.slice(2);
const recipe = recipes[name];
if (!recipe) throw new Error(`Give one of ${Object.keys(recipes).join(", ")}.`);
const { config, numAnswers, batches, seed, steps, learningRate: peak } = recipe;
const device = await wasm({ threads: 1 });
const model = decoder(config);
const output = { weight: mul(randn([numAnswers, config.embedDim], { seed: seed + 1 }), 0.02) };
const params = mapTensors({ ...model.init(seed), output }, (x) => x.to(device));

const start = performance.now();
const run = train({
  params,
  loss: (weights, { ids, targets }) => crossEntropy(model.apply(weights, ids), targets),
  optimizer: adamW({
    learningRate: warmupCosine({ peak, warmupSteps: 100, steps, floor: peak / 20 }),
    betas: [0.9, 0.98],
    weightDecay: 0.01,
  }),
  maxNorm: 1,
  batchAt: batches({ seed, device }),
  steps,
});
for await (const { step, loss } of run) {
  if (step % 500 !== 0) continue;
  const seconds = (performance.now() - start) / 1000;
  console.log(`step ${step}: loss ${loss.toFixed(4)}, ${seconds.toFixed(0)} s`);
}

const { cfg, tensors } = transformerLensCheckpoint({ ...model, params });
const halves = mapTensors(tensors, (x) => cast(x, "float16"));
const bytes = await writeSafetensors(halves, { cfg: JSON.stringify(cfg) });
const text = Buffer.from(bytes).toString("base64");
const module = `// Made by scripts/algorithms/train.mjs.\nexport const weights: string =\n  "${text}";\n`;
writeFileSync(new URL(`../../src/${name}-weights.ts`, import.meta.url), module);

const loaded = await loadTransformerLens(bytes, { device });
const heldOut = batches({ seed: seed + 1000, batchSize: 1000, device });
let [rows, right] = [0, 0];
for (let batch = 0; batch < 10; batch++) {
  const { ids, targets } = heldOut(batch);
  const [B, T] = ids.shape;
  const best = argmax(loaded.apply(loaded.params, ids), { axis: -1 }).data;
  for (let b = 0; b < B; b++) {
    const answers = targets.data.subarray(b * T, (b + 1) * T);
    rows += 1;
    if (answers.every((target, t) => target < 0 || target === best[b * T + t])) right += 1;
  }
}
console.log(
  `${bytes.length} bytes; ${right} of ${rows} held-out rows right (${((100 * right) / rows).toFixed(2)} %)`,
);
