import { check, print, show } from "@qkv/page";
import { mul, softmax, tensor, uniform, type Tensor } from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import { decoder, encoder } from "@qkv/transformer";
import {
  maskedTokenBatches,
  nextTokenBatches,
  tokenLoss,
  trainStep,
  type BatchAt,
  type TokenModel,
} from "@qkv/transformer/training";
import { attentionMap, bars, lines } from "@qkv/viz";

// One training text for both. The sound after the animal tells which animal it
// is.
const sounds = { cat: "meows", dog: "barks", cow: "moos", bird: "sings" };
const animals = Object.keys(sounds);
const sentences = Object.entries(sounds).map(([a, s]) => `the ${a} ${s} .`);
const text = Array.from(
  uniform([300], { seed: 1 }).data,
  (u) => sentences[Math.floor(u * 4)],
);
const words = text.join(" ").split(" ");
const vocabulary = ["?", ...new Set(words)]; // ? stands for a masked word
const [V, ids] = [
  vocabulary.length,
  words.map((word) => vocabulary.indexOf(word)),
];

// The same sizes, words and steps. Only the mask and the task differ.
const sizes = {
  vocabSize: V,
  embedDim: 32,
  hiddenDim: 64,
  numLayers: 1,
  numHeads: 2,
  contextLength: 8,
  normEps: 1e-5,
};
const gpt = decoder({
  ...sizes,
  numKvHeads: 2,
  positions: "learned",
  stopIds: [],
});
const bert = encoder({ ...sizes, numTypes: 0 });
const [gptParams, bertParams] = [gpt.init(1), bert.init(1)];
// BERT's initial embeddings are small, for days of small steps. These steps are
// large, so the embeddings are too.
for (const table of [bertParams.embedding, bertParams.positions])
  table.weight = mul(table.weight, 10);
type BertParams = typeof bertParams;
const masked: TokenModel<BertParams> = {
  apply: (params, ids) =>
    bert.maskedTokenLogits(params, bert.apply(params, ids)),
};
const stretches = { batchSize: 16, contextLength: 8, seed: 1 };
const next = nextTokenBatches(ids, stretches);
const maskedBatches = maskedTokenBatches(ids, {
  ...stretches,
  maskId: 0,
  maskProbability: 0.3,
  vocabSize: V,
});

const steps = 600;
function learn<P>(params: P, model: TokenModel<P>, batchAt: BatchAt) {
  const learningRate = warmupCosine({ peak: 0.01, warmupSteps: 50, steps });
  const optimizer = adam({ learningRate });
  const step = trainStep({ loss: tokenLoss(model), optimizer, maxNorm: 1 });
  const state = optimizer.init(params);
  return Array.from({ length: steps }, (_, i) =>
    Number(step(params, state, [batchAt(i)]).toNested()),
  );
}
const losses = [
  learn(gptParams, gpt, next),
  learn(bertParams, masked, maskedBatches),
];
const every4th = losses.flatMap((list) => list.filter((_, i) => i % 4 === 3));
const labels = ["GPT: next word", "BERT: masked word"];
show(
  lines(
    { data: every4th, shape: [2, steps / 4] },
    { title: "loss, in nats per word", labels },
  ),
);

// Which animal is it? BERT gets a sentence with a gap, GPT the words before the
// gap.
const gap = 1; // 1 hides the animal, 2 its sound
const asked = "the cow moos .".split(" ").with(gap, "?");
const answers = gap === 1 ? animals : Object.values(sounds);
const given = tensor([asked.map((word) => vocabulary.indexOf(word))], {
  dtype: "int32",
});
const tensors: Record<string, Tensor> = {};
const trace = { names: ["scores", "weights"] as const, tensors };
const traced = (name: string) => tensors[`layers.0.attention.${name}`] ?? given;
const chances = (logits: Tensor, place: number) => {
  const { data } = softmax(logits); // [1, T, V]
  return answers.map(
    (word) => data[place * V + vocabulary.indexOf(word)] ?? NaN,
  );
};
// GPT predicts the gap from the word before it; BERT predicts it at the gap.
const predictions = [chances(gpt.apply(gptParams, given, { trace }), gap - 1)];
const maps = [traced("weights")];
const scoresOf = [traced("scores")];
const rows = bert.apply(bertParams, given, { trace });
predictions.push(chances(bert.maskedTokenLogits(bertParams, rows), gap));
maps.push(traced("weights"));
scoresOf.push(traced("scores"));

const ahead = ({ data }: Tensor) => {
  const later = Array.from(data).filter(
    (_, n) => n % 4 > Math.floor(n / 4) % 4,
  );
  return later.reduce((a, b) => a + b) / 8; // two heads, four rows that sum to 1
};
["GPT", "BERT"].forEach((name, n) => {
  const [of = [], weights = given] = [predictions[n], maps[n]];
  show(
    bars(
      { data: of, shape: [4] },
      { labels: answers, title: `${name}: ${asked.join(" ")}`, max: 1 },
    ),
  );
  show(
    attentionMap(weights, {
      rowLabels: asked,
      columnLabels: asked,
      scores: scoresOf[n] ?? given,
      title: `Where ${name} looks`,
      max: 1,
    }),
  );
  const numbers = of.map((x) => x.toFixed(2)).join(" ");
  print(
    `${name}: ${numbers}; ${(100 * ahead(weights)).toFixed(0)}% of its weight is on later words`,
  );
});

const [ofGpt = [], ofBert = []] = predictions;
const cow = animals.indexOf("cow"); // its sound has the same place in the list
check("GPT can only guess", Math.max(...ofGpt) < 0.5);
check("BERT is sure", (ofBert[cow] ?? 0) > 0.9);
if (ahead(maps[0] ?? given) !== 0) throw new Error("GPT saw later words");
check("BERT looks at later words", ahead(maps[1] ?? given) > 0.1);
