import { additive } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { crossEntropy, mapTensors, type Tensor } from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import { recurrentTranslator } from "@qkv/transformer";
import { ascii, dates } from "@qkv/transformer/tasks";
import {
  pairBatches,
  trainStep,
  type PairBatch,
} from "@qkv/transformer/training";
import { attentionMap, lines } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

const device = await wasm();
const pairs = dates({ seed: 1 }); // "3 May 1979" → "1979-05-03"
const pairAt = (n: number) => {
  const { source, target } = pairs(n);
  return { source: ascii.encode(source), target: ascii.encode(target) };
};
const batchAt = pairBatches({ pairAt, batchSize: 32, ...ascii, device });

// The query is the writer's state, keys and values are the same annotations of what was read.
const [F, steps] = [32, 200];
const model = recurrentTranslator({
  vocabSize: ascii.vocabSize,
  embedDim: 16,
  hiddenDim: F,
  attention: additive({ queryDim: F, keyDim: F, hiddenDim: F }),
  asks: "before", // it writes, as Bahdanau did
});
const params = mapTensors(model.init(1), (x) => x.to(device));
const loss = (
  p: typeof params,
  { source, sourceLengths, written, targets }: PairBatch,
) =>
  crossEntropy(
    model.apply(p, model.read(p, source, sourceLengths), written),
    targets,
  );
const learningRate = warmupCosine({ peak: 0.02, warmupSteps: 20, steps });
const optimizer = adam({ learningRate });
const [step, state] = [
  trainStep({ loss, optimizer, maxNorm: 1 }),
  optimizer.init(params),
];
const start = performance.now();
const losses = Array.from({ length: steps }, (_, i) =>
  Number(step(params, state, [batchAt(i)]).toNested()),
);
const seconds = (performance.now() - start) / 1000;
print(`${steps} steps of 32 dates in ${seconds.toFixed(1)} s, here`);
const every4th = losses.filter((_, i) => i % 4 === 3);
const shape = [every4th.length];
show(lines({ data: every4th, shape }, { title: "loss, in nats per letter" }));

// Dates from further on in the list.
const place = 100_000;
const { source, sourceLengths, written } = batchAt(place);
const read = model.read(params, source, sourceLengths);
const { startId } = ascii;
const said = model
  .write(params, read, { startId, length: 11 })
  .map((ids) => ascii.decode(ids));
const asked = said.map((_, b) => pairs(place * 32 + b));
const right = asked.filter(({ target }, b) => said[b] === target).length;
asked
  .slice(0, 4)
  .forEach(({ source }, b) => print(source.padEnd(20), "→", said[b]));
print(`${right} of ${said.length} dates are right`);

// Where the writer looked, letter by letter.
const tensors: Record<string, Tensor> = {};
model.apply(params, read, written, { trace: { names: ["weights"], tensors } });
const weights = tensors["weights"];
const b = asked.findIndex((pair) => /^\d+ [A-Z]/.test(pair.source));
const { source: from = "", target: to = "" } = asked[b] ?? {};
if (weights) {
  const [, , T = 0, S = 0] = weights.shape;
  const map = Array.from({ length: to.length * from.length }, (_, n) => {
    const [t, s] = [Math.floor(n / from.length), n % from.length];
    return weights.data[(b * T + t) * S + s] ?? NaN;
  });
  show(
    attentionMap(
      { data: map, shape: [to.length, from.length] },
      { rowLabels: [...to], columnLabels: [...from], title: from, max: 1 },
    ),
  );
}
if (!(right >= 29)) throw new Error(`only ${right} of 32 dates are right`);
