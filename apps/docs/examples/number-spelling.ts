import { luongDot } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { crossEntropy, mapTensors, tensor, type Tensor } from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import {
  recurrentTranslator,
  type TranslatorAttention,
} from "@qkv/transformer";
import { ascii, numberWords, spellNumber } from "@qkv/transformer/tasks";
import {
  pairBatches,
  trainStep,
  type PairBatch,
} from "@qkv/transformer/training";
import { attentionMap } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

const device = await wasm();
const pairs = numberWords({ seed: 1 }); // "142" → "one hundred forty-two"
const pairAt = (n: number) => {
  const { source, target } = pairs(n);
  return { source: ascii.encode(source), target: ascii.encode(target) };
};
const batchAt = pairBatches({ pairAt, batchSize: 32, ...ascii, device });

// Luong attention: the query is the new state, and the score is a dot product
// without weights.
const dot: TranslatorAttention<object> = {
  init: () => ({}),
  apply: (_, query, key, value, options) =>
    luongDot(query, key, value, options),
};
const [vocabSize, steps] = [ascii.vocabSize, 200];
const model = recurrentTranslator({
  vocabSize,
  embedDim: 16,
  hiddenDim: 48,
  attention: dot,
  queryState: "current",
});
const params = mapTensors(model.init(1), (x) => x.to(device));
const loss = (
  p: typeof params,
  { source, sourceLengths, decoderInput, targets }: PairBatch,
) =>
  crossEntropy(
    model.apply(p, model.encode(p, source, sourceLengths), decoderInput),
    targets,
  );
const learningRate = warmupCosine({ peak: 0.01, warmupSteps: 20, steps });
const optimizer = adam({ learningRate });
const [step, state] = [
  trainStep({ loss, optimizer, maxNorm: 1 }),
  optimizer.init(params),
];
for (let i = 0; i < steps; i++) step(params, state, [batchAt(i)]);

const ids = (list: number[][]) => tensor(list, { dtype: "int32", device });
function spell(numbers: number[]) {
  const source = ids(numbers.map((n) => ascii.encode(String(n))));
  const read = model.encode(params, source);
  const { startId } = ascii;
  const generated = model.greedyDecode(params, read, { startId, length: 28 });
  return { read, spellings: generated.map((ids) => ascii.decode(ids)) };
}
const all = Array.from({ length: 900 }, (_, i) => 100 + i).filter(
  (n) => n % 9 === 4,
);
const { spellings } = spell(all);
const right = all.filter((n, i) => spellings[i] === spellNumber(n)).length;
print(`${right} of ${all.length} three-digit numbers are spelled correctly`);

// Show where the decoder looked while it wrote one number.
const asked = 473;
const { read } = spell([asked]);
const answer = spellNumber(asked);
const tensors: Record<string, Tensor> = {};
const written = ids([[ascii.startId, ...ascii.encode(answer.slice(0, -1))]]);
model.apply(params, read, written, { trace: { names: ["weights"], tensors } });
if (tensors["weights"])
  show(
    attentionMap(tensors["weights"], {
      rowLabels: [...answer],
      columnLabels: [...String(asked)],
      title: answer,
      cellSize: 14,
      max: 1,
    }),
  );
if (!(right >= 80)) throw new Error(`only ${right} are correct`);
