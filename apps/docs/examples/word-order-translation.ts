import { print, show } from "@qkv/page";
import {
  crossEntropy,
  mapTensors,
  mul,
  uniform,
  type Tensor,
} from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import { encoderDecoder } from "@qkv/transformer";
import { pairBatches, train, type PairBatch } from "@qkv/transformer/training";
import { attentionMap } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

// English words and French ones. Colors follow nouns in French, and
// articles follow the gender of the noun.
const nouns = { cat: "chat", dog: "chien", cow: "vache", mouse: "souris" };
const isFeminine = (noun: string) => noun === "cow" || noun === "mouse";
const colors = { red: "rouge", yellow: "jaune", pink: "rose", brown: "marron" };
const verbs = { sees: "voit", hears: "entend", seeks: "cherche" };
const articles = { the: ["le", "la"], a: ["un", "une"] };
const words = [nouns, colors, verbs].flatMap((w) => Object.entries(w).flat());
const vocabulary = [
  ...["(start)", "(end)", "the", "a", "le", "la", "un", "une"],
  ...words,
];
const idsOf = (text: string) =>
  text.split(" ").map((word) => vocabulary.indexOf(word));
const textOf = (ids: readonly number[]) =>
  ids.map((id) => vocabulary[id]).join(" ");

/** Sentence n and its translation. */
function sentence(n: number) {
  const draws = uniform([7], { seed: 1, first: 7 * n }).data;
  let at = 0;
  const pick = <T extends object>(from: T) => {
    const names = Object.keys(from) as (keyof T & string)[];
    return names[Math.floor(draws[at++]! * names.length)]!;
  };
  const part = () => {
    const [article, color, noun] = [pick(articles), pick(colors), pick(nouns)];
    const own = articles[article][isFeminine(noun) ? 1 : 0];
    return {
      source: `${article} ${color} ${noun}`,
      target: `${own} ${nouns[noun]} ${colors[color]}`,
    };
  };
  const [who, verb, whom] = [part(), pick(verbs), part()];
  return {
    source: `${who.source} ${verb} ${whom.source}`,
    target: `${who.target} ${verbs[verb]} ${whom.target}`,
  };
}

const device = await wasm();
const { config, init, encode, apply } = encoderDecoder({
  vocabSize: vocabulary.length,
  embedDim: 32,
  hiddenDim: 64,
  numLayers: 1,
  numHeads: 1, // one map to look at
  contextLength: 8,
  placement: "pre",
  embeddingNorm: true,
  startIds: [0],
  stopIds: [1],
});
const params = mapTensors(init(1), (x) => x.to(device));
const pairAt = (n: number) => {
  const { source, target } = sentence(n);
  return { source: idsOf(source), target: idsOf(target) };
};
const ids = { startId: 0, endId: 1, padId: 1 };
const [batchSize, steps] = [32, 200];
const batchAt = pairBatches({ pairAt, batchSize, ...ids, device });
const loss = (p: typeof params, { source, decoderInput, targets }: PairBatch) =>
  crossEntropy(apply(p, decoderInput, { source }), targets);
const learningRate = warmupCosine({ peak: 0.01, warmupSteps: 20, steps });
const optimizer = adam({ learningRate });
let last = NaN;
const training = { params, loss, optimizer, maxNorm: 1, batchAt, steps };
for await (const step of train(training)) last = step.loss;
print(`Loss after ${steps} steps: ${last.toFixed(4)} nats per word.`);

// A sentence from much later in the list. Each word is written after the words
// before it; the source is read once.
const asked = sentence(1_000_009);
const source = encode(params, idsOf(asked.source));
const written = (interventions = {}) => {
  const out = [0];
  while (out.at(-1) !== 1 && out.length < config.contextLength) {
    const trace = { names: [], tensors: {}, interventions };
    const logits = apply(params, out, { source, last: 1, trace }).data;
    out.push(logits.indexOf(Math.max(...(logits as Float32Array))));
  }
  return out.slice(1).filter((id) => id !== 1);
};
const answer = written();
print(asked.source, "→", textOf(answer));

// The map of cross-attention: a row for each word that is written, a column for
// each word of the source.
const tensors: Record<string, Tensor> = {};
const name = "decoder.layers.0.crossAttention.weights";
apply(params, [0, ...answer].slice(0, -1), {
  source,
  trace: { names: [name], tensors },
});
show(
  attentionMap(tensors[name]!, {
    rowLabels: answer.map((id) => vocabulary[id]!),
    columnLabels: asked.source.split(" "),
    title: "rows: words written; columns: words read",
    max: 1,
  }),
);

// The same decoder, with what it reads from the source set to zero.
const blind = {
  "decoder.layers.0.crossAttentionOutput": (x: Tensor) => mul(x, 0),
};
print("without cross-attention →", textOf(written(blind)));
if (textOf(answer) !== asked.target) throw new Error(`wrote ${textOf(answer)}`);
