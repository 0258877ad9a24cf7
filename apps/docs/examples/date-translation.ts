import { additive } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { crossEntropy, mapTensors, slice, type Tensor } from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import { recurrentTranslator } from "@qkv/transformer";
import { ascii, dates } from "@qkv/transformer/tasks";
import { pairBatches, train, type PairBatch } from "@qkv/transformer/training";
import { attentionMap, lines } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

const device = await wasm();
const pairs = dates({ seed: 1 }); // "3 May 1979" → "1979-05-03"
const pairAt = (n: number) => {
  const { source, target } = pairs(n);
  return { source: ascii.encode(source), target: ascii.encode(target) };
};
const batchAt = pairBatches({ pairAt, batchSize: 32, ...ascii, device });

// The query is the decoder's state. Keys and values are the same vectors: the
// encoder's annotations of the input.
const [F, steps] = [32, 200];
const model = recurrentTranslator({
  vocabSize: ascii.vocabSize,
  embedDim: 16,
  hiddenDim: F,
  attention: additive({ queryDim: F, keyDim: F, hiddenDim: F }),
  queryState: "previous", // as Bahdanau did
});
const params = mapTensors(model.init(1), (x) => x.to(device));
const loss = (p: typeof params, batch: PairBatch) => {
  const read = model.encode(p, batch.source, batch.sourceLengths);
  return crossEntropy(model.apply(p, read, batch.decoderInput), batch.targets);
};
const learningRate = warmupCosine({ peak: 0.02, warmupSteps: 20, steps });
const optimizer = adam({ learningRate });
const losses: number[] = [];
const start = performance.now();
for await (const step of train({
  params,
  loss,
  optimizer,
  maxNorm: 1,
  batchAt,
  steps,
}))
  losses.push(step.loss);
const seconds = (performance.now() - start) / 1000;
print(
  `Trained ${steps} steps of 32 dates in ${seconds.toFixed(1)} s on your device.`,
);
const title = "training loss, in nats per letter";
show(lines({ data: losses, shape: [steps] }, { title }));

// Test on dates from much later in the list.
const place = 100_000;
const { source, sourceLengths, decoderInput } = batchAt(place);
const read = model.encode(params, source, sourceLengths);
const generated = model.greedyDecode(params, read, { ...ascii, length: 11 });
const asked = generated.map((ids, b) => ({
  ...pairs(place * 32 + b),
  decoded: ascii.decode(ids),
}));
for (const one of asked.slice(0, 4))
  print(one.source.padEnd(20), "→", one.decoded);
const right = asked.filter(({ target, decoded }) => target === decoded).length;
print(`${right} of 32 dates are correct`);

// Show where the decoder looked, letter by letter.
const tensors: Record<string, Tensor> = {};
model.apply(params, read, decoderInput, {
  trace: { names: ["weights"], tensors },
});
const b = asked.findIndex((pair) => /^\d+ [A-Z]/.test(pair.source));
const { source: from, target: to } = asked[b]!;
const ofDate = slice(tensors["weights"]!, 0, b, b + 1); // [1, 1, T, S], filled up to the longest
const map = slice(slice(ofDate, 2, 0, to.length), 3, 0, from.length);
show(
  attentionMap(map, {
    rowLabels: [...to],
    columnLabels: [...from],
    title: from,
    max: 1,
  }),
);
if (!(right >= 29)) throw new Error(`only ${right} of 32 dates are correct`);
