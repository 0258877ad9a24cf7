import {
  ablate,
  inFloat64,
  runWithTrace,
  scoreGraph,
  scoreParts,
} from "@qkv/lens";
import { check, print, show } from "@qkv/page";
import { adam } from "@qkv/tensor/optimizers";
import { decoder, type DecoderParams } from "@qkv/transformer";
import {
  nextTokenBatches,
  tokenLoss,
  trainStep,
} from "@qkv/transformer/training";
import { attentionMap, attributionGraph, bars } from "@qkv/viz";

// The language of the lesson before: the last word depends on the second.
const sounds = { cat: "meows", dog: "barks", cow: "moos", bird: "sings" };
const sentences = Object.entries(sounds).map(
  ([animal, sound]) => `the ${animal} sat there and ${sound} .`,
);
const text = Array.from(
  { length: 60 },
  (_, n) => sentences[(n * 7 + (n >> 2)) % 4],
).join(" ");
const vocabulary = [...new Set(text.split(" "))];
const idsOf = (words: string) =>
  words.split(" ").map((word) => vocabulary.indexOf(word));

// Two layers of two heads, with learned positions.
const { config, init, apply } = decoder({
  vocabSize: vocabulary.length,
  embedDim: 32,
  hiddenDim: 64,
  numLayers: 2,
  numHeads: 2,
  numKvHeads: 2,
  contextLength: 14,
  positions: "learned",
  normEps: 1e-5,
  stopIds: [],
});
const params = init(1);
const batchAt = nextTokenBatches(idsOf(text), {
  batchSize: 16,
  contextLength: 14,
  seed: 1,
});
const optimizer = adam({ learningRate: 0.01 });
const step = trainStep<DecoderParams>({
  loss: tokenLoss({ apply }),
  optimizer,
  maxNorm: 1,
});
const state = optimizer.init(params);
for (let i = 0; i < 150; i++) step(params, state, [batchAt(i)]);

// Of each layer, the head that looks hardest from "and" to "cat".
const model = inFloat64({ config, params, apply });
const words = "the cat sat there and".split(" ");
const ids = idsOf(words.join(" "));
const [query, key] = [4, 1];
const { tensors } = runWithTrace(model, ids, { names: ["weights"] });
const strongest = (layer: number) =>
  [0, 1]
    .map((head) => {
      const weights = tensors[`layers.${layer}.attention.weights`]!;
      const weight = weights.data[(head * 5 + query) * 5 + key]!;
      return { layer, head, weight };
    })
    .reduce((a, b) => (b.weight > a.weight ? b : a));
const { layer, head } = strongest(0);
const weights = tensors[`layers.${layer}.attention.weights`]!;
const own = weights.data.slice(head * 25, head * 25 + 25);
show(
  attentionMap(
    { data: own, shape: [5, 5] },
    {
      rowLabels: words,
      columnLabels: words,
      max: 1,
      title: `layer ${layer}, head ${head}`,
    },
  ),
);

// The score of a head, split by what the query and the key were made of.
const short = (name: string) => name.replace("layers.", "layer ");
const reasons = (layer: number, head: number) => {
  const parts = scoreParts(model, ids, { layer, head, query, key });
  const { querySources, keySources, values, dot } = parts;
  const pairs = querySources.flatMap((from, i) =>
    keySources.map((to, j) => ({
      label: `${short(from.name)} of “and” · ${short(to.name)} of “cat”`,
      value: Number(values.data[i * keySources.length + j]),
    })),
  );
  const largest = pairs
    .toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, 8);
  show(
    bars(
      { data: largest.map(({ value }) => value), shape: [largest.length] },
      {
        labels: largest.map(({ label }) => label),
        title: `largest parts of the score, layer ${layer}, head ${head}`,
      },
    ),
  );
  const sum = pairs.reduce((total, { value }) => total + value, 0);
  print(
    `score ${dot.toFixed(6)}, sum of ${pairs.length} parts ${sum.toFixed(6)}`,
  );
  check("the parts sum to the score", Math.abs(sum - dot) < 1e-10);
  return pairs;
};
const [content, position] = reasons(layer, head);
check(
  "the word is the reason, not its position",
  content!.value > 5 && position!.value < 0,
);
const second = strongest(1);
reasons(1, second.head);

// Traced on: what the heads of the first layer read that the score is made of.
const graph = scoreGraph(model, ids, {
  layer: 1,
  head: second.head,
  query,
  key,
});
const parents = graph.nodes.filter(({ id }) =>
  graph.nodes.some(({ parent }) => parent === id),
);
show(
  attributionGraph(graph, {
    tokens: words,
    expanded: parents.map(({ id }) => id),
    title: `sources of the score, layer 1, head ${second.head}`,
  }),
);
check(
  "the sources of a head sum to its part",
  parents.every(({ id, value }) => {
    const own = graph.nodes.filter(({ parent }) => parent === id);
    const sum = own.reduce((total, part) => total + part.value, 0);
    return Math.abs(sum - value) < 1e-10;
  }),
);

// A reason can be tried: without the head, the answer is less likely.
const meows = vocabulary.indexOf("meows");
const chance = (hooks = {}) => {
  const { logits } = runWithTrace(model, ids, { names: [], hooks });
  const row = [...logits.data.slice(-vocabulary.length)].map(Number);
  const total = row.reduce((all, x) => all + Math.exp(x), 0);
  return Math.exp(row[meows]!) / total;
};
const [whole, without] = [chance(), chance(ablate([{ layer, head }]))];
print(`“meows”: ${whole.toFixed(3)}; without the head ${without.toFixed(3)}`);
check("the model knows the sound", whole > 0.8 && without < 0.5);
