// Data-parallel training in threads of Node: the time of a step with one worker and with several, in alternating rounds; the
// share of a step in which no worker computes; and whether the runs end with bitwise equal weights:
//   node scripts/training/workers.mjs [workers, default 2] [rounds, default 5]
import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { mapTensors, tensorsOf } from "../../packages/tensor/dist/index.js";
import { adamW } from "../../packages/tensor/dist/optimizers.js";
import { decoder } from "../../packages/transformer/dist/index.js";
import { nextTokenBatches, train } from "../../packages/transformer/dist/training.js";
import { wasm } from "../../packages/wasm/dist/index.js";
import { gradientWorkers } from "../../packages/worker/dist/training.js";

const [count = 2, rounds = 5] = process.argv.slice(2).map(Number);
const config = {
  ...{ vocabSize: 512, embedDim: 128, hiddenDim: 352, numLayers: 4, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 128, normEps: 1e-5, stopIds: [] },
};
const text = Array.from({ length: 20_000 }, (_, i) => (i * i + (i >> 3)) % 512);
const accumulate = 4;

async function run(workers) {
  const device = await wasm({ threads: 1 });
  const params = mapTensors(decoder(config).init(1), (x) => x.to(device));
  const source = gradientWorkers({
    worker: () => new Worker(new URL("./gradients.mjs", import.meta.url)),
    count: workers,
    setup: config,
  });
  // Time from a request to a worker until its response, measured in this thread.
  let busyMs = 0;
  const loss = {
    async gradients(...call) {
      const start = performance.now();
      const answer = await source.gradients(...call);
      busyMs += performance.now() - start;
      return answer;
    },
  };
  const times = [];
  const batchAt = nextTokenBatches(text, { batchSize: 8, contextLength: 128, seed: 1, device });
  const optimizer = adamW({ learningRate: 1e-3 });
  for await (const { timeMs } of train({
    params,
    loss,
    optimizer,
    batchAt,
    accumulate,
    maxNorm: 1,
    steps: 6,
  }))
    times.push(timeMs);
  await source.close();
  const hash = createHash("sha256");
  for (const x of tensorsOf(params)) hash.update(new Uint8Array(x.data.slice().buffer));
  await device.close();
  const median = times.slice(1).sort((a, b) => a - b)[2];
  const total = times.reduce((sum, ms) => sum + ms, 0);
  return { median, idleShare: 1 - busyMs / total, hash: hash.digest("hex") };
}

const ratios = [];
const hashes = new Set();
for (let round = 0; round < rounds; round++) {
  const [one, several] = [await run(1), await run(count)];
  for (const { hash } of [one, several]) hashes.add(hash);
  ratios.push(one.median / several.median);
  const share = (several.idleShare * 100).toFixed(1);
  console.log(
    `1 worker ${one.median.toFixed(0)} ms, ${count} workers ${several.median.toFixed(0)} ms a step; ${share} % of it without a computing worker`,
  );
}
ratios.sort((a, b) => a - b);
console.log(
  `${count} workers are ${ratios[Math.floor(rounds / 2)].toFixed(2)} times one; weights ${hashes.size === 1 ? "equal bit for bit" : "DIFFER"}`,
);
