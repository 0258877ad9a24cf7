// Compares a training step of LoRA with full fine-tuning: time, and elements of the optimizer's state. On `wasm` with one
// thread, batches of 8 sequences of 128 tokens, AdamW; medians of alternating rounds. Needs an otherwise idle machine: other
// work takes memory bandwidth, which products with thin matrices need more of. Fails if LoRA takes more than 0.75 of the time
// of a full step, or 0.05 of its state (`npm run nightly training`):
//   node scripts/training/lora.mjs [rounds, default 15]
import { mapTensors, tensorsOf } from "../../packages/tensor/dist/index.js";
import { adamW } from "../../packages/tensor/dist/optimizers.js";
import { lora } from "../../packages/transformer/dist/adapters.js";
import { decoder } from "../../packages/transformer/dist/index.js";
import { nextTokenBatches, tokenLoss, trainStep } from "../../packages/transformer/dist/training.js";
import { wasm } from "../../packages/wasm/dist/index.js";

const rounds = Number(process.argv[2] ?? 15);
const limits = { time: 0.75, state: 0.05 };
const device = await wasm({ threads: 1 });
const model = decoder({
  ...{ vocabSize: 512, embedDim: 256, hiddenDim: 704, numLayers: 4, numHeads: 8, numKvHeads: 4 },
  ...{ contextLength: 128, normEps: 1e-5, stopIds: [] },
});
const weights = () => mapTensors(model.init(1), (x) => x.to(device));
const text = Array.from({ length: 20_000 }, (_, i) => (i * i + (i >> 3)) % 512);
const batchAt = nextTokenBatches(text, { batchSize: 8, contextLength: 128, seed: 1, device });
const optimizer = adamW({ learningRate: 1e-4 });

/** A training method: its step, and the number of elements in its optimizer's state. */
function way(trained, params) {
  const state = optimizer.init(params);
  const update = trainStep({ loss: tokenLoss(trained), optimizer });
  return {
    step: (number) => update(params, state, [batchAt(number)]).data[0],
    size: tensorsOf(state).reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0),
    times: [],
  };
}
function adapter(target_modules) {
  const tuned = lora({ ...model, params: weights() }, { r: 8, lora_alpha: 16, target_modules });
  return way(
    tuned,
    mapTensors(tuned.init(2), (x) => x.to(device)),
  );
}

const full = way(model, weights());
const adapters = {
  "all linear maps": adapter("all-linear"),
  "q_proj and v_proj": adapter(["q_proj", "v_proj"]),
};
const ways = [full, ...Object.values(adapters)];
// The first two rounds are warm-up.
for (let round = -2; round < rounds; round++) {
  for (const { step, times } of ways) {
    const start = process.threadCpuUsage();
    step(round + 2);
    const { user, system } = process.threadCpuUsage(start);
    if (round >= 0) times.push((user + system) / 1000);
  }
}
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
console.log(`all weights: ${median(full.times).toFixed(0)} ms a step, state of ${full.size} numbers`);
let failed = 0;
for (const [name, { size, times }] of Object.entries(adapters)) {
  const time = median(times.map((ms, round) => ms / full.times[round]));
  const state = size / full.size;
  console.log(
    `rank 8, ${name}: ${median(times).toFixed(0)} ms, ${time.toFixed(3)} of a full step; state ${state.toFixed(4)} of its state`,
  );
  if (time > limits.time || state > limits.state) failed += 1;
}
await device.close();
console.log(`${Object.keys(adapters).length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
